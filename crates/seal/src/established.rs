//! A call whose offer is answered: candidates and signals both ways.

use securecall_identity::notation::Cursor;
use zeroize::Zeroizing;

use crate::{
    Error, ShortAuthenticationString, Suite, armor, body,
    channel::{Receiving, Sending},
    commitment::{Commitment, OPENING_BYTES, Opening},
    header::{Header, MessageType, Role},
    schedule::Schedule,
    short_authentication::AuthenticationSecret,
};

/// One end of a call that has keys.
///
/// Messages are opened in the order in which they were sealed. Some may be lost on the way; one
/// that comes twice, or after a later one, is refused. Keys are wiped when it is dropped.
pub struct Established {
    suite: Suite,
    end: End,
    sending: Sending,
    receiving: Receiving,
}

/// The state that differs between the ends: the caller opens its commitment in each of its
/// messages, so that the first one to arrive is enough; the callee expects it.
enum End {
    Caller {
        opening: Opening,
        string: ShortAuthenticationString,
    },
    Callee {
        commitment: Commitment,
        secret: AuthenticationSecret,
        string: Option<ShortAuthenticationString>,
    },
}

impl Established {
    pub(crate) fn caller(suite: Suite, keys: Schedule, opening: Opening) -> Result<Self, Error> {
        let string = keys.authentication.string(&opening)?;
        Ok(Self {
            suite,
            end: End::Caller { opening, string },
            sending: Sending::new(keys.caller),
            receiving: Receiving::new(keys.callee),
        })
    }

    pub(crate) fn callee(suite: Suite, keys: Schedule, commitment: Commitment) -> Self {
        Self {
            suite,
            end: End::Callee { commitment, secret: keys.authentication, string: None },
            sending: Sending::new(keys.callee),
            receiving: Receiving::new(keys.caller),
        }
    }

    /// Seals a candidate: `candidate` of ICE_CANDIDATE.
    ///
    /// # Errors
    /// [`Error::TextTooLong`], [`Error::Exhausted`].
    pub fn seal_candidate(&mut self, candidate: &str) -> Result<String, Error> {
        self.seal(MessageType::Candidate, candidate)
    }

    /// Opens a candidate of the other end.
    ///
    /// # Errors
    /// It was changed, repeated, overtaken, sent back, or is of another call. The call itself is
    /// unharmed: ignore the message.
    pub fn open_candidate(&mut self, sealed: &str) -> Result<String, Error> {
        self.open(MessageType::Candidate, sealed)
    }

    /// Seals a signal: `data` of CALL_SIGNAL.
    ///
    /// # Errors
    /// As [`Established::seal_candidate`].
    pub fn seal_signal(&mut self, signal: &str) -> Result<String, Error> {
        self.seal(MessageType::Signal, signal)
    }

    /// Opens a signal of the other end.
    ///
    /// # Errors
    /// As [`Established::open_candidate`].
    pub fn open_signal(&mut self, sealed: &str) -> Result<String, Error> {
        self.open(MessageType::Signal, sealed)
    }

    /// The digits for people to compare. `None` until the callee has opened a message of the
    /// caller; a caller with no candidate left to send seals an empty one.
    pub const fn short_authentication_string(&self) -> Option<ShortAuthenticationString> {
        match &self.end {
            End::Caller { string, .. } => Some(*string),
            End::Callee { string, .. } => *string,
        }
    }

    /// The number of messages of the other end that were lost before the last opened one. Where
    /// every signal matters, an increase is the reason to ask again.
    pub const fn missing(&self) -> u64 {
        self.receiving.missing()
    }

    /// The suite that the call is sealed with.
    pub const fn suite(&self) -> Suite {
        self.suite
    }

    fn seal(&mut self, message_type: MessageType, text: &str) -> Result<String, Error> {
        body::check_text(text)?;
        let mut body = Zeroizing::new(body::with_room_for(text));
        if let End::Caller { opening, .. } = &self.end {
            body.extend_from_slice(opening.as_bytes());
        }
        body::put_text(&mut body, text);
        body::pad(&mut body);
        let header = Header { message_type, suite: self.suite, sender: self.end.role() };
        Ok(armor::encode(&self.sending.seal(header, &body)?))
    }

    fn open(&mut self, message_type: MessageType, sealed: &str) -> Result<String, Error> {
        let message = armor::decode(sealed).ok_or(Error::Malformed)?;
        let expected = Header { message_type, suite: self.suite, sender: self.end.other_role() };
        let body = self.receiving.open(expected, &message)?;
        let mut cursor = Cursor::new(&body);
        self.end.take_opening(&mut cursor)?;
        let text = body::take_text(&mut cursor).ok_or(Error::Content)?;
        body::check_padding(body.len(), cursor)?;
        body::as_text(text)
    }
}

impl End {
    const fn role(&self) -> Role {
        match self {
            Self::Caller { .. } => Role::Caller,
            Self::Callee { .. } => Role::Callee,
        }
    }

    const fn other_role(&self) -> Role {
        match self {
            Self::Caller { .. } => Role::Callee,
            Self::Callee { .. } => Role::Caller,
        }
    }

    /// Takes what a message of the caller begins with; one of the callee has nothing of the kind.
    fn take_opening(&mut self, body: &mut Cursor<'_>) -> Result<(), Error> {
        let Self::Callee { commitment, secret, string } = self else { return Ok(()) };
        let opening = Opening::from_bytes(body.array::<OPENING_BYTES>().ok_or(Error::Content)?);
        commitment.check(&opening)?;
        *string = Some(secret.string(&opening)?);
        Ok(())
    }
}
