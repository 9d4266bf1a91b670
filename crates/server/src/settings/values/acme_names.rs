//! Names and addresses in the forms that an ACME authority accepts.

use std::fmt;
use std::str::FromStr;

/// A DNS name to order a certificate for, in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomainName(String);

impl DomainName {
    /// Returns the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for DomainName {
    type Err = InvalidDomainName;

    /// Parses a name with at least two labels. Wildcards cannot be proved by TLS-ALPN-01, and
    /// public authorities issue certificates neither for a single label nor, this way, for an
    /// address.
    fn from_str(text: &str) -> Result<Self, InvalidDomainName> {
        let is_label = |label: &str| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        let last_is_number =
            text.rsplit('.').next().is_some_and(|l| l.bytes().all(|b| b.is_ascii_digit()));
        let has_dot = text.contains('.');
        let usable =
            text.len() <= 253 && has_dot && text.split('.').all(is_label) && !last_is_number;
        usable.then(|| Self(text.to_ascii_lowercase())).ok_or(InvalidDomainName)
    }
}

impl fmt::Display for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An error: the text cannot be a name in a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "each must be a full domain name such as signal.example.org, without a wildcard, and not \
         an IP address"
)]
pub struct InvalidDomainName;

/// A mail address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcmeContact(String);

impl AcmeContact {
    /// Returns the address in the form of the protocol.
    #[must_use]
    pub fn to_uri(&self) -> String {
        format!("mailto:{}", self.0)
    }
}

impl FromStr for AcmeContact {
    type Err = InvalidContact;

    fn from_str(text: &str) -> Result<Self, InvalidContact> {
        let text = text.strip_prefix("mailto:").unwrap_or(text);
        let (name, domain) = text.split_once('@').ok_or(InvalidContact)?;
        let printable = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',');
        let usable = !name.is_empty() && DomainName::from_str(domain).is_ok() && printable;
        usable.then(|| Self(text.to_owned())).ok_or(InvalidContact)
    }
}

impl fmt::Display for AcmeContact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An error: the text is not a mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a mail address, such as admin@example.org")]
pub struct InvalidContact;

/// The URL of an authority's directory (RFC 8555 section 7.1.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcmeDirectory(String);

impl AcmeDirectory {
    /// Returns the URL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AcmeDirectory {
    type Err = InvalidDirectory;

    fn from_str(text: &str) -> Result<Self, InvalidDirectory> {
        let rest = text.strip_prefix("https://").ok_or(InvalidDirectory)?;
        let usable = !rest.is_empty()
            && !rest.starts_with('/')
            && text.bytes().all(|byte| byte.is_ascii_graphic());
        usable.then(|| Self(text.to_owned())).ok_or(InvalidDirectory)
    }
}

impl fmt::Display for AcmeDirectory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An error: the text is not the URL of an authority.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a URL that begins with https://")]
pub struct InvalidDirectory;
