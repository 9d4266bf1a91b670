//! Ctrl-C, SIGTERM and SIGHUP: the first ends what is under way in good order, the second at once.
//!
//! They are heard by a thread of its own: the one that talks may be held up by a terminal that
//! takes no more, or a disk. So a good order that takes too long is cut short.

use std::future::pending;
use std::time::Duration;
use std::{fs, process, thread};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use tokio::sync::watch;

use super::keyboard;
use crate::failure::Failure;

/// As of a program that SIGINT ended.
const EXIT_CODE: i32 = 130;
/// A little more than hanging up and taking leave of the server may take.
const GOOD_ORDER_TIMEOUT: Duration = Duration::from_secs(12);

/// Whether the person wants to stop. Once raised it stays so, also where nobody was waiting for it.
#[derive(Clone)]
pub(crate) struct Interrupt(watch::Receiver<Option<Cause>>);

/// What raised it, as a person knows it.
pub(crate) type Cause = &'static str;

impl Interrupt {
    /// Listens from now on.
    pub(crate) fn listen() -> Result<Self, Failure> {
        let failed = |error| Failure::Talk(format!("no signals: {error}"));
        let wanted = [SIGINT, SIGTERM].into_iter().chain((!hangup_is_ignored()).then_some(SIGHUP));
        let mut signals = Signals::new(wanted).map_err(failed)?;
        let (raise, raised) = watch::channel(None);
        spawn(move || {
            for signal in &mut signals {
                if raise.send_replace(Some(cause(signal))).is_some() {
                    exit();
                }
                // An error: the second signal is left to do that.
                let _ = spawn(|| {
                    thread::sleep(GOOD_ORDER_TIMEOUT);
                    exit();
                });
            }
        })
        .map_err(failed)?;
        Ok(Self(raised))
    }

    /// Waits for the first one. Cancel safe.
    pub(crate) async fn raised(&mut self) -> Cause {
        match self.0.wait_for(Option::is_some).await.map(|raised| *raised) {
            Ok(Some(cause)) => cause,
            // The thread is gone only with the process.
            _ => pending().await,
        }
    }

    /// Does `work`, unless it is interrupted.
    pub(crate) async fn or<T>(
        &mut self,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        tokio::select! {
            biased;
            cause = self.raised() => Err(Failure::Stopped(cause)),
            result = work => result,
        }
    }
}

const fn cause(signal: i32) -> Cause {
    match signal {
        SIGINT => "Ctrl-C",
        SIGTERM => "SIGTERM",
        _ => "SIGHUP",
    }
}

/// Ends at once, and leaves the terminal as it was found.
fn exit() -> ! {
    keyboard::give_back();
    process::exit(EXIT_CODE);
}

fn spawn(run: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    thread::Builder::new().name("signals".to_owned()).spawn(run).map(drop)
}

/// Whether this program was started so that SIGHUP does nothing, as `nohup` starts it. Linux says.
fn hangup_is_ignored() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    ignored.is_some_and(|mask| mask & (1 << (SIGHUP - 1)) != 0)
}
