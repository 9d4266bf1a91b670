//! The PROXY protocol, by which a TCP proxy sends the address of its client
//! ([specification](https://www.haproxy.org/download/2.6/doc/proxy-protocol.txt)): a header before
//! all other bytes, in text (version 1) or in binary (version 2).
//!
//! It is parsed if `proxy.protocol` is on. Otherwise it is only recognized, to give a useful error
//! to an operator who has switched it on in the proxy alone.

use std::io;
use std::net::IpAddr;

use proxy_header::{Error, ParseConfig, ProxyHeader};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

const TEXT: &[u8] = b"PROXY ";
const BINARY: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// The bytes that suffice to recognize a header. No HTTP request and no TLS record begins with that
/// much of a signature: RFC 9112 allows empty lines before a request, but nothing else.
const RECOGNIZED_BYTES: usize = 5;

/// The longest header in text, with its line end.
const TEXT_BYTES_MAX: usize = 107;
/// The bytes before the addresses in binary: signature, command, family and length.
const BINARY_FIXED_BYTES: usize = 16;
/// The command of a connection that the proxy opened for itself, such as a health check.
const LOCAL: u8 = 0x20;
/// The bound of a binary header. Addresses take 52 bytes; the extensions that proxies add (the
/// requested name, a connection number, the name in the client's certificate) take some hundred.
const BYTES_MAX: usize = 2048;

/// The result of parsing the first bytes of a connection.
#[derive(Debug, PartialEq, Eq)]
enum Parsed {
    /// More bytes may complete it.
    Partial,
    Header {
        /// `None` if the header has no client address, because the connection is the proxy's own
        /// (LOCAL) or because the proxy does not know it (UNKNOWN).
        client: Option<IpAddr>,
        bytes: usize,
    },
    /// No header, or an invalid one.
    Invalid,
}

/// The reason why no header could be read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// No header, or an invalid one.
    Invalid,
    /// The peer has disconnected.
    Gone,
}

impl From<io::Error> for Missing {
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}

/// Returns true if these first bytes, which are neither HTTP nor TLS, are the beginning of a
/// header.
pub(crate) fn is_at_front_of(bytes: &[u8]) -> bool {
    bytes.len() >= RECOGNIZED_BYTES && (begins_like(bytes, TEXT) || begins_like(bytes, BINARY))
}

/// Reads a header from the socket, and not a byte more. Returns the client's address, if the header
/// has one. There is no time limit here.
///
/// # Errors
/// There is no valid header. Some of the bytes may have been read.
pub(crate) async fn read(stream: &mut TcpStream) -> Result<Option<IpAddr>, Missing> {
    let mut header = vec![0; BYTES_MAX];
    let mut read = 0;
    loop {
        let seen = read + stream.peek(&mut header[read..]).await?;
        if seen == read {
            return Err(Missing::Gone);
        }
        let (client, end) = match parse(&header[..seen]) {
            Parsed::Invalid => return Err(Missing::Invalid),
            Parsed::Partial => (None, seen),
            Parsed::Header { client, bytes } => (Some(client), bytes),
        };
        // This does not block: the bytes were peeked before.
        stream.read_exact(&mut header[read..end]).await?;
        read = end;
        if let Some(client) = client {
            return Ok(client);
        }
    }
}

fn parse(bytes: &[u8]) -> Parsed {
    if begins_like(bytes, TEXT) {
        // The parser accepts a longer line if it is complete, so the bound is applied here.
        parse_with_crate(&bytes[..bytes.len().min(TEXT_BYTES_MAX)])
    } else if begins_like(bytes, BINARY) {
        parse_binary(bytes)
    } else {
        Parsed::Invalid
    }
}

fn parse_binary(bytes: &[u8]) -> Parsed {
    let Some(fixed) = bytes.first_chunk::<BINARY_FIXED_BYTES>() else { return Parsed::Partial };
    let [.., command, _family, high, low] = *fixed;
    let length = BINARY_FIXED_BYTES + usize::from(u16::from_be_bytes([high, low]));
    match bytes.get(..length) {
        _ if length > BYTES_MAX => Parsed::Invalid,
        // More bytes cannot make it valid, so waiting for them would be pointless.
        None if command & !1 != LOCAL => Parsed::Invalid,
        None => Parsed::Partial,
        // The specification says to ignore the family and addresses of LOCAL; the parser does not.
        Some(_) if command == LOCAL => Parsed::Header { client: None, bytes: length },
        Some(header) => match parse_with_crate(header) {
            // The header is complete, and too short for its addresses.
            Parsed::Partial => Parsed::Invalid,
            parsed => parsed,
        },
    }
}

