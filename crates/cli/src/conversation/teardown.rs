//! The teardown of a conversation, and its result for the command.

use std::time::Duration;

use securecall_client as signal;
use securecall_peer::{Closed, Direction};
use tokio::time::timeout;

use super::end::{EndedCall, HungUpBy, Stage, channel_end};
use super::link::Ringing;
use super::{Conversation, GOODBYE_TIMEOUT, shown};
use crate::failure::Failure;

/// The time limit for reading the end of the input after the channel has closed.
const LAST_LINE_TIMEOUT: Duration = Duration::from_millis(200);

impl Conversation<'_> {
    pub(super) fn hung_up_by(&self) -> HungUpBy {
        match (self.closing, self.deadline_reached) {
            (false, _) => HungUpBy::Them,
            (true, false) => HungUpBy::Us,
            (true, true) => HungUpBy::ExitAfter,
        }
    }

    /// Describes the call in its present state, for the sentence about its end.
    pub(super) fn as_ended(&self) -> EndedCall<'_> {
        let stage = match (self.connected, self.answered) {
            (true, _) => Stage::Connected,
            (false, true) => Stage::Connecting,
            (false, false) => Stage::Ringing,
        };
        let rang = self.rings_since.elapsed();
        EndedCall { who: self.partner.name(), side: self.side, stage, rang }
    }

    /// Closes the channel, which releases relays and informs the other end, and ends the calls at
    /// the server, including other calls of the partner.
    pub(super) async fn hang_up(&mut self) {
        self.closing = true;
        self.link.close();
        let client = self.session.client.clone();
        let calls = [self.successor.take().map(|link| link.call), Some(self.link.call)];
        let crossing = self.crossing.take();
        let ended = async {
            for call in calls.into_iter().flatten() {
                let _ = client.end(call).await;
            }
            if let Some(Ringing { call, .. }) = crossing {
                let _ = client.reject(call, signal::RejectReason::Declined).await;
            }
        };
        // Messages that have arrived already are still shown.
        let closed = async {
            let screen = self.session.screen.clone();
            while let Some(event) = shown(&mut self.link, &screen).await {
                let _ = self.on_peer(Some(event));
            }
        };
        let _ = timeout(GOODBYE_TIMEOUT, async { tokio::join!(ended, closed) }).await;
    }

    /// Waits until all received text is written, unless the user interrupts.
    pub(super) async fn flush(&mut self) -> Result<(), Failure> {
        let screen = self.session.screen.clone();
        let flushed = async { screen.flush().await.map_err(Failure::Output) };
        self.session.interrupt.or(flushed).await
    }

    /// Returns the result of the command for the end of the channel.
    pub(super) async fn outcome(&mut self, closed: Closed, by: HungUpBy) -> Result<(), Failure> {
        // If the partner's last datagram was lost, the server's message counts.
        let closed = if closed == Closed::Lost && self.hung_up { Closed::Remote } else { closed };
        let sentence = channel_end(&closed, self.partner.name(), by);
        if !matches!(closed, Closed::Local | Closed::Remote | Closed::Unsent) {
            return Err(Failure::Conversation(sentence));
        }
        self.session.screen.note(&sentence);
        let in_order = closed != Closed::Unsent;
        for name in self.sender.files() {
            self.failed_files.add(Direction::Outgoing, name);
        }
        if !self.failed_files.is_empty() {
            return Err(Failure::Files(self.failed_files.to_string()));
        }
        while let Some(said) = self.retired.join_next().await {
            self.record_retired(said);
        }
        let took_all = self.sender.end().await && !self.undelivered;
        let read_all = self.has_read_all().await;
        if in_order && took_all && read_all { Ok(()) } else { Err(Failure::NotAllSent) }
    }

    /// Returns true if the input of a script was read to its end. A user at a terminal may leave at
    /// any time.
    async fn has_read_all(&mut self) -> bool {
        let input = &mut self.session.input;
        if !self.ends_with_input || self.finishing || input.is_terminal() || input.has_ended() {
            return true;
        }
        matches!(timeout(LAST_LINE_TIMEOUT, input.next()).await, Ok(None))
    }
}
