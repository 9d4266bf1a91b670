//! The context that offers and answers are bound to: the signature covers it, and it is the `info`
//! of HPKE.
//!
//! ```text
//! party   = id length u8 │ id │ record hash (32)
//! offer:    label │ header (4) │ caller's party │ callee's party
//! answer:   label │ header (4) │ caller's party │ callee's party
//!                 │ call id length u16 │ call id │ offer hash (32)
//! ```

use securecall_identity::notation::Digest;

use crate::{
    DirectoryKey, Error, Suite,
    header::{Header, MessageType, Role},
    labels,
};

/// The longest call id, in bytes.
pub const CALL_ID_BYTES_MAX: usize = 1024;

/// Both ends of a call, by id and directory key.
#[derive(Clone)]
pub(crate) struct Parties {
    pub(crate) caller: Party,
    pub(crate) callee: Party,
}

#[derive(Clone)]
pub(crate) struct Party {
    id: String,
    pub(crate) record_hash: Digest,
}

impl Parties {
    pub(crate) fn new(caller: &DirectoryKey, callee: &DirectoryKey) -> Result<Self, Error> {
        if caller.client_id() == callee.client_id() {
            return Err(Error::SelfCall);
        }
        Ok(Self { caller: Party::of(caller), callee: Party::of(callee) })
    }

    pub(crate) fn offer_context(&self, suite: Suite) -> Vec<u8> {
        let mut context = labels::OFFER.to_vec();
        context.extend_from_slice(&offer_header(suite).to_bytes());
        self.put(&mut context);
        context
    }

    pub(crate) fn answer_context(
        &self,
        suite: Suite,
        call_id: &str,
        offer_hash: &Digest,
    ) -> Result<Vec<u8>, Error> {
        let call_id_bytes = u16::try_from(call_id.len())
            .ok()
            .filter(|length| (1..=CALL_ID_BYTES_MAX).contains(&usize::from(*length)))
            .ok_or(Error::InvalidCallId)?;
        let mut context = labels::ANSWER.to_vec();
        context.extend_from_slice(&answer_header(suite).to_bytes());
        self.put(&mut context);
        context.extend_from_slice(&call_id_bytes.to_be_bytes());
        context.extend_from_slice(call_id.as_bytes());
        context.extend_from_slice(offer_hash);
        Ok(context)
    }

    fn put(&self, context: &mut Vec<u8>) {
        self.caller.put(context);
        self.callee.put(context);
    }
}

impl Party {
    fn of(key: &DirectoryKey) -> Self {
        Self { id: key.client_id().to_owned(), record_hash: *key.record_hash() }
    }

    fn put(&self, context: &mut Vec<u8>) {
        // A client id has at most 64 characters.
        context.push(u8::try_from(self.id.len()).unwrap_or(u8::MAX));
        context.extend_from_slice(self.id.as_bytes());
        context.extend_from_slice(&self.record_hash);
    }
}

pub(crate) const fn offer_header(suite: Suite) -> Header {
    Header { message_type: MessageType::Offer, suite, sender: Role::Caller }
}

pub(crate) const fn answer_header(suite: Suite) -> Header {
    Header { message_type: MessageType::Answer, suite, sender: Role::Callee }
}
