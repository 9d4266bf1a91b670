//! The classes of messages that have a rate limit each.
//!
//! A server counts by them, and a client paces itself by them, so both read this one table.

use crate::{MessageType, Rate};

/// A class of client messages. What one class sends never takes from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MessageClass {
    /// CALL_INITIATE, CALL_ACCEPT: what begins calls.
    Calls,
    /// CALL_REJECT, CALL_END: what ends calls. Apart from those, so that whoever is rung by many can
    /// decline them all and still make calls of its own.
    Hangups,
    /// ICE_CANDIDATE, CALL_SIGNAL, CALL_RINGING: messages during a call.
    Candidates,
    /// PKD_REGISTER, PKD_LOOKUP.
    Directory,
    /// ACK. Apart from the candidates, because each message of ours may be acknowledged, and those
    /// that a peer causes are many.
    Acks,
    /// Everything else, and what cannot be read.
    Other,
}

/// A burst, and the messages in each second after it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DefaultRate {
    /// At once.
    pub burst: u32,
    /// In each second after that.
    pub per_second: f64,
}

impl MessageClass {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Calls, Self::Hangups, Self::Candidates, Self::Directory, Self::Acks, Self::Other];

    /// The name on the wire, and of the operator's setting (ACKs share that of the candidates).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Calls => "calls",
            Self::Hangups => "hangups",
            Self::Candidates => "candidates",
            Self::Directory => "directory",
            Self::Acks => "acks",
            Self::Other => "other",
        }
    }

    /// The class of a type.
    pub const fn of(message_type: MessageType) -> Self {
        match message_type {
            MessageType::CallInitiate | MessageType::CallAccept => Self::Calls,
            MessageType::CallReject | MessageType::CallEnd => Self::Hangups,
            MessageType::IceCandidate | MessageType::CallSignal | MessageType::CallRinging => {
                Self::Candidates
            }
            MessageType::PkdRegister | MessageType::PkdLookup => Self::Directory,
            MessageType::Ack => Self::Acks,
            MessageType::Register | MessageType::TurnCredentials | MessageType::Heartbeat => {
                Self::Other
            }
        }
    }

    /// The server's limit unless its operator sets another.
    pub const fn default_rate(self) -> DefaultRate {
        match self {
            // A person redials, a device answers several calls: 20 at once, one a second for ever.
            Self::Calls => DefaultRate { burst: 20, per_second: 1.0 },
            // Five callers ring their whole burst of 20 at once, and then twenty redial once a second:
            // each is declined as fast as it rings.
            Self::Hangups => DefaultRate { burst: 100, per_second: 20.0 },
            // A full ICE gather: 5 interfaces (Wi-Fi, Ethernet, VPN, two bridges) × IPv4 and IPv6 ×
            // UDP and TCP = 20 host candidates, 10 server-reflexive, 5 × 4 TURN URLs = 20 relayed: 50
            // for each of two unbundled media, 100 a call. Four such gathers at once (a call, its ICE
            // restart, another call and its restart), and a further one every 2 s.
            Self::Candidates | Self::Acks => DefaultRate { burst: 400, per_second: 50.0 },
            // A screen of 20 contacts is looked up at once, and scrolling adds two a second.
            Self::Directory => DefaultRate { burst: 20, per_second: 2.0 },
            // Registration, heartbeats, relay credentials: 30 at once, five a second.
            Self::Other => DefaultRate { burst: 30, per_second: 5.0 },
        }
    }
}

/// The rates of a connection: one for each class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageRates([Rate; MessageClass::ALL.len()]);

impl MessageRates {
    /// The rates that `rate` gives.
    pub fn from_fn(rate: impl Fn(MessageClass) -> Rate) -> Self {
        Self(MessageClass::ALL.map(rate))
    }

    /// The rate of a class.
    pub fn of(&self, class: MessageClass) -> Rate {
        self.0[class as usize]
    }
}

impl Default for MessageRates {
    /// The server's, unless its operator sets others.
    fn default() -> Self {
        Self::from_fn(Rate::default_of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_class_has_its_own_rate() {
        let rates = MessageRates::from_fn(|class| Rate::new(class as u32 + 1, 1.0));
        for (at, class) in MessageClass::ALL.into_iter().enumerate() {
            assert_eq!(rates.of(class).burst() as usize, at + 1);
        }
    }
}
