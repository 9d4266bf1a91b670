//! Faults that are put around the sessions on purpose, to see that the checks find them.

use securecall_core::CallLimits;
use securecall_protocol::Registration;

use crate::event::Event;
use crate::network::LinkId;

/// What is done wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Mutation {
    /// Nothing.
    #[default]
    None,
    /// Some mail goes to a client that it is not for.
    DeliverToSomebodyElse,
    /// Some mail is delivered twice.
    DeliverTwice,
    /// Mail overtakes other mail to the same session.
    DeliverOutOfOrder,
    /// The end of a call is not delivered, now and then.
    DropEnds,
    /// Nobody tells a session that its mail was refused.
    SwallowOutcomes,
    /// What is opaque is read and written again on its way.
    RewordOpaque,
    /// The close of a superseded connection detaches its successor.
    TearDownSuccessor,
    /// A superseded connection is still listened to.
    HearTheSuperseded,
    /// A connection that takes over an id goes on with the session as if it were the old one.
    TrustTheSuccessor,
    /// Sessions are not told the time while their clients are there.
    ForgetDeadlines,
    /// Sessions are told the time a second before their deadlines.
    HurryDeadlines,
    /// Every lost connection counts as one that was closed normally.
    TakeLossForLeaving,
    /// Every normal close counts as a lost connection.
    TakeLeavingForLoss,
    /// A session is dropped as soon as its client is gone.
    DropSessionsEarly,
    /// A session that is over is kept.
    KeepSessions,
    /// A restart draws another key for call ids.
    LoseTheKey,
    /// Mail for a client that a restart cut off finds nobody.
    ExpectNobody,
    /// A session remembers since its client's registration alone.
    ForgetWhatWas,
    /// Some messages are sent twice on one connection.
    SendTwice,
    /// Some messages are not sent.
    SendNot,
    /// A client of dialect 1 is told what dialect 2 has added.
    SpeakDialectTwoToAll,
    /// Whoever registers an id in dialect 2 resumes its last registration.
    ResumeForAnybody,
    /// No token is good enough.
    ResumeForNobody,
    /// A resumed client is sent a message again that it has.
    ResumeTooEarly,
    /// A resumed client misses the first message that it has not.
    ResumeTooLate,
    /// A resumed client is sent what it missed in another order.
    ResumeBackwards,
    /// An acknowledgement counts for one message more than it names.
    AcknowledgeTooMuch,
    /// Nobody looks at the calls that a client presents.
    IgnorePresented,
    /// A caller is not told that its call has lost against another.
    SwallowGlare,
    /// More waits than the limits say.
    IgnoreBounds,
}

impl Mutation {
    /// Every fault.
    pub const FAULTS: [Self; 30] = [
        Self::DeliverToSomebodyElse,
        Self::DeliverTwice,
        Self::DeliverOutOfOrder,
        Self::DropEnds,
        Self::SwallowOutcomes,
        Self::RewordOpaque,
        Self::TearDownSuccessor,
        Self::HearTheSuperseded,
        Self::TrustTheSuccessor,
        Self::ForgetDeadlines,
        Self::HurryDeadlines,
        Self::TakeLossForLeaving,
        Self::TakeLeavingForLoss,
        Self::DropSessionsEarly,
        Self::KeepSessions,
        Self::LoseTheKey,
        Self::ExpectNobody,
        Self::ForgetWhatWas,
        Self::SendTwice,
        Self::SendNot,
        Self::SpeakDialectTwoToAll,
        Self::ResumeForAnybody,
        Self::ResumeForNobody,
        Self::ResumeTooEarly,
        Self::ResumeTooLate,
        Self::ResumeBackwards,
        Self::AcknowledgeTooMuch,
        Self::IgnorePresented,
        Self::SwallowGlare,
        Self::IgnoreBounds,
    ];
}

/// How often a fault of sending happens: once in so many messages.
const SENT_BETWEEN_FAULTS: u64 = 40;

/// What is done instead.
impl Mutation {
    pub(crate) fn mutate_limits(self, limits: &mut CallLimits) {
        if self == Self::IgnoreBounds {
            limits.waiting_bytes_max *= 4;
            limits.waiting_count_max *= 4;
        }
    }

    /// `token` is what resumes the session.
    pub(crate) fn mutate_registration<'m>(
        self,
        registration: &Registration<'m>,
        token: Option<&str>,
    ) -> Registration<'m> {
        let mut registration = registration.clone();
        match self {
            Self::ResumeForAnybody => {
                registration.resume_token = token.map(|token| token.to_string().into());
            }
            Self::ResumeForNobody => registration.resume_token = None,
            Self::ResumeTooEarly => {
                registration.last_seq = registration.last_seq.saturating_sub(1);
            }
            Self::IgnorePresented => registration.calls.clear(),
            _ => {}
        }
        registration
    }

    /// What happened when a connection registered: what a resumed client is sent after REGISTERED.
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

    /// What is sent for a text, the `nth` that is sent.
    pub(crate) fn mutate_sent(self, text: String, nth: u64) -> Vec<String> {
        let now = nth.is_multiple_of(SENT_BETWEEN_FAULTS);
        match self {
            Self::SendTwice if now => vec![text.clone(), text],
            Self::SendNot if now => vec![],
            Self::SpeakDialectTwoToAll if now && !text.contains(r#","seq":"#) => {
                let numbered = text.replacen(r#""payload":"#, r#""seq":1,"payload":"#, 1);
                vec![numbered]
            }
            _ => vec![text],
        }
    }
}