fn parse_with_crate(bytes: &[u8]) -> Parsed {
    match ProxyHeader::parse(bytes, ParseConfig::default()) {
        Ok((header, bytes)) => {
            let client = header.proxied_address().map(|named| named.source.ip().to_canonical());
            Parsed::Header { client, bytes }
        }
        Err(Error::BufferTooShort) if bytes.len() < TEXT_BYTES_MAX => Parsed::Partial,
        Err(_) => Parsed::Invalid,
    }
}

fn begins_like(bytes: &[u8], signature: &[u8]) -> bool {
    let compared = bytes.len().min(signature.len());
    bytes[..compared] == signature[..compared]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokio::io::AsyncWriteExt as _;
    use tokio::net::TcpListener;

    use super::*;

    const OVER_IPV4: &[u8] =
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c\xc0\x00\x02\x01\xc0\x00\x02\x02\x12\x67\x01\xbb";
    const WITH_EXTENSIONS: &[u8] =
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x11\xc0\x00\x02\x01\xc0\x00\x02\x02\x12\x67\x01\xbb\x04\x00\x02ab";

    /// Headers of both versions, with the client addresses in them.
    fn headers() -> Vec<(Vec<u8>, Option<IpAddr>)> {
        let over_ipv6 = [
            &b"\r\n\r\n\0\r\nQUIT\n\x21\x21\x00\x24"[..],
            &"2001:db8::1".parse::<std::net::Ipv6Addr>().unwrap().octets(),
            &[0; 16],
            b"\x12\x67\x01\xbb",
        ];
        let unix = [&b"\r\n\r\n\0\r\nQUIT\n\x21\x31\x00\xd8"[..], &[b'/'; 216]].concat();
        let named = |text: &str| Some(text.parse().unwrap());
        vec![
            (b"PROXY TCP4 192.0.2.1 192.0.2.2 4711 443\r\n".to_vec(), named("192.0.2.1")),
            (b"PROXY TCP6 2001:db8::1 2001:db8::2 4711 443\r\n".to_vec(), named("2001:db8::1")),
            (b"PROXY TCP6 ::ffff:192.0.2.1 ::1 4711 443\r\n".to_vec(), named("192.0.2.1")),
            (b"PROXY UNKNOWN\r\n".to_vec(), None),
            (b"PROXY UNKNOWN ffff::1 ffff::2 65535 65535 and more words\r\n".to_vec(), None),
            (OVER_IPV4.to_vec(), named("192.0.2.1")),
            (WITH_EXTENSIONS.to_vec(), named("192.0.2.1")),
            (over_ipv6.concat(), named("2001:db8::1")),
            (unix, None),
            // LOCAL without addresses, and with a family and bytes to be ignored.
            (b"\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00".to_vec(), None),
            (b"\r\n\r\n\0\r\nQUIT\n\x20\x11\x00\x00".to_vec(), None),
            (b"\r\n\r\n\0\r\nQUIT\n\x20\x5a\x00\x03abc".to_vec(), None),
        ]
    }

    #[test]
    fn each_header_is_partial_until_its_last_byte_and_ends_there() {
        for (header, client) in headers() {
            let with_more = [&header[..], b"GET / HTTP/1.1\r\n"].concat();
            for bytes in 0..with_more.len() {
                let expected = if bytes < header.len() {
                    Parsed::Partial
                } else {
                    Parsed::Header { client, bytes: header.len() }
                };
                assert_eq!(parse(&with_more[..bytes]), expected, "{bytes} of {header:?}");
            }
        }
    }

    #[test]
    fn other_bytes_than_a_header_are_refused_at_once() {
        let too_long = [b"PROXY UNKNOWN ", &[b'x'; 200][..], b"\r\n"].concat();
        for wrong in [
            &b"GET"[..],
            b"\x16\x03\x01",
            b"\r\n\r\nGET / HTTP/1.1\r\n",
            b"PROXYING",
            b"PROXY TCP5 192.0.2.1 192.0.2.2 4711 443\r\n",
            b"PROXY TCP4 192.0.2.1 192.0.2.2 4711 443 more\r\n",
            b"PROXY TCP4 2001:db8::1 192.0.2.2 4711 443\r\n",
            b"PROXY TCP4 192.0.2.1 192.0.2.2 4711 65536\r\n",
            b"PROXY TCP4 192.0.2.1 192.0.2.2 4711 443\rx",
            &too_long,
            // Another version, another command, too few bytes for the addresses, too many bytes.
            b"\r\n\r\n\0\r\nQUIT\n\x11\x11\x00\x0c",
            b"\r\n\r\n\0\r\nQUIT\n\x22\x11\x00\x0c",
            b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x03abc",
            b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff",
            b"\r\n\r\n\0\r\nQUIT\n\x20\x00\xff\xff",
        ] {
            assert_eq!(parse(wrong), Parsed::Invalid, "{wrong:?}");
        }
    }

    #[test]
    fn headers_of_both_versions_are_recognized_from_their_fifth_byte_on() {
        for (header, _) in headers() {
            for bytes in 0..header.len() {
                assert_eq!(is_at_front_of(&header[..bytes]), bytes >= 5, "{bytes} bytes");
            }
        }
    }

    #[test]
    fn nothing_else_is_recognized_as_one() {
        for other in [
            &b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"[..],
            b"\r\n\r\nGET / HTTP/1.1\r\n",
            b"PROXYING / HTTP/1.1\r\n",
            b"\x16\x03\x01\x02\x00\x01",
        ] {
            assert!(!is_at_front_of(other), "{other:?}");
        }
    }

    proptest! {
        /// Checks for any input: no panic, a length within the bytes, and a result that more bytes
        /// do not change.
        #[test]
        fn a_verdict_is_final(
            version in 0..3_usize,
            rest in proptest::collection::vec(any::<u8>(), 0..300),
        ) {
            let bytes = [[TEXT, BINARY, b""][version], &rest].concat();
            let mut verdict = Parsed::Partial;
            for end in 0..=bytes.len() {
                let parsed = parse(&bytes[..end]);
                match &verdict {
                    Parsed::Partial => verdict = parsed,
                    known => prop_assert_eq!(&parsed, known),
                }
            }
            if let Parsed::Header { bytes: length, .. } = verdict {
                prop_assert!(length <= bytes.len());
            }
        }

        #[test]
        fn what_a_proxy_writes_is_read(source: std::net::SocketAddr, binary: bool) {
            let destination = match source {
                std::net::SocketAddr::V4(_) => "192.0.2.2:443",
                std::net::SocketAddr::V6(_) => "[2001:db8::2]:443",
            };
            let named = proxy_header::ProxiedAddress::stream(source, destination.parse().unwrap());
            let header = ProxyHeader::with_address(named);
            let mut bytes = [0; 256];
            let length = if binary {
                header.encode_to_slice_v2(&mut bytes)
            } else {
                header.encode_to_slice_v1(&mut bytes)
            };
            let length = length.unwrap();
            let client = Some(source.ip().to_canonical());
            prop_assert_eq!(parse(&bytes), Parsed::Header { client, bytes: length });
        }
    }

    /// Returns both ends of a connection over loopback.
    async fn connection() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (near, far) = tokio::join!(TcpStream::connect(address), listener.accept());
        (near.unwrap(), far.unwrap().0)
    }

    #[tokio::test]
    async fn not_a_byte_behind_the_header_is_taken_however_it_comes() {
        for (header, client) in headers() {
            for piece_bytes in [1, 7, header.len(), header.len() + 4] {
                let (mut proxy, mut stream) = connection().await;
                proxy.set_nodelay(true).unwrap();
                let sending = async {
                    let all = [&header[..], b"next"].concat();
                    for piece in all.chunks(piece_bytes) {
                        proxy.write_all(piece).await.unwrap();
                        tokio::task::yield_now().await;
                    }
                };
                let (read, ()) = tokio::join!(read(&mut stream), sending);
                assert_eq!(read, Ok(client));
                let mut next = [0; 4];
                stream.read_exact(&mut next).await.unwrap();
                assert_eq!(&next, b"next");
            }
        }
    }

    #[tokio::test]
    async fn a_proxy_that_leaves_within_its_header_is_gone() {
        let (mut proxy, mut stream) = connection().await;
        proxy.write_all(b"PROXY TCP4 192.").await.unwrap();
        drop(proxy);
        assert_eq!(read(&mut stream).await, Err(Missing::Gone));
    }
}
