//! Why a TURN server gave no relay.

use turn_client_proto::stun::types::attribute::ErrorCode;
use turn_client_proto::stun::types::message::{Message, MessageHeader};
use turn_client_proto::types::message::ALLOCATE;

/// The reason that there is no relay. Of several the greatest counts: a server that answered knows
/// more than one that was not reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[non_exhaustive]
pub enum RelayFailure {
    /// The name has no address, or no answer came in time.
    #[error("the TURN server's name was not found")]
    NameNotFound,
    /// No connection to it, or no way to send to it.
    #[error("the TURN server was not reached")]
    Unreachable,
    /// It was sent to, and did not answer in time.
    #[error("the TURN server did not answer")]
    Silent,
    /// Its certificate is not trusted, or the handshake failed.
    #[error("TLS with the TURN server failed: its certificate may not be trusted here")]
    Tls,
    /// It answered with an error of this code (RFC 8656 section 19).
    #[error("the TURN server refused, with error {0}")]
    Refused(u16),
    /// 508: its relays are exhausted.
    #[error("the TURN server has no relay left (508)")]
    Exhausted,
    /// 486: it gives no more relays to this user.
    #[error("the TURN server gives this user no more relays for now (486): its quota is used up")]
    Quota,
    /// 401 to a request with our credential.
    #[error("the TURN server refused the credential: it is wrong, or has expired")]
    Credential,
}

impl RelayFailure {
    const fn of_code(code: u16) -> Self {
        match code {
            ErrorCode::UNAUTHORIZED | ErrorCode::WRONG_CREDENTIALS => Self::Credential,
            ErrorCode::ALLOCATION_QUOTA_REACHED => Self::Quota,
            ErrorCode::INSUFFICIENT_CAPACITY => Self::Exhausted,
            code => Self::Refused(code),
        }
    }
}

/// Reads the error code in a TURN server's answers to Allocate, which `turn-client-proto` does not
/// report.
#[derive(Default)]
pub(crate) struct AllocateErrors {
    /// Over a stream: the message that is not here whole.
    partial: Vec<u8>,
    /// The first 401 brings realm and nonce; it does not reject the credential.
    challenged: bool,
    code: Option<u16>,
}

impl AllocateErrors {
    /// Bytes of a message that is longer than any answer to Allocate.
    const MESSAGE_BYTES_MAX: usize = 2048;

    /// Takes bytes of the server before there is an allocation: until then only messages of STUN
    /// come.
    pub(crate) fn observe(&mut self, bytes: &[u8]) {
        self.partial.extend_from_slice(bytes);
        while let Some(message) = self.next_message() {
            self.read(&message);
        }
        if self.partial.len() > Self::MESSAGE_BYTES_MAX {
            self.partial.clear();
        }
    }

    /// The reason that the server gave. `None` if it gave no reason.
    pub(crate) fn failure(&self) -> Option<RelayFailure> {
        self.code.map(RelayFailure::of_code)
    }

    fn next_message(&mut self) -> Option<Vec<u8>> {
        let header = MessageHeader::from_bytes(&self.partial).ok()?;
        let length = MessageHeader::LENGTH + usize::from(header.data_length());
        (self.partial.len() >= length).then(|| self.partial.drain(..length).collect())
    }

    fn read(&mut self, bytes: &[u8]) {
        let Ok(message) = Message::from_bytes(bytes) else { return };
        if message.method() != ALLOCATE || !message.is_response() {
            return;
        }
        let code = message.attribute::<ErrorCode>().ok().map(|error| error.code());
        match code {
            Some(ErrorCode::UNAUTHORIZED) if !self.challenged => self.challenged = true,
            Some(ErrorCode::STALE_NONCE) => {}
            code => self.code = code,
        }
    }
}

#[cfg(test)]
mod tests {
    use turn_client_proto::stun::types::message::{MessageWriteVec, Method};
    use turn_client_proto::stun::types::prelude::*;

    use super::*;

    fn error(method: Method, code: u16) -> Vec<u8> {
        let request = Message::builder_request(method, MessageWriteVec::new()).finish();
        let request = Message::from_bytes(&request).unwrap();
        let mut answer = Message::builder_error(&request, MessageWriteVec::new());
        answer.add_attribute(&ErrorCode::builder(code).build().unwrap()).unwrap();
        answer.finish()
    }

    fn failure(codes: &[u16]) -> Option<RelayFailure> {
        let mut errors = AllocateErrors::default();
        codes.iter().for_each(|code| errors.observe(&error(ALLOCATE, *code)));
        errors.failure()
    }

    #[test]
    fn the_last_code_is_the_reason_but_not_a_challenge() {
        assert_eq!(failure(&[401]), None);
        assert_eq!(failure(&[401, 401]), Some(RelayFailure::Credential));
        assert_eq!(failure(&[401, 438, 486]), Some(RelayFailure::Quota));
        assert_eq!(failure(&[401, 508]), Some(RelayFailure::Exhausted));
        assert_eq!(failure(&[401, 403]), Some(RelayFailure::Refused(403)));
    }

    #[test]
    fn answers_are_found_in_a_stream_however_it_is_cut() {
        let stream = [error(ALLOCATE, 401), error(ALLOCATE, 486)].concat();
        for cut in 1..stream.len() {
            let mut errors = AllocateErrors::default();
            stream.chunks(cut).for_each(|part| errors.observe(part));
            assert_eq!(errors.failure(), Some(RelayFailure::Quota), "cut after {cut}");
        }
    }

    #[test]
    fn a_server_that_answers_something_else_cannot_make_it_grow() {
        let mut errors = AllocateErrors::default();
        errors.observe(&[0xff; 100_000]);
        errors.observe(&[0, 3, 0xff, 0xff, 0x21, 0x12, 0xa4, 0x42]);
        (0..1000).for_each(|_| errors.observe(&[7; 1000]));
        assert!(errors.partial.len() <= AllocateErrors::MESSAGE_BYTES_MAX);
        assert_eq!(errors.failure(), None);
    }

    #[test]
    fn no_reason_names_an_address_and_each_is_distinct() {
        assert_eq!(
            RelayFailure::Quota.to_string(),
            "the TURN server gives this user no more relays for now (486): its quota is used up"
        );
        assert!(RelayFailure::Credential > RelayFailure::Unreachable);
    }
}
