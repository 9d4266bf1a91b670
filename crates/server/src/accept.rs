//! The accept loop, and the workers that connections are handed to.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::oneshot;

use crate::counters::Counters;
use crate::flusher;
use crate::http;
use crate::requests::{Request, Requests};
use crate::server::Server;

/// How long to wait when the process or the machine has no descriptor left.
const OUT_OF_DESCRIPTORS_PAUSE: Duration = Duration::from_millis(100);

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

    /// Ends the threads; what still runs on them is dropped.
    pub(crate) fn stop(self) {
        for (stop, thread) in self.threads {
            drop(stop);
            let _ = thread.join();
        }
    }

    /// Connections go around.
    fn spawn(
        &mut self,
        server: &Arc<Server>,
        stream: TcpStream,
        peer: SocketAddr,
        request: Request,
    ) {
        let server = server.clone();
        let worker = self.next;
        self.next = (worker + 1) % self.handles.len();
        if worker == 0 {
            tokio::spawn(attend(request, http::serve(server, stream, peer)));
        } else if let Ok(stream) = stream.into_std() {
            let serving = async move {
                if let Ok(stream) = TcpStream::from_std(stream) {
                    http::serve(server, stream, peer).await;
                }
            };
            self.handles[worker].spawn(attend(request, serving));
        }
    }
}

/// Serves a request to its end, or until it has to make room for others.
async fn attend(mut request: Request, serving: impl Future<Output = ()>) {
    tokio::select! {
        () = serving => {}
        () = request.made_room() => {}
    }
}

/// One thread's event loop.
pub(crate) fn event_loop() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

/// Accepts for ever.
pub(crate) async fn accept(server: &Arc<Server>, listener: TcpListener, workers: &mut Workers) {
    let requests = Requests::default();
    loop {
        requests.room().await;
        match listener.accept().await {
            Ok((stream, peer)) => {
                // An address that has too many requests under way is not even answered.
                let is_proxy = server.proxies.is_trusted(peer.ip());
                if let Some(request) = requests.begin(peer.ip(), is_proxy) {
                    workers.spawn(server, stream, peer, request);
                }
            }
            Err(error) => pause_after(error).await,
        }
    }
}

/// A client that gave up already is no trouble; having no descriptors is, and trying at once again
/// would only burn the processor.
pub(crate) async fn pause_after(error: io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    if !matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted) {
        tracing::error!(%error, "cannot accept connections");
        tokio::time::sleep(OUT_OF_DESCRIPTORS_PAUSE).await;
    }
}
