//! `securecall call`: a sealed conversation with somebody who listens.

use clap::{ArgMatches, Args, Command, FromArgMatches as _};
use securecall_client::{Client, ClientId, Events};
use securecall_peer::Peer;

use crate::conversation::input::Input;
use crate::conversation::options::Options;
use crate::conversation::screen::Screen;
use crate::conversation::{self, Conversation, signaling};
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
    conversation::runtime()?.block_on(async {
        let screen = Screen::new();
        let (client, mut signals) = signaling::connect(&call.options, &screen).await?;
        let result = converse(&call, &client, &mut signals, &screen).await;
        conversation::say_goodbye(client).await;
        result
    })
}

async fn converse(
    Call { client_id, options }: &Call,
    client: &Client,
    signals: &mut Events,
    screen: &Screen,
) -> Result<(), Failure> {
    let failed = |error: securecall_client::Error| Failure::Talk(error.to_string());
    let acquaintance = signaling::look_up(client, client_id, options, screen).await?;
    let new = if acquaintance.is_new { " (not seen before: compare it)" } else { "" };
    let who = client_id.as_str();
    let fingerprint = acquaintance.key.fingerprint();
    screen.note(&format!("calling {who}, fingerprint {fingerprint}{new}"));
    let turn = client.turn_credentials().await.map_err(failed)?;
    let config = options.peer_config(&turn.ice_servers);
    let (peer, peer_events, offer) =
        Peer::offer(config).await.map_err(|error| Failure::Talk(error.to_string()))?;
    let call = client.call_with(&acquaintance.key, offer).await.map_err(failed)?;
    let conversation = Conversation {
        client,
        signals,
        call,
        peer,
        peer_events,
        who: who.to_owned(),
        options,
        screen,
        input: &mut Input::start(),
        ends_with_input: true,
    };
    conversation.run().await
}
