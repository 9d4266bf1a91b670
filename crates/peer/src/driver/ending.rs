//! The end of a connection: its reason, and the order in which its resources are released.

use std::time::Instant;

use str0m::{Output, RtcError};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::backlog::Backlog;
use super::timers::{CLOSE_TIMEOUT, Fired};
use super::{Driver, Queues};
use crate::channel::inbox::RawMessage;
use crate::ice::network::Arrival;
use crate::turn::relays::Relays;
use crate::{Closed, Event, Paths, Violation};

impl Driver {
    /// Without a path every error of WebRTC is a consequence of that: DTLS gives up by its own
    /// clock.
    pub(super) fn failed(&self, error: &RtcError) -> Closed {
        if self.path_found { Closed::Failed(error.to_string()) } else { self.unreachable() }
    }

    fn unreachable(&self) -> Closed {
        let relay_failure = self.relays.as_ref().and_then(Relays::failure);
        Closed::Unreachable(Paths { here: self.here, there: self.there, relay_failure })
    }

    /// The reason of the end that a timer causes.
    pub(super) fn timed_out(&self, fired: Fired) -> Closed {
        match fired {
            Fired::Connect if self.path_found => Closed::NotOpened,
            Fired::Connect => self.unreachable(),
            Fired::Lost => Closed::Lost,
            Fired::Close => Closed::Local,
        }
    }

    /// From now on nothing more is taken, and what is there is sent.
    pub(super) fn start_closing(&mut self) -> Result<(), Closed> {
        if !self.open {
            return Err(Closed::Local);
        }
        self.queues.outgoing.close();
        self.timers.closing(Instant::now());
        Ok(())
    }

    /// Returns true if the other end has acknowledged everything that was written.
    fn is_through(&mut self) -> bool {
        let channel = self.channel.and_then(|id| self.rtc.channel(id));
        let buffered = channel.map_or(0, |mut channel| channel.buffered_amount());
        self.queues.outgoing.is_empty() && buffered == 0
    }

    /// Closes the connection and releases its resources. The returned rest reports the end.
    pub(super) async fn end(
        mut self,
        closed: Closed,
        arrivals: &mut mpsc::Receiver<Arrival>,
    ) -> Ending {
        let reported = match closed {
            Closed::Local | Closed::Remote if !self.is_through() => Closed::Unsent,
            _ => closed.clone(),
        };
        if closed != Closed::Remote {
            self.close_rtc().await;
        }
        if let Some(relays) = self.relays.take() {
            relays.release(arrivals).await;
        }
        let Queues { inbox, violation, events, .. } = self.queues;
        Ending { backlog: self.backlog, inbox, violation, events, closed: reported }
    }

    async fn close_rtc(&mut self) {
        if self.rtc.close().is_err() {
            return;
        }
        while self.rtc.is_alive() {
            match self.rtc.poll_output() {
                Ok(Output::Transmit(transmit)) => self.transmit(transmit).await,
                Ok(Output::Event(_)) => {}
                Ok(Output::Timeout(_)) | Err(_) => break,
            }
        }
    }
}

/// The rest of a closed connection: its undelivered messages, without a socket.
pub(super) struct Ending {
    backlog: Backlog,
    inbox: mpsc::Sender<RawMessage>,
    violation: oneshot::Receiver<Violation>,
    events: mpsc::Sender<Event>,
    closed: Closed,
}

impl Ending {
    /// Sends [`Event::Closed`] after everything that has arrived, or when the application takes too
    /// long to read that.
    pub(super) async fn report(self) {
        let Self { backlog, inbox, violation, events, closed } = self;
        let deliver = async {
            for message in backlog.into_messages() {
                if inbox.send(message).await.is_err() {
                    break;
                }
            }
            drop(inbox);
            if !violation.is_terminated() {
                let _ = violation.await;
            }
        };
        let _ = timeout(CLOSE_TIMEOUT, deliver).await;
        let _ = events.send(Event::Closed(closed)).await;
    }
}
