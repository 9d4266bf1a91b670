//! Checks for when no mail is in flight and no deadline is due.

use std::time::Duration;

use securecall_core::{CallLimits, Instant};

use super::Model;
use super::call::{Call, Over, Side};
use crate::violation::{Violation, ensure};

/// The time that mail may take: a deadline that it brings counts from its arrival.
const SLACK: Duration = Duration::from_secs(1);

impl Model {
    /// Compares the model with the sessions. `has_record` returns true if a client's session knows
    /// a call.
    pub(crate) fn check_quiescence(
        &mut self,
        now: Instant,
        has_record: impl Fn(&str, &str) -> bool,
    ) -> Result<(), Violation> {
        self.now = now;
        self.check_crossings(&has_record)?;
        for (id, call) in &mut self.calls {
            let records = Side::BOTH.map(|side| has_record(call.client(side), id));
            // A session that is created for its first mail, and overflows with that, leaves no
            // memory of it.
            let excuse = call.recovered && call.overflows;
            let agree = records[0] == records[1];
            ensure!(agree || excuse, "{id} is known at one end alone: {records:?}");
            let before = call.over;
            if agree {
                call.resolve(id, records[0])?;
            }
            let resumed = call.recovered && before == Over::Maybe && call.over == Over::No;
            self.seen.resumed += usize::from(resumed);
            call.check_deadline(id, records[0], now, self.limits)?;
            for side in Side::BOTH {
                let client = call.client(side).to_string();
                match self.attached.get(&client) {
                    Some(link) => {
                        let known = self.links.get(link);
                        let proven = known.is_some_and(|known| known.proven.contains(id));
                        let denied = call.ends[side as usize].denied_on == Some(*link);
                        call.check_delivered(id, side, proven, denied)?;
                    }
                    None => {
                        let since = self.away_since.get(&client);
                        let gone = since.is_some_and(|since| now >= *since + self.limits.grace);
                        let known = records[0] && !call.recovered;
                        ensure!(!(gone && known), "{id} is kept for {client}, who is gone");
                    }
                }
            }
        }
        Ok(())
    }

    /// A call that has not ended.
    pub(crate) fn unfinished(&self) -> Option<&str> {
        let unfinished = |call: &Call| !call.recovered && call.over != Over::Yes;
        self.calls.iter().find(|(_, call)| unfinished(call)).map(|(id, _)| id.as_str())
    }
}

impl Call {
    /// Resolves an uncertain call by its record, and checks that a certain one agrees with it.
    fn resolve(&mut self, id: &str, known: bool) -> Result<(), Violation> {
        match (self.over, known) {
            (Over::No, known) => ensure!(known, "{id} is lost"),
            (Over::Yes, known) => ensure!(!known, "{id} is over and still known"),
            (Over::Maybe, false) if !self.recovered || self.presented.is_some() => {
                self.over = Over::Yes;
            }
            (Over::Maybe, true) if !self.recovered || self.ends.iter().all(|end| end.presented) => {
                self.over = Over::No;
            }
            (Over::Maybe, _) => {}
        }
        Ok(())
    }

    fn check_deadline(
        &self,
        id: &str,
        known: bool,
        now: Instant,
        limits: CallLimits,
    ) -> Result<(), Violation> {
        let rings_out = self.is_ringing() && now >= self.initiated + limits.ring_timeout;
        ensure!(!(known && rings_out), "{id} rings for ever");
        for side in Side::BOTH {
            let unanswered = self.recovered && self.answer.is_none();
            let rings_out = unanswered && self.rings_out_again(side, now);
            ensure!(!(known && rings_out), "{id} rings for ever after a restart");
        }
        for end in &self.ends {
            let unclaimed = end.claim_deadline.is_some_and(|deadline| deadline <= now);
            ensure!(!(known && unclaimed && !self.recovered), "{id} stays unclaimed for ever");
        }
        let unsure = self.over == Over::Maybe && !self.ends.iter().any(|end| end.perhaps_presented);
        let since = self.presented.filter(|_| self.recovered && unsure);
        let given_up = since.is_some_and(|since| now >= since + limits.ring_timeout + SLACK);
        ensure!(!(known && given_up), "{id} is expected for ever");
        Ok(())
    }

    /// Checks that the client at this end, which is connected, was sent everything due.
    fn check_delivered(
        &mut self,
        id: &str,
        side: Side,
        proven: bool,
        denied: bool,
    ) -> Result<(), Violation> {
        if denied && self.over == Over::Yes {
            self.finish(side);
        }
        if self.is_done(side) || denied {
            return Ok(());
        }
        let answer_is_due = side == Side::Caller && self.answer.is_some() && !self.recovered;
        if self.over == Over::No && answer_is_due {
            ensure!(self.ends[0].answered, "{id} was answered and its caller does not know");
        }
        if self.over == Over::No && proven {
            let end = &self.ends[side as usize];
            let withheld = end.channel.iter().find(|item| !item.optional);
            ensure!(end.gaps || withheld.is_none(), "{id} withholds {withheld:?}");
        }
        // The end of an old call need not be sent to an end that has not presented it to this
        // server.
        let shown = !self.recovered || self.ends[side as usize].presented;
        if self.over == Over::Yes && shown {
            let need_not_know = match side {
                _ if self.ends[side as usize].end_lost => true,
                _ if self.recovered => false,
                Side::Caller => self.rung.is_none() && self.caller_was_absent,
                Side::Callee => self.rung.is_none(),
            };
            ensure!(need_not_know, "{} was not sent the end of {id}", self.client(side));
            self.finish(side);
        }
        Ok(())
    }
}
