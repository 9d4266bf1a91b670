//! Ctrl-C and SIGTERM: the first ends what is under way in good order, the second at once.
//!
//! They are heard by a thread of its own: the one that talks may be held up by a terminal that
//! takes no more, or a disk.

use std::future::pending;
use std::{process, thread};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use tokio::sync::watch;

use crate::failure::Failure;

/// As of a program that SIGINT ended.
const EXIT_CODE: i32 = 130;

/// Whether the person wants to stop. Once raised it stays so, also where nobody was waiting for it.
pub(crate) struct Interrupt(watch::Receiver<bool>);

impl Interrupt {
    /// Listens from now on.
    pub(crate) fn listen() -> Result<Self, Failure> {
        let failed = |error| Failure::Talk(format!("no signals: {error}"));
        let mut signals = Signals::new([SIGINT, SIGTERM]).map_err(failed)?;
        let (raise, raised) = watch::channel(false);
        let listening = thread::Builder::new().name("signals".to_owned()).spawn(move || {
            for _ in &mut signals {
                if raise.send_replace(true) {
                    process::exit(EXIT_CODE);
                }
            }
        });
        listening.map_err(failed)?;
        Ok(Self(raised))
    }

    /// Waits for the first one. Cancel safe.
    pub(crate) async fn raised(&mut self) {
        if self.0.wait_for(|raised| *raised).await.is_err() {
            // The thread is gone only with the process.
            pending::<()>().await;
        }
    }

    /// Does `work`, unless it is interrupted.
    pub(crate) async fn or<T>(
        &mut self,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        tokio::select! {
            biased;
            () = self.raised() => Err(Failure::Interrupted),
            result = work => result,
        }
    }
}
