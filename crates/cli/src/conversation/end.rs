//! The sentences for the end of a call, by its reason, the side of the user, and the stage of the
//! call.

use std::time::Duration;

use securecall_client::seal::ClockOffset;
use securecall_client::{EndReason, Ending, RejectReason};
use securecall_peer::Closed;

/// The side of the call on which the user is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Caller,
    Callee,
}

/// The stage that a call had reached when it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Not answered yet.
    Ringing,
    /// Answered, with no path to the other side yet.
    Connecting,
    /// The data channel is open.
    Connected,
}

/// A call that ended, as the user sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EndedCall<'a> {
    /// The client id of the other side.
    pub(crate) who: &'a str,
    pub(crate) side: Side,
    pub(crate) stage: Stage,
    /// The time for which it rang.
    pub(crate) rang: Duration,
}

impl EndedCall<'_> {
    /// Returns the reason of the end, and what the user can do.
    pub(crate) fn sentence(&self, ending: &Ending) -> String {
        let who = self.who;
        match ending {
            Ending::Rejected(RejectReason::Busy) => format!("{who} is busy: try again later"),
            Ending::Rejected(RejectReason::Declined) => format!("{who} declined"),
            Ending::Rejected(RejectReason::Clock { ahead_seconds }) => {
                let offset = ClockOffset::from_seconds(i64::from(*ahead_seconds));
                format!(
                    "your clock is {offset} that of {who}: set the one that is wrong, and call \
                     again"
                )
            }
            Ending::NotConnected => format!("{who} is not connected: try again later"),
            Ending::Ended(reason) => self.ended(*reason),
            Ending::Refused(code) => format!("the server refused the call: {}", code.as_str()),
            Ending::Interference(_) => {
                format!("the answer is not from {who}: the call was tampered with")
            }
            // A server of dialect 1 gives no reason.
            _ => match (self.side, self.stage) {
                (Side::Callee, Stage::Ringing) => {
                    format!("the call of {who} ended before you answered")
                }
                _ => format!("the call with {who} ended, without a reason from the server"),
            },
        }
    }

    fn ended(&self, reason: EndReason) -> String {
        let who = self.who;
        match (reason, self.side, self.stage) {
            (EndReason::Hangup | EndReason::Cancelled, Side::Callee, Stage::Ringing) => {
                format!("{who} hung up before you answered")
            }
            (EndReason::Hangup | EndReason::Cancelled, Side::Caller, Stage::Ringing) => {
                format!("{who} ended the call without answering")
            }
            (EndReason::Hangup | EndReason::Cancelled, _, _) => format!("{who} hung up"),
            (EndReason::Timeout, _, Stage::Ringing) => self.unanswered(),
            (EndReason::Timeout, Side::Callee, _) => {
                format!("your answer to {who} came too late")
            }
            (EndReason::Timeout, Side::Caller, _) => format!("the answer of {who} came too late"),
            (EndReason::Unreachable, Side::Callee, Stage::Ringing) => {
                format!("{who} lost the connection and did not come back")
            }
            (EndReason::Unreachable, Side::Caller, Stage::Ringing) => {
                format!("{who} cannot be reached: try again later")
            }
            (EndReason::Unreachable, _, _) => {
                format!("{who} lost the connection to the server and did not come back")
            }
            (EndReason::Glare, Side::Caller, _) => format!(
                "you and {who} called each other at the same time, but their call did not arrive: \
                 try again"
            ),
            (EndReason::Glare, Side::Callee, _) => {
                format!("you and {who} called each other at the same time: your call goes on")
            }
            (EndReason::Superseded, _, _) => {
                format!(
                    "another device or program registered as {who}, and does not take part in \
                         the call"
                )
            }
        }
    }

    /// Returns the sentence for a call that rang without an answer.
    pub(crate) fn unanswered(&self) -> String {
        let (who, seconds) = (self.who, self.rang.as_secs_f64().round());
        match self.side {
            Side::Caller => format!("{who} did not answer ({seconds} s)"),
            Side::Callee => format!("missed a call of {who} ({seconds} s)"),
        }
    }
}

/// The side or rule that ended a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HungUpBy {
    Them,
    Us,
    /// The time of `--exit-after` is up.
    ExitAfter,
}

