//! Calls from the partner during a conversation: because both called at the same time (glare), or
//! because the partner lost the connection and calls again.
//!
//! - While the own call is unanswered, the server decides which of the two calls survives. If it is
//!   the partner's, it is answered and becomes the conversation.
//! - In a conversation, the new call is answered in addition, and replaces the old one as soon as
//!   it is connected. Its offer is signed with the partner's key, so no one else can have made it.
//!   But a dishonest server may have held back an old one: only a connection proves that the
//!   partner is there.

use std::sync::Arc;
use std::time::Duration;

use securecall_client::{Client, Dialect, EndReason, Ending, RejectReason};
use securecall_peer::{self as peer, Closed, Direction};
use tokio::time::{Instant, timeout};

use super::end::Side;
use super::link::{Link, Ringing};
use super::screen::Screen;
use super::sender::Sender;
use super::{Conversation, GOODBYE_TIMEOUT, Step, shown};
use crate::failure::Failure;

/// The time limit for the surviving call to ring, once the own one has lost to it.
const LEFT_CALL_TIMEOUT: Duration = Duration::from_secs(10);
/// The time limit for a call from a partner who is not connected. One who calls at the same time
/// connects within that time.
const CONNECTING_TIMEOUT: Duration = Duration::from_secs(2);

impl Conversation<'_> {
    /// Handles a ringing call of the partner.
    pub(super) async fn on_call_back(&mut self, ringing: Ringing) -> Step {
        if self.closing || !(self.answered || self.server_decides_glare()) {
            let _ = self.session.client.reject(ringing.call, RejectReason::Busy).await;
            return Step::Continue;
        }
        if self.answered {
            return self.answer_beside(ringing).await;
        }
        self.crossing = Some(ringing);
        if self.failed.is_some() { self.answer_crossing().await } else { Step::Continue }
    }

    /// Returns true if the server resolves glare. A server of dialect 1 lets both calls ring.
    fn server_decides_glare(&self) -> bool {
        self.session.signals.dialect() == Dialect::Two
    }

    async fn answer_beside(&mut self, ringing: Ringing) -> Step {
        let who = self.partner.name();
        self.session.screen.note(&format!("{who} calls again: connecting"));
        match self.answer(ringing).await {
            Ok(link) => {
                if let Some(before) = self.successor.replace(link) {
                    self.retire(before, None);
                }
            }
            Err(failure) => self.session.screen.note(&failure.to_string()),
        }
        Step::Continue
    }

    async fn answer(&self, ringing: Ringing) -> Result<Link, Failure> {
        let config = |servers: &_| self.options.peer_config(servers, self.session.receive.clone());
        ringing.answer(&self.session.client, config).await
    }

    /// Handles the end of the own call before it was answered. A call of the partner takes over if
    /// it rings, or is expected to.
    pub(super) async fn on_failed(&mut self, ending: &Ending) -> Step {
        let patience = match ending {
            _ if self.crossing.is_some() => return self.answer_crossing().await,
            Ending::Ended(EndReason::Glare) => LEFT_CALL_TIMEOUT,
            Ending::NotConnected => CONNECTING_TIMEOUT,
            ending => {
                return Step::End(Err(Failure::Conversation(self.as_ended().sentence(ending))));
            }
        };
        self.failed = Some(self.as_ended().sentence(ending));
        self.rings_until = Some(Instant::now() + patience);
        Step::Continue
    }

    /// Handles the ring timeout. If a call of the partner rings here, it is answered instead.
    pub(super) async fn on_unanswered(&mut self) -> Step {
        self.rings_until = None;
        if self.crossing.is_some() {
            return self.answer_crossing().await;
        }
        let failed = self.failed.take().unwrap_or_else(|| self.as_ended().unanswered());
        Step::End(Err(Failure::Conversation(failed)))
    }

    /// Answers the partner's call in place of the own one.
    pub(super) async fn answer_crossing(&mut self) -> Step {
        let Some(ringing) = self.crossing.take() else { return Step::Continue };
        let who = self.partner.name();
        self.session.screen.note(&format!("{who} calls at the same time: answering"));
        match self.answer(ringing).await {
            Ok(link) => {
                self.move_to(link);
                Step::Continue
            }
            Err(failure) => Step::End(Err(failure)),
        }
    }

    /// Handles an event of the successor: the new call that is not connected yet.
    pub(super) fn on_successor(&mut self, event: Option<peer::Event>) {
        let Some(link) = self.successor.as_ref() else { return };
        match event {
            Some(peer::Event::Candidate(candidate)) => link.send_candidate(candidate),
            Some(peer::Event::Connected) => {
                self.move_to_successor();
                self.on_connected();
            }
            Some(peer::Event::Closed(_)) | None => {
                if let Some(link) = self.successor.take() {
                    self.retire(link, None);
                }
            }
            Some(_) => {}
        }
    }

    /// Switches to the successor. Returns false if there is none.
    pub(super) fn move_to_successor(&mut self) -> bool {
        let successor = self.successor.take();
        let exists = successor.is_some();
        successor.into_iter().for_each(|link| self.move_to(link));
        exists
    }

    /// Switches to another call with the same partner.
    fn move_to(&mut self, link: Link) {
        let opening =
            if self.was_connected { Default::default() } else { self.session.opening.clone() };
        let sender = Sender::start(link.peer.clone(), opening);
        let (before, sender) =
            (std::mem::replace(&mut self.link, link), std::mem::replace(&mut self.sender, sender));
        for name in sender.files().iter().filter(|_| self.was_connected) {
            self.failed_files.add(Direction::Outgoing, name);
        }
        if self.finishing {
            self.sender.finish();
        }
        self.answered = true;
        self.side = Side::Callee;
        self.connected = false;
        self.rings_until = None;
        (self.hung_up, self.hang_up_due) = (false, None);
        self.retire(before, self.was_connected.then_some(sender));
    }

    /// Tears down a replaced call in the background. `sender` is `Some` if that call carried text
    /// or files, whose delivery then counts for the result.
    pub(super) fn retire(&mut self, link: Link, sender: Option<Sender>) {
        while self.retired.try_join_next().is_some_and(|said| self.record_retired(said)) {}
        let (client, screen) = (self.session.client.clone(), self.session.screen.clone());
        let who = self.partner.name().to_owned();
        self.retired.spawn(retire(link, sender, client, screen, who));
    }

    /// Records whether everything that a replaced call had queued was delivered.
    pub(super) fn record_retired(&mut self, said: Result<bool, tokio::task::JoinError>) -> bool {
        self.undelivered |= !said.unwrap_or(false);
        true
    }
}

/// Tears down a call. Returns true if everything queued in it was delivered.
async fn retire(
    mut link: Link,
    sender: Option<Sender>,
    client: Client,
    screen: Arc<Screen>,
    who: String,
) -> bool {
    let _ = client.end(link.call).await;
    let closed = async {
        link.close();
        while let Some(event) = shown(&mut link, &screen).await {
            match event {
                peer::Event::Closed(closed) => return Some(closed),
                // An error means that standard output failed, which the conversation detects by
                // itself.
                event => drop(screen.show(&who, &event)),
            }
        }
        None
    };
    let closed = timeout(GOODBYE_TIMEOUT, closed).await.ok().flatten();
    let Some(mut sender) = sender else { return true };
    drop(link);
    let took_all = timeout(GOODBYE_TIMEOUT, sender.end()).await.unwrap_or(false);
    took_all && matches!(closed, Some(Closed::Local | Closed::Remote))
}
