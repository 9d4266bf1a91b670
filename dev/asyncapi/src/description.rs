//! The description of one message in the document.

use securecall_protocol::Dialect;

use crate::Field;

/// A message, as it stands on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// Its `type`.
    pub wire_type: &'static str,
    /// The meaning of the message.
    pub meaning: &'static str,
    /// The first dialect that has it.
    pub since: Dialect,
    /// The fields of its payload.
    pub fields: Vec<Field>,
    /// From a client: the types that answer it, besides ERROR. From the server: empty.
    pub answers: &'static [&'static str],
    /// From the server: whether it is asked for.
    pub occasion: Occasion,
    /// From the server: whether it carries `seq` in dialect 2.
    pub is_numbered: bool,
}

/// When the server sends a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    /// When something happens elsewhere.
    Unasked,
    /// As the answer to a request.
    Requested,
    /// On either occasion.
    Either,
}

impl Description {
    pub(crate) fn new(wire_type: &'static str, meaning: &'static str, fields: &[Field]) -> Self {
        Self {
            wire_type,
            meaning,
            since: Dialect::One,
            fields: fields.to_vec(),
            answers: &[],
            occasion: Occasion::Unasked,
            is_numbered: true,
        }
    }

    pub(crate) fn of_dialect_2(self) -> Self {
        Self { since: Dialect::Two, ..self }
    }

    pub(crate) fn answered_by(self, answers: &'static [&'static str]) -> Self {
        Self { answers, ..self }
    }

    pub(crate) fn on(self, occasion: Occasion) -> Self {
        Self { occasion, ..self }
    }

    pub(crate) fn without_number(self) -> Self {
        Self { is_numbered: false, ..self }
    }

    /// From the server: whether it may answer a request, and so carry `replyTo`.
    pub fn is_answer(&self) -> bool {
        self.occasion != Occasion::Unasked
    }

    /// Returns true if a dialect has the message.
    pub fn is_in(&self, dialect: Dialect) -> bool {
        includes(dialect, self.since)
    }

    /// The fields of the payload in a dialect.
    pub fn fields_in(&self, dialect: Dialect) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(move |field| includes(dialect, field.since))
    }
}

/// Returns true if a dialect includes the additions of `since`.
fn includes(dialect: Dialect, since: Dialect) -> bool {
    dialect == Dialect::Two || since == Dialect::One
}

/// Makes two functions of one table: `all`, every description, and `of`, the one of a message.
///
/// `of` is what makes the table complete: its match has no wildcard and its patterns no `..`, so a
/// message or a field that is not in the table does not compile.
macro_rules! described_messages {
    ($message:ty { $($pattern:pat => $description:expr,)+ }) => {
        /// Every message, in the order of the table.
        pub fn all() -> Vec<$crate::Description> {
            vec![$($description),+]
        }

        /// The description of this message.
        pub fn of(message: &$message) -> $crate::Description {
            match message {
                $($pattern => $description,)+
            }
        }
    };
}
pub(crate) use described_messages;
