//! A WebSocket client over TLS with access to its internals.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, ClientConnection, HandshakeKind, SupportedProtocolVersion};
use securecall_websocket::{
    Decoder, Event, Role, parse_response, write_masked_close, write_masked_text, write_request,
};
use serde_json::{Value, json};
use socket2::{Domain, Socket, Type};

use crate::authority::Authority;

const MASK: [u8; 4] = [7, 1, 3, 9];
const NONCE: [u8; 16] = [5; 16];

/// Returns a client configuration. Clients that share it share session tickets.
pub(crate) fn config(
    authority: &Authority,
    versions: &[&'static SupportedProtocolVersion],
) -> Arc<ClientConfig> {
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(authority.roots())
        .with_no_client_auth();
    Arc::new(config)
}

pub(crate) struct Client {
    pub(crate) socket: TcpStream,
    pub(crate) tls: ClientConnection,
    decoder: Decoder,
    events: VecDeque<Received>,
    /// The number of ciphertext bytes in a write, or `None` for all.
    pub(crate) cut: Option<usize>,
}

/// A message from the server, or the end.
#[derive(Debug, PartialEq)]
pub(crate) enum Received {
    Message(Value),
    Close(Option<u16>),
    /// The end of TLS with `close_notify`.
    End,
    /// The end of TCP without it.
    Cut,
}

impl Client {
    /// Connects and performs the handshake.
    pub(crate) fn connect(address: SocketAddr, config: &Arc<ClientConfig>) -> Self {
        Self::over(TcpStream::connect(address).unwrap(), config)
    }

    /// Connects with a small receive buffer.
    pub(crate) fn connect_narrow(address: SocketAddr, config: &Arc<ClientConfig>) -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        socket.connect(&address.into()).unwrap();
        Self::over(socket.into(), config)
    }

    /// Connects from another address of this machine.
    pub(crate) fn connect_from(
        from: [u8; 4],
        address: SocketAddr,
        config: &Arc<ClientConfig>,
    ) -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from((from, 0)).into()).unwrap();
        socket.connect(&address.into()).unwrap();
        Self::over(socket.into(), config)
    }

    fn over(socket: TcpStream, config: &Arc<ClientConfig>) -> Self {
        socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        socket.set_nodelay(true).unwrap();
        let name = "localhost".try_into().unwrap();
        let mut tls = ClientConnection::new(config.clone(), name).unwrap();
        tls.set_buffer_limit(None);
        let decoder = Decoder::new(Role::Client, 1 << 20);
        let mut client = Self { socket, tls, decoder, events: VecDeque::new(), cut: None };
        while client.tls.is_handshaking() {
            client.tls.complete_io(&mut client.socket).unwrap();
        }
        client
    }

    /// Upgrades to WebSocket.
    pub(crate) fn upgrade(mut self) -> Self {
        let mut request = Vec::new();
        write_request(&mut request, "localhost", "/signal", &NONCE, &[]).unwrap();
        self.write(&request);
        let mut head = Vec::new();
        let head_bytes = loop {
            assert!(self.read(&mut head).unwrap() > 0, "no response");
            if let Some(head_bytes) = parse_response(&head, &NONCE).unwrap() {
                break head_bytes;
            }
        };
        self.decode(&mut head[head_bytes..]);
        self
    }

    /// Upgrades and registers.
    pub(crate) fn register(self, id: &str) -> Self {
        let mut client = self.upgrade();
        client.send("REGISTER", json!({"clientId": id}));
        client.expect("REGISTERED");
        client
    }

    pub(crate) fn send(&mut self, message_type: &str, payload: Value) {
        let message = json!({"type": message_type, "payload": payload}).to_string();
        let mut frame = Vec::new();
        write_masked_text(&mut frame, &message, MASK);
        self.write(&frame);
    }

    pub(crate) fn close(&mut self) {
        let mut frame = Vec::new();
        write_masked_close(&mut frame, None, MASK);
        self.write(&frame);
    }

    /// Writes plaintext.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.tls.writer().write_all(bytes).unwrap();
        self.flush();
    }

    pub(crate) fn flush(&mut self) {
        let mut ciphertext = Vec::new();
        while self.tls.wants_write() {
            self.tls.write_tls(&mut ciphertext).unwrap();
        }
        for piece in ciphertext.chunks(self.cut.unwrap_or(usize::MAX)) {
            self.socket.write_all(piece).unwrap();
        }
    }

    /// Returns the payload of the next message, which must be of this type.
    #[track_caller]
    pub(crate) fn expect(&mut self, message_type: &str) -> Value {
        match self.receive() {
            Received::Message(message) if message["type"] == message_type => {
                message["payload"].clone()
            }
            other => panic!("{message_type} was expected, {other:?} came"),
        }
    }

    pub(crate) fn receive(&mut self) -> Received {
        loop {
            if let Some(event) = self.events.pop_front() {
                return event;
            }
            let mut bytes = Vec::new();
            match self.read(&mut bytes) {
                Ok(0) => return Received::End,
                Ok(_) => self.decode(&mut bytes),
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Received::Cut,
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return Received::Cut,
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// Reads plaintext. Returns 0 after `close_notify`.
    pub(crate) fn read(&mut self, into: &mut Vec<u8>) -> std::io::Result<usize> {
        let mut buffer = [0; 4096];
        loop {
            match self.tls.reader().read(&mut buffer) {
                Ok(bytes) => {
                    into.extend_from_slice(&buffer[..bytes]);
                    return Ok(bytes);
                }
                Err(error) if error.kind() != ErrorKind::WouldBlock => return Err(error),
                Err(_) => {}
            }
            // Zero tells rustls the end of TCP.
            self.tls.read_tls(&mut self.socket)?;
            self.tls.process_new_packets().map_err(std::io::Error::other)?;
            self.flush();
        }
    }

    fn decode(&mut self, mut bytes: &mut [u8]) {
        while let Some(event) = self.decoder.next(&mut bytes).unwrap() {
            self.events.push_back(match event {
                Event::Text(text) => Received::Message(serde_json::from_str(&text).unwrap()),
                Event::Close(reason) => Received::Close(reason.map(|reason| reason.code)),
                other => panic!("{other:?} was not expected"),
            });
        }
    }

    pub(crate) fn is_resumed(&self) -> bool {
        self.tls.handshake_kind() == Some(HandshakeKind::Resumed)
    }

    /// Returns the server's certificate.
    pub(crate) fn shown(&self) -> CertificateDer<'static> {
        self.tls.peer_certificates().unwrap()[0].clone().into_owned()
    }
}
