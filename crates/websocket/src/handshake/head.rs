//! The common part of the heads of requests and of responses.

use httparse::Header;

/// The bounds of a head that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadLimits {
    /// Bytes, the empty line included.
    pub bytes_max: usize,
    /// Header fields.
    pub fields_max: usize,
}

impl Default for HeadLimits {
    /// 8 KiB and 64 fields: browsers send 500 to 1,500 bytes in about 15 fields, unless a site has
    /// many cookies, and proxies add some.
    fn default() -> Self {
        Self { bytes_max: 8 * 1024, fields_max: 64 }
    }
}

/// The version of the protocol that RFC 6455 defines.
pub(super) const VERSION: &str = "13";

/// The values of all fields with this name, in their order.
pub(super) fn values<'a, 'b>(
    headers: &'a [Header<'b>],
    name: &'a str,
) -> impl Iterator<Item = &'b [u8]> + use<'a, 'b> {
    headers.iter().filter(move |h| h.name.eq_ignore_ascii_case(name)).map(|h| h.value)
}

/// The value of the only field with this name. `None` if there is no such field, or more than one.
pub(super) fn only_value<'b>(headers: &[Header<'b>], name: &str) -> Option<&'b str> {
    let mut values = values(headers, name);
    match (values.next(), values.next()) {
        (Some(value), None) => std::str::from_utf8(value).ok(),
        _ => None,
    }
}

/// Returns true if a field that is a comma-separated list, maybe in several lines, has this token.
pub(super) fn has_token(headers: &[Header<'_>], name: &str, token: &str) -> bool {
    values(headers, name)
        .flat_map(|value| value.split(|byte| *byte == b','))
        .any(|item| item.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
}
