//! This client's registration: its dialect, and the stream of numbered messages that is resumed.
//!
//! [`Registration`] sends nothing. Its contract:
//!
//! 1. On a new connection, send [`Registration::request`]. At REGISTERED, call
//!    [`Registration::complete`].
//! 2. Ask [`Registration::receive`] about each message before it is handled. If one is missing,
//!    call [`Registration::count_gap`], and connect again.
//! 3. When [`Registration::ack_at`] has come, send the ACK that is due, and report it with
//!    [`Registration::acknowledged`] or [`Registration::delay_ack`].

use std::time::{Duration, Instant};

use securecall_protocol::client::{Outgoing, PresentedCall, Resumable};
use securecall_protocol::{ClientId, Dialect};

use super::sender::MessageId;

/// A message is acknowledged at the latest after this time.
const ACK_WITHIN: Duration = Duration::from_secs(30);
/// Messages are acknowledged at the latest when there are as many as this.
const ACK_AFTER: u64 = 100;
/// Bound of the gaps in a row without a message between them. Then the client asks no more for what
/// is missing: it begins anew.
const GAPS_MAX: u32 = 3;

/// The registration, across connections.
pub(super) struct Registration {
    dialect: Dialect,
    resumption: Resumption,
    /// The `id` of the REGISTER under way.
    request: MessageId,
    /// The question behind everything that was sent again: when it is answered, a call whose
    /// beginning is unknown was lost. `None`: there is none.
    probe: Option<MessageId>,
}

/// The position in the stream, and what resumes it.
#[derive(Default)]
struct Resumption {
    token: Option<String>,
    /// Gaps found since the last message that was handled.
    gaps: u32,
    /// The number of the last message that was handled.
    last_seq: u64,
    acknowledged: u64,
    ack_at: Option<Instant>,
}

/// A message by its number.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    /// It is new, and nothing is missing before it. It is handled right after this.
    Next,
    /// It was here before.
    Repeated,
    /// One before it is missing.
    Ahead,
}

impl Registration {
    /// None yet.
    pub(super) fn new() -> Self {
        let resumption = Resumption::default();
        Self { dialect: Dialect::Two, resumption, request: 0, probe: None }
    }

    /// The dialect of the last registration.
    pub(super) const fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The REGISTER of a new connection, which is sent with this `id`.
    pub(super) fn request(
        &mut self,
        id: MessageId,
        client_id: ClientId,
        calls: Vec<PresentedCall>,
    ) -> Outgoing {
        self.request = id;
        let Resumption { token, last_seq, .. } = &self.resumption;
        let (resume_token, last_seq) = (token.clone(), *last_seq);
        Outgoing::Register { client_id, protocol: 2, resume_token, last_seq, calls }
    }

    /// Returns whether a message answers the REGISTER under way by its id.
    pub(super) fn is_answer(&self, reply_to: Option<&str>) -> bool {
        reply_to == Some(self.request.to_string().as_str())
    }

    /// REGISTERED came, with these announcements in dialect 2. Returns whether the stream goes on.
    pub(super) fn complete(&mut self, announced: Option<&Resumable>) -> bool {
        let resumed = announced.is_some_and(|server| server.resumed);
        self.dialect = if announced.is_some() { Dialect::Two } else { Dialect::One };
        if !resumed {
            self.resumption = Resumption::default();
        }
        if let Some(server) = announced {
            self.resumption.token = Some(server.resume_token.clone());
        }
        self.probe = None;
        resumed
    }

    /// Counts a message, unless another one belongs before it.
    pub(super) fn receive(&mut self, seq: Option<u64>, now: Instant) -> Arrival {
        let Some(seq) = seq else { return Arrival::Next };
        let stream = &mut self.resumption;
        match seq.checked_sub(stream.last_seq) {
            None | Some(0) => return Arrival::Repeated,
            Some(1) => {}
            Some(_) => return Arrival::Ahead,
        }
        stream.last_seq = seq;
        stream.gaps = 0;
        let due = if seq - stream.acknowledged >= ACK_AFTER { now } else { now + ACK_WITHIN };
        stream.ack_at = Some(stream.ack_at.map_or(due, |at| at.min(due)));
        Arrival::Next
    }

    /// A number was left out. The next connection resumes from the last one without a gap; if that
    /// does not help, it begins anew, with numbers from 1.
    pub(super) fn count_gap(&mut self) {
        self.resumption.gaps += 1;
        if self.resumption.gaps >= GAPS_MAX {
            self.resumption = Resumption::default();
        }
    }

    /// The time at which an ACK is due.
    pub(super) const fn ack_at(&self) -> Option<Instant> {
        self.resumption.ack_at
    }

