//! `securecall call`: calls somebody and runs an end-to-end encrypted conversation.

use clap::{ArgMatches, Args, Command, FromArgMatches as _};

use crate::contact::Contact;
use crate::conversation::dial::dial;
use crate::conversation::fingerprint::ExpectedKeys;
use crate::conversation::options::Options;
use crate::conversation::session::Session;
use crate::failure::Failure;

pub(crate) const NAME: &str = "call";
pub(crate) const ABOUT: &str = "Call a client: chat and files, sealed end to end, over WebRTC";

/// Text below the help: use in scripts and exit codes.
pub(crate) const HINTS: &str = "\
Lines of standard input are sent as text. /send FILE sends a file, /quit hangs up.
Received text is on standard output, everything else on standard error. When the
input ends, the call ends as soon as everything is delivered:

  echo \"good morning\" | securecall call bob
  securecall call bob --send report.pdf < /dev/null

Exit codes: 0 when everything was delivered, 1 when the call failed or broke off,
2 when the command line or the identity is invalid, 3 when the key of the callee
is not the expected one.";

#[derive(Debug, Args)]
struct Call {
    /// Whom to call: an id, ID=DIGITS with the fingerprint, or what a QR code of theirs holds
    #[arg(value_name = "CLIENT_ID")]
    callee: Contact,
    #[command(flatten)]
    options: Options,
}

/// Adds the flags of the command.
pub(crate) fn with_options(command: Command) -> Command {
    Call::augment_args(command)
}

/// Calls, and runs the conversation until one of the two hangs up.
pub(crate) fn run(flags: &ArgMatches) -> Result<(), Failure> {
    let call = Call::from_arg_matches(flags)?;
    let given = call.options.fingerprint.iter().cloned().chain(call.callee.expected_key());
    let expected = ExpectedKeys::new(given)?;
    Session::run(NAME, &call.options, async |session| converse(&call, &expected, session).await)
}

async fn converse(
    Call { callee, options }: &Call,
    expected: &ExpectedKeys,
    session: &mut Session,
) -> Result<(), Failure> {
    let ready_by = session.ready_by;
    let conversation = dial(session, options, (&callee.client_id, expected), ready_by).await?;
    conversation.ending_with_input().run().await
}
