//! Faults that are put into the shell on purpose, to see that the checks find them.

use securecall_core::{CallLimits, Output, Outputs};
use securecall_protocol::{ClientId, Registered, Registration, ServerMessage};

/// What the shell does wrong.
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

/// What the shell does instead.
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

    pub(crate) fn mutate_attachment(self, mut outputs: Outputs<'_>) -> Outputs<'_> {
        let resumed = outputs.len() > 1
            && outputs[1..].iter().all(|output| matches!(output, Output::SendText(_)));
        match self {
            Self::ResumeTooLate if resumed => _ = outputs.remove(1),
            Self::ResumeBackwards if resumed => outputs[1..].reverse(),
            _ => {}
        }
        outputs
    }

    /// The session is not told that another connection has its client now.
    pub(crate) fn trusting_attachment<'m>(self, client_id: &ClientId) -> Outputs<'m> {
        let registered = Registered { client_id: client_id.clone(), resumption: None };
        Outputs::from_iter([Output::Send(ServerMessage::Registered(registered).into())])
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
