//! `securecall directory` on data folders and real servers, as operators use it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may fail where it stands")]

mod in_folder;

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use securecall_client::{DirectoryKey, KnownKeys};
use securecall_testkit::free_port;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

use in_folder::{run_in, succeeded};

/// A working folder, with the data folder of a server that has run.
struct Bench(TempDir);

impl Bench {
    fn new() -> Self {
        let bench = Self(tempfile::tempdir().unwrap());
        succeeded(&bench.run(&["directory", "import", "--create", "--data-dir=data"]));
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.run_with(arguments, &[], "")
    }

    fn directory(&self, arguments: &[&str]) -> Output {
        self.directory_with(arguments, "")
    }

    fn directory_with(&self, arguments: &[&str], input: &str) -> Output {
        let arguments = [&["directory"], arguments].concat();
        self.run_with(&arguments, &[("SECURECALL_DATA_DIR", "data")], input)
    }

    fn run_with(&self, arguments: &[&str], variables: &[(&str, &str)], input: &str) -> Output {
        run_in(self.0.path(), arguments, variables, input.as_bytes())
    }

    #[track_caller]
    fn exported(&self) -> String {
        succeeded(&self.directory(&["export"]))
    }

    #[track_caller]
    fn import(&self, lines: &str) -> String {
        succeeded(&self.directory_with(&["import", "-"], lines))
    }
}

/// Checks for one line on standard error, and this exit code.
#[track_caller]
fn assert_failed(output: &Output, code: i32, says: &str) {
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(error.starts_with("error: ") && error.contains(says), "{says:?} is not in {error:?}");
}

const ALICE: &str = "{\"clientId\":\"alice\",\"publicKey\":\"a\\/b \\u00e9\u{e9}\"}\n";
const BOB: &str = "{\"clientId\":\"bob\",\"publicKey\":\"k\"}\n";
const ANOTHER_BOB: &str = "{\"clientId\":\"bob\",\"publicKey\":\"l\"}\n";

#[test]
fn what_was_exported_is_imported_elsewhere_byte_for_byte() {
    let (old, new) = (Bench::new(), Bench::new());
    assert_eq!(old.exported(), "");
    assert_eq!(old.import(&[BOB, ALICE].concat()), "2 new, 0 unchanged, 0 replaced\n");
    succeeded(&old.directory(&["export", "keys.jsonl"]));
    let path = old.path("keys.jsonl");
    assert_eq!(fs::read_to_string(&path).unwrap(), [ALICE, BOB].concat());
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

    succeeded(&new.directory(&["import", path.to_str().unwrap()]));
    assert_eq!(new.exported(), [ALICE, BOB].concat());
    assert_eq!(new.import(BOB), "0 new, 1 unchanged, 0 replaced\n");
}

#[test]
fn an_export_overwrites_nothing_and_leaves_nothing_half() {
    let bench = Bench::new();
    bench.import(BOB);
    fs::write(bench.path("mine"), "mine").unwrap();
    assert_failed(&bench.directory(&["export", "mine"]), 2, "is not overwritten");
    assert_eq!(fs::read(bench.path("mine")).unwrap(), b"mine");
    std::os::unix::fs::symlink("nowhere", bench.path("link")).unwrap();
    assert_failed(&bench.directory(&["export", "link"]), 2, "is not overwritten");
    assert_failed(&bench.directory(&["export", "no/such/folder"]), 2, "No such file");

    fs::write(bench.path("data/directory.redb"), "damaged").unwrap();
    assert_failed(&bench.directory(&["export", "keys"]), 2, "restore it from a backup");
    assert!(!bench.path("keys").exists() && !bench.path("keys.unfinished").exists());
}

