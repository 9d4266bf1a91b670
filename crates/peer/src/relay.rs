//! One allocation on a TURN server (RFC 8656): the protocol is `turn-client-proto`, the sockets
//! are here.

use std::collections::HashSet;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpStream, UdpSocket, lookup_host};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;
use turn_client_proto::api::{Transmit, TurnConfig, TurnEvent, TurnPollRet, TurnRecvRet};
use turn_client_proto::prelude::TurnClientApi as _;
use turn_client_proto::stun::Instant as TurnInstant;
use turn_client_proto::tcp::TurnClientTcp;
use turn_client_proto::types::{AddressFamily, TransportType, TurnCredentials};
use turn_client_proto::udp::TurnClientUdp;

use crate::network::{Arrival, DATAGRAM_BYTES_MAX};
use crate::turn_server::{Transport, TurnServer};

/// How long a TURN server may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long the last messages may take to a TURN server over TCP.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(1);

/// Addresses of the other end that are sent to over one relay; more are left unanswered.
const PEERS_MAX: usize = 256;

/// What waits for a TCP connection to a TURN server, in messages. Over TCP a relay still carries
/// datagrams: what does not fit is lost, and sent again by SCTP.
const TCP_QUEUE_MAX: usize = 256;
/// The part of it that only the messages of TURN itself may use; they are not sent again.
const TCP_QUEUE_RESERVED: usize = 32;

turn_client_proto::impl_client!(pub(crate) TurnClient, (Udp, TurnClientUdp), (Tcp, TurnClientTcp));

/// A relay, or one that is to become one.
pub(crate) struct Relay {
    client: TurnClient,
    wire: Wire,
    /// Zero of the client's clock.
    started: Instant,
    /// Addresses of the other end to which the way was opened.
    peers: HashSet<SocketAddr>,
    /// Reads and writes; ends with the relay.
    _tasks: JoinSet<()>,
}

/// The way to the TURN server.
enum Wire {
    Udp(Arc<UdpSocket>),
    Tcp { queue: mpsc::Sender<Vec<u8>>, writer: JoinHandle<()> },
}

/// What became of an allocation.
pub(crate) enum RelayEvent {
    /// It is there: datagrams to this address come here.
    Allocated(SocketAddr),
    /// The server refused, or is gone.
    Failed,
}

/// A datagram of the other end that came over a relay.
pub(crate) struct Relayed {
    pub(crate) from: SocketAddr,
    pub(crate) bytes: Vec<u8>,
}

impl Relay {
    /// Connects to a TURN server; the allocation follows with [`Relay::poll`]. Its bytes arrive as
    /// those of relay number `index`.
    pub(crate) async fn connect(
        server: &TurnServer,
        index: usize,
        arrivals: mpsc::Sender<Arrival>,
    ) -> io::Result<Self> {
        let mut tasks = JoinSet::new();
        let remote = lookup_host((server.host.as_str(), server.port)).await?.next();
        let remote = remote.ok_or(io::ErrorKind::NotFound)?;
        let (wire, local) = match server.transport {
            Transport::Udp => connect_udp(remote, index, arrivals, &mut tasks).await?,
            Transport::Tcp => connect_tcp(remote, index, arrivals, &mut tasks).await?,
        };
        let credentials = TurnCredentials::new(&server.username, &server.credential);
        let mut config = TurnConfig::new(credentials);
        if remote.is_ipv6() {
            config.add_address_family(AddressFamily::IPV6);
        }
        let client = match server.transport {
            Transport::Udp => TurnClientUdp::allocate(local, remote, config).into(),
            Transport::Tcp => TurnClientTcp::allocate(local, remote, config).into(),
        };
        let started = Instant::now();
        Ok(Self { client, wire, started, peers: HashSet::new(), _tasks: tasks })
    }

    /// Takes bytes of the TURN server; gives what the other end sent.
    pub(crate) fn receive(&mut self, bytes: Vec<u8>) -> Vec<Relayed> {
        let now = self.now();
        let (from, to) = (self.client.remote_addr(), self.client.local_addr());
        let transmit = Transmit::new(bytes, self.client.transport(), from, to);
        let mut relayed = Vec::new();
        if let TurnRecvRet::PeerData(data) = self.client.recv(transmit, now) {
            relayed.push(Relayed { from: data.peer, bytes: data.data().to_vec() });
        }
        while let Some(data) = self.client.poll_recv(now) {
            relayed.push(Relayed { from: data.peer, bytes: data.data().to_vec() });
        }
        relayed
    }

    /// Sends a datagram to the other end. The first ones to an address are lost: they open the way,
    /// and ICE repeats them.
    pub(crate) async fn send(&mut self, to: SocketAddr, bytes: &[u8]) {
        let now = self.now();
        if self.peers.len() < PEERS_MAX && self.peers.insert(to) {
            self.open_way(to, now);
        }
        if let Ok(Some(transmit)) = self.client.send_to(TransportType::Udp, to, bytes, now) {
            self.wire.send_datagram(transmit.build().data).await;
        }
    }

