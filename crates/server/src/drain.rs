//! Draining: no new connections, gradual disconnection of all clients, and an end in bounded time.

use std::sync::{Arc, Weak};
use std::time::Duration;

use rand::seq::SliceRandom as _;
use securecall_protocol::CloseCode;
use tokio::time::{Instant, sleep, sleep_until};

use crate::server::Server;

/// The interval at which groups of connections are closed, in random order, so that clients that
/// reconnect at once do not all come at the same time.
const SLICE: Duration = Duration::from_millis(100);

/// Closes all connections with 1012, spread over the drain period, and waits until they have ended
/// or the timeout has passed.
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
    // Requests that were still in progress when the list was made may have become connections.
    let until = began + *settings.timeout;
    while server.connections.count() > 0 && Instant::now() < until {
        for connection in server.connections.all().iter().filter_map(Weak::upgrade) {
            connection.close(&server.counters, CloseCode::Draining);
        }
        sleep_until(until.min(Instant::now() + SLICE)).await;
    }
}
