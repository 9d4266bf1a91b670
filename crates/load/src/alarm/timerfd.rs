//! The timer of Linux.

use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::time::Duration;

use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};

use crate::clock::Nanos;

/// A timer of the operating system.
#[derive(Debug)]
pub(crate) struct Alarm {
    timer: OwnedFd,
    due: Option<Nanos>,
}

impl Alarm {
    pub(crate) fn new(registry: &Registry, token: Token) -> io::Result<Self> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        registry.register(&mut SourceFd(&timer.as_raw_fd()), token, Interest::READABLE)?;
        Ok(Self { timer, due: None })
    }

    /// Expires once at `due`, or at once if that has passed; never for `None`.
    pub(crate) fn set(&mut self, due: Option<Nanos>, now: Nanos) -> io::Result<()> {
        if self.due == due {
            return Ok(());
        }
        // Zero would disarm it.
        let wait = due.map_or(0, |due| due.saturating_sub(now).max(1));
        let once = Itimerspec { it_interval: timespec(0), it_value: timespec(wait) };
        timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &once)?;
        self.due = due;
        Ok(())
    }

    /// The timeout of the next poll: none, because the timer is polled with the sockets.
    pub(crate) fn wait(&self, _: Nanos) -> Duration {
        Duration::MAX
    }

    /// It rang. Setting it again also ends its readiness, so nothing is read.
    pub(crate) fn rang(&mut self) {
        self.due = None;
    }
}

fn timespec(nanos: Nanos) -> Timespec {
    // Both parts fit: a u64 of nanoseconds is 584 years.
    let duration = Duration::from_nanos(nanos);
    Timespec { tv_sec: duration.as_secs() as i64, tv_nsec: duration.subsec_nanos().into() }
}