/// Returns the sentence for the end of the data channel to `who`.
pub(crate) fn channel_end(closed: &Closed, who: &str, by: HungUpBy) -> String {
    match (closed, by) {
        (Closed::Remote, _) | (Closed::Unsent, HungUpBy::Them) => format!("{who} hung up"),
        (Closed::Local | Closed::Unsent, HungUpBy::ExitAfter) => {
            "hung up (--exit-after)".to_owned()
        }
        (Closed::Local | Closed::Unsent, _) => "hung up".to_owned(),
        (Closed::Lost, _) => format!("the connection to {who} was lost"),
        (other, _) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use securecall_client::{ErrorCode, seal};

    use super::*;

    const SIDES: [Side; 2] = [Side::Caller, Side::Callee];
    const STAGES: [Stage; 3] = [Stage::Ringing, Stage::Connecting, Stage::Connected];

    fn endings() -> Vec<Ending> {
        let rejections = [
            RejectReason::Declined,
            RejectReason::Busy,
            RejectReason::Clock { ahead_seconds: 450 },
            RejectReason::Clock { ahead_seconds: -7200 },
        ];
        let others = [
            Ending::NotConnected,
            Ending::Unexplained,
            Ending::Refused(ErrorCode::RateLimited),
            Ending::Interference(seal::Error::Replayed),
        ];
        let ended = EndReason::ALL.map(Ending::Ended);
        ended.into_iter().chain(rejections.map(Ending::Rejected)).chain(others).collect()
    }

    /// Returns a line for each sentence, with the sides and stages for which it is used.
    fn table() -> Vec<String> {
        let mut lines: Vec<(String, String)> = Vec::new();
        for ending in endings() {
            for side in SIDES {
                for stage in STAGES {
                    let rang = Duration::from_millis(59_700);
                    let call = EndedCall { who: "bob", side, stage, rang };
                    let (name, sentence) = (format!("{ending:?}"), call.sentence(&ending));
                    let cell = format!("{side:?}/{stage:?}");
                    match lines.last_mut() {
                        Some((key, cells)) if *key == format!("{name}: {sentence}") => {
                            cells.push_str(&format!(" {cell}"));
                        }
                        _ => lines.push((format!("{name}: {sentence}"), cell)),
                    }
                }
            }
        }
        lines.into_iter().map(|(sentence, cells)| format!("{sentence} [{cells}]")).collect()
    }

    const ALL: &str = "Caller/Ringing Caller/Connecting Caller/Connected \
                       Callee/Ringing Callee/Connecting Callee/Connected";
    const CALLER: &str = "Caller/Ringing Caller/Connecting Caller/Connected";
    const CALLEE: &str = "Callee/Ringing Callee/Connecting Callee/Connected";
    const CALLER_LATER: &str = "Caller/Connecting Caller/Connected";
    const CALLEE_LATER: &str = "Callee/Connecting Callee/Connected";

    #[test]
    fn each_end_has_its_sentence_at_each_side_and_stage() {
        let expected = [
            ("Ended(Hangup): bob ended the call without answering", "Caller/Ringing"),
            ("Ended(Hangup): bob hung up", CALLER_LATER),
            ("Ended(Hangup): bob hung up before you answered", "Callee/Ringing"),
            ("Ended(Hangup): bob hung up", CALLEE_LATER),
            ("Ended(Cancelled): bob ended the call without answering", "Caller/Ringing"),
            ("Ended(Cancelled): bob hung up", CALLER_LATER),
            ("Ended(Cancelled): bob hung up before you answered", "Callee/Ringing"),
            ("Ended(Cancelled): bob hung up", CALLEE_LATER),
            ("Ended(Timeout): bob did not answer (60 s)", "Caller/Ringing"),
            ("Ended(Timeout): the answer of bob came too late", CALLER_LATER),
            ("Ended(Timeout): missed a call of bob (60 s)", "Callee/Ringing"),
            ("Ended(Timeout): your answer to bob came too late", CALLEE_LATER),
            ("Ended(Unreachable): bob cannot be reached: try again later", "Caller/Ringing"),
            (
                "Ended(Unreachable): bob lost the connection to the server and did not come back",
                CALLER_LATER,
            ),
            ("Ended(Unreachable): bob lost the connection and did not come back", "Callee/Ringing"),
            (
                "Ended(Unreachable): bob lost the connection to the server and did not come back",
                CALLEE_LATER,
            ),
            (
                "Ended(Glare): you and bob called each other at the same time, but their call did \
                 not arrive: try again",
                CALLER,
            ),
            (
                "Ended(Glare): you and bob called each other at the same time: your call goes on",
                CALLEE,
            ),
            (
                "Ended(Superseded): another device or program registered as bob, and does not \
                 take part in the call",
                ALL,
            ),
            ("Rejected(Declined): bob declined", ALL),
            ("Rejected(Busy): bob is busy: try again later", ALL),
            (
                "Rejected(Clock { ahead_seconds: 450 }): your clock is 7 min 30 s ahead of that of \
                 bob: set the one that is wrong, and call again",
                ALL,
            ),
            (
                "Rejected(Clock { ahead_seconds: -7200 }): your clock is 2 h behind that of bob: \
                 set the one that is wrong, and call again",
                ALL,
            ),
            ("NotConnected: bob is not connected: try again later", ALL),
            ("Unexplained: the call with bob ended, without a reason from the server", CALLER),
            ("Unexplained: the call of bob ended before you answered", "Callee/Ringing"),
            (
                "Unexplained: the call with bob ended, without a reason from the server",
                CALLEE_LATER,
            ),
            ("Refused(RateLimited): the server refused the call: RATE_LIMITED", ALL),
            ("Interference(Replayed): the answer is not from bob: the call was tampered with", ALL),
        ];
        let expected: Vec<_> =
            expected.iter().map(|(sentence, cells)| format!("{sentence} [{cells}]")).collect();
        assert_eq!(table(), expected);
    }

    #[test]
    fn the_sentence_names_who_closed_the_channel() {
        let not_opened =
            "a path to the other end was found, but it opened no channel over it in time";
        let says = [
            (Closed::Local, HungUpBy::Us, "hung up"),
            (Closed::Local, HungUpBy::ExitAfter, "hung up (--exit-after)"),
            (Closed::Unsent, HungUpBy::Us, "hung up"),
            (Closed::Unsent, HungUpBy::ExitAfter, "hung up (--exit-after)"),
            (Closed::Unsent, HungUpBy::Them, "bob hung up"),
            (Closed::Remote, HungUpBy::Us, "bob hung up"),
            (Closed::Remote, HungUpBy::Them, "bob hung up"),
            (Closed::Lost, HungUpBy::Them, "the connection to bob was lost"),
            (Closed::NotOpened, HungUpBy::Them, not_opened),
        ];
        for (closed, by, sentence) in says {
            assert_eq!(channel_end(&closed, "bob", by), sentence, "{closed:?} {by:?}");
        }
    }
}
