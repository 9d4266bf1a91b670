//! `securecall load` against `securecall serve`, as operators run them.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

/// The flags of `serve` for load tests, as `docs/load.md` gives them.
const FOR_LOAD_TESTS: [&str; 10] = [
    "--connections-per-address-max=1000000",
    "--connection-burst=1000000",
    "--connection-rate=1000000",
    "--candidates-rate=1000000/1000000",
    "--calls-rate=1000000/1000000",
    "--other-rate=1000000/1000000",
    "--directory-rate=1000000/1000000",
    "--workers=1",
    "--log=warn",
    "--grace=1s",
];

/// A server on a free port, stopped on drop.
struct Server {
    child: Child,
    url: String,
    /// Held open, because a closed pipe would end the server.
    _output: BufReader<ChildStdout>,
    _folder: TempDir,
}

impl Server {
    fn start(flags: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_securecall"))
            .args(["serve", "--listen=127.0.0.1:0"])
            .args(flags)
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut said = String::new();
        let url = loop {
            said.clear();
            assert!(output.read_line(&mut said).unwrap() > 0, "it should listen");
            if let Some(url) = said.strip_prefix("from this machine: ") {
                break url.trim().to_owned();
            }
        };
        Self { child, url, _output: output, _folder: folder }
    }

    /// Returns the command of a scenario against this server, for one second.
    fn load(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_securecall"));
        command.arg("load").args(arguments).args(["--url", &self.url]);
        command.args(["--server-pid", &self.child.id().to_string(), "--warmup=200ms"]);
        command
    }

