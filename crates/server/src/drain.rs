//! How a server stops: nobody new, everybody sent away a few at a time, an end in bounded time.

use std::sync::{Arc, Weak};
use std::time::Duration;

use rand::seq::SliceRandom as _;
use securecall_protocol::CloseCode;
use tokio::time::{Instant, sleep, sleep_until};

use crate::server::Server;

/// Connections are closed in slices of this length, in random order: clients that reconnect at
/// once do not all do so at once.
const SLICE: Duration = Duration::from_millis(100);

/// Closes all connections with 1012, spread over the period, and waits until they are gone or the
/// timeout has passed.
pub(crate) async fn drain(server: &Arc<Server>) {
    let began = Instant::now();
    let live = server.live.latest();
    let settings = &live.drain;
    server.begin_draining();
    let mut connections = server.connections.all();
    tracing::info!(connections = connections.len(), "draining");
    connections.shuffle(&mut rand::rng());
    let slices = settings.period.as_millis().div_ceil(SLICE.as_millis()).max(1) as usize;
    for slice in connections.chunks(connections.len().div_ceil(slices).max(1)) {
        for connection in slice.iter().filter_map(Weak::upgrade) {
            connection.close(&server.counters, CloseCode::Draining);
        }
        sleep(SLICE).await;
    }
    // Those that were still in their request when the list was made.
    let until = began + *settings.timeout;
    while server.connections.count() > 0 && Instant::now() < until {
        for connection in server.connections.all().iter().filter_map(Weak::upgrade) {
            connection.close(&server.counters, CloseCode::Draining);
        }
        sleep_until(until.min(Instant::now() + SLICE)).await;
    }
}
