//! The check of everything that settings name, by reading alone: beside a running server, and
//! before the first start. Nothing is made, changed, locked or listened on.

use std::net::{IpAddr, UdpSocket};

use crate::data_dir;
use crate::serve::ServeError;
use crate::settings::Settings;
use crate::tls::Source;

/// Checks the data folder, the certificate and the addresses, as far as reading can. The rights that
/// count are those of the user who asks.
///
/// # Errors
/// As [`serve`](crate::serve()) would.
pub fn check(settings: &Settings) -> Result<(), ServeError> {
    data_dir::inspect(&settings.data_dir)?;
    Source::inspect(settings)?;
    let listeners =
        [(Some(settings.listen), "--listen"), (settings.admin.listen, "--admin-listen")];
    for (address, flag) in listeners {
        let Some(address) = address else { continue };
        check_own(address.ip()).map_err(|source| ServeError::Listen { address, flag, source })?;
    }
    Ok(())
}

/// Refuses an address that is not one of this machine. The port is not touched: it may be the one of
/// the server that runs.
fn check_own(address: IpAddr) -> std::io::Result<()> {
    UdpSocket::bind((address, 0)).map(drop)
}
