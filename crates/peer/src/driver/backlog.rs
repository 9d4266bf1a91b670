//! Messages that the inbox has no room for, and the datagrams that are held back because of them.
//!
//! The driver never waits for the inbox: the application may read slowly, and meanwhile commands,
//! acknowledgements and ICE go on. SCTP here cannot announce a full window (`str0m` reads each
//! message at once), so backpressure takes the form that a network has: a datagram that may bring
//! another message is held back, and SCTP at the other end slows down because it gets no
//! acknowledgement. Datagrams beyond the bound are lost, as in any full queue, and sent again.

use std::collections::VecDeque;

use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use crate::channel::inbox::RawMessage;
use crate::ice::early::Datagram;

/// Datagrams that are held back: SCTP's window of 1 MiB in packets of 1,150 bytes, so that an end
/// that reads again goes on with everything that was on its way.
const HELD_MAX: usize = 1024;
/// The longest DTLS datagram that brings no message: acknowledgements, and the end of the
/// connection. A message of the channel has at least 25 bytes of JSON, and 50 of headers.
const ACKNOWLEDGEMENT_BYTES_MAX: usize = 76;
/// Messages beyond which even short datagrams are held back: a chunk may have one byte.
const MESSAGES_MAX: usize = 1024;

/// Messages that the inbox has no room for, and datagrams held back behind them.
#[derive(Default)]
pub(super) struct Backlog {
    messages: VecDeque<RawMessage>,
    held: VecDeque<Datagram>,
}

impl Backlog {
    pub(super) fn is_empty(&self) -> bool {
        self.messages.is_empty() && self.held.is_empty()
    }

    /// Passes a message to the inbox, after those in the backlog. If the inbox has stopped, the
    /// message is lost; the reason for the stop is reported elsewhere.
    pub(super) fn deliver(&mut self, message: RawMessage, inbox: &mpsc::Sender<RawMessage>) {
        if !self.messages.is_empty() {
            self.messages.push_back(message);
        } else if let Err(TrySendError::Full(message)) = inbox.try_send(message) {
            self.messages.push_back(message);
        }
    }

    /// Passes on what the inbox has room for.
    pub(super) fn flush(&mut self, inbox: &mpsc::Sender<RawMessage>) {
        while let Some(message) = self.messages.pop_front() {
            if let Err(TrySendError::Full(message)) = inbox.try_send(message) {
                self.messages.push_front(message);
                return;
            }
        }
    }

    /// Returns true if a datagram must be held back until messages are gone.
    pub(super) fn holds_back(&self, datagram: &[u8]) -> bool {
        let is_short = datagram.len() <= ACKNOWLEDGEMENT_BYTES_MAX;
        let may_pass = is_stun(datagram) || is_short && self.messages.len() < MESSAGES_MAX;
        !self.is_empty() && !may_pass
    }

    /// Keeps a datagram for later, or loses it.
    pub(super) fn hold(&mut self, datagram: Datagram) {
        if self.held.len() < HELD_MAX {
            self.held.push_back(datagram);
        }
    }

    /// Returns a datagram whose time has come.
    pub(super) fn release(&mut self) -> Option<Datagram> {
        if self.messages.is_empty() { self.held.pop_front() } else { None }
    }

    /// Returns the messages that are left.
    pub(super) fn into_messages(self) -> VecDeque<RawMessage> {
        self.messages
    }
}

/// ICE, in the words of RFC 7983.
fn is_stun(datagram: &[u8]) -> bool {
    datagram.first().is_some_and(|first| *first < 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DTLS: u8 = 23;

    fn message(n: u8) -> RawMessage {
        (false, vec![n])
    }

    fn datagram(n: u8) -> Datagram {
        let address = "127.0.0.1:9".parse().unwrap();
        (address, address, vec![n; 1200])
    }

    /// With one message in the inbox, and these behind it.
    fn behind(messages: u8) -> (Backlog, mpsc::Sender<RawMessage>, mpsc::Receiver<RawMessage>) {
        let (inbox, receiver) = mpsc::channel(1);
        let mut backlog = Backlog::default();
        (0..=messages).for_each(|n| backlog.deliver(message(n), &inbox));
        (backlog, inbox, receiver)
    }

    #[test]
    fn messages_stay_in_order_and_all_arrive() {
        let (mut backlog, inbox, mut receiver) = behind(3);
        for n in 0..=3 {
            assert_eq!(receiver.try_recv().unwrap(), message(n));
            backlog.flush(&inbox);
        }
        assert!(backlog.is_empty());
    }

    #[test]
    fn a_datagram_is_held_back_only_behind_messages_and_only_if_it_may_bring_one() {
        let (mut backlog, inbox, mut receiver) = behind(1);
        assert!(backlog.holds_back(&[DTLS; 1200]));
        assert!(!backlog.holds_back(&[DTLS; ACKNOWLEDGEMENT_BYTES_MAX]));
        assert!(!backlog.holds_back(&[0; 1200]), "ICE");
        receiver.try_recv().unwrap();
        backlog.flush(&inbox);
        assert!(!backlog.holds_back(&[DTLS; 1200]));
    }

    #[test]
    fn held_datagrams_come_in_their_order_once_the_messages_are_gone() {
        let (mut backlog, inbox, mut receiver) = behind(1);
        backlog.hold(datagram(1));
        backlog.hold(datagram(2));
        assert_eq!(backlog.release(), None);
        receiver.try_recv().unwrap();
        backlog.flush(&inbox);
        assert_eq!(backlog.release(), Some(datagram(1)));
        assert!(backlog.holds_back(&[DTLS; 1200]), "the second comes first");
        assert_eq!(backlog.release(), Some(datagram(2)));
        assert!(backlog.is_empty());
    }

    #[test]
    fn the_other_end_cannot_make_it_grow() {
        let (mut backlog, inbox, _receiver) = behind(1);
        (0..2 * HELD_MAX).for_each(|_| backlog.hold(datagram(1)));
        assert_eq!(backlog.held.len(), HELD_MAX);
        (0..MESSAGES_MAX).for_each(|_| backlog.deliver(message(1), &inbox));
        assert!(backlog.holds_back(&[DTLS; ACKNOWLEDGEMENT_BYTES_MAX]));
    }
}
