//! Two machines, which are network namespaces: on a cable, beside a VPN, and apart. They need root
//! and iproute2: `cargo test -p securecall-peer --test connection namespaces -- --ignored`.
//!
//! Each end is this test program again, run in its namespace, with lines of JSON on its standard
//! input and output.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use securecall_peer::{Config, Event, Peer};
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::pair::TIMEOUT;

/// Its value is the role of the end: to offer or to answer.
const ROLE: &str = "SECURECALL_TEST_END";
/// Set for a test that runs on a machine of its own.
const INSIDE: &str = "SECURECALL_TEST_INSIDE";

/// A namespace, deleted when dropped.
struct Machine(String);

impl Machine {
    fn new(name: &str) -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let machine = Self(format!("sc-{}-{number}-{name}", std::process::id()));
        ip(&format!("netns add {}", machine.0));
        machine.ip("link set lo up");
        machine
    }

    /// Runs `ip` inside.
    fn ip(&self, arguments: &str) {
        ip(&format!("-n {} {arguments}", self.0));
    }

    /// Gives it a network that leads nowhere, as a VPN does for a machine in the LAN.
    fn join_nowhere(&self, interface: &str, address: &str) {
        self.ip(&format!("link add {interface} type veth peer name nobody"));
        self.ip(&format!("addr add {address} dev {interface}"));
        self.ip(&format!("link set {interface} up"));
        self.ip("link set nobody up");
        self.wait_until_up(interface);
    }

    /// The carrier is reported only after a while.
    fn wait_until_up(&self, interface: &str) {
        let shows = ["-n", &self.0, "link", "show", interface];
        for _ in 0..100 {
            let shown = Command::new("ip").args(shows).output().unwrap().stdout;
            if String::from_utf8_lossy(&shown).contains("state UP") {
                return;
            }
            thread::sleep(Duration::from_millis(50));
        }
        panic!("{interface} is not up");
    }

    /// One test of this program, to be run inside.
    fn test(&self, name: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.0]);
        command.arg(std::env::current_exe().unwrap());
        command.args(["--ignored", "--exact", name, "--nocapture"]);
        command
    }

    fn start(&self, role: &str) -> Process {
        let mut child = self
            .test("namespaces::one_end")
            .env(ROLE, role)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (lines, output) = channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        thread::spawn(move || {
            // The test harness prints lines of its own.
            let values = stdout.lines().map_while(Result::ok);
            for value in values.filter_map(|line| serde_json::from_str(&line).ok()) {
                let _ = lines.send(value);
            }
        });
        let input = child.stdin.take().unwrap();
        Process { child, input, output }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "delete", &self.0]).status();
    }
}

/// Returns whether a test runs on a machine of its own, where `turn.test` has two addresses, `::1`
/// before 127.0.0.1. If not, it is run there, and must pass.
pub(crate) fn is_where_a_name_has_two_addresses(test: &str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    let machine = Machine::new("names");
    // What `ip netns exec` puts in the place of /etc/hosts.
    let folder = Path::new("/etc/netns").join(&machine.0);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("hosts"), "127.0.0.1 localhost turn.test\n::1 turn.test\n").unwrap();
    let status = machine.test(test).env(INSIDE, "1").status();
    std::fs::remove_dir_all(folder).unwrap();
    assert!(status.unwrap().success(), "{test}");
    false
}

fn ip(arguments: &str) {
    let status = Command::new("ip").args(arguments.split(' ')).status().expect("iproute2");
    assert!(status.success(), "ip {arguments}");
}

/// An end in its namespace.
struct Process {
    child: Child,
    input: ChildStdin,
    output: Receiver<Value>,
}

impl Process {
    fn read(&self) -> Value {
        self.output.recv_timeout(TIMEOUT).expect("a line in time")
    }

    fn write(&mut self, value: &Value) {
        writeln!(self.input, "{value}").unwrap();
    }
}

