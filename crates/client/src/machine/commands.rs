//! Carrying out what the application requests.

use securecall_protocol::Dialect;
use securecall_protocol::RejectReason;
use securecall_protocol::client::Outgoing;

use super::calls::State;
use super::ending::End;
use super::sender::Purpose;
use super::{Context, Machine, Output};
use crate::command::{Command, Reply};
use crate::{CallId, Disconnect, Error, Stop};

/// Refuses a request to a client that has stopped.
pub(crate) fn refuse(command: Command, error: &Error) {
    let error = error.clone();
    match command {
        Command::Registered { reply, .. }
        | Command::Accept { reply, .. }
        | Command::Reject { reply, .. }
        | Command::End { reply, .. }
        | Command::Candidate { reply, .. }
        | Command::Signal { reply, .. }
        | Command::Trust { reply, .. } => drop(reply.send(Err(error))),
        Command::Call { reply, .. } | Command::CallWith { reply, .. } => {
            drop(reply.send(Err(error)))
        }
        Command::Lookup { reply, .. } => drop(reply.send(Err(error))),
        Command::TurnCredentials { reply } => drop(reply.send(Err(error))),
        Command::NetworkChanged | Command::Close => {}
    }
}

impl Machine {
    pub(super) fn carry_out(&mut self, cx: &mut Context<'_>, command: Command) {
        match command {
            Command::Registered { within, reply } => {
                // A time beyond what the clock can hold is no bound.
                let until = within.and_then(|within| cx.now.checked_add(within));
                self.publication.wait(reply, until);
            }
            Command::Call { target, offer, reply } => {
                self.begin_call(cx, target, None, offer, reply);
            }
            Command::CallWith { key, offer, reply } => match key.client_id().try_into() {
                Ok(target) => self.begin_call(cx, target, Some(*key), offer, reply),
                Err(_) => drop(reply.send(Err(Error::NoKey))),
            },
            Command::Accept { call, answer, reply } => {
                answer_with(reply, self.accept(cx, call, &answer));
            }
            Command::Reject { call, reason, reply } => {
                answer_with(reply, self.reject(cx, call, reason))
            }
            Command::End { call, reply } => answer_with(reply, self.end(cx, call)),
            Command::Candidate { call, candidate, reply } => {
                answer_with(reply, self.candidate(call, candidate));
            }
            Command::Signal { call, signal, reply } => {
                answer_with(reply, self.signal(call, &signal));
            }
            Command::Lookup { client_id, reply } => {
                self.request(cx, Outgoing::PkdLookup { client_id }, Purpose::Lookup(reply));
            }
            Command::Trust { key, reply } => {
                answer_with(reply, self.trust(cx, &key));
            }
            Command::TurnCredentials { reply } => {
                let purpose = Purpose::TurnCredentials(reply);
                self.request(cx, Outgoing::TurnCredentials {}, purpose);
            }
            Command::NetworkChanged => self.reconnect_now(cx, None, Disconnect::NetworkChanged),
            Command::Close => self.close(cx),
        }
    }

    fn reject(&mut self, cx: &Context<'_>, id: CallId, reason: RejectReason) -> Result<(), Error> {
        let call = self.calls.find(id).ok_or(Error::NoSuchCall)?;
        if !matches!(call.state, State::Ringing { .. } | State::Doubtful { .. }) {
            return Err(Error::WrongMoment);
        }
        self.end_call(cx, id, End::Declined(reason));
        Ok(())
    }

    fn end(&mut self, cx: &mut Context<'_>, id: CallId) -> Result<(), Error> {
        let call = self.end_call(cx, id, End::HungUp).ok_or(Error::NoSuchCall)?;
        let State::Offering(offering) = call.state else { return Ok(()) };
        let unsent = self.sender.withdraw(offering.request);
        if call.wire_id.is_none() && !unsent && self.registration.dialect() == Dialect::One {
            // The call has no name here. In dialect 1 a normal close cancels what is ringing; in
            // dialect 2 it is ended as soon as CALL_INITIATED names it.
            self.reconnect_now(cx, Some(1000), Disconnect::CallCancelled);
        }
        Ok(())
    }

    /// Ends all calls, whose keys are gone with the program, and closes the connection.
    fn close(&mut self, cx: &Context<'_>) {
        for id in self.calls.ids() {
            self.end_call(cx, id, End::HungUp);
        }
        if self.connection.is_registered() {
            self.outputs.extend(self.sender.take_ends().into_iter().map(Output::Send));
        }
        self.outputs.push_back(Output::HangUp(Some(1000)));
        self.stop(Stop::Here);
    }
}

fn answer_with(reply: Reply<()>, result: Result<(), Error>) {
    // Whoever asked may have stopped waiting.
    let _ = reply.send(result);
}
