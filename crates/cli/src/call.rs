//! `securecall call`: a sealed conversation with somebody who listens.

use clap::{ArgMatches, Args, Command, FromArgMatches as _};
use securecall_client::ClientId;
use securecall_peer::Peer;
use tokio::time::timeout_at;

use crate::conversation::Conversation;
use crate::conversation::acquaintance::{Acquaintance, look_up};
use crate::conversation::fingerprint::ExpectedKeys;
use crate::conversation::link::{Link, Partner};
use crate::conversation::options::Options;
use crate::conversation::session::Session;
use crate::failure::Failure;

pub(crate) const NAME: &str = "call";
pub(crate) const ABOUT: &str = "Call somebody: chat and files, sealed end to end, over WebRTC";

/// How to use it in a script.
pub(crate) const HINTS: &str = "\
Lines of standard input are said. /send FILE sends a file, /quit hangs up. What
the other one says is on standard output, all else on standard error. When the
input ends, the call ends as soon as everything is through:

  echo \"good morning\" | securecall call bob
  securecall call bob --send report.pdf < /dev/null

Exit codes: 0 when everything got through, 1 when the call did not come about or
broke off, 2 when the command line or the identity is wrong, 3 when the other
one's key is not the one expected.";

#[derive(Debug, Args)]
struct Call {
    /// Whom to call
    #[arg(value_parser = |text: &str| ClientId::try_from(text))]
    client_id: ClientId,
    #[command(flatten)]
    options: Options,
}

/// The command with its options.
pub(crate) fn with_options(command: Command) -> Command {
    Call::augment_args(command)
}

/// Calls, and talks until one of the two hangs up.
pub(crate) fn run(flags: &ArgMatches) -> Result<(), Failure> {
    let call = Call::from_arg_matches(flags)?;
    let expected = ExpectedKeys::new(call.options.fingerprint.iter().cloned())?;
    Session::run(&call.options, async |session| converse(&call, &expected, session).await)
}

async fn converse(
    Call { client_id, options }: &Call,
    expected: &ExpectedKeys,
    session: &mut Session,
) -> Result<(), Failure> {
    let ready_by = session.ready_by;
    let mut interrupt = session.interrupt.clone();
    let ringing = timeout_at(ready_by, ring(client_id, expected, options, session));
    let (partner, link) =
        interrupt.or(async { ringing.await.unwrap_or_else(|_| too_slow()) }).await?;
    Conversation::new(session, options, partner, link).calling().run().await
}

fn too_slow<T>() -> Result<T, Failure> {
    Err(Failure::Server("no answer in time (--connect-timeout)".to_owned()))
}

/// Finds out whose key it is, and calls its holder.
async fn ring(
    client_id: &ClientId,
    expected: &ExpectedKeys,
    options: &Options,
    session: &Session,
) -> Result<(Partner, Link), Failure> {
    let Session { client, screen, receive, .. } = session;
    let failed = |error: securecall_client::Error| Failure::Talk(error.to_string());
    let Acquaintance { key, is_new } = look_up(client, client_id, expected, screen).await?;
    let new = if is_new { " (not seen before: compare it)" } else { "" };
    let partner =
        Partner { client_id: client_id.clone(), fingerprint: key.fingerprint().to_string() };
    screen.note(&format!("calling {}, fingerprint {}{new}", partner.name(), partner.fingerprint));
    let turn = client.turn_credentials().await.map_err(failed)?;
    let config = options.peer_config(&turn.ice_servers, receive.clone());
    let offered = Peer::offer(config).await;
    let (peer, events, offer) = offered.map_err(|error| Failure::Talk(error.to_string()))?;
    let call = client.call_with(&key, offer).await.map_err(failed)?;
    Ok((partner, Link::new(client, call, (peer, events))))
}
