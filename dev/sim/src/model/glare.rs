//! Glare: two clients that call each other at the same time.

use super::Model;
use super::call::{Call, Over, Side};
use crate::violation::{Violation, ensure};

/// Two calls in opposite directions, one of which has to end.
#[derive(Debug)]
pub(super) struct Crossing {
    winner: String,
    loser: String,
    ends: [String; 2],
}

impl Model {
    /// Notes crossing calls when a call begins. If one the other way is unanswered, the one with
    /// the greater id may end.
    pub(super) fn note_glare(&mut self, id: &str, call: &mut Call) {
        let in_two = [&call.caller, &call.callee]
            .map(|client| self.attached.get(client).is_some_and(|link| self.speaks_two(*link)));
        for (other_id, other) in &mut self.calls {
            let crosses = other.caller == call.callee
                && other.callee == call.caller
                && other.is_ringing()
                && !(other.is_done(Side::Caller) && other.is_done(Side::Callee));
            if !crosses {
                continue;
            }
            let (loser, names) = match **other_id < *id {
                true => (&mut *call, (other_id.clone(), id.to_string())),
                false => (&mut *other, (id.to_string(), other_id.clone())),
            };
            loser.over = loser.over.max(Over::Maybe);
            loser.reasons.insert("glare");
            if in_two.contains(&true) {
                let (winner, loser) = names;
                let ends = [call.caller.clone(), call.callee.clone()];
                self.crossings.push(Crossing { winner, loser, ends });
            }
        }
    }

    /// Drops the crossings of a client whose new connection may speak another dialect.
    pub(super) fn forget_crossings(&mut self, client: &str) {
        self.crossings.retain(|crossing| !crossing.ends.iter().any(|end| end == client));
    }

    /// Checks, when no mail is in flight, that at most one of two crossing calls is left.
    pub(super) fn check_crossings(
        &mut self,
        has_record: impl Fn(&str, &str) -> bool,
    ) -> Result<(), Violation> {
        self.check_winners()?;
        for Crossing { winner, loser, ends } in self.crossings.drain(..) {
            let known = |call: &str| ends.iter().any(|client| has_record(client, call));
            let answered = |id: &str| self.calls.get(id).is_some_and(|call| !call.is_ringing());
            let both = known(&winner) && known(&loser) && !answered(&winner) && !answered(&loser);
            ensure!(!both, "{winner} and {loser} cross each other, and both go on");
        }
        Ok(())
    }

    /// Checks that a call lost to one that lives or has lived.
    fn check_winners(&self) -> Result<(), Violation> {
        for Crossing { loser, .. } in &self.crossings {
            let Some(call) = self.calls.get(loser).filter(|call| call.has_ended_for("glare"))
            else {
                continue;
            };
            let wins = |(id, other): (&String, &Call)| {
                let crosses = other.caller == call.callee && other.callee == call.caller;
                crosses && id < loser && !other.failed
            };
            let won = self.calls.iter().any(wins);
            ensure!(won, "{loser} lost against a call that could not be rung");
        }
        Ok(())
    }
}
