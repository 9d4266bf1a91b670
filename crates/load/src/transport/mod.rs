//! Non-blocking byte streams: TCP, and TLS over it.

mod tls;

use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, SocketAddr};

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use socket2::{Domain, Protocol, Socket, Type};

use self::tls::{TlsDialer, TlsStream};
use crate::target::Target;

/// Opens connections to one target.
#[derive(Debug)]
pub(crate) struct Dialer {
    address: SocketAddr,
    /// `None` if connections are plain.
    tls: Option<TlsDialer>,
}

impl Dialer {
    pub(crate) fn new(target: &Target) -> io::Result<Self> {
        let tls = target.is_tls().then(|| TlsDialer::new(target.name())).transpose()?;
        Ok(Self { address: target.address(), tls })
    }

    /// Begins to connect, from `source` if there is one.
    pub(crate) fn connect(
        &self,
        registry: &Registry,
        token: Token,
        source: Option<IpAddr>,
    ) -> io::Result<Transport> {
        let mut socket = connect(self.address, source)?;
        registry.register(&mut socket, token, Interest::READABLE | Interest::WRITABLE)?;
        Ok(match &self.tls {
            None => Transport::Plain(socket),
            Some(tls) => Transport::Tls(Box::new(tls.begin(socket)?)),
        })
    }
}

/// An open stream, or one that is being opened. What cannot be done yet is
/// [`WouldBlock`](io::ErrorKind::WouldBlock).
#[derive(Debug)]
pub(crate) enum Transport {
    Plain(TcpStream),
    Tls(Box<TlsStream>),
}

impl Transport {
    #[inline]
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }

    #[inline]
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.write(bytes).map_err(not_yet),
            Self::Tls(stream) => stream.write(bytes).map_err(not_yet),
        }
    }

    /// Writes what was taken and not yet written.
    #[inline]
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(_) => Ok(()),
            Self::Tls(stream) => stream.flush(),
        }
    }

    /// Returns true if a read of `bytes` bytes emptied the socket. In plain text, one that does not
    /// fill the buffer has (epoll(7), question 9); a read from TLS returns one record.
    #[inline]
    pub(crate) fn is_drained(&self, bytes: usize, buffer_bytes: usize) -> bool {
        matches!(self, Self::Plain(_)) && bytes < buffer_bytes
    }

    /// Sends the close_notify of TLS, as far as the socket takes it.
    pub(crate) fn shut_down(&mut self) {
        if let Self::Tls(stream) = self {
            stream.close();
        }
    }
}

/// A socket that is not connected yet will be, or will fail.
fn not_yet(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::NotConnected => io::ErrorKind::WouldBlock.into(),
        _ => error,
    }
}

fn connect(address: SocketAddr, source: Option<IpAddr>) -> io::Result<TcpStream> {
    let Some(source) = source else {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        return Ok(stream);
    };
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    socket.set_tcp_nodelay(true)?;
    socket.bind(&SocketAddr::new(source, 0).into())?;
    match socket.connect(&address.into()) {
        Ok(()) => {}
        Err(error) if is_under_way(&error) => {}
        Err(error) => return Err(error),
    }
    Ok(TcpStream::from_std(socket.into()))
}

fn is_under_way(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
        || error.raw_os_error() == Some(rustix::io::Errno::INPROGRESS.raw_os_error())
}
