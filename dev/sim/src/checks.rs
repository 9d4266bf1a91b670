//! Checks that hold at every step.

use securecall_core::{CallLimits, Session};

use crate::client::Client;
use crate::server::Server;
use crate::violation::{Violation, ensure};

/// The end of a call as it stands in a stream.
const END_BYTES: usize = 300;

/// Checks that no session exceeds its bounds, and that the count of calls is right.
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
    // Calls of the client's own, calls that others claim it is in, and those that ring.
    let own_max = limits.per_session_max + limits.unanswered_max;
    let records_max = own_max + limits.per_session_max;
    let records = session.calls();
    ensure!(records <= records_max, "{client} has {records} records of calls");
    // Deferred and unacknowledged messages, and missed ends: one for each call.
    let ends = own_max;
    let bytes_max = 2 * limits.waiting_bytes_max + ends * END_BYTES;
    let bytes = session.waiting_bytes();
    ensure!(bytes <= bytes_max, "{bytes} bytes wait for {client}");
    let count_max = (records_max + 2) * limits.waiting_count_max + ends;
    let count = session.waiting_count();
    ensure!(count <= count_max, "{count} messages wait for {client}");
    Ok(())
}

/// Checks that no client has met a violation.
pub(crate) fn check_clients(clients: &mut [Client]) -> Result<(), Violation> {
    match clients.iter_mut().find_map(|client| client.violation.take()) {
        Some(violation) => Err(violation),
        None => Ok(()),
    }
}

/// Checks that no session is left when every client has left.
pub(crate) fn check_empty(server: &Server) -> Result<(), Violation> {
    let left = server.sessions();
    ensure!(left == 0, "{left} sessions are left when everybody has left");
    Ok(())
}
