//! Data channels that fit this client: `securecall-peer`, for programs that bring no WebRTC stack
//! of their own. It is there with the feature `peer`.

pub use securecall_peer::*;

/// The server's relays, as a [`Config`] takes them.
pub fn relays(servers: Vec<crate::IceServer>) -> Vec<IceServer> {
    let relay = |server: crate::IceServer| IceServer {
        urls: server.urls,
        username: server.username.unwrap_or_default(),
        credential: server.credential.unwrap_or_default(),
    };
    servers.into_iter().map(relay).collect()
}