    /// Runs a scenario in which nothing may fail, and returns the report.
    #[track_caller]
    fn report(&self, arguments: &[&str]) -> Value {
        let output = self.load(arguments).args(["--json"]).output().unwrap();
        assert!(output.status.success(), "{}", error(&output));
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["interrupted"], false);
        assert_eq!(report["failures"], serde_json::json!({}));
        assert_eq!(report["set_up"]["ready"], report["set_up"]["clients"]);
        report
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn error(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[track_caller]
fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

/// Checks that percentiles rise, and that none is zero.
#[track_caller]
fn assert_times(times: &Value, count: f64) {
    assert_eq!(number(&times["count"]), count);
    let values = ["p50", "p90", "p99", "p99_9", "p99_99", "max"].map(|name| number(&times[name]));
    assert!(values.is_sorted() && values[0] > 0.0, "{values:?}");
}

#[track_caller]
fn assert_refused(output: &Output, code: i32, says: &str) {
    assert_eq!(output.status.code(), Some(code), "{}", error(output));
    assert!(error(output).contains(says), "{says:?} is not in {:?}", error(output));
}

#[test]
fn idle_clients_are_all_registered_and_cost_memory() {
    let server = Server::start(&FOR_LOAD_TESTS);
    let report = server.report(&["idle", "--connections=600", "--duration=1s"]);
    assert_eq!(report["set_up"]["ready_at_end"], 600);
    assert_times(&report["set_up"]["time"], 600.0);
    assert!(number(&report["set_up"]["per_second"]) > 100.0);
    let cost = &report["server"];
    assert!(number(&cost["cpu_per_set_up"]) > 1.0, "{cost}");
    assert!(number(&cost["cpu_per_leave"]) > 0.0, "{cost}");
    assert!(number(&cost["rss_per_client"]) > 100.0, "{cost}");
    assert!(number(&cost["rss_ready"]) > number(&cost["rss_before"]), "{cost}");
}

#[test]
fn a_closed_loop_relays_as_fast_as_the_server() {
    let server = Server::start(&FOR_LOAD_TESTS);
    let report = server.report(&["relay", "--pairs=10", "--in-flight=4", "--duration=1s"]);
    let traffic = &report["traffic"];
    let (sent, received) = (number(&traffic["sent"]), number(&traffic["received"]));
    assert!(received > 1000.0, "{traffic}");
    // Messages in flight at either end of the window are counted on one side only.
    assert!((sent - received).abs() <= 40.0, "{traffic}");
    assert!(
        (number(&traffic["received_per_second"]) * number(&traffic["seconds"]) - received).abs()
            < 1.0
    );
    let latencies = number(&report["latency"]["count"]);
    assert!((latencies - received).abs() <= 80.0, "{latencies} of {received}");
    let micros = number(&report["server"]["cpu_per_message"]);
    assert!((0.1..1000.0).contains(&micros), "{micros}");
}

#[test]
fn an_open_loop_holds_its_rate_in_every_thread() {
    let server = Server::start(&FOR_LOAD_TESTS);
    let relay = ["relay", "--pairs=10", "--rate=1000", "--duration=2s", "--threads=2"];
    let report = server.report(&relay);
    assert_eq!(report["workers"], 2);
    let sent = number(&report["traffic"]["sent"]);
    assert!((1800.0..2200.0).contains(&sent), "{sent}");
    assert_times(&report["latency"], number(&report["latency"]["count"]));
    assert!(number(&report["lateness"]["count"]) > 1800.0);
}

#[test]
fn whole_calls_go_through_with_all_their_candidates() {
    let server = Server::start(&FOR_LOAD_TESTS);
    let report = server.report(&["calls", "--concurrency=8", "--duration=1s"]);
    let calls = number(&report["traffic"]["calls"]);
    assert!(calls > 10.0, "{calls}");
    // CALL_INITIATE, CALL_ACCEPT, CALL_END and twelve candidates each way.
    let messages = number(&report["traffic"]["received"]);
    assert!((messages - 27.0 * calls).abs() <= 27.0 * 8.0, "{messages} messages, {calls} calls");
    let [ring, answer, whole] =
        ["latency", "answer", "call"].map(|name| number(&report[name]["p50"]));
    assert!(ring < answer && answer < whole, "{ring} {answer} {whole}");
}

#[test]
fn calls_at_a_rate_count_from_when_they_were_due() {
    let server = Server::start(&FOR_LOAD_TESTS);
    let report = server.report(&["calls", "--concurrency=4", "--rate=100", "--duration=1s"]);
    let calls = number(&report["traffic"]["calls"]);
    assert!((80.0..120.0).contains(&calls), "{calls}");
}

#[test]
fn large_offers_arrive_whole() {
    let server = Server::start(&FOR_LOAD_TESTS);
    for bytes in ["--bytes=4000", "--bytes=60000"] {
        let report = server.report(&["offers", "--concurrency=4", bytes, "--duration=1s"]);
        let calls = number(&report["traffic"]["calls"]);
        assert!(calls > 10.0, "{calls}");
        assert!((number(&report["latency"]["count"]) - calls).abs() <= 8.0);
    }
}

#[test]
fn a_storm_is_over_when_all_are_back() {
    let server = Server::start(&FOR_LOAD_TESTS);
    let report = server.report(&["storm", "--connections=300"]);
    assert_times(&report["reconnect"], 300.0);
    assert_times(&report["set_up"]["time"], 300.0);
    assert_eq!(report["set_up"]["ready_at_end"], 300);
    assert!(number(&report["traffic"]["seconds"]) < 30.0);
}

#[test]
fn clients_that_are_refused_in_a_storm_come_back_when_the_server_allows() {
    let one_address = ["--source-addresses=127.0.0.1", "--connections=30"];
    let server = Server::start(&["--connection-burst=50", "--connection-rate=20", "--grace=1s"]);
    let report = server.report(&[&["storm"], &one_address[..]].concat());
    assert_times(&report["reconnect"], 30.0);
    assert!(number(&report["refusals"]["HTTP 429"]) >= 1.0, "{report}");
    assert!(number(&report["reconnect"]["max"]) > 1e6, "the server says a second at least");
}

#[test]
fn more_clients_than_descriptors_are_in_several_processes() {
    let server = Server::start(&FOR_LOAD_TESTS);
    let load = server.load(&["idle", "--connections=500", "--duration=500ms", "--json"]);
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -n 300; exec \"$0\" \"$@\""]).arg(load.get_program());
    let output = limited.args(load.get_args()).output().unwrap();
    assert!(output.status.success(), "{}", error(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["processes"], 3);
    assert_eq!(report["set_up"]["ready_at_end"], 500);
    assert_times(&report["set_up"]["time"], 500.0);
}

#[test]
fn the_limits_of_a_server_for_clients_are_named_with_what_to_change() {
    let server = Server::start(&[]);
    let output =
        server.load(&["relay", "--pairs=2", "--in-flight=100", "--duration=1s"]).output().unwrap();
    assert_refused(&output, 1, "operations failed under load");
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(table.contains("ERROR RATE_LIMITED") && table.contains("--candidates-rate"), "{table}");
    let crowd = ["idle", "--connections=300", "--source-addresses=127.0.0.1", "--duration=200ms"];
    let output = server.load(&crowd).output().unwrap();
    assert_refused(&output, 1, "operations failed under load");
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(table.contains("HTTP 429") && table.contains("--connection-burst"), "{table}");
}

#[test]
fn ctrl_c_ends_a_run_with_what_was_measured_so_far() {
    let server = Server::start(&FOR_LOAD_TESTS);
    let mut load = server.load(&["relay", "--pairs=5", "--duration=60s", "--json"]);
    let load = load.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    thread::sleep(Duration::from_secs(2));
    let interrupt = Command::new("kill").args(["-INT", &load.id().to_string()]).status().unwrap();
    assert!(interrupt.success());
    let output = load.wait_with_output().unwrap();
    assert_refused(&output, 130, "stopped early");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["interrupted"], true);
    assert_eq!(report["failures"], serde_json::json!({}));
    assert!(number(&report["traffic"]["received"]) > 100.0);
    assert!(number(&report["traffic"]["seconds"]) < 30.0);
}

