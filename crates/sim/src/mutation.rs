//! Faults that are put into the shell on purpose, to see that the checks find them.

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
}

impl Mutation {
    /// Every fault.
    pub const FAULTS: [Self; 18] = [
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
    ];
}
