//! The PROXY protocol, by which a proxy that passes TCP on says whose connection it is
//! ([specification](https://www.haproxy.org/download/2.6/doc/proxy-protocol.txt)). It is not read
//! yet, but recognized, so that whoever switched it on in the proxy learns what is wrong.

/// The beginning of a header in text (version 1) and in binary (version 2).
const SIGNATURES: [&[u8]; 2] = [b"PROXY ", b"\r\n\r\n\0\r\nQUIT\n"];
/// No HTTP request and no TLS record begins with as much of one: RFC 9112 lets empty lines come
/// before a request, but nothing else.
const RECOGNIZED_BYTES: usize = 5;

/// Tells whether a connection whose first bytes are these, which are no HTTP and no TLS, begins with
/// such a header.
pub(super) fn is_at_front_of(bytes: &[u8]) -> bool {
    SIGNATURES.iter().any(|signature| {
        let compared = bytes.len().min(signature.len());
        compared >= RECOGNIZED_BYTES && bytes[..compared] == signature[..compared]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_both_versions_are_recognized_from_their_fifth_byte_on() {
        let text: &[u8] = b"PROXY TCP4 192.0.2.1 192.0.2.2 4711 443\r\nGET / HTTP/1.1\r\n";
        let binary: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c";
        for header in [text, binary] {
            for bytes in 0..header.len() {
                assert_eq!(is_at_front_of(&header[..bytes]), bytes >= 5, "{bytes} bytes");
            }
        }
    }

    #[test]
    fn nothing_else_is_one() {
        for other in [
            &b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"[..],
            b"\r\n\r\nGET / HTTP/1.1\r\n",
            b"PROXYING / HTTP/1.1\r\n",
            b"\x16\x03\x01\x02\x00\x01",
        ] {
            assert!(!is_at_front_of(other), "{other:?}");
        }
    }
}
