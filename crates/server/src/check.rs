//! The check of everything that settings refer to. It only reads, so it can run beside a running
//! server and before the first start: nothing is created, changed, locked or listened on.

use std::net::{IpAddr, UdpSocket};

use crate::data_dir;
use crate::serve::ServeError;
use crate::settings::Settings;
use crate::tls::Source;

/// Checks the data folder, the certificate and the addresses, as far as possible by reading. Access
/// rights are those of the current user.
///
/// # Errors
/// As [`serve`](crate::serve()).
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

/// Checks that the address belongs to this machine. The port is not tried, because the running
/// server may use it.
fn check_own(address: IpAddr) -> std::io::Result<()> {
    UdpSocket::bind((address, 0)).map(drop)
}