#[test]
fn an_import_with_one_wrong_line_changes_nothing() {
    let bench = Bench::new();
    for (line, says) in [
        ("{\"clientId\":\"secret id\",\"publicKey\":\"k\"}\n", "line 3: a client id is"),
        ("{\"clientId\":\"secret\",\"publicKey\":1}\n", "line 3: the key is not a JSON string"),
        ("secret\n", "line 3: not a record"),
        (ALICE, "line 3: it repeats the id of line 1"),
    ] {
        let output = bench.directory_with(&["import"], &[ALICE, BOB, line].concat());
        assert_failed(&output, 2, &format!("standard input: {says}"));
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!error.contains("secret") && !error.contains("alice"), "{error}");
    }
    let long = format!("{{\"clientId\":\"carol\",\"publicKey\":\"{}\"}}\n", "k".repeat(5000));
    assert_failed(&bench.directory_with(&["import"], &long), 2, "line 1: the key is longer");
    assert_failed(&bench.directory(&["import", "missing"]), 2, "missing: No such file");
    assert_eq!(bench.exported(), "");
    succeeded(&bench.directory_with(&["import", "--key-bytes-max=5000"], &long));
}

#[test]
fn a_conflict_imports_nothing_unless_it_may_replace() {
    let bench = Bench::new();
    bench.import(BOB);
    let lines = [ALICE, ANOTHER_BOB].concat();
    let refused = bench.directory_with(&["import"], &lines);
    assert_failed(&refused, 1, "the id in line 2 has another key. Nothing was imported");
    assert_eq!(bench.exported(), BOB);
    let output = bench.directory_with(&["import", "--replace"], &lines);
    assert_eq!(succeeded(&output), "1 new, 0 unchanged, 1 replaced\n");
    assert_eq!(bench.exported(), lines);
}

#[test]
fn a_reset_names_what_had_no_key_and_resets_the_others() {
    let bench = Bench::new();
    bench.import(&[ALICE, BOB].concat());
    let output = bench.directory(&["reset", "Bob", "bob"]);
    assert_failed(&output, 1, "check the spelling");
    assert_eq!(output.stdout, b"Bob: had no key\nbob: reset\n");
    assert_eq!(bench.exported(), ALICE);
    assert_failed(&bench.directory(&["reset", "a/b"]), 2, "a client id is");
    assert_failed(
        &bench.directory(&["reset"]),
        2,
        "CLIENT_ID is missing: securecall directory reset",
    );
}

/// Alice's chain of the test vectors: a line with its first links, and its fingerprint.
fn chain_of_alice(links: usize) -> (String, String) {
    let vectors = include_str!("../../../vectors/identity/chains.json");
    let vectors: Value = serde_json::from_str(vectors).unwrap();
    let chains = vectors["chains"].as_array().unwrap();
    let chain = chains.iter().find(|chain| chain["head"]["id"] == "alice").unwrap();
    let links = &chain["links"].as_array().unwrap()[..links];
    let fingerprint = chain["head"]["fingerprint"].as_str().unwrap().to_owned();
    (json!({"clientId": "alice", "links": links}).to_string() + "\n", fingerprint)
}

