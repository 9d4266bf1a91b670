//! Servers of the program that is tested.

use std::process::{Command, Stdio};

use securecall_testkit::Server;

pub(crate) fn start() -> Server {
    start_with(&[], None)
}

/// Starts one with these flags, and a secret that it shares with a TURN server.
pub(crate) fn start_with(flags: &[&str], turn_secret: Option<&'static str>) -> Server {
    let program = move || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_securecall"));
        command.args(["serve", "--workers=1", "--log=warn"]).env_clear().stderr(Stdio::null());
        command.envs(turn_secret.map(|secret| ("SECURECALL_TURN_SECRET", secret)));
        command
    };
    Server::start_program(program, flags)
}
