//! The connection: opening it, noticing that it is gone, opening the next one.

use std::time::{Duration, Instant};

use super::{Context, Machine, Output};
use crate::{Disconnect, Error, Event, Stop};

/// What a message may have until the server says otherwise (`maxMessageBytes`).
pub(super) const MESSAGE_BYTES_MAX: usize = 65_536;
/// How long DNS, TCP, TLS and the upgrade may take together.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// How long REGISTERED may take.
const REGISTER_TIMEOUT: Duration = Duration::from_secs(10);
/// A ping this often. Carriers forget an idle address after 30 seconds and more.
const PING_EVERY: Duration = Duration::from_secs(8);
/// Two pings unanswered, and half an interval for a slow network.
const SILENCE_MAX: Duration = Duration::from_secs(20);
/// A connection that held for so long makes the next loss a first one.
const STABLE_AFTER: Duration = Duration::from_secs(10);

/// Where the connection stands.
#[derive(Debug, Clone, Copy)]
pub(super) enum Link {
    /// Nothing was tried yet.
    Idle,
    /// The next attempt is then.
    Waiting { until: Instant },
    /// An attempt is under way, until then.
    Connecting { until: Instant },
    /// REGISTER was sent; REGISTERED must be there by then.
    Registering { until: Instant },
    /// Since then.
    Registered { since: Instant },
}

impl Machine {
    pub(super) const fn is_registered(&self) -> bool {
        matches!(self.link, Link::Registered { .. })
    }

    pub(super) fn link_deadline(&self) -> Option<Instant> {
        match self.link {
            Link::Idle => None,
            Link::Waiting { until } | Link::Connecting { until } | Link::Registering { until } => {
                Some(until)
            }
            Link::Registered { .. } => {
                let silent_at = self.heard.map(|heard| heard + SILENCE_MAX);
                [self.pinged.map(|pinged| pinged + PING_EVERY), silent_at]
                    .into_iter()
                    .flatten()
                    .min()
            }
        }
    }

    pub(super) fn mind_link(&mut self, cx: &mut Context<'_>) {
        match self.link {
            Link::Idle => self.connect(cx),
            Link::Waiting { until } if cx.now >= until => self.connect(cx),
            Link::Connecting { until } if cx.now >= until => {
                self.give_up_link(cx, Disconnect::Network("no connection in time".into()));
            }
            Link::Registering { until } if cx.now >= until => {
                self.give_up_link(cx, Disconnect::NotRegistered);
            }
            Link::Registered { .. } => self.keep_alive(cx),
            _ => {}
        }
    }

    fn connect(&mut self, cx: &Context<'_>) {
        self.link = Link::Connecting { until: cx.now + CONNECT_TIMEOUT };
        self.outputs.push_back(Output::Connect);
    }

    /// The WebSocket is open: what follows is `register` in `registration.rs`.
    pub(super) fn await_registered(&mut self, cx: &Context<'_>) {
        self.link = Link::Registering { until: cx.now + REGISTER_TIMEOUT };
    }

    pub(super) fn link_registered(&mut self, cx: &Context<'_>) {
        self.link = Link::Registered { since: cx.now };
        self.pinged = Some(cx.now);
    }

    fn keep_alive(&mut self, cx: &mut Context<'_>) {
        if self.heard.is_some_and(|heard| cx.now >= heard + SILENCE_MAX) {
            return self.give_up_link(cx, Disconnect::Silent);
        }
        if self.pinged.is_none_or(|pinged| cx.now >= pinged + PING_EVERY) {
            self.pinged = Some(cx.now);
            self.outputs.push_back(Output::Ping);
        }
    }

    /// The shell says that the connection is gone.
    pub(super) fn lost(
        &mut self,
        cx: &mut Context<'_>,
        cause: Disconnect,
        retry_after: Option<Duration>,
    ) {
        match cause {
            Disconnect::Closed(4001) => self.stop(Stop::Superseded),
            Disconnect::Closed(code @ 4000..=4099) => self.stop(Stop::Closed(code)),
            // 1000 too: nobody here asked for it, and some libraries and proxies say so of a loss.
            _ => self.wait(cx, cause, retry_after),
        }
    }

    /// The machine itself gives the connection up.
    pub(super) fn give_up_link(&mut self, cx: &mut Context<'_>, cause: Disconnect) {
        self.outputs.push_back(Output::HangUp(None));
        self.wait(cx, cause, None);
    }

    /// Hangs up, with a close code if there is one, and connects again without waiting.
    pub(super) fn reconnect_now(
        &mut self,
        cx: &mut Context<'_>,
        code: Option<u16>,
        cause: Disconnect,
    ) {
        if !matches!(self.link, Link::Idle | Link::Waiting { .. }) {
            self.outputs.push_back(Output::HangUp(code));
            self.tell(Event::Disconnected { cause, retry_in: Duration::ZERO });
        }
        self.backoff.reset();
        self.connect(cx);
    }

    fn wait(&mut self, cx: &mut Context<'_>, cause: Disconnect, retry_after: Option<Duration>) {
        if let Link::Registered { since } = self.link
            && cx.now >= since + STABLE_AFTER
        {
            self.backoff.reset();
        }
        let retry_in = self.backoff.next(&mut cx.rng, retry_after);
        self.link = Link::Waiting { until: cx.now + retry_in };
        self.awaiting.lost(&cause);
        self.tell(Event::Disconnected { cause, retry_in });
    }

    /// Stops for good, and lets go of everything.
    pub(super) fn stop(&mut self, stop: Stop) {
        self.stopped = Some(stop);
        self.awaiting.answer(&Err(Error::Stopped(stop)));
        self.requests.stop(stop);
        self.calls.stop(stop);
        self.tell(Event::Stopped(stop));
    }
}