#[test]
fn a_chain_is_imported_and_shown_and_never_goes_back() {
    let bench = Bench::new();
    let ([short, _], [long, fingerprint]) = (chain_of_alice(1).into(), chain_of_alice(3).into());
    assert_eq!(bench.import(&short), "1 new, 0 unchanged, 0 replaced\n");
    let with_more = "0 new, 0 unchanged, 0 replaced, 1 with more links\n";
    assert_eq!(bench.import(&long), with_more);
    assert_eq!(bench.exported(), long);
    let back = bench.directory_with(&["import", "--replace"], &short);
    assert_failed(&back, 1, "the chain in line 1 is older");
    // A line that was cut off.
    let cut = bench.directory_with(&["import"], &long[..long.len() - 20]);
    assert_failed(&cut, 2, "line 1: not a record");
    assert_eq!(bench.exported(), long);

    let history = succeeded(&bench.directory(&["history", "alice"]));
    assert!(history.contains(&format!("fingerprint {fingerprint}")), "{history}");
    let kinds: Vec<_> = history.lines().filter(|line| line.starts_with("0.")).collect();
    assert!(kinds.len() == 3 && kinds[0].contains("inception"), "{history}");
    assert_failed(&bench.directory(&["history", "nobody"]), 1, "bound to no identity");

    let reset = succeeded(&bench.directory(&["reset", "alice"]));
    assert_eq!(reset, "alice: bound to an identity: reset in 3days, unless its owner vetoes it\n");
    let pending = bench.directory(&["resets"]);
    assert!(String::from_utf8_lossy(&pending.stdout).starts_with("alice: 3days left"));
    assert!(succeeded(&bench.directory(&["history", "alice"])).contains("a reset is pending"));
    let cancelled = succeeded(&bench.directory(&["reset", "--cancel", "alice"]));
    assert_eq!(cancelled, "alice: reset withdrawn\n");
    let again = bench.directory(&["reset", "--cancel", "alice"]);
    assert_failed(&again, 1, "no pending reset");
}

