//! The accept loop, and the workers that connections are handed to.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::net::TcpStream;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::oneshot;

use super::listener::Listener;
use crate::admission::arrival::Arrival;
use crate::admission::refused::Refused;
use crate::admission::requests::{Request, Requests, attend};
use crate::connection::flusher;
use crate::http;
use crate::reload::live::Live;
use crate::server::Server;
use crate::telemetry::counters::Counters;

/// Threads that run connections, one event loop each. A connection stays on its worker; mail for
/// it is written by whoever sends it.
pub(crate) struct Workers {
    /// The first is the caller's own.
    handles: Vec<Handle>,
    threads: Vec<(oneshot::Sender<()>, JoinHandle<()>)>,
    next: usize,
}

impl Workers {
    /// Starts all but the first, which is the runtime that this is called on.
    pub(crate) fn start(count: usize, first: Handle) -> io::Result<Self> {
        let mut workers = Self { handles: vec![first], threads: Vec::new(), next: 0 };
        Counters::use_shard(0);
        tokio::spawn(flusher::run());
        for worker in 1..count {
            let runtime = event_loop()?;
            workers.handles.push(runtime.handle().clone());
            let (stop, stopped) = oneshot::channel::<()>();
            let thread =
                std::thread::Builder::new().name(format!("worker-{worker}")).spawn(move || {
                    Counters::use_shard(worker);
                    runtime.spawn(flusher::run());
                    let _ = runtime.block_on(stopped);
                })?;
            workers.threads.push((stop, thread));
        }
        Ok(workers)
    }

    /// The event loops, that of the caller first.
    pub(crate) fn handles(&self) -> &[Handle] {
        &self.handles
    }

    /// Ends the threads; what still runs on them is dropped.
    pub(crate) fn stop(self) {
        for (stop, thread) in self.threads {
            drop(stop);
            let _ = thread.join();
        }
    }

    /// Connections go around.
    fn spawn(&mut self, server: Arc<Server>, live: Arc<Live>, begun: Begun) {
        let worker = self.next;
        self.next = (worker + 1) % self.handles.len();
        let Begun { stream, peer, request } = begun;
        let arrival = move |place| Arrival::new(server, live, peer, place);
        if worker == 0 {
            tokio::spawn(attend(request, |place| http::serve(arrival(place), stream)));
        } else if let Ok(stream) = stream.into_std() {
            self.handles[worker].spawn(attend(request, async move |place| {
                let arrival = arrival(place);
                if let Ok(stream) = TcpStream::from_std(stream) {
                    http::serve(arrival, stream).await;
                }
            }));
        }
    }
}

/// A connection that is worth reading from.
struct Begun {
    stream: TcpStream,
    peer: IpAddr,
    request: Request,
}

/// One thread's event loop.
pub(crate) fn event_loop() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

/// Accepts for ever.
pub(crate) async fn accept(server: &Arc<Server>, listener: &Listener, workers: &mut Workers) {
    let requests = Requests::public();
    loop {
        let (stream, peer) = listener.accept().await;
        let (live, peer) = (server.live.latest(), peer.ip());
        match begin(server, &live, &requests, peer).await {
            Ok(request) => workers.spawn(server.clone(), live, Begun { stream, peer, request }),
            Err(why) => {
                server.counters.refused(why);
                // A reset, so that the kernel remembers nothing of it either.
                let _ = stream.set_zero_linger();
            }
        }
    }
}

/// Decides by its address alone whether a connection is worth reading from. What a proxy brings is
/// judged by the addresses that it names. Waits until there is room.
async fn begin(
    server: &Server,
    live: &Live,
    requests: &Requests,
    peer: IpAddr,
) -> Result<Request, Refused> {
    if !live.proxies.may_come(peer) {
        return Err(Refused::UntrustedPeer);
    }
    let is_proxy = live.proxies.is_trusted(peer);
    if !is_proxy {
        server.admit_handshake(peer)?;
    }
    requests.begin(peer, is_proxy).await.ok_or(Refused::RequestsFull)
}
