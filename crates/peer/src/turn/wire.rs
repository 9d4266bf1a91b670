//! The way to a TURN server: UDP, TCP, or TLS over TCP.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::ServerName;
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, split};
use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinHandle};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::relay_failure::RelayFailure;
use crate::ice::network::{Arrival, DATAGRAM_BYTES_MAX};

/// The time for a TURN server to accept a connection, and for the handshake of TLS.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The time to write the last messages.
const FINISH_TIMEOUT: Duration = Duration::from_secs(1);

/// The queue of messages for a stream. Over TCP a relay still carries datagrams: those that do not
/// fit are lost, and sent again by SCTP.
const QUEUE_MAX: usize = 256;
/// The part of it that only the messages of TURN itself may use; they are not sent again.
const QUEUE_RESERVED: usize = 32;

/// A way to a TURN server. It ends when it is dropped.
pub(crate) struct Wire {
    writer: Writer,
    reader: AbortHandle,
}

enum Writer {
    Datagrams(Arc<UdpSocket>),
    Stream { queue: mpsc::Sender<Vec<u8>>, task: JoinHandle<()> },
}

impl Wire {
    /// Over UDP. Gives the address of this end too.
    pub(crate) async fn udp(
        remote: SocketAddr,
        relay: usize,
        arrivals: mpsc::Sender<Arrival>,
    ) -> Result<(Self, SocketAddr), RelayFailure> {
        let (socket, local) = connect_datagrams(remote).await?;
        let socket = Arc::new(socket);
        let reader = tokio::spawn(read_datagrams(socket.clone(), relay, arrivals)).abort_handle();
        Ok((Self { writer: Writer::Datagrams(socket), reader }, local))
    }

    /// Over TCP.
    pub(crate) async fn tcp(
        remote: SocketAddr,
        relay: usize,
        arrivals: mpsc::Sender<Arrival>,
    ) -> Result<(Self, SocketAddr), RelayFailure> {
        let (stream, local) = connect(remote).await?;
        Ok((Self::stream(stream, relay, arrivals), local))
    }

    /// Connects over TLS (`turns:`), to a server of this name. `None`: the system's authorities are
    /// trusted.
    pub(crate) async fn tls(
        remote: SocketAddr,
        name: &str,
        config: Option<Arc<ClientConfig>>,
        relay: usize,
        arrivals: mpsc::Sender<Arrival>,
    ) -> Result<(Self, SocketAddr), RelayFailure> {
        let config = config.map_or_else(|| as_the_system_trusts().map(Arc::new), Ok);
        let connector = TlsConnector::from(config.map_err(|_| RelayFailure::Tls)?);
        let name = ServerName::try_from(name.to_owned()).map_err(|_| RelayFailure::Tls)?;
        let (stream, local) = connect(remote).await?;
        let handshake = timeout(CONNECT_TIMEOUT, connector.connect(name, stream)).await;
        let stream = handshake.map_err(|_| RelayFailure::Silent)?;
        let stream = stream.map_err(|_| RelayFailure::Tls)?;
        Ok((Self::stream(stream, relay, arrivals), local))
    }

    fn stream(
        stream: impl AsyncRead + AsyncWrite + Send + 'static,
        relay: usize,
        arrivals: mpsc::Sender<Arrival>,
    ) -> Self {
        let (reader, writer) = split(stream);
        let (queue, queued) = mpsc::channel(QUEUE_MAX);
        let reader = tokio::spawn(read_stream(reader, relay, arrivals)).abort_handle();
        // It ends with its queue.
        let task = tokio::spawn(write_stream(writer, queued));
        Self { writer: Writer::Stream { queue, task }, reader }
    }

    pub(crate) const fn is_stream(&self) -> bool {
        matches!(self.writer, Writer::Stream { .. })
    }

    /// Sends what may be lost.
    pub(crate) async fn send_datagram(&self, bytes: Vec<u8>) {
        match &self.writer {
            Writer::Stream { queue, .. } if queue.capacity() <= QUEUE_RESERVED => {}
            _ => self.send_control(bytes).await,
        }
    }

    /// Sends a message of TURN itself.
    pub(crate) async fn send_control(&self, bytes: Vec<u8>) {
        match &self.writer {
            Writer::Datagrams(socket) => drop(socket.send(&bytes).await),
            Writer::Stream { queue, .. } => drop(queue.try_send(bytes)),
        }
    }

    /// Ends it once what was sent before is out.
    pub(crate) async fn finish(&mut self) {
        if let Writer::Stream { queue, task } = &mut self.writer {
            // A queue to nowhere in its place: the task sees the end of the one it reads.
            *queue = mpsc::channel(1).0;
            let _ = timeout(FINISH_TIMEOUT, task).await;
        }
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

async fn connect_datagrams(remote: SocketAddr) -> Result<(UdpSocket, SocketAddr), RelayFailure> {
    let any: SocketAddr = if remote.is_ipv4() { ([0; 4], 0).into() } else { ([0; 16], 0).into() };
    let connected = async {
        let socket = UdpSocket::bind(any).await?;
        socket.connect(remote).await?;
        let local = socket.local_addr()?;
        io::Result::Ok((socket, local))
    };
    connected.await.map_err(|_| RelayFailure::Unreachable)
}

async fn connect(remote: SocketAddr) -> Result<(TcpStream, SocketAddr), RelayFailure> {
    let connected = async {
        let stream = timeout(CONNECT_TIMEOUT, TcpStream::connect(remote)).await??;
        stream.set_nodelay(true)?;
        let local = stream.local_addr()?;
        io::Result::Ok((stream, local))
    };
    connected.await.map_err(|_| RelayFailure::Unreachable)
}

fn as_the_system_trusts() -> Result<ClientConfig, rustls::Error> {
    Ok(ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_platform_verifier()?
        .with_no_client_auth())
}

async fn read_datagrams(socket: Arc<UdpSocket>, relay: usize, arrivals: mpsc::Sender<Arrival>) {
    let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
    loop {
        // An error is an ICMP message about an earlier datagram: TURN finds out by itself.
        let Ok(length) = socket.recv(&mut buffer).await else { continue };
        let bytes = buffer.get(..length).unwrap_or_default().to_vec();
        if arrivals.send(Arrival::FromTurn { relay, bytes }).await.is_err() {
            return;
        }
    }
}

async fn read_stream(
    mut stream: impl AsyncRead + Unpin,
    relay: usize,
    arrivals: mpsc::Sender<Arrival>,
) {
    const READ_BYTES_MAX: usize = 16 * 1024;
    let mut buffer = vec![0; READ_BYTES_MAX];
    loop {
        // Nothing read: the server closed the connection, and the client takes it as that.
        let length = stream.read(&mut buffer).await.unwrap_or(0);
        let bytes = buffer.get(..length).unwrap_or_default().to_vec();
        if arrivals.send(Arrival::FromTurn { relay, bytes }).await.is_err() || length == 0 {
            return;
        }
    }
}

async fn write_stream(mut stream: impl AsyncWrite + Unpin, mut queue: mpsc::Receiver<Vec<u8>>) {
    while let Some(bytes) = queue.recv().await {
        let written = async {
            stream.write_all(&bytes).await?;
            stream.flush().await
        };
        if written.await.is_err() {
            return;
        }
    }
    let _ = stream.shutdown().await;
}
