//! The TLS of one connection, without its socket.
//!
//! Ciphertext goes in and plaintext comes out, in buffers of the thread; plaintext goes in and
//! ciphertext is pending in [`Records::unsent`] until the socket has accepted it. An idle
//! connection holds its keys and no buffer. That is why this uses the unbuffered interface of
//! rustls: the other one holds a read buffer of 4 KiB for each connection.

use std::sync::Arc;

use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::{
    ConnectionState, EncodeError, EncryptError, InsufficientSizeError, UnbufferedStatus,
    WriteTraffic,
};
use rustls::{Error, HandshakeKind, ProtocolVersion, ServerConfig};

use crate::connection::outbox::Outbox;
use crate::connection::pending::Pending;

/// The room to leave at the start of a read buffer, for the beginning of a record that arrived
/// earlier: more than the largest record (RFC 8446 section 5.2: 16 KiB and 256 bytes; RFC 5246
/// section 6.2.3: 16 KiB and 2 KiB).
pub(crate) const PARTIAL_BYTES_MAX: usize = 20 * 1024;

/// The bound of ciphertext that the socket has not accepted: four full records.
const SEALED_BYTES_MAX: usize = 64 * 1024;
/// The bound of plaintext in a record (RFC 8446 section 5.1), and of what a record adds to it.
const RECORD_BYTES_MAX: usize = 16 * 1024;
const RECORD_OVERHEAD_BYTES: usize = 64;

/// The keys of a connection, and records in progress.
pub(crate) struct Records {
    tls: UnbufferedServerConnection,
    unsent: Pending,
    /// The beginning of an incomplete record.
    partial: Box<[u8]>,
    said_goodbye: bool,
    /// After an error rustls must not be called again, because its partial input is lost.
    failed: bool,
}

/// The state of the incoming side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Incoming {
    Open,
    /// The client has sent `close_notify`.
    Closed,
}

impl Records {
    /// Creates a connection before its handshake.
    ///
    /// # Errors
    /// The configuration cannot be used.
    pub(crate) fn new(config: Arc<ServerConfig>) -> Result<Self, Error> {
        Ok(Self {
            tls: UnbufferedServerConnection::new(config)?,
            unsent: Pending::default(),
            partial: Box::default(),
            said_goodbye: false,
            failed: false,
        })
    }

    pub(crate) fn is_handshaking(&self) -> bool {
        self.tls.is_handshaking()
    }

    /// Returns the number of bytes that complete the record in flight, or 0 as long as its header
    /// (RFC 8446 section 5.1: type, version, length) is incomplete.
    pub(crate) fn missing_bytes(&self) -> usize {
        let Some(&[_, _, _, high, low]) = self.partial.first_chunk() else { return 0 };
        let record_bytes = 5 + usize::from(u16::from_be_bytes([high, low]));
        record_bytes.saturating_sub(self.partial.len())
    }

    /// Returns true if the client does not need the unsent bytes to continue.
    pub(crate) fn may_wait(&self) -> bool {
        !self.is_handshaking() && self.tls.protocol_version() == Some(ProtocolVersion::TLSv1_3)
    }

    /// Returns true if the handshake resumed an earlier session.
    pub(crate) fn is_resumed(&self) -> bool {
        self.tls.handshake_kind() == Some(HandshakeKind::Resumed)
    }

    /// Returns the negotiated protocol (RFC 7301).
    pub(crate) fn alpn_protocol(&self) -> Option<&[u8]> {
        self.tls.alpn_protocol()
    }

    /// Decrypts the part of `buffer` after its first [`PARTIAL_BYTES_MAX`] bytes, which are room
    /// for an earlier partial record. Appends the plaintext to `plaintext`, and answers of TLS
    /// itself to the unsent bytes.
    ///
    /// # Errors
    /// The input is invalid. The unsent bytes then contain the alert for the client.
    pub(crate) fn receive(
        &mut self,
        buffer: &mut [u8],
        plaintext: &mut Vec<u8>,
    ) -> Result<Incoming, Error> {
        if self.failed {
            return Err(Error::HandshakeNotComplete);
        }
        let incoming = self.take_in(buffer, plaintext);
        self.failed = incoming.is_err();
        incoming
    }

