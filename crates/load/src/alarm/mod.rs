//! Wakes an event loop at a time that is finer than the milliseconds of `epoll_wait`.
//!
//! At 10,000 messages a second one is due every 100 µs; a timeout rounded up to a millisecond would
//! send ten at once, and a busy loop would take the processor from the server.

#[cfg_attr(target_os = "linux", path = "timerfd.rs")]
#[cfg_attr(not(target_os = "linux"), path = "poll_timeout.rs")]
mod timer;

pub(crate) use self::timer::Alarm;
