//! `securecall keys`: manages the identity of a client.

mod phrase;
mod qr;

use std::io::{self, IsTerminal as _, Write as _};
use std::os::fd::AsFd;

use clap::{ArgMatches, Args, Command, FromArgMatches as _, Subcommand};
use rustix::fs::{FileType, Stat, fstat};
use securecall_seal::{Identity, Seed};
use serde_json::json;

use crate::failure::Failure;
use crate::files::identity_file::{IdentityPath, StoredIdentity};
use crate::terminal::message::print_message;

pub(crate) const NAME: &str = "keys";
pub(crate) const ABOUT: &str = "Create, show, back up and restore a client's identity";

/// Text below the help: examples, and which parts are secret.
pub(crate) const HINTS: &str = "\
Examples:
  securecall keys new alice
  securecall keys show --qr
  securecall keys backup
  securecall keys restore alice < words.txt

The identity file contains a client id and a seed, from which all keys follow.
Anyone who can read it can act as that client: it has mode 600, and is refused
with any other.

The fingerprint is public. Compare it with the one that the other person sees,
once, over a trusted channel.";

#[derive(Debug, Args)]
struct Keys {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Create an identity; an existing one is never overwritten
    #[command(after_help = "Example:\n  securecall keys new alice")]
    New {
        /// The client id: 1 to 64 of a-z, A-Z, 0-9, _ and -
        client_id: String,
        #[command(flatten)]
        path: IdentityPath,
    },
    /// Show the client id and the fingerprint
    #[command(after_help = "Example:\n  securecall keys show --qr")]
    Show {
        /// Show them as a QR code as well
        #[arg(long, conflicts_with = "json")]
        qr: bool,
        /// Print JSON, including the directory key
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        path: IdentityPath,
    },
    /// Print the identity as 24 words, to write them down on paper
    #[command(after_help = "Example:\n  (umask 077; securecall keys backup > words.txt)")]
    Backup {
        #[command(flatten)]
        path: IdentityPath,
    },
    /// Create the identity file again, from 24 words on standard input
    #[command(after_help = "Example:\n  securecall keys restore alice < words.txt")]
    Restore {
        /// The client id that the identity had
        client_id: String,
        #[command(flatten)]
        path: IdentityPath,
    },
}

/// Adds the subcommands.
pub(crate) fn with_options(command: Command) -> Command {
    Keys::augment_args(command)
}

/// Runs the subcommand.
pub(crate) fn run(flags: &ArgMatches) -> Result<(), Failure> {
    match Keys::from_arg_matches(flags)?.action {
        Action::New { client_id, path } => {
            create(client_id, Seed::generate(&mut rand::rng()), &path)?;
            print_message(&format!(
                "back up the identity on paper: securecall keys backup{}",
                path.as_flag()
            ))
        }
        Action::Show { qr, json, path } => show(&path, qr, json),
        Action::Backup { path } => backup(&path),
        Action::Restore { client_id, path } => restore(client_id, &path),
    }
}

/// Writes the identity file, and prints its client id and fingerprint.
fn create(client_id: String, seed: Seed, path: &IdentityPath) -> Result<(), Failure> {
    let path = path.resolve()?;
    let stored = StoredIdentity { client_id, seed };
    // An invalid client id must be found before the file is written.
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
    print_message("anyone with these words can act as you; the client id is not in them")?;
    if is_readable_by_others(io::stdout()) {
        print_message("warning: other users of this machine can read that file: chmod 600 it")?;
    }
    print(&phrase::words(&stored.seed, io::stdout().is_terminal()))
}

/// Returns true if output goes to a file that others than its owner may read.
fn is_readable_by_others(output: impl AsFd) -> bool {
    const OTHERS_MAY_READ: u32 = 0o044;
    let is_exposed = |stat: Stat| {
        FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
            && stat.st_mode & OTHERS_MAY_READ != 0
    };
    fstat(output).is_ok_and(is_exposed)
}

fn restore(client_id: String, path: &IdentityPath) -> Result<(), Failure> {
    if io::stdin().is_terminal() {
        print_message("type the 24 words, in one line or several, and end with Ctrl-D")?;
    }
    create(client_id, phrase::seed(io::stdin())?, path)
}

fn print(text: &str) -> Result<(), Failure> {
    io::stdout().write_all(text.as_bytes()).map_err(Failure::Output)
}