    fn take_in(&mut self, buffer: &mut [u8], plaintext: &mut Vec<u8>) -> Result<Incoming, Error> {
        let begin = PARTIAL_BYTES_MAX - self.partial.len();
        buffer[begin..PARTIAL_BYTES_MAX].copy_from_slice(&self.partial);
        let mut rest = &mut buffer[begin..];
        let incoming = loop {
            let UnbufferedStatus { mut discard, state } = self.tls.process_tls_records(rest);
            let incoming = match state {
                Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                    while let Some(record) = traffic.next_record() {
                        let record = record?;
                        plaintext.extend_from_slice(record.payload);
                        discard += record.discard;
                    }
                    None
                }
                Ok(ConnectionState::EncodeTlsData(mut answer)) => {
                    append(&mut self.unsent, 0, |room| answer.encode(room))?;
                    None
                }
                Ok(ConnectionState::TransmitTlsData(sent)) => {
                    sent.done();
                    None
                }
                Ok(ConnectionState::BlockedHandshake | ConnectionState::WriteTraffic(_)) => {
                    Some(Incoming::Open)
                }
                Ok(ConnectionState::PeerClosed | ConnectionState::Closed) => Some(Incoming::Closed),
                // Early data is never offered, so no other state is possible.
                Ok(_) => return Err(Error::General("an unknown state".to_owned())),
                Err(error) => {
                    self.take_alert(&mut rest[discard..]);
                    return Err(error);
                }
            };
            rest = &mut rest[discard..];
            if let Some(incoming) = incoming {
                break incoming;
            }
        };
        if rest.len() > PARTIAL_BYTES_MAX {
            return Err(Error::PeerSentOversizedRecord);
        }
        self.partial = Box::from(&*rest);
        Ok(incoming)
    }

    /// Moves the alert of an error to the unsent bytes. Only the first result counts: after an
    /// error nothing else may be called.
    fn take_alert(&mut self, rest: &mut [u8]) {
        if let Ok(ConnectionState::EncodeTlsData(mut alert)) =
            self.tls.process_tls_records(rest).state
        {
            let _ = append(&mut self.unsent, 0, |room| alert.encode(room));
        }
    }

    /// Encrypts from the outbox, unless ciphertext is pending, so that there are never more than a
    /// few records of it. After a close frame it appends `close_notify`.
    ///
    /// # Errors
    /// The keys have reached their limit of use.
    pub(crate) fn seal_from(&mut self, outbox: &mut Outbox) -> Result<(), Error> {
        if !self.unsent.is_empty() {
            return Ok(());
        }
        let bytes = outbox.unwritten().len().min(SEALED_BYTES_MAX);
        self.seal(&outbox.unwritten()[..bytes])?;
        outbox.advance(bytes);
        if outbox.is_closed() && outbox.unwritten().is_empty() {
            self.close_notify()?;
        }
        Ok(())
    }

    /// Encrypts all of `plaintext`.
    ///
    /// # Errors
    /// The keys have reached their limit of use.
    pub(crate) fn seal(&mut self, plaintext: &[u8]) -> Result<(), Error> {
        if plaintext.is_empty() {
            return Ok(());
        }
        let records = plaintext.len().div_ceil(RECORD_BYTES_MAX);
        let room = plaintext.len() + records * RECORD_OVERHEAD_BYTES;
        self.write(room, |traffic, room| traffic.encrypt(plaintext, room))
    }

    /// Appends `close_notify` (RFC 8446 section 6.1). A second call does nothing.
    ///
    /// # Errors
    /// The keys have reached their limit of use.
    pub(crate) fn close_notify(&mut self) -> Result<(), Error> {
        if self.said_goodbye {
            return Ok(());
        }
        self.said_goodbye = true;
        self.write(RECORD_OVERHEAD_BYTES, |traffic, room| traffic.queue_close_notify(room))
    }

    /// Returns the ciphertext for the socket.
    pub(crate) fn unsent(&self) -> &[u8] {
        self.unsent.unwritten()
    }

    /// Removes bytes that were written.
    pub(crate) fn advance(&mut self, bytes: usize) {
        self.unsent.advance(bytes);
    }

    /// Discards the unsent bytes.
    pub(crate) fn clear(&mut self) {
        self.unsent.clear();
    }

    fn write(
        &mut self,
        room: usize,
        mut write: impl FnMut(
            &mut WriteTraffic<'_, rustls::server::ServerConnectionData>,
            &mut [u8],
        ) -> Result<usize, EncryptError>,
    ) -> Result<(), Error> {
        while !self.failed {
            // The beginning of the record is passed again, because rustls may have parsed part of
            // it.
            match self.tls.process_tls_records(&mut self.partial).state? {
                ConnectionState::WriteTraffic(mut traffic) => {
                    return append(&mut self.unsent, room, |room| write(&mut traffic, room));
                }
                ConnectionState::EncodeTlsData(mut answer) => {
                    append(&mut self.unsent, 0, |room| answer.encode(room))?;
                }
                ConnectionState::TransmitTlsData(sent) => sent.done(),
                ConnectionState::PeerClosed => {}
                _ => break,
            }
        }
        Err(Error::HandshakeNotComplete)
    }
}

impl std::fmt::Debug for Records {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Records")
    }
}

/// The reason why nothing was written into the given room.
enum NotWritten {
    /// This number of bytes is needed.
    Room(usize),
    Failed(Error),
}

impl From<EncryptError> for NotWritten {
    fn from(error: EncryptError) -> Self {
        match error {
            EncryptError::InsufficientSize(InsufficientSizeError { required_size }) => {
                Self::Room(required_size)
            }
            EncryptError::EncryptExhausted => Self::Failed(Error::EncryptError),
        }
    }
}

impl From<EncodeError> for NotWritten {
    fn from(error: EncodeError) -> Self {
        match error {
            EncodeError::InsufficientSize(InsufficientSizeError { required_size }) => {
                Self::Room(required_size)
            }
            EncodeError::AlreadyEncoded => Self::Failed(Error::EncryptError),
        }
    }
}

/// Appends the output of `write`, which gets `room` bytes, or as many as it then asks for.
fn append<E: Into<NotWritten>>(
    pending: &mut Pending,
    mut room: usize,
    mut write: impl FnMut(&mut [u8]) -> Result<usize, E>,
) -> Result<(), Error> {
    let bytes = pending.end(room);
    let begin = bytes.len();
    loop {
        bytes.resize(begin + room, 0);
        match write(&mut bytes[begin..]).map_err(Into::into) {
            Ok(written) => {
                bytes.truncate(begin + written);
                return Ok(());
            }
            // A second request for the same size would loop forever.
            Err(NotWritten::Room(required)) if required > room => room = required,
            Err(error) => {
                bytes.truncate(begin);
                let NotWritten::Failed(error) = error else { return Err(Error::EncryptError) };
                return Err(error);
            }
        }
    }
}
