//! Ctrl-C, SIGTERM and SIGHUP: the first one ends the conversation gracefully, the second one at
//! once.
//!
//! A thread of its own receives them, because the main thread may be blocked by a stopped terminal
//! or a slow disk. For the same reason, a graceful exit has a time limit.

use std::future::pending;
use std::time::Duration;
use std::{fs, process, thread};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use tokio::sync::watch;

use super::keyboard;
use crate::failure::Failure;

/// The exit code of a program that SIGINT ended.
const EXIT_CODE: i32 = 130;
/// The time limit of a graceful exit: a little more than hanging up and disconnecting may take.
const GRACEFUL_EXIT_TIMEOUT: Duration = Duration::from_secs(12);

/// The request to stop. Once raised it stays raised, so it is not missed by code that waits for it
/// later.
#[derive(Clone)]
pub(crate) struct Interrupt(watch::Receiver<Option<Cause>>);

/// The name of the signal, as a user knows it.
pub(crate) type Cause = &'static str;

impl Interrupt {
    /// Starts the thread that receives the signals.
    pub(crate) fn listen() -> Result<Self, Failure> {
        let failed = |error| Failure::Conversation(format!("no signals: {error}"));
        let wanted = [SIGINT, SIGTERM].into_iter().chain((!hangup_is_ignored()).then_some(SIGHUP));
        let mut signals = Signals::new(wanted).map_err(failed)?;
        let (raise, raised) = watch::channel(None);
        spawn(move || {
            for signal in &mut signals {
                if raise.send_replace(Some(cause(signal))).is_some() {
                    exit();
                }
                // If no thread can be started, the second signal still ends the program.
                let _ = spawn(|| {
                    thread::sleep(GRACEFUL_EXIT_TIMEOUT);
                    exit();
                });
            }
        })
        .map_err(failed)?;
        Ok(Self(raised))
    }

    /// Waits for the first signal. Cancel safe.
    pub(crate) async fn raised(&mut self) -> Cause {
        match self.0.wait_for(Option::is_some).await.map(|raised| *raised) {
            Ok(Some(cause)) => cause,
            // The sending thread lives as long as the process, so this is unreachable in practice.
            _ => pending().await,
        }
    }

    /// Runs `work` until it ends or is interrupted.
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

/// Restores the terminal, and ends the process at once.
fn exit() -> ! {
    keyboard::restore_modes();
    process::exit(EXIT_CODE);
}

fn spawn(run: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    thread::Builder::new().name("signals".to_owned()).spawn(run).map(drop)
}

/// Returns true if the program was started with SIGHUP ignored, as by `nohup`. Only Linux reports
/// it.
fn hangup_is_ignored() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    ignored.is_some_and(|mask| mask & (1 << (SIGHUP - 1)) != 0)
}