    /// Over TCP a channel's messages must be padded to four bytes (RFC 8656 section 12.5), which
    /// `turn-client-proto` 0.7 does not do: STUN would pass, DTLS would not. So there data goes in
    /// indications, 32 bytes longer. An error: there is no allocation any more.
    fn open_way(&mut self, to: SocketAddr, now: TurnInstant) {
        let _ = match self.wire {
            Wire::Udp(_) => self.client.bind_channel(TransportType::Udp, to, now).is_ok(),
            Wire::Tcp { .. } => {
                self.client.create_permission(TransportType::Udp, to.ip(), now).is_ok()
            }
        };
    }

    /// Does what is due; gives news, and when to come again.
    pub(crate) async fn poll(&mut self) -> (Vec<RelayEvent>, Option<Instant>) {
        let now = self.now();
        let mut events = Vec::new();
        // TCP allocations (RFC 6062) are not asked for, so there are only these two answers.
        let deadline = match self.client.poll(now) {
            TurnPollRet::WaitUntil(at) => Some(self.started + at.duration_since(TurnInstant::ZERO)),
            TurnPollRet::Closed => {
                events.push(RelayEvent::Failed);
                None
            }
            _ => None,
        };
        while let Some(transmit) = self.client.poll_transmit(now) {
            self.wire.send_control(transmit.data.to_vec()).await;
        }
        while let Some(event) = self.client.poll_event() {
            match event {
                TurnEvent::AllocationCreated(_, address) => {
                    events.push(RelayEvent::Allocated(address));
                }
                TurnEvent::AllocationCreateFailed(_) => events.push(RelayEvent::Failed),
                TurnEvent::ChannelCreateFailed(_, address) => {
                    self.peers.remove(&address);
                }
                TurnEvent::PermissionCreateFailed(_, ip) => {
                    self.peers.retain(|peer| peer.ip() != ip);
                }
                _ => {}
            }
        }
        (events, deadline)
    }

    /// Gives the allocation back, so that it does not count against a quota until it expires.
    /// What was sent before goes out.
    pub(crate) async fn release(mut self) {
        if self.client.delete(self.now()).is_ok() {
            self.poll().await;
        }
        if let Wire::Tcp { queue, writer } = self.wire {
            drop(queue);
            let _ = timeout(RELEASE_TIMEOUT, writer).await;
        }
    }

    /// This end of the way to the TURN server.
    pub(crate) fn local_address(&self) -> SocketAddr {
        self.client.local_addr()
    }

    fn now(&self) -> TurnInstant {
        TurnInstant::from_std(self.started)
    }
}

impl Wire {
    async fn send_datagram(&self, bytes: Vec<u8>) {
        match self {
            Self::Udp(socket) => drop(socket.send(&bytes).await),
            Self::Tcp { queue, .. } if queue.capacity() > TCP_QUEUE_RESERVED => {
                let _ = queue.try_send(bytes);
            }
            Self::Tcp { .. } => {}
        }
    }

    async fn send_control(&self, bytes: Vec<u8>) {
        match self {
            Self::Udp(socket) => drop(socket.send(&bytes).await),
            Self::Tcp { queue, .. } => drop(queue.try_send(bytes)),
        }
    }
}

async fn connect_udp(
    remote: SocketAddr,
    relay: usize,
    arrivals: mpsc::Sender<Arrival>,
    tasks: &mut JoinSet<()>,
) -> io::Result<(Wire, SocketAddr)> {
    let any: SocketAddr = if remote.is_ipv4() { ([0; 4], 0).into() } else { ([0; 16], 0).into() };
    let socket = UdpSocket::bind(any).await?;
    socket.connect(remote).await?;
    let local = socket.local_addr()?;
    let socket = Arc::new(socket);
    let reader = socket.clone();
    tasks.spawn(async move {
        let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
        loop {
            let Ok(length) = reader.recv(&mut buffer).await else { continue };
            let bytes = buffer.get(..length).unwrap_or_default().to_vec();
            if arrivals.send(Arrival::FromTurn { relay, bytes }).await.is_err() {
                return;
            }
        }
    });
    Ok((Wire::Udp(socket), local))
}

async fn connect_tcp(
    remote: SocketAddr,
    relay: usize,
    arrivals: mpsc::Sender<Arrival>,
    tasks: &mut JoinSet<()>,
) -> io::Result<(Wire, SocketAddr)> {
    let stream = timeout(CONNECT_TIMEOUT, TcpStream::connect(remote)).await??;
    stream.set_nodelay(true)?;
    let local = stream.local_addr()?;
    let (reader, writer) = stream.into_split();
    let (queue, queued) = mpsc::channel(TCP_QUEUE_MAX);
    tasks.spawn(read_tcp(reader, relay, arrivals));
    // It ends with its queue, that is, with the relay.
    let writer = tokio::spawn(write_tcp(writer, queued));
    Ok((Wire::Tcp { queue, writer }, local))
}

async fn read_tcp(mut stream: OwnedReadHalf, relay: usize, arrivals: mpsc::Sender<Arrival>) {
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

async fn write_tcp(mut stream: OwnedWriteHalf, mut queue: mpsc::Receiver<Vec<u8>>) {
    while let Some(bytes) = queue.recv().await {
        if stream.write_all(&bytes).await.is_err() {
            return;
        }
    }
}
