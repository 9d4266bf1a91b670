//! `securecall call`: a sealed conversation with somebody who listens.

use clap::{ArgMatches, Args, Command, FromArgMatches as _};
use securecall_client::{CallId, Client, ClientId};
use securecall_peer::{Events, Peer};
use tokio::time::timeout;

use crate::conversation::Conversation;
use crate::conversation::acquaintance::{Acquaintance, look_up};
use crate::conversation::options::Options;
use crate::conversation::screen::Screen;
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
    Session::run(&call.options, async |session| converse(&call, session).await)
}

async fn converse(
    Call { client_id, options }: &Call,
    session: &mut Session,
) -> Result<(), Failure> {
    let Session { client, screen, interrupt, .. } = session;
    let (call, peer) = interrupt.or(ring(client_id, options, client, screen)).await?;
    let who = client_id.as_str();
    Conversation::new(session, options, who, call, peer).ending_with_input().run().await
}

/// Finds out whose key it is, and calls its holder.
async fn ring(
    client_id: &ClientId,
    options: &Options,
    client: &Client,
    screen: &Screen,
) -> Result<(CallId, (Peer, Events)), Failure> {
    let failed = |error: securecall_client::Error| Failure::Talk(error.to_string());
    let Acquaintance { key, is_new } = look_up(client, client_id, options, screen).await?;
    let new = if is_new { " (not seen before: compare it)" } else { "" };
    let (who, fingerprint) = (client_id.as_str(), key.fingerprint());
    screen.note(&format!("calling {who}, fingerprint {fingerprint}{new}"));
    let turn = timeout(options.connect_timeout, client.turn_credentials()).await;
    let turn =
        turn.map_err(|_| Failure::Server("no answer in time".to_owned()))?.map_err(failed)?;
    let config = options.peer_config(&turn.ice_servers);
    let offered = Peer::offer(config).await;
    let (peer, events, offer) = offered.map_err(|error| Failure::Talk(error.to_string()))?;
    let call = client.call_with(&key, offer).await.map_err(failed)?;
    Ok((call, (peer, events)))
}
