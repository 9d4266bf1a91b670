//! Addresses to listen on, and `[admin]`.

use std::net::{Ipv4Addr, SocketAddr};

/// The admin listener.
#[derive(Debug, Clone, PartialEq, clap::Args)]
pub struct Admin {
    /// Address of /metrics, /livez and /readyz; a bare port is one on 127.0.0.1
    // `None`: there is no admin listener.
    #[arg(id = "admin.listen", long = "admin-listen", value_name = "[ADDRESS:]PORT")]
    #[arg(value_parser = parse_admin)]
    pub listen: Option<SocketAddr>,
}

pub(crate) fn parse(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse().map_err(|_| "must be ADDRESS:PORT, such as 0.0.0.0:8080 or [::]:8080")
}

/// A port without an address is one on loopback, so that it is not public by accident.
fn parse_admin(text: &str) -> Result<SocketAddr, &'static str> {
    match text.parse() {
        Ok(port) => Ok((Ipv4Addr::LOCALHOST, port).into()),
        Err(_) => text.parse().map_err(|_| "must be PORT or ADDRESS:PORT, such as 9090"),
    }
}
