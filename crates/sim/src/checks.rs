//! What must hold at every step, whatever happens.

use crate::server::Server;
use crate::violation::{Violation, ensure};

/// No session holds more than it may.
pub(crate) fn check_bounds(server: &Server) -> Result<(), Violation> {
    let limits = &server.nature.config.calls;
    for session in server.sessions() {
        let client = session.client_id().as_str();
        let (records, bytes) = (session.calls(), session.waiting_bytes());
        // As many of its client's own as it may have, and as many that it is said to be in.
        let records_max = 2 * limits.per_session_max;
        ensure!(records <= records_max, "{client} has {records} records of calls");
        // For its calls, and for their ends.
        let bytes_max = 2 * limits.waiting_bytes_max;
        ensure!(bytes <= bytes_max, "{bytes} bytes wait for {client}");
    }
    Ok(())
}

/// Nothing is left when everybody has left.
pub(crate) fn check_empty(server: &Server) -> Result<(), Violation> {
    let left = server.sessions().count();
    ensure!(left == 0, "{left} sessions are left when everybody has left");
    Ok(())
}