/// Passes candidates to the other end until this one reports its result.
fn pass_candidates(from: &mut Receiver<Value>, to: &mut ChildStdin) -> String {
    loop {
        let value = from.recv_timeout(TIMEOUT).expect("a line in time");
        match value["outcome"].as_str() {
            Some(outcome) => return outcome.to_owned(),
            // It may be over there already.
            None => drop(writeln!(to, "{value}")),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Two machines on one cable.
fn cabled(a_address: Option<&str>, b_address: Option<&str>) -> (Machine, Machine) {
    let (a, b) = (Machine::new("a"), Machine::new("b"));
    a.ip(&format!("link add cable0 type veth peer name cable0 netns {}", b.0));
    for (machine, address) in [(&a, a_address), (&b, b_address)] {
        if let Some(address) = address {
            machine.ip(&format!("addr add {address} dev cable0"));
        }
        machine.ip("link set cable0 up");
    }
    [&a, &b].iter().for_each(|machine| machine.wait_until_up("cable0"));
    (a, b)
}

/// Connects both machines, and returns the result of each.
fn call(a: &Machine, b: &Machine) -> [String; 2] {
    let mut a = a.start("offers");
    let offer = a.read();
    let mut b = b.start("answers");
    b.write(&offer);
    let answer = b.read();
    a.write(&answer);
    thread::scope(|scope| {
        let a_result = scope.spawn(|| pass_candidates(&mut a.output, &mut b.input));
        let b_result = pass_candidates(&mut b.output, &mut a.input);
        [a_result.join().unwrap(), b_result]
    })
}

#[test]
#[ignore = "needs root, for network namespaces"]
fn two_machines_on_a_cable_without_a_default_route_connect() {
    let (a, b) = cabled(Some("10.77.0.1/24"), Some("10.77.0.2/24"));
    assert_eq!(call(&a, &b), ["connected", "connected"]);
}

#[test]
#[ignore = "needs root, for network namespaces"]
fn two_machines_on_a_cable_with_addresses_of_their_own_making_connect() {
    let (a, b) = cabled(None, None);
    // Duplicate address detection comes first.
    thread::sleep(Duration::from_secs(3));
    assert_eq!(call(&a, &b), ["connected", "connected"]);
}

#[test]
#[ignore = "needs root, for network namespaces"]
fn two_machines_in_a_lan_whose_default_routes_are_vpns_connect() {
    let (a, b) = cabled(Some("10.77.0.1/24"), Some("10.77.0.2/24"));
    for (machine, address) in [(&a, "10.8.0.2/24"), (&b, "10.9.0.2/24")] {
        machine.join_nowhere("vpn0", address);
        machine.ip("route add default dev vpn0");
    }
    assert_eq!(call(&a, &b), ["connected", "connected"]);
}

#[test]
#[ignore = "needs root, for network namespaces"]
fn two_machines_that_are_not_connected_report_what_they_tried() {
    let (a, b) = (Machine::new("a"), Machine::new("b"));
    a.join_nowhere("nowhere0", "10.77.0.1/24");
    b.join_nowhere("nowhere0", "10.78.0.1/24");
    let expected = "no path to the other end was found; addresses here: 1 host; there: 1 host; \
                    between networks that let nothing in, a TURN server helps";
    assert_eq!(call(&a, &b), [expected, expected]);
}

/// Not a test of its own: an end that [`Machine::start`] runs.
#[tokio::test]
#[ignore = "is run by the other tests of this file"]
async fn one_end() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let mut input = lines_of_input();
    let config = Config { connect_timeout: Duration::from_secs(5), ..Config::default() };
    let (peer, mut events) = if role == "offers" {
        let (peer, events, offer) = Peer::offer(config).await.unwrap();
        print(&json!({"sdp": offer}));
        let answer = input.recv().await.unwrap();
        peer.accept_answer(answer["sdp"].as_str().unwrap()).await.unwrap();
        (peer, events)
    } else {
        let offer = input.recv().await.unwrap();
        let (peer, events, answer) =
            Peer::answer(config, offer["sdp"].as_str().unwrap()).await.unwrap();
        print(&json!({"sdp": answer}));
        (peer, events)
    };
    loop {
        tokio::select! {
            Some(candidate) = input.recv() => {
                peer.add_candidate(&candidate.to_string()).await.unwrap();
            }
            event = events.next() => match event.unwrap() {
                Event::Candidate(json) => print(&serde_json::from_str(&json).unwrap()),
                Event::Connected => print(&json!({"outcome": "connected"})),
                Event::Closed(closed) => return print(&json!({"outcome": closed.to_string()})),
                _ => {}
            }
        }
    }
}

/// On a line of its own: the harness may have begun one.
#[expect(clippy::print_stdout, reason = "the other process reads it")]
fn print(value: &Value) {
    println!("\n{value}");
}

fn lines_of_input() -> UnboundedReceiver<Value> {
    let (sender, receiver) = tokio::sync::mpsc::unbounded_channel();
    thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            let _ = sender.send(serde_json::from_str(&line).unwrap());
        }
    });
    receiver
}
