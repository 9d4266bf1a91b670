//! Waits until a server has dealt with the connections that were closed.

use std::thread;
use std::time::{Duration, Instant};

use super::ServerUsage;
use crate::process_usage::Usage;

const INTERVAL: Duration = Duration::from_millis(100);
/// A server that does nothing uses less than this in an interval.
const REST_CPU: Duration = Duration::from_millis(2);
/// One that does not come to rest has other clients.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The server's usage once it rests. `None` if no server process was named.
pub(super) fn wait(server: ServerUsage) -> Option<Usage> {
    let begun = Instant::now();
    let mut last = server.sample()?;
    loop {
        thread::sleep(INTERVAL);
        let now = server.sample()?;
        if now.cpu.saturating_sub(last.cpu) < REST_CPU || begun.elapsed() > TIMEOUT {
            return Some(now);
        }
        last = now;
    }
}
