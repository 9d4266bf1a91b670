//! The lines of the file: `HOST:PORT CLIENT_ID FINGERPRINT`.

use std::collections::BTreeMap;

use securecall_protocol::ClientId;

use crate::shell::Address;

/// Digits in a fingerprint: eight groups of five.
const GROUPS: usize = 8;
const GROUP_DIGITS: usize = 5;

/// Of clients of one server, by their ids.
pub(super) type Fingerprints = BTreeMap<Box<str>, String>;

/// The entries of the file.
pub(super) struct Entries {
    /// Of the server that is asked about.
    pub(super) fingerprints: Fingerprints,
    /// Lines of other servers, as they are.
    others: Vec<String>,
}

impl Entries {
    /// Reads a file as one that talks to this server.
    ///
    /// # Errors
    /// The number of the first line that is something else, from 1.
    pub(super) fn parse(text: &str, of_server: &str) -> Result<Self, usize> {
        let mut entries = Self { fingerprints: Fingerprints::new(), others: Vec::new() };
        for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.is_empty()) {
            let (server, client_id, fingerprint) = parse(line).ok_or(at + 1)?;
            if server == of_server {
                entries.fingerprints.insert(client_id.into(), fingerprint.to_owned());
            } else {
                entries.others.push(line.to_owned());
            }
        }
        Ok(entries)
    }

    /// The whole file, in the order of servers and client ids.
    pub(super) fn to_text(&self, of_server: &str) -> String {
        let of_server = self
            .fingerprints
            .iter()
            .map(|(client_id, fingerprint)| format!("{of_server} {client_id} {fingerprint}"));
        let mut lines: Vec<String> = self.others.iter().cloned().chain(of_server).collect();
        lines.sort_unstable();
        lines.into_iter().map(|line| line + "\n").collect()
    }
}

fn parse(line: &str) -> Option<(&str, &str, &str)> {
    let (server, entry) = line.split_once(' ')?;
    let (client_id, fingerprint) = entry.split_once(' ')?;
    let whole =
        is_server(server) && ClientId::try_from(client_id).is_ok() && is_fingerprint(fingerprint);
    whole.then_some((server, client_id, fingerprint))
}

/// Only as it is written here: another spelling would never be found.
fn is_server(text: &str) -> bool {
    Address::parse(&format!("ws://{text}")).is_ok_and(|address| address.server() == text)
}

fn is_fingerprint(text: &str) -> bool {
    let groups: Vec<_> = text.split(' ').collect();
    let is_group = |group: &&str| {
        group.len() == GROUP_DIGITS && group.bytes().all(|digit| digit.is_ascii_digit())
    };
    groups.len() == GROUPS && groups.iter().all(is_group)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FINGERPRINT: &str = "12345 12345 12345 12345 12345 12345 12345 12345";

    #[test]
    fn a_line_that_is_something_else_is_named() {
        let good = format!("example.net:443 bob {FINGERPRINT}");
        for bad in [
            format!("bob {FINGERPRINT}"),
            format!("example.net bob {FINGERPRINT}"),
            format!("Example.net:443 bob {FINGERPRINT}"),
            format!("example.net:0443 bob {FINGERPRINT}"),
            format!("example.net:443/signal bob {FINGERPRINT}"),
            format!("example.net:443 a/b {FINGERPRINT}"),
            format!("example.net:443  bob {FINGERPRINT}"),
            format!("{FINGERPRINT} example.net:443 bob"),
            "example.net:443 bob 12345".to_owned(),
            "x".to_owned(),
        ] {
            let error = Entries::parse(&format!("{good}\n{bad}\n"), "example.net:443").err();
            assert_eq!(error, Some(2), "{bad}");
        }
    }

    #[test]
    fn lines_of_other_servers_stay_as_they_are() {
        let text = format!("[::1]:80 bob {FINGERPRINT}\nexample.net:443 bob {FINGERPRINT}\n");
        let mut entries = Entries::parse(&text, "example.net:443").unwrap();
        assert_eq!(entries.fingerprints.len(), 1);
        assert_eq!(entries.to_text("example.net:443"), text);
        entries.fingerprints.clear();
        assert_eq!(entries.to_text("example.net:443"), format!("[::1]:80 bob {FINGERPRINT}\n"));
    }
}