    /// The number that is to be acknowledged now.
    pub(super) fn ack_due(&self, now: Instant) -> Option<u64> {
        let is_due = self.resumption.ack_at.is_some_and(|at| at <= now);
        is_due.then_some(self.resumption.last_seq)
    }

    /// The ACK of this number was sent.
    pub(super) const fn acknowledged(&mut self, seq: u64) {
        self.resumption.acknowledged = seq;
        self.resumption.ack_at = None;
    }

    /// The ACK has to wait until then.
    pub(super) const fn delay_ack(&mut self, until: Instant) {
        self.resumption.ack_at = Some(until);
    }

    /// The question with this `id` was sent behind everything that is sent again.
    pub(super) const fn probe(&mut self, id: MessageId) {
        self.probe = Some(id);
    }

    /// Returns whether this `id` is the probe's. It is answered once.
    pub(super) fn take_probe(&mut self, id: MessageId) -> bool {
        self.probe.take_if(|probe| *probe == id).is_some()
    }
}

#[cfg(test)]
mod tests {
    use securecall_protocol::MessageRates;

    use super::*;

    fn announced(resumed: bool) -> Resumable {
        let (message_bytes_max, rates) = (None, MessageRates::default());
        Resumable { resume_token: "token".into(), resumed, message_bytes_max, rates }
    }

    /// The token and the number with which REGISTER resumes.
    fn presented(registration: &mut Registration) -> (Option<String>, u64) {
        match registration.request(1, "alice".try_into().unwrap(), Vec::new()) {
            Outgoing::Register { resume_token, last_seq, .. } => (resume_token, last_seq),
            other => panic!("{:?}", other.message_type()),
        }
    }

    fn registered() -> (Registration, Instant) {
        let mut registration = Registration::new();
        assert!(!registration.complete(Some(&announced(false))));
        (registration, Instant::now())
    }

    #[test]
    fn each_number_is_handled_once_and_in_order() {
        let (mut registration, now) = registered();
        assert_eq!(registration.receive(Some(1), now), Arrival::Next);
        assert_eq!(registration.receive(Some(1), now), Arrival::Repeated);
        assert_eq!(registration.receive(Some(3), now), Arrival::Ahead);
        assert_eq!(registration.receive(None, now), Arrival::Next, "it has no number");
        assert_eq!(registration.receive(Some(2), now), Arrival::Next);
    }

    #[test]
    fn a_registration_resumes_from_the_last_number_and_begins_anew_with_a_new_stream() {
        let (mut registration, now) = registered();
        registration.receive(Some(1), now);
        assert_eq!(presented(&mut registration), (Some("token".into()), 1));
        assert!(registration.complete(Some(&announced(true))));
        assert_eq!(registration.receive(Some(1), now), Arrival::Repeated);
        assert!(!registration.complete(Some(&announced(false))));
        assert_eq!(registration.receive(Some(1), now), Arrival::Next);
        assert!(!registration.complete(None));
        assert_eq!(registration.dialect(), Dialect::One);
        assert_eq!(presented(&mut registration), (None, 0), "dialect 1 resumes nothing");
    }

    #[test]
    fn gaps_in_a_row_end_the_stream() {
        let (mut registration, now) = registered();
        registration.receive(Some(1), now);
        registration.count_gap();
        registration.count_gap();
        assert_eq!(presented(&mut registration), (Some("token".into()), 1));
        registration.receive(Some(2), now);
        registration.count_gap();
        registration.count_gap();
        assert_eq!(presented(&mut registration), (Some("token".into()), 2), "2 came between them");
        registration.count_gap();
        assert_eq!(presented(&mut registration), (None, 0));
    }

    #[test]
    fn messages_are_acknowledged_after_a_time_or_a_number_of_them() {
        let (mut registration, now) = registered();
        registration.receive(Some(1), now);
        assert_eq!(registration.ack_due(now), None);
        assert_eq!(registration.ack_at(), Some(now + ACK_WITHIN));
        for seq in 2..=ACK_AFTER {
            registration.receive(Some(seq), now);
        }
        assert_eq!(registration.ack_due(now), Some(ACK_AFTER));
        registration.acknowledged(ACK_AFTER);
        assert_eq!(registration.ack_at(), None);
        registration.receive(Some(ACK_AFTER + 1), now);
        registration.delay_ack(now + ACK_WITHIN * 2);
        assert_eq!(registration.ack_due(now + ACK_WITHIN), None);
    }

    #[test]
    fn a_probe_is_answered_once_and_on_its_own_connection() {
        let (mut registration, _) = registered();
        registration.probe(7);
        assert!(!registration.take_probe(8));
        assert!(registration.take_probe(7));
        assert!(!registration.take_probe(7));
        registration.probe(9);
        registration.complete(Some(&announced(true)));
        assert!(!registration.take_probe(9));
    }
}
