//! An outgoing call: the key check, the offer, and the ringing.

use securecall_client::ClientId;
use securecall_peer::Peer;
use tokio::time::{Instant, timeout_at};

use super::Conversation;
use super::fingerprint::ExpectedKeys;
use super::key_check::{CheckedKey, look_up};
use super::link::{Link, Partner};
use super::options::Options;
use super::session::Session;
use crate::failure::Failure;

/// Calls somebody. The call must ring before `ready_by`.
///
/// # Errors
/// The call could not be made, or was interrupted.
pub(crate) async fn dial<'a>(
    session: &'a mut Session,
    options: &'a Options,
    (client_id, expected): (&ClientId, &ExpectedKeys),
    ready_by: Instant,
) -> Result<Conversation<'a>, Failure> {
    let mut interrupt = session.interrupt.clone();
    let ringing = timeout_at(ready_by, ring(client_id, expected, options, session));
    let (partner, link) =
        interrupt.or(async { ringing.await.unwrap_or_else(|_| too_slow()) }).await?;
    Ok(Conversation::new(session, options, partner, link).calling())
}

fn too_slow<T>() -> Result<T, Failure> {
    Err(Failure::Server("no answer in time (--connect-timeout)".to_owned()))
}

/// Checks the callee's key, and sends the offer.
async fn ring(
    client_id: &ClientId,
    expected: &ExpectedKeys,
    options: &Options,
    session: &Session,
) -> Result<(Partner, Link), Failure> {
    let Session { client, screen, receive, .. } = session;
    let failed = |error: securecall_client::Error| Failure::Conversation(error.to_string());
    let CheckedKey { key, is_new } = look_up(client, client_id, expected, screen).await?;
    let new = if is_new { " (first contact: compare it)" } else { "" };
    let partner =
        Partner { client_id: client_id.clone(), fingerprint: key.fingerprint().to_string() };
    screen.note(&format!("calling {}, fingerprint {}{new}", partner.name(), partner.fingerprint));
    let turn = client.turn_credentials().await.map_err(failed)?;
    let config = options.peer_config(&turn.ice_servers, receive.clone());
    let offered = Peer::offer(config).await;
    let (peer, events, offer) =
        offered.map_err(|error| Failure::Conversation(error.to_string()))?;
    let call = client.call_with(&key, offer).await.map_err(failed)?;
    Ok((partner, Link::new(client, call, (peer, events))))
}