#[test]
fn a_running_server_executes_a_reset_after_the_delay_that_is_set() {
    let bench = Bench::new();
    bench.import(&chain_of_alice(1).0);
    let server = Server::start_with(&bench, &["--identity-reset-delay=2s"]);
    let asked_at = std::time::Instant::now();
    let reset = succeeded(&bench.directory(&["reset", "alice"]));
    assert!(reset.contains("reset in 2s"), "{reset}");
    while !succeeded(&bench.directory(&["history", "alice"])).contains("1.0 ") {
        assert!(asked_at.elapsed() < Duration::from_secs(60), "the reset is not executed");
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(asked_at.elapsed() >= Duration::from_secs(2));
    let log = server.stop();
    assert!(log.contains("reset was executed") && !log.contains("alice"), "{log}");
}

#[test]
fn a_mistyped_folder_is_an_error_and_is_not_made() {
    let bench = Bench::new();
    for command in [&["export"][..], &["import"], &["reset", "alice"]] {
        for folder in ["dtaa", "."] {
            let arguments = [command, &["--data-dir", folder]].concat();
            assert_failed(&bench.directory(&arguments), 2, "is --data-dir right?");
        }
    }
    assert_eq!(fs::read_dir(bench.path("")).unwrap().count(), 1, "the data folder alone");
}

#[test]
fn the_folder_comes_from_where_serve_takes_it() {
    let bench = Bench::new();
    bench.import(BOB);
    fs::write(bench.path("config.toml"), "data_dir = \"data\"\n[limits]\nping_after = \"20s\"\n")
        .unwrap();
    let output = bench.run(&["directory", "export", "--config=config.toml"]);
    assert_eq!(succeeded(&output), BOB);
    let wrong = bench.run(&["directory", "export", "--config=config.toml", "--ping-after=x"]);
    assert_failed(&wrong, 2, "ping_after");
}

#[test]
fn the_environment_of_a_client_does_not_matter() {
    let bench = Bench::new();
    let variables =
        [("SECURECALL_SERVER", "wss://example.org/signal"), ("SECURECALL_IDENTITY", "me.json")];
    let arguments = ["directory", "export", "--data-dir=data"];
    assert_eq!(succeeded(&bench.run_with(&arguments, &variables, "")), "");
}

#[test]
fn help_describes_each_command_and_hides_other_settings() {
    let bench = Bench::new();
    let help = |arguments: &[&str]| succeeded(&bench.directory(arguments));
    assert!(help(&["--help"]).contains("She lost her device"));
    for command in ["export", "import", "reset", "resets", "history"] {
        let help = help(&[command, "--help"]);
        assert!(help.contains("--data-dir") && help.contains("--config"), "{help}");
        assert!(!help.contains("--listen") && !help.contains("Everything that can be"), "{help}");
    }
    assert!(help(&["lookup", "--help"]).contains("--known-keys"));
}

/// A real server on the data folder of a bench.
struct Server {
    process: Child,
    address: SocketAddr,
    output: BufReader<ChildStdout>,
    log: PathBuf,
}

impl Server {
    fn start(bench: &Bench) -> Self {
        Self::start_with(bench, &[])
    }

    fn start_with(bench: &Bench, flags: &[&str]) -> Self {
        let port = free_port();
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        // A pipe that is not read would fill up and block the server.
        let log = bench.path("log");
        let mut process = Command::new(env!("CARGO_BIN_EXE_securecall"))
            .args(["serve", "--workers=2", "--log=debug", "--data-dir=data", "--listen"])
            .arg(address.to_string())
            .args(flags)
            .current_dir(bench.0.path())
            .env_clear()
            .stdout(Stdio::piped())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        while !line.starts_with("listening on") {
            line.clear();
            assert!(output.read_line(&mut line).unwrap() > 0, "it should listen");
        }
        Self { process, address, output, log }
    }

    fn url(&self) -> String {
        format!("ws://{}/signal", self.address)
    }

    /// Kills the server with SIGKILL. Returns its log.
    fn kill(mut self) -> String {
        self.process.kill().unwrap();
        self.log_at_end()
    }

    /// Stops the server with SIGTERM. Returns its log.
    fn stop(mut self) -> String {
        let pid = self.process.id().to_string();
        assert!(Command::new("kill").arg(pid).status().unwrap().success());
        self.log_at_end()
    }

    fn log_at_end(&mut self) -> String {
        self.process.wait().unwrap();
        fs::read_to_string(&self.log).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = self.output.read_to_end(&mut Vec::new());
    }
}

/// A client, as the directory sees it.
struct Device(WebSocketStream<TcpStream>);

impl Device {
    async fn connect(server: &Server, client_id: &str) -> Self {
        let stream = TcpStream::connect(server.address).await.unwrap();
        let mut device = Self(client_async(server.url(), stream).await.unwrap().0);
        let answer = device.ask("REGISTER", json!({"clientId": client_id})).await;
        assert_eq!(answer["type"], "REGISTERED");
        device
    }

    async fn send(&mut self, kind: &str, payload: Value) {
        let message = json!({"type": kind, "payload": payload});
        self.0.send(Message::text(message.to_string())).await.unwrap();
    }

    async fn ask(&mut self, kind: &str, payload: Value) -> Value {
        self.send(kind, payload).await;
        loop {
            if let Message::Text(text) = self.0.next().await.unwrap().unwrap() {
                return serde_json::from_str(&text).unwrap();
            }
        }
    }

    /// Publishes a key. Returns the type of the answer, or the code of an error.
    async fn publish(&mut self, client_id: &str, key: &str) -> String {
        let payload = json!({"clientId": client_id, "publicKey": key});
        let answer = self.ask("PKD_REGISTER", payload).await;
        let code = answer["payload"]["code"].as_str().or(answer["type"].as_str());
        code.unwrap().to_owned()
    }

    async fn key_of(&mut self, client_id: &str) -> Value {
        let answer = self.ask("PKD_LOOKUP", json!({"clientId": client_id})).await;
        answer["payload"]["publicKey"].clone()
    }

    /// Waits for the end of the connection. Returns the close code.
    async fn ending(mut self) -> u16 {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Close(Some(frame)))) => return frame.code.into(),
                Some(Ok(_)) => {}
                other => panic!("no close frame: {other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn a_lost_device_is_replaced_while_the_server_runs() {
    let bench = Bench::new();
    let server = Server::start(&bench);
    let mut lost = Device::connect(&server, "alice").await;
    assert_eq!(lost.publish("alice", "first").await, "PKD_RESULT");

    let mut new = Device::connect(&server, "alice").await;
    assert_eq!(lost.ending().await, 4001);
    assert_eq!(new.publish("alice", "second").await, "KEY_PINNED");
    assert_eq!(succeeded(&bench.directory(&["reset", "alice"])), "alice: reset\n");
    assert_eq!(new.key_of("alice").await, Value::Null);
    assert_eq!(new.publish("alice", "second").await, "PKD_RESULT");

    // Somebody has found the lost device.
    let mut found = Device::connect(&server, "alice").await;
    assert_eq!(new.ending().await, 4001);
    assert_eq!(found.publish("alice", "first").await, "KEY_PINNED");
    assert_eq!(found.publish("alice", "third").await, "KEY_PINNED");

    let log = server.kill();
    assert!(log.contains("an operator reset keys keys=1"), "{log}");
    assert!(!log.contains("alice"), "{log}");
    let server = Server::start(&bench);
    let mut somebody = Device::connect(&server, "somebody").await;
    assert_eq!(somebody.key_of("alice").await, "second");
    assert_eq!(somebody.publish("alice", "x").await, "UNAUTHORIZED");
}

/// A pending request of the lost device must not undo the new device's key.
#[tokio::test]
async fn a_device_that_was_superseded_has_no_claim_any_more() {
    const REQUESTS: usize = 60;
    let bench = Bench::new();
    let server = Server::start_with(&bench, &["--directory-rate=1000/1000"]);
    // If all requests are answered before the new device connects, a round proves nothing.
    for round in 0..20 {
        let id = format!("alice-{round}");
        let mut lost = Device::connect(&server, &id).await;
        for n in 0..REQUESTS {
            let payload = json!({"clientId": id, "publicKey": format!("key-{n}")});
            lost.send("PKD_REGISTER", payload).await;
        }
        tokio::time::sleep(Duration::from_millis(round)).await;
        let mut new = Device::connect(&server, &id).await;
        // A client that does not answer the close frame is held for a while.
        tokio::time::sleep(Duration::from_millis(300)).await;
        let was_in_time = new.key_of(&id).await != format!("key-{}", REQUESTS - 1);
        assert_eq!(lost.ending().await, 4001);
        if was_in_time {
            return;
        }
    }
    panic!("the device that was superseded set its last key each time");
}

#[tokio::test]
async fn everything_works_while_the_server_runs() {
    let bench = Bench::new();
    let server = Server::start(&bench);
    let mut device = Device::connect(&server, "carol").await;
    assert_eq!(bench.import(&[BOB, ALICE].concat()), "2 new, 0 unchanged, 0 replaced\n");
    assert_eq!(device.key_of("bob").await, "k");
    let refused = bench.directory_with(&["import"], ANOTHER_BOB);
    assert_failed(&refused, 1, "the id in line 1 has another key");
    succeeded(&bench.directory_with(&["import", "--replace"], ANOTHER_BOB));
    assert_eq!(device.key_of("bob").await, "l");
    assert_eq!(device.publish("carol", "k").await, "PKD_RESULT");
    assert_failed(&bench.directory(&["reset", "nobody", "alice"]), 1, "had no key");

    let carol = BOB.replace("bob", "carol");
    assert_eq!(bench.exported(), [ANOTHER_BOB, &carol].concat());
    succeeded(&bench.directory(&["export", "keys"]));
    assert_eq!(fs::read_to_string(bench.path("keys")).unwrap(), [ANOTHER_BOB, &carol].concat());

    let log = server.stop();
    assert!(!log.contains("carol") && !log.contains("alice"), "{log}");
    assert!(!bench.path("data/control").exists());
    assert_eq!(bench.exported(), [ANOTHER_BOB, &carol].concat());
}

#[test]
fn the_socket_of_a_killed_server_does_not_matter() {
    let bench = Bench::new();
    Server::start(&bench).kill();
    assert!(bench.path("data/control").exists());
    bench.import(BOB);
    let _server = Server::start(&bench);
    assert_eq!(bench.exported(), BOB);
}

/// Creates an identity, and returns its directory key.
fn identity(bench: &Bench, client_id: &str, file: &str) -> DirectoryKey {
    succeeded(&bench.run(&["keys", "new", client_id, "--identity", file]));
    let shown = succeeded(&bench.run(&["keys", "show", "--json", "--identity", file]));
    let shown: Value = serde_json::from_str(&shown).unwrap();
    DirectoryKey::parse(shown["directoryKey"].as_str().unwrap(), client_id).unwrap()
}

fn remember(key: &DirectoryKey, path: &Path, server: &str) {
    let mut keys = KnownKeys::open(path, server).unwrap();
    keys.remember(key).unwrap();
    keys.save().unwrap();
}

#[tokio::test]
async fn a_lookup_shows_whether_a_key_is_known_and_disconnects_no_client() {
    let bench = Bench::new();
    let server = Server::start(&bench);
    let url = server.url();
    let key = identity(&bench, "alice", "alice.json");
    let mut alice = Device::connect(&server, "alice").await;
    assert_eq!(alice.publish("alice", key.as_str()).await, "PKD_RESULT");
    bench.import(BOB);
    let lookup = |arguments: &[&str]| {
        let arguments = [&["lookup", "--server", url.as_str()], arguments].concat();
        bench.directory(&arguments)
    };

    let shown = succeeded(&lookup(&["alice"]));
    assert!(shown.contains(&key.fingerprint().to_string()), "{shown}");
    assert!(shown.contains("classical, post-quantum") && shown.contains("first contact"));
    let mixed = lookup(&["nobody", "bob", "alice"]);
    assert_failed(&mixed, 1, "a client has no key");
    let shown = String::from_utf8(mixed.stdout).unwrap();
    assert!(
        shown.contains("nobody\n  has no key") && shown.contains("bob\n  has no SecureCall key")
    );

    remember(&key, &bench.path("known"), &url);
    let known = succeeded(&lookup(&["alice", "--known-keys=known", "--json"]));
    let known: Value = serde_json::from_str(&known).unwrap();
    assert_eq!(known["known"], "remembered");
    assert_eq!(known["suites"], json!(["classical", "post-quantum"]));

    remember(&identity(&bench, "alice", "other.json"), &bench.path("known_keys"), &url);
    let changed = lookup(&["alice", "--identity=other.json"]);
    assert_failed(&changed, 3, "a key has changed");
    assert!(String::from_utf8(changed.stdout).unwrap().contains("NO: THE KEY HAS CHANGED"));
    let both = lookup(&["nobody", "alice", "--identity=other.json"]);
    assert_failed(&both, 3, "a key has changed");

    // Her connection is still open, and nobody else has stored a key.
    assert_eq!(alice.key_of("alice").await, key.as_str());
    assert_eq!(bench.exported().lines().count(), 2);
}

#[tokio::test]
async fn more_lookups_than_the_rate_allows_are_delayed() {
    let bench = Bench::new();
    let server = Server::start(&bench);
    let ids: Vec<String> = (0..23).map(|n| format!("id-{n}")).collect();
    let url = server.url();
    let mut arguments = vec!["lookup", "--json", "--server", &url];
    arguments.extend(ids.iter().map(String::as_str));
    let output = bench.directory(&arguments);
    assert_failed(&output, 1, "23 clients have no key");
    assert_eq!(String::from_utf8(output.stdout).unwrap().lines().count(), 23);
}

#[test]
fn an_address_without_a_server_is_named() {
    let bench = Bench::new();
    let lookup = |url: &str| bench.directory(&["lookup", "alice", "--server", url]);
    assert_failed(&lookup("ws://127.0.0.1:9/signal"), 1, "is it running");
    assert_failed(&lookup("nonsense"), 2, "ws://");
    assert_failed(&bench.directory(&["lookup", "a/b"]), 2, "a client id is");
}
