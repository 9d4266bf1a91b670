//! `securecall keys`: a client's identity.

mod phrase;
mod qr;

use std::io::{self, IsTerminal as _, Write as _};

use clap::{ArgMatches, Args, Command, FromArgMatches as _, Subcommand};
use securecall_seal::{Identity, Seed};
use serde_json::json;

use crate::failure::Failure;
use crate::files::identity_file::{IdentityPath, StoredIdentity};
use crate::terminal::note::note;

pub(crate) const NAME: &str = "keys";
pub(crate) const ABOUT: &str = "Make, show, back up and restore a client's identity";

/// What is secret, and what is not.
pub(crate) const HINTS: &str = "\
Examples:
  securecall keys new alice
  securecall keys show --qr
  securecall keys backup
  securecall keys restore alice < words.txt

The identity file holds a client id and a seed, from which all keys follow.
Whoever reads it is that client: it has mode 600, and is refused with any other.

The fingerprint is for everybody. Compare it with the one that the other person
sees, once, on a way that you trust.";

#[derive(Debug, Args)]
struct Keys {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make an identity; one that is there stays as it is
    #[command(after_help = "Example:\n  securecall keys new alice")]
    New {
        /// Who you are: 1 to 64 of a-z, A-Z, 0-9, _ and -
        client_id: String,
        #[command(flatten)]
        path: IdentityPath,
    },
    /// Show id and fingerprint
    #[command(after_help = "Example:\n  securecall keys show --qr")]
    Show {
        /// Show them as a QR code too
        #[arg(long, conflicts_with = "json")]
        qr: bool,
        /// Print JSON, with the directory key
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        path: IdentityPath,
    },
    /// Print the identity as 24 words, to be written on paper
    #[command(after_help = "Example:\n  securecall keys backup > words.txt")]
    Backup {
        #[command(flatten)]
        path: IdentityPath,
    },
    /// Make the identity file again, from 24 words on standard input
    #[command(after_help = "Example:\n  securecall keys restore alice < words.txt")]
    Restore {
        /// The same client id as before
        client_id: String,
        #[command(flatten)]
        path: IdentityPath,
    },
}

/// The command with its options.
pub(crate) fn with_options(command: Command) -> Command {
    Keys::augment_args(command)
}

/// Does one of them.
pub(crate) fn run(flags: &ArgMatches) -> Result<(), Failure> {
    match Keys::from_arg_matches(flags)?.action {
        Action::New { client_id, path } => {
            create(client_id, Seed::generate(&mut rand::rng()), &path)?;
            note(&format!("back it up on paper: securecall keys backup{}", path.as_flag()))
        }
        Action::Show { qr, json, path } => show(&path, qr, json),
        Action::Backup { path } => backup(&path),
        Action::Restore { client_id, path } => restore(client_id, &path),
    }
}

/// Writes the file, and says whose it is.
fn create(client_id: String, seed: Seed, path: &IdentityPath) -> Result<(), Failure> {
    let path = path.resolve()?;
    let stored = StoredIdentity { client_id, seed };
    // An id that is none is found out before anything is written.
    let identity = stored.identity()?;
    stored.create(&path)?;
    print(&format!("{}identity     {}\n", whose(&identity), path.display()))
}

fn show(path: &IdentityPath, qr: bool, json: bool) -> Result<(), Failure> {
    let identity = StoredIdentity::read(&path.resolve()?)?.identity()?;
    if json {
        let key = identity.directory_key();
        let shown = json!({
            "clientId": key.client_id(),
            "fingerprint": key.fingerprint().to_string(),
            "directoryKey": key.as_str(),
        });
        return print(&format!("{shown}\n"));
    }
    print(&whose(&identity))?;
    if qr { print(&qr::code(identity.directory_key())) } else { Ok(()) }
}

fn whose(identity: &Identity) -> String {
    let key = identity.directory_key();
    format!("client id    {}\nfingerprint  {}\n", key.client_id(), key.fingerprint())
}

fn backup(path: &IdentityPath) -> Result<(), Failure> {
    let stored = StoredIdentity::read(&path.resolve()?)?;
    note("whoever has these words is you; the client id is not in them")?;
    print(&phrase::words(&stored.seed, io::stdout().is_terminal()))
}

fn restore(client_id: String, path: &IdentityPath) -> Result<(), Failure> {
    if io::stdin().is_terminal() {
        note("write the 24 words, in one line or several, and end with Ctrl-D")?;
    }
    create(client_id, phrase::seed(io::stdin())?, path)
}

fn print(text: &str) -> Result<(), Failure> {
    io::stdout().write_all(text.as_bytes()).map_err(Failure::Output)
}
