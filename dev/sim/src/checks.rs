//! What must hold at every step, whatever happens.

use securecall_core::{CallLimits, Session};

use crate::client::Client;
use crate::server::Server;
use crate::violation::{Violation, ensure};

/// The end of a call as it stands in a stream.
const END_BYTES: usize = 300;

/// No session holds more than it may, and calls are counted as they are.
pub(crate) fn check_bounds(server: &Server, limits: &CallLimits) -> Result<(), Violation> {
    let (mut checked, mut calls) = (Ok(()), 0);
    server.for_each_session(|session| {
        calls += session.calls() as i64;
        if checked.is_ok() {
            checked = check_session(session, limits);
        }
    });
    checked?;
    let counted = server.counted_calls();
    ensure!(counted == calls, "sessions take part in {calls} calls, and {counted} were counted");
    Ok(())
}

fn check_session(session: &Session, limits: &CallLimits) -> Result<(), Violation> {
    let client = session.client_id().as_str();
    // As many of its client's own as it may have, as many that it is said to be in, and those that
    // ring.
    let own_max = limits.per_session_max + limits.unanswered_max;
    let records_max = own_max + limits.per_session_max;
    let records = session.calls();
    ensure!(records <= records_max, "{client} has {records} records of calls");
    // For what waits or is not acknowledged, and for ends that were missed; an end of each call.
    let ends = own_max;
    let bytes_max = 2 * limits.waiting_bytes_max + ends * END_BYTES;
    let bytes = session.waiting_bytes();
    ensure!(bytes <= bytes_max, "{bytes} bytes wait for {client}");
    let count_max = (records_max + 2) * limits.waiting_count_max + ends;
    let count = session.waiting_count();
    ensure!(count <= count_max, "{count} messages wait for {client}");
    Ok(())
}

/// No client has anything to complain of.
pub(crate) fn check_clients(clients: &mut [Client]) -> Result<(), Violation> {
    match clients.iter_mut().find_map(|client| client.complaint.take()) {
        Some(complaint) => Err(complaint),
        None => Ok(()),
    }
}

/// Nothing is left when everybody has left.
pub(crate) fn check_empty(server: &Server) -> Result<(), Violation> {
    let left = server.sessions();
    ensure!(left == 0, "{left} sessions are left when everybody has left");
    Ok(())
}
