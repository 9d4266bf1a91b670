//! Ctrl-C and SIGTERM: the first ends what is under way in good order, the second at once.

use std::future::pending;
use std::process;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::failure::Failure;

/// As of a program that SIGINT ended.
const EXIT_CODE: i32 = 130;

/// Whether the person wants to stop. Once raised it stays so, also where nobody was waiting for it.
pub(crate) struct Interrupt(watch::Receiver<bool>);

impl Interrupt {
    /// Listens from now on, on the runtime of the caller.
    pub(crate) fn listen() -> Result<Self, Failure> {
        let failed = |error| Failure::Talk(format!("no signals: {error}"));
        let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
        let (raise, raised) = watch::channel(false);
        tokio::spawn(async move {
            either(&mut interrupt, &mut terminate).await;
            raise.send_replace(true);
            either(&mut interrupt, &mut terminate).await;
            process::exit(EXIT_CODE);
        });
        Ok(Self(raised))
    }

    /// Waits for the first one. Cancel safe.
    pub(crate) async fn raised(&mut self) {
        if self.0.wait_for(|raised| *raised).await.is_err() {
            // The task is gone only with the runtime.
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

async fn either(one: &mut Signal, other: &mut Signal) {
    tokio::select! { _ = one.recv() => {} _ = other.recv() => {} }
}
