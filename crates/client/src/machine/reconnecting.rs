//! Carrying out what the connection needs, and stopping for good.

use std::time::Duration;

use super::connection::Due;
use super::{Context, Machine, Output};
use crate::{Disconnect, Error, Event, Stop};

impl Machine {
    pub(super) fn tend_connection(&mut self, cx: &mut Context<'_>) {
        match self.connection.due(cx.now) {
            Some(Due::Connect) => self.connect(cx),
            Some(Due::Ping) => self.outputs.push_back(Output::Ping),
            Some(Due::GiveUp(cause)) => self.give_up_connection(cx, cause),
            None => {}
        }
    }

    fn connect(&mut self, cx: &Context<'_>) {
        self.connection.begin_connecting(cx.now);
        self.outputs.push_back(Output::Connect);
    }

    /// The shell reports a loss.
    pub(super) fn connection_lost(
        &mut self,
        cx: &mut Context<'_>,
        cause: Disconnect,
        retry_after: Option<Duration>,
    ) {
        match cause {
            Disconnect::Closed(4001) => self.stop(Stop::Superseded),
            Disconnect::Closed(code @ 4000..=4099) => self.stop(Stop::Closed(code)),
            // 1000 too: nobody here asked for it, and some libraries and proxies send it for a
            // loss.
            _ => self.back_off(cx, cause, retry_after),
        }
    }

    /// The machine itself gives the connection up.
    pub(super) fn give_up_connection(&mut self, cx: &mut Context<'_>, cause: Disconnect) {
        self.outputs.push_back(Output::HangUp(None));
        self.back_off(cx, cause, None);
    }

    /// Closes the connection, with a close code if there is one, and connects again at once.
    pub(super) fn reconnect_now(
        &mut self,
        cx: &mut Context<'_>,
        code: Option<u16>,
        cause: Disconnect,
    ) {
        if self.connection.is_in_use() {
            self.outputs.push_back(Output::HangUp(code));
            self.report(Event::Disconnected { cause, retry_in: Duration::ZERO });
        }
        self.connection.reset_backoff();
        self.connect(cx);
    }

    fn back_off(&mut self, cx: &mut Context<'_>, cause: Disconnect, retry_after: Option<Duration>) {
        let retry_in = self.connection.lost(cx.now, &mut cx.rng, retry_after);
        self.publication.connection_lost(&cause);
        self.report(Event::Disconnected { cause, retry_in });
    }

    /// Stops for good, and answers everybody who waits.
    pub(super) fn stop(&mut self, stop: Stop) {
        self.stopped = Some(stop);
        self.publication.stop(&Error::Stopped(stop));
        for purpose in self.sender.take_requests() {
            purpose.fail(Error::Stopped(stop));
        }
        self.calls.stop(stop);
        self.report(Event::Stopped(stop));
    }
}
