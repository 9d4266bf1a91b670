//! The end of a conversation: both ends hang up, and what that means for the command.

use std::time::Duration;

use securecall_client as signal;
use securecall_peer::{Closed, Direction};
use tokio::time::timeout;

use super::end::{EndedCall, HungUpBy, Stage, channel_end};
use super::link::Ringing;
use super::{Conversation, GOODBYE_TIMEOUT, shown};
use crate::failure::Failure;

/// Limit of the time in which it is read that there is no more to read.
const LAST_LINE_TIMEOUT: Duration = Duration::from_millis(200);

impl Conversation<'_> {
    pub(super) fn hung_up_by(&self) -> HungUpBy {
        match (self.closing, self.deadline_reached) {
            (false, _) => HungUpBy::Them,
            (true, false) => HungUpBy::Us,
            (true, true) => HungUpBy::ExitAfter,
        }
    }

    /// The call as it stands, for the words of its end.
    pub(super) fn as_ended(&self) -> EndedCall<'_> {
        let stage = match (self.connected, self.answered) {
            (true, _) => Stage::Connected,
            (false, true) => Stage::Connecting,
            (false, false) => Stage::Ringing,
        };
        let rang = self.rings_since.elapsed();
        EndedCall { who: self.partner.name(), side: self.side, stage, rang }
    }

    /// Both ends: the channel, so that relays are given back and the other one hears of it, and the
    /// call, which may be over already. Other calls of the partner end as well.
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
        // What has arrived is shown.
        let closed = async {
            let screen = self.session.screen.clone();
            while let Some(event) = shown(&mut self.link, &screen).await {
                let _ = self.on_peer(Some(event));
            }
        };
        let _ = timeout(GOODBYE_TIMEOUT, async { tokio::join!(ended, closed) }).await;
    }

    /// Waits until what the other one said is written. A person who stops it waits for nobody.
    pub(super) async fn flush(&mut self) -> Result<(), Failure> {
        let screen = self.session.screen.clone();
        let flushed = async { screen.flush().await.map_err(Failure::Output) };
        self.session.interrupt.or(flushed).await
    }

    /// What the end of the channel means for the command.
    pub(super) async fn outcome(&mut self, closed: Closed, by: HungUpBy) -> Result<(), Failure> {
        // The other end's last datagram was lost, and the server brought the news.
        let closed = if closed == Closed::Lost && self.hung_up { Closed::Remote } else { closed };
        let sentence = channel_end(&closed, self.partner.name(), by);
        if !matches!(closed, Closed::Local | Closed::Remote | Closed::Unsent) {
            return Err(Failure::Talk(sentence));
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
            self.note_retired(said);
        }
        let took_all = self.sender.end().await && !self.unsaid;
        let read_all = self.has_read_all().await;
        if in_order && took_all && read_all { Ok(()) } else { Err(Failure::Unsaid) }
    }

    /// Whether a script's input was read to its end. A person may end a conversation at any time.
    async fn has_read_all(&mut self) -> bool {
        let input = &mut self.session.input;
        if !self.ends_with_input || self.finishing || input.is_terminal() || input.has_ended() {
            return true;
        }
        matches!(timeout(LAST_LINE_TIMEOUT, input.next()).await, Ok(None))
    }
}
