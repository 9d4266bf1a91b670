//! `securecall turn`: creates TURN credentials without a running server.

use std::io::{self, Write as _};
use std::time::SystemTime;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use securecall_core::{TurnRest, UnixTime};
use securecall_protocol::ClientId;
use securecall_server::settings::{TurnSettings, with_turn_options};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::settings_of_serve::settings;

pub(crate) const NAME: &str = "turn";
pub(crate) const ABOUT: &str = "Create TURN credentials by hand";

const CREDENTIAL: &str = "credential";
const NAME_AT_TURN: &str = "name";
const JSON: &str = "json";

/// Examples below the help.
pub(crate) const EXAMPLES: &str = "\
Example:
  SECURECALL_TURN_SECRET=… securecall turn credential try-1 --turn-urls turn:turn.example.org";

const HINTS: &str = "\
Example:
  SECURECALL_TURN_SECRET=… securecall turn credential try-1 --turn-urls turn:turn.example.org

URLs, secret and duration come from the same places as those of securecall
serve: the TOML file of --config, the environment, and these flags. The secret is
in SECURECALL_TURN_SECRET, or in the file of --turn-secret-file.

Try the credential on the TURN server. Other users of that machine can read it in
the process list meanwhile, so use a short lifetime (--turn-ttl 1m):
  turnutils_uclient -y -u USERNAME -w CREDENTIAL turn.example.org";

/// Adds the subcommand and its flags.
pub(crate) fn with_options(command: Command) -> Command {
    let name = Arg::new(NAME_AT_TURN)
        .value_name("NAME")
        .required(true)
        .value_parser(|text: &str| ClientId::try_from(text))
        .help(
            "User name for the log of the TURN server; has the form of a client id, but should \
               not be one",
        );
    let json = Arg::new(JSON)
        .long(JSON)
        .action(ArgAction::SetTrue)
        .value_parser(value_parser!(bool))
        .help("Print the payload of TURN_CREDENTIALS, as clients get it");
    let credential = with_turn_options(Command::new(CREDENTIAL))
        .about("Print a fresh credential")
        .next_help_heading(None)
        .arg(name)
        .arg(json)
        .after_help(HINTS);
    command.subcommand_required(true).subcommand(credential)
}

/// Prints a credential.
pub(crate) fn run(flags: &ArgMatches) -> Result<(), Failure> {
    let Some((_, flags)) = flags.subcommand() else { return Ok(()) };
    let settings = settings(flags)?;
    let relay = settings.relay.as_ref().ok_or(Failure::NoTurn)?;
    let name = flags.get_one::<ClientId>(NAME_AT_TURN).ok_or(Failure::NoTurn)?;
    let servers = ice_servers(relay, name);
    let text = if flags.get_flag(JSON) {
        let payload = json!({"iceServers": servers, "ttlSeconds": relay.ttl.as_secs()});
        format!("{payload}\n")
    } else {
        as_text(&servers, relay)
    };
    io::stdout().write_all(text.as_bytes()).map_err(Failure::Output)
}

/// Returns ICE servers with a credential for this name. The name is used as it is, so that an
/// operator finds it in the log of the TURN server. Clients of the server get random names.
fn ice_servers(relay: &TurnSettings, name: &ClientId) -> Value {
    let turn = TurnRest::from(relay);
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let now = UnixTime::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX));
    let text = turn.ice_servers(name.as_str(), turn.expiry(now));
    serde_json::from_str(&text).unwrap_or_default()
}

fn as_text(servers: &Value, relay: &TurnSettings) -> String {
    let field = |key| servers.pointer(&format!("/0/{key}")).and_then(Value::as_str);
    format!(
        "urls        {}\nvalid for   {}\nusername    {}\ncredential  {}\n",
        relay.urls.join(", "),
        humantime::format_duration(relay.ttl),
        field("username").unwrap_or_default(),
        field("credential").unwrap_or_default(),
    )
}
