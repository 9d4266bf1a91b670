//! `securecall directory lookup`: shows the keys that a server returns.

mod known;
mod server;
mod shown;

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgMatches, Args, Command, FromArgMatches as _};
use tokio::time::timeout;

use crate::contact::Contact;
use crate::duration::duration;
use crate::failure::Failure;
use crate::files::identity_file::IdentityPath;
use crate::runtime::runtime;
use known::Known;
use server::Connection;
use shown::Shown;

pub(super) const NAME: &str = "lookup";

const HINTS: &str = "\
The command connects as a client with a random id, publishes no key and disturbs
nobody. It reads the known keys of earlier calls from the file of --known-keys,
and does not change it.

  securecall directory lookup alice bob --server wss://example.org/signal
  securecall directory lookup alice --json | jq -r .fingerprint

Exit codes: 0 when all have a key, 1 when one has none or the server cannot be
reached, 2 when the command line is invalid, 3 when a key is not the known one: a
new device, or somebody intercepts. Ask the owner.";

#[derive(Debug, Args)]
struct Lookup {
    /// Client ids to look up; also ID=DIGITS with the expected fingerprint, or the content of a QR
    /// code
    #[arg(value_name = "CLIENT_ID", required = true, num_args = 1..)]
    contacts: Vec<Contact>,
    /// The server
    #[arg(long, value_name = "URL", env = "SECURECALL_SERVER")]
    #[arg(default_value = "ws://127.0.0.1:8080/signal")]
    server: String,
    /// Print one line of JSON for each client
    #[arg(long)]
    json: bool,
    /// File with the known keys [default: known_keys beside the identity]
    #[arg(long, value_name = "FILE")]
    known_keys: Option<PathBuf>,
    #[command(flatten)]
    identity: IdentityPath,
    /// Time limit for each answer of the server
    #[arg(long, value_name = "DURATION", default_value = "15s", value_parser = duration)]
    timeout: Duration,
}

pub(super) fn command() -> Command {
    let about = "Look up keys at a server: fingerprints, suites, and whether they are known";
    Lookup::augment_args(Command::new(NAME)).about(about).after_help(HINTS)
}

pub(super) fn run(flags: &ArgMatches) -> Result<(), Failure> {
    let lookup = Lookup::from_arg_matches(flags)?;
    let known = Known::read(lookup.known_keys.as_deref(), &lookup.identity, &lookup.server)?;
    runtime()?.block_on(look_up(&lookup, &known))
}

async fn look_up(lookup: &Lookup, known: &Known) -> Result<(), Failure> {
    let late =
        |_| Failure::Server(format!("no answer in {}", humantime::format_duration(lookup.timeout)));
    let connection = timeout(lookup.timeout, Connection::open(&lookup.server));
    let mut connection = connection.await.map_err(late)??;
    let (mut missing, mut changed) = (0, 0);
    for contact in &lookup.contacts {
        let client_id = &contact.client_id;
        let key = timeout(lookup.timeout, connection.look_up(client_id)).await.map_err(late)??;
        let shown = Shown::new(
            client_id,
            key.as_deref(),
            contact.fingerprint().or_else(|| known.fingerprint(client_id)),
        );
        let text = if lookup.json { shown.as_json() } else { shown.as_text() };
        io::stdout().write_all(text.as_bytes()).map_err(Failure::Output)?;
        missing += usize::from(shown.is_missing());
        changed += usize::from(shown.is_changed());
    }
    connection.close().await;
    match (changed, missing) {
        (0, 0) => Ok(()),
        (0, missing) => Err(Failure::KeysMissing(missing)),
        (changed, _) => Err(Failure::KeysChanged(changed)),
    }
}
