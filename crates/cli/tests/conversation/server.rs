//! A server that can crash and restart.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use securecall_testkit::free_port;
use tempfile::TempDir;

pub(crate) struct Server {
    folder: TempDir,
    port: u16,
    flags: Vec<String>,
    secret: Option<String>,
    process: Option<(Child, BufReader<ChildStdout>)>,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::with_turn(&[], None)
    }

    /// Starts a server that is configured with a TURN server.
    pub(crate) fn with_turn(flags: &[String], secret: Option<&str>) -> Self {
        let port = free_port();
        let mut server = Self {
            folder: tempfile::tempdir().unwrap(),
            port,
            flags: flags.to_vec(),
            secret: secret.map(str::to_owned),
            process: None,
        };
        server.run();
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("ws://127.0.0.1:{}/signal", self.port)
    }

    pub(crate) fn data_dir(&self) -> String {
        self.folder.path().join("data").display().to_string()
    }

    /// Kills the server with SIGKILL, and starts it again on the same data.
    pub(crate) fn crashes_and_comes_back(&mut self) {
        self.stop();
        self.run();
    }

    fn run(&mut self) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_securecall"));
        command
            .args(["serve", "--workers=1", "--log=warn", "--listen"])
            .arg(format!("127.0.0.1:{}", self.port))
            .arg("--data-dir")
            .arg(self.data_dir())
            .args(&self.flags)
            .env_clear()
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        if let Some(secret) = &self.secret {
            command.env("SECURECALL_TURN_SECRET", secret);
        }
        let mut child = command.spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        while !line.starts_with("listening on") {
            line.clear();
            assert!(output.read_line(&mut line).unwrap() > 0, "it should listen");
        }
        self.process = Some((child, output));
    }

    fn stop(&mut self) {
        if let Some((mut child, _)) = self.process.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}
