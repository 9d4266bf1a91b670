//! `securecall health`: one health request, for example for the health check of a container.

mod any_certificate;
mod connector;
pub(crate) mod request;

use std::io::{self, Write as _};
use std::time::Duration;

use clap::{Arg, ArgMatches, Command};
use securecall_server::reachable;
use securecall_server::settings::{
    Environment, Loaded, ProxyProtocol, Settings, with_options as with_settings,
};
use tokio::time::timeout;

use crate::failure::Failure;
use crate::runtime::runtime;
use request::{Trust, address, look_at};

pub(crate) const NAME: &str = "health";
pub(crate) const ABOUT: &str = "Check the health of a server: exit code 0, 1 or 2";

/// Text below the help: uses and exit codes.
pub(crate) const HINTS: &str = "\
Without a URL the command checks the server of this machine, on the port that
securecall serve would use with the same file, environment and flags.

  securecall health
      In a container: HEALTHCHECK CMD [\"securecall\", \"health\"]
  securecall health https://example.org/health
      Through the proxy; ws:// and wss:// URLs do as well

The last part of the path (signal or health) is replaced by /health.

Exit codes: 0 healthy, 1 not healthy, draining, or no answer within 5 s, 2 the
command line is invalid.";

const URL: &str = "url";

/// The time limit for the whole request. Docker and Kubernetes repeat it every few seconds.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// Adds the flags of the command, and those of `serve`, so that the same flags work for both.
pub(crate) fn with_options(command: Command) -> Command {
    let url = Arg::new(URL)
        .value_name("URL")
        .value_parser(address)
        .help("The server [default: this machine, and the port of --listen]");
    with_settings(command).mut_args(hide_other_settings).next_help_heading(None).arg(url)
}

fn hide_other_settings(arg: Arg) -> Arg {
    let is_setting = arg.get_help_heading().is_some();
    let is_listen = arg.get_id() == "listen";
    arg.hide(is_setting && !is_listen)
}

/// Sends one request. Every failure exits with 1, a wrong command line with 2.
pub(crate) fn run(flags: &ArgMatches) -> Result<(), Failure> {
    let (url, trust) = match flags.get_one::<String>(URL) {
        Some(url) => (url.clone(), Trust::Authorities),
        None => own_server(flags).map_err(Failure::Unhealthy)?,
    };
    let answer = async { timeout(ANSWER_TIMEOUT, look_at(&url, trust)).await };
    runtime()?
        .block_on(answer)
        .unwrap_or_else(|_| Err("no answer within 5 s".to_owned()))
        .map_err(|reason| Failure::Unhealthy(format!("{url}: {reason}")))?;
    writeln!(io::stdout(), "ok").map_err(Failure::Output)
}

/// Returns the URL of the server that `serve` would start with these flags.
fn own_server(flags: &ArgMatches) -> Result<(String, Trust), String> {
    let mut environment = Environment::of_process();
    // The limit of open files concerns only a process that serves.
    environment.descriptors_max = None;
    let loaded = Loaded::new(flags, &environment).map_err(|error| error.to_string())?;
    let settings = loaded.settings;
    if settings.listen.port() == 0 {
        return Err("the port is 0, which selects any port: name the URL".to_owned());
    }
    let scheme = if speaks_tls(&settings) { "https" } else { "http" };
    let proxy_protocol = settings.proxy.protocol == ProxyProtocol::On;
    let url = format!("{scheme}://{}/health", reachable(settings.listen));
    Ok((url, Trust::Anybody { proxy_protocol }))
}

fn speaks_tls(settings: &Settings) -> bool {
    settings.tls.certificate.is_some() || !settings.acme.domains.is_empty()
}
