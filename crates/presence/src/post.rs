//! Mail under way.
//!
//! A post is the mail that one input has caused, and belongs to the thread that gave the input. Its
//! items are dealt with one after another, and what an item leads to comes before the rest: a
//! letter's outcome is reported before the next letter of the same session leaves.

use std::borrow::Cow;
use std::sync::Arc;

use securecall_core::{Mail, Outcome, OwnedMail};
use securecall_protocol::{ClientId, Opaque, OwnedOpaque};
use smallvec::SmallVec;

use crate::cell::Cell;
use crate::host::Host;

/// The mail of one thread that is under way. Mostly it is empty or one letter.
#[must_use = "mail that is dropped is lost"]
pub struct Post<'m, H: Host> {
    /// The next is the last.
    items: SmallVec<[Item<'m, H>; 1]>,
}

/// A letter to deliver, or one whose outcome its sender has to learn.
pub struct Item<'m, H: Host> {
    /// The letter.
    pub letter: Letter<'m, H>,
    /// Its outcome. `None`: it is not delivered yet.
    pub outcome: Option<Outcome>,
}

/// A mail with its sender and its receiver.
pub struct Letter<'m, H: Host> {
    /// The sender's cell.
    pub from: Cow<'m, Arc<Cell<H>>>,
    /// The receiver.
    pub to: ClientId,
    /// The mail.
    pub mail: Mail<'m>,
    /// The `id` of the request that caused it.
    pub request_id: Option<Opaque<'m>>,
}

impl<'m, H: Host> Post<'m, H> {
    /// No mail.
    pub fn empty() -> Self {
        Self { items: SmallVec::new() }
    }

    /// Takes out the next item.
    pub fn pop(&mut self) -> Option<Item<'m, H>> {
        self.items.pop()
    }

    /// Puts an item before all others.
    pub(crate) fn push(&mut self, item: Item<'m, H>) {
        self.items.push(item);
    }

    /// The number of items.
    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    /// Puts an item behind those that came after the first `others` were there.
    pub(crate) fn insert(&mut self, others: usize, item: Item<'m, H>) {
        self.items.insert(others, item);
    }

    /// Reverses the items that came after the first `others` were there.
    pub(crate) fn reverse_from(&mut self, others: usize) {
        if let Some(new) = self.items.get_mut(others..)
            && new.len() > 1
        {
            new.reverse();
        }
    }

    /// Puts the items that follow from one before all others.
    pub fn push_all(&mut self, following: Self) {
        if !following.items.is_empty() {
            self.items.extend(following.items);
        }
    }

    /// Returns true if no mail is under way.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Copies what it borrows.
    pub fn into_owned(self) -> OwnedPost<H> {
        OwnedPost { items: self.items.into_iter().map(Item::into_owned).collect() }
    }
}

impl<H: Host> Item<'_, H> {
    /// Copies what it borrows.
    pub fn into_owned(self) -> OwnedItem<H> {
        let Letter { from, to, mail, request_id } = self.letter;
        let letter = OwnedLetter {
            from: from.into_owned(),
            to,
            mail: mail.into_owned(),
            request_id: request_id.map(Opaque::into_owned),
        };
        OwnedItem { letter, outcome: self.outcome }
    }
}

/// A [`Post`] with texts of its own, which is delivered later.
#[must_use = "mail that is dropped is lost"]
pub struct OwnedPost<H: Host> {
    /// The next is the last.
    pub items: Vec<OwnedItem<H>>,
}

/// An [`Item`] with texts of its own.
pub struct OwnedItem<H: Host> {
    /// The letter.
    pub letter: OwnedLetter<H>,
    /// Its outcome. `None`: it is not delivered yet.
    pub outcome: Option<Outcome>,
}

/// A [`Letter`] with texts of its own.
pub struct OwnedLetter<H: Host> {
    /// The sender's cell.
    pub from: Arc<Cell<H>>,
    /// The receiver.
    pub to: ClientId,
    /// The mail.
    pub mail: OwnedMail,
    /// The `id` of the request that caused it.
    pub request_id: Option<OwnedOpaque>,
}

impl<H: Host> Default for OwnedPost<H> {
    fn default() -> Self {
        Self { items: Vec::new() }
    }
}

impl<H: Host> OwnedItem<H> {
    /// The item, lent out.
    pub fn as_item(&self) -> Item<'_, H> {
        let OwnedLetter { from, to, mail, request_id } = &self.letter;
        let letter = Letter {
            from: Cow::Borrowed(from),
            to: to.clone(),
            mail: mail.as_mail(),
            request_id: request_id.as_ref().map(OwnedOpaque::as_opaque),
        };
        Item { letter, outcome: self.outcome }
    }
}