#[test]
fn the_page_holds_its_plots_and_loads_nothing() {
    let server = Server::start(&FOR_LOAD_TESTS);
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("report.html");
    let report = format!("--report={}", page.display());
    let output = server.load(&["relay", "--pairs=5", "--duration=1s", &report]).output().unwrap();
    assert!(output.status.success(), "{}", error(&output));
    let html = fs::read_to_string(page).unwrap();
    assert_eq!(html.matches("<svg").count(), 5, "percentiles, messages, latency, CPU, memory");
    for loads in ["src=", "href=", "@import", "url("] {
        assert!(!html.contains(loads), "{loads}");
    }
}

#[test]
fn a_server_with_tls_is_loaded_through_tls() {
    let certificate = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: String| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let chain = format!("--tls-certificate={}", file("chain.pem", certificate.cert.pem()));
    let key = format!("--tls-key={}", file("key.pem", certificate.signing_key.serialize_pem()));
    let server = Server::start(&[&FOR_LOAD_TESTS[..], &[&chain, &key]].concat());
    assert!(server.url.starts_with("wss://"), "{}", server.url);
    let report = server.report(&["relay", "--pairs=5", "--duration=1s"]);
    assert!(number(&report["traffic"]["received"]) > 100.0);
    // Longer than a TLS record and the socket's buffer.
    let report = server.report(&["offers", "--bytes=60000", "--duration=1s"]);
    assert!(number(&report["traffic"]["calls"]) > 5.0);
    let report = server.report(&["storm", "--connections=30"]);
    assert_times(&report["reconnect"], 30.0);
}

fn load(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_securecall")).arg("load").args(arguments).output().unwrap()
}

#[test]
fn a_public_address_is_refused_before_anything_is_sent() {
    let output = load(&["idle", "--url=ws://192.0.2.1:1/signal"]);
    assert_refused(&output, 2, "--i-own-this-server");
    assert_eq!(output.stdout, b"");
}

#[test]
fn numbers_without_bounds_are_refused() {
    for (arguments, says) in [
        (&["idle", "--connections=0"][..], "--connections must be 1 to"),
        (&["idle", "--connections=100000000"], "--connections"),
        (&["relay", "--pairs=10000000"], "--pairs"),
        (&["relay", "--in-flight=100000"], "--in-flight"),
        (&["relay", "--rate=1e12"], "--rate"),
        (&["relay", "--rate=NaN"], "--rate"),
        (&["relay", "--bytes=3"], "--bytes"),
        (&["offers", "--bytes=70000"], "--bytes"),
        (&["relay", "--duration=1y"], "--duration"),
        (&["relay", "--threads=1000"], "--threads"),
        (&["relay", "--url=http://localhost/"], "ws://"),
    ] {
        assert_refused(&load(arguments), 2, says);
    }
}

#[test]
fn a_server_that_is_not_there_is_one_clear_error() {
    let output = load(&["idle", "--url=ws://127.0.0.1:1/signal", "--connections=3"]);
    assert_refused(&output, 1, "connection refused (3 times)");
    assert_refused(&output, 1, "is the server running");
}

#[test]
fn a_process_that_is_not_there_is_one_clear_error() {
    let output = load(&["idle", "--server-pid=4194305"]);
    assert_refused(&output, 1, "process 4194305");
}
