//! A socket that listens, whatever happens.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::telemetry::log_limit::LogLimit;

/// How many connections may wait to be accepted: what Linux allows by default. A crowd that comes
/// back at once would otherwise retry for seconds.
const BACKLOG: u32 = 4096;

/// How long to wait when the process or the machine has no descriptor left. Trying at once again
/// would only burn the processor.
const OUT_OF_DESCRIPTORS_PAUSE: Duration = Duration::from_millis(100);

/// Accepts connections, through all failures.
#[derive(Debug)]
pub(crate) struct Listener {
    socket: TcpListener,
    failures: LogLimit,
}

impl Listener {
    /// Listens.
    ///
    /// # Errors
    /// When the address is taken, or not one of this machine's.
    pub(crate) fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        Ok(Self { socket: socket.listen(BACKLOG)?, failures: LogLimit::default() })
    }

    /// The address that it has, with its port.
    ///
    /// # Errors
    /// When the system does not say.
    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Waits for the next connection.
    pub(crate) async fn accept(&self) -> (TcpStream, SocketAddr) {
        loop {
            match self.socket.accept().await {
                Ok(accepted) => return accepted,
                Err(error) if is_the_clients(&error) => {}
                Err(error) => {
                    if let Some(left_out) = self.failures.take(Instant::now()) {
                        tracing::error!(%error, left_out, "cannot accept connections");
                    }
                    tokio::time::sleep(OUT_OF_DESCRIPTORS_PAUSE).await;
                }
            }
        }
    }
}

/// Tells whether it only says that a client has given up already.
fn is_the_clients(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted)
}
