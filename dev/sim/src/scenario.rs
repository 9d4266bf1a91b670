//! Scenarios: the parameters of the world that a seed makes.

use std::time::Duration;

use securecall_core::CallLimits;

use crate::random::Random;

/// A step of the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// A client does something.
    Act,
    /// A driver reads a frame.
    ReadAtServer,
    /// A client reads a frame.
    ReadAtClient,
    /// Mail reaches a session.
    Deliver,
    /// A session gets the delivery result of its mail.
    DeliverOutcome,
    /// A timer that has fired is handled.
    Fire,
    /// The server finds a connection dead, or ends one that it has closed.
    NoticeAtServer,
    /// A client finds its connection dead.
    NoticeAtClient,
    /// A connection is cut.
    Cut,
    /// Some milliseconds pass.
    PassMoment,
    /// All mail arrives, then seconds or minutes pass.
    PassLong,
    /// kill -9.
    Restart,
    /// The wall clock is set, by up to an hour.
    SetClock,
}

impl Action {
    pub(crate) const ALL: [Self; 13] = [
        Self::Act,
        Self::ReadAtServer,
        Self::ReadAtClient,
        Self::Deliver,
        Self::DeliverOutcome,
        Self::Fire,
        Self::NoticeAtServer,
        Self::NoticeAtClient,
        Self::Cut,
        Self::PassMoment,
        Self::PassLong,
        Self::Restart,
        Self::SetClock,
    ];
}

/// The parameters of a run.
#[derive(Debug, Clone)]
pub(crate) struct Scenario {
    /// Clients that follow the protocol.
    pub(crate) honest: usize,
    /// Clients that register other clients' ids.
    pub(crate) impostors: usize,
    /// Clients that send anything to anyone.
    pub(crate) byzantine: usize,
    /// The percentage of clients that speak dialect 2.
    pub(crate) in_two_percent: usize,
    pub(crate) steps: usize,
    pub(crate) calls: CallLimits,
    pub(crate) outbox_bytes_max: usize,
    /// The percentage of candidates that are big.
    pub(crate) big_percent: usize,
    /// The odds of each of [`Action::ALL`].
    pub(crate) weights: [usize; Action::ALL.len()],
}

impl Scenario {
    pub(crate) fn draw(random: &mut Random) -> Self {
        let calm = random.percent(20);
        let mut fault = |low, high| if calm { 0 } else { random.between(low, high) };
        let (cut, restart, clock) = (fault(0, 6), fault(0, 2), fault(0, 1));
        let post = random.between(10, 120);
        let weights = [
            random.between(50, 150),
            random.between(100, 300),
            random.between(50, 300),
            post,
            post,
            30,
            random.between(5, 30),
            random.between(5, 30),
            cut,
            random.between(1, 10),
            random.between(1, 5),
            restart,
            clock,
        ];
        Self {
            honest: random.between(2, 5),
            impostors: random.below(3),
            byzantine: random.below(3),
            in_two_percent: *random.pick(&[0, 50, 50, 80, 100]).unwrap_or(&50),
            steps: random.between(1_000, 6_000),
            calls: CallLimits {
                ring_timeout: Duration::from_secs(60),
                grace: Duration::from_secs(30),
                per_session_max: random.between(1, 4),
                unanswered_max: random.between(1, 4),
                waiting_bytes_max: random.between(1_000, 4_000),
                waiting_count_max: random.between(8, 40),
                waiting_age_max: Duration::from_secs(random.between(10, 200) as u64),
            },
            // A replay is sent at once and must fit.
            outbox_bytes_max: random.between(8_000, 40_000),
            big_percent: if random.percent(60) { random.between(5, 50) } else { 0 },
            weights,
        }
    }
}
