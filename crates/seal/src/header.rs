//! The four bytes in front of everything sealed.
//!
//! ```text
//! version = 1 │ type │ suite │ sender
//! ```

use crate::{Error, Suite};

/// The version of the whole protocol: formats, labels and algorithms.
pub(crate) const VERSION: u8 = 1;

pub(crate) type HeaderBytes = [u8; 4];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MessageType {
    Offer = 1,
    Answer = 2,
    Candidate = 3,
    Signal = 4,
}

/// Which end of the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Caller = 0,
    Callee = 1,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Header {
    pub(crate) message_type: MessageType,
    pub(crate) suite: Suite,
    pub(crate) sender: Role,
}

impl Header {
    pub(crate) const fn to_bytes(self) -> HeaderBytes {
        [VERSION, self.message_type as u8, self.suite.wire(), self.sender as u8]
    }

    /// Checks that received bytes are this header, which the receiver always knows beforehand.
    pub(crate) fn check(self, received: HeaderBytes) -> Result<(), Error> {
        self.check_kind(received)?;
        self.check_suite(received)
    }

    /// Checks the version, type and sender of received bytes.
    pub(crate) const fn check_kind(self, received: HeaderBytes) -> Result<(), Error> {
        let expected = self.to_bytes();
        if received[0] != VERSION {
            return Err(Error::UnknownVersion(received[0]));
        }
        if received[1] != expected[1] {
            return Err(Error::UnexpectedType);
        }
        if received[3] != expected[3] {
            return Err(Error::Reflected);
        }
        Ok(())
    }

    /// Checks the suite of received bytes.
    pub(crate) const fn check_suite(self, received: HeaderBytes) -> Result<(), Error> {
        if received[2] == self.suite.wire() { Ok(()) } else { Err(Error::WrongSuite) }
    }
}
