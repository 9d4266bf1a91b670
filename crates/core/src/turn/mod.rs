//! Time-limited TURN credentials for clients, under names that only this server can trace back.

mod rest;
mod user_name;

use securecall_protocol::ClientId;

pub use self::rest::TurnRest;
pub use self::user_name::NameKey;
use crate::time::UnixTime;

/// Issues relay credentials to clients.
pub struct Turn {
    rest: TurnRest,
    names: NameKey,
    ice_servers_bytes_max: usize,
}

impl Turn {
    /// Issues credentials for these servers, to clients that are named under this key.
    pub fn new(rest: TurnRest, names: NameKey) -> Self {
        let mut turn = Self { rest, names, ice_servers_bytes_max: 0 };
        turn.ice_servers_bytes_max = turn.longest_ice_servers().len();
        turn
    }

    /// The bound of [`Turn::ice_servers`], in bytes.
    pub fn ice_servers_bytes_max(&self) -> usize {
        self.ice_servers_bytes_max
    }

    /// The seconds for which a credential that is issued now is valid.
    pub fn ttl_seconds(&self, now: UnixTime) -> u64 {
        self.rest.expiry(now).saturating_sub(now.as_secs())
    }

    /// Fresh credentials for a client: the JSON array that `RTCPeerConnection` takes as
    /// `iceServers`. It has one entry.
    pub fn ice_servers(&self, client_id: &ClientId, now: UnixTime) -> String {
        let expiry = self.rest.expiry(now);
        self.rest.ice_servers(&self.names.name(client_id, expiry), expiry)
    }

    fn longest_ice_servers(&self) -> String {
        let longest = ClientId::try_from("x".repeat(ClientId::LENGTH_MAX).as_str());
        let far_off = UnixTime::from_millis(u64::MAX);
        longest.map_or_else(|_| String::new(), |client_id| self.ice_servers(&client_id, far_off))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use zeroize::Zeroizing;

    use super::*;

    const NOON: UnixTime = UnixTime::from_millis(1_767_225_600_999);

    fn turn(server_key: u8) -> Turn {
        let urls = ["turn:turn.example".to_owned()];
        let hour = Duration::from_secs(3_600);
        let rest = TurnRest::new(&urls, Zeroizing::new("north".into()), hour);
        Turn::new(rest, NameKey::new(&[server_key; 32]))
    }

    fn issued(server_key: u8, client_id: &str) -> String {
        turn(server_key).ice_servers(&ClientId::try_from(client_id).unwrap(), NOON)
    }

    #[test]
    fn the_client_id_is_not_in_what_the_turn_server_is_shown() {
        let json = issued(7, "alice");
        assert!(json.contains(r#""username":"1767229200:"#), "{json}");
        assert!(!json.contains("alice"), "{json}");
    }

    #[test]
    fn nodes_with_one_server_key_give_a_client_one_name() {
        assert_eq!(issued(7, "alice"), issued(7, "alice"));
        assert_ne!(issued(7, "alice"), issued(7, "bob"));
        assert_ne!(issued(7, "alice"), issued(8, "alice"));
    }

    #[test]
    fn a_credential_is_valid_for_its_ttl() {
        assert_eq!(turn(7).ttl_seconds(NOON), 3_600);
    }
}
