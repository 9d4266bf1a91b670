//! Faults that are put around the sessions on purpose, to test the checks.

use securecall_core::CallLimits;
use securecall_protocol::Registration;

use crate::event::Event;
use crate::network::LinkId;

/// A fault in the code around the sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Mutation {
    /// Nothing.
    #[default]
    None,
    /// Some mail goes to a client that it is not for.
    Misdeliver,
    /// Some mail is delivered twice.
    DeliverTwice,
    /// Mail overtakes other mail to the same session.
    DeliverOutOfOrder,
    /// The end of a call is not delivered, now and then.
    DropEnds,
    /// No session learns that its mail was refused.
    SwallowOutcomes,
    /// Opaque fields are decoded and encoded again on their way.
    ReencodeOpaque,
    /// The close of a superseded connection detaches its successor.
    TearDownSuccessor,
    /// Messages of a superseded connection are still handled.
    ServeSuperseded,
    /// A connection that supersedes another continues its session without registering.
    ShareTheSession,
    /// Sessions do not handle deadlines while their clients are connected.
    SkipDeadlines,
    /// Sessions handle deadlines a second early.
    HurryDeadlines,
    /// Every lost connection counts as one that was closed normally.
    TakeLossForLeaving,
    /// Every normal close counts as a lost connection.
    TakeLeavingForLoss,
    /// A session is dropped as soon as its client is gone.
    DropSessionsEarly,
    /// A session that is over is not dropped.
    LeakSessions,
    /// A restart draws another key for call ids.
    LoseTheKey,
    /// Mail for a client that was cut off by a restart counts as undeliverable.
    SkipRecovery,
    /// A session remembers only what came after its client's registration.
    ForgetServerStart,
    /// Some messages are sent twice on one connection.
    SendTwice,
    /// Some messages are not sent.
    DropSent,
    /// A client of dialect 1 is sent fields of dialect 2.
    SpeakDialectTwoToAll,
    /// Registering an id in dialect 2 resumes its last registration, with any token.
    ResumeWithAnyToken,
    /// No token resumes a registration.
    NeverResume,
    /// A resumed client is sent a message again that it has acknowledged.
    ResumeTooEarly,
    /// A resumed client misses the first message after its number.
    ResumeTooLate,
    /// A resumed client is sent the missed messages in reverse order.
    ResumeBackwards,
    /// An acknowledgement counts for one message more than it names.
    AcknowledgeTooMuch,
    /// Calls that a client presents are ignored.
    IgnorePresented,
    /// A caller is not notified that its call lost to one that crossed it.
    SwallowGlare,
    /// More messages are deferred than the limits allow.
    IgnoreBounds,
}

impl Mutation {
    /// Every fault.
    pub const FAULTS: [Self; 30] = [
        Self::Misdeliver,
        Self::DeliverTwice,
        Self::DeliverOutOfOrder,
        Self::DropEnds,
        Self::SwallowOutcomes,
        Self::ReencodeOpaque,
        Self::TearDownSuccessor,
        Self::ServeSuperseded,
        Self::ShareTheSession,
        Self::SkipDeadlines,
        Self::HurryDeadlines,
        Self::TakeLossForLeaving,
        Self::TakeLeavingForLoss,
        Self::DropSessionsEarly,
        Self::LeakSessions,
        Self::LoseTheKey,
        Self::SkipRecovery,
        Self::ForgetServerStart,
        Self::SendTwice,
        Self::DropSent,
        Self::SpeakDialectTwoToAll,
        Self::ResumeWithAnyToken,
        Self::NeverResume,
        Self::ResumeTooEarly,
        Self::ResumeTooLate,
        Self::ResumeBackwards,
        Self::AcknowledgeTooMuch,
        Self::IgnorePresented,
        Self::SwallowGlare,
        Self::IgnoreBounds,
    ];
}

/// The interval of faults of sending, in messages.
const SENT_BETWEEN_FAULTS: u64 = 40;

/// The changes that each fault makes.
impl Mutation {
    pub(crate) fn mutate_limits(self, limits: &mut CallLimits) {
        if self == Self::IgnoreBounds {
            limits.waiting_bytes_max *= 4;
            limits.waiting_count_max *= 4;
        }
    }

    /// `token` is the one that resumes the session.
    pub(crate) fn mutate_registration<'m>(
        self,
        registration: &Registration<'m>,
        token: Option<&str>,
    ) -> Registration<'m> {
        let mut registration = registration.clone();
        match self {
            Self::ResumeWithAnyToken => {
                registration.resume_token = token.map(|token| token.to_string().into());
            }
            Self::NeverResume => registration.resume_token = None,
            Self::ResumeTooEarly => {
                registration.last_seq = registration.last_seq.saturating_sub(1);
            }
            Self::IgnorePresented => registration.calls.clear(),
            _ => {}
        }
        registration
    }

    /// Changes the messages that follow REGISTERED when a registration is resumed.
    pub(crate) fn mutate_attachment(self, link: LinkId, mut events: Vec<Event>) -> Vec<Event> {
        let sent = |event: &Event| matches!(event, Event::Sent { link: to, .. } if *to == link);
        let Some(registered) = events.iter().position(sent) else { return events };
        let Event::Sent { text, .. } = &events[registered] else { return events };
        if !text.contains(r#""resumed":true"#) {
            return events;
        }
        let replayed = registered + 1;
        let end = replayed + events[replayed..].iter().take_while(|event| sent(event)).count();
        match self {
            Self::ResumeTooLate if replayed < end => _ = events.remove(replayed),
            Self::ResumeBackwards => events[replayed..end].reverse(),
            _ => {}
        }
        events
    }

    /// Changes the `nth` text that is sent.
    pub(crate) fn mutate_sent(self, text: String, nth: u64) -> Vec<String> {
        let now = nth.is_multiple_of(SENT_BETWEEN_FAULTS);
        match self {
            Self::SendTwice if now => vec![text.clone(), text],
            Self::DropSent if now => vec![],
            Self::SpeakDialectTwoToAll if now && !text.contains(r#","seq":"#) => {
                let numbered = text.replacen(r#""payload":"#, r#""seq":1,"payload":"#, 1);
                vec![numbered]
            }
            _ => vec![text],
        }
    }
}
