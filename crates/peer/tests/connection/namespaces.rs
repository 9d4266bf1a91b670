//! Two machines, which are network namespaces: on a cable, beside a VPN, and apart. They need root
//! and iproute2: `cargo test -p securecall-peer --test connection namespaces -- --ignored`.
//!
//! Each end is this test program again, run in its namespace, with lines of JSON on its standard
//! input and output.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use securecall_peer::{Config, Event, Peer};
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::pair::PATIENCE;

/// Its value says whether the end offers or answers.
const ROLE: &str = "SECURECALL_TEST_END";

/// A namespace, deleted when dropped.
struct Machine(String);

impl Machine {
    fn new(name: &str) -> Self {
        let machine = Self(format!("sc-{}-{name}", std::process::id()));
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
        self.ip(&format!("link add {interface} type dummy"));
        self.ip(&format!("addr add {address} dev {interface}"));
        self.ip(&format!("link set {interface} up"));
    }

    fn start(&self, role: &str) -> Process {
        let program = std::env::current_exe().unwrap();
        let mut child = Command::new("ip")
            .args(["netns", "exec", &self.0])
            .arg(program)
            .args(["--ignored", "--exact", "namespaces::one_end", "--nocapture"])
            .env(ROLE, role)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (lines, says) = channel();
        let output = BufReader::new(child.stdout.take().unwrap());
        thread::spawn(move || {
            // The test harness says things too, on lines of its own.
            let values = output.lines().map_while(Result::ok);
            for value in values.filter_map(|line| serde_json::from_str(&line).ok()) {
                let _ = lines.send(value);
            }
        });
        let hears = child.stdin.take().unwrap();
        Process { child, hears, says }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "delete", &self.0]).status();
    }
}

fn ip(arguments: &str) {
    let status = Command::new("ip").args(arguments.split(' ')).status().expect("iproute2");
    assert!(status.success(), "ip {arguments}");
}

/// An end in its namespace.
struct Process {
    child: Child,
    hears: ChildStdin,
    says: Receiver<Value>,
}

impl Process {
    fn says(&self) -> Value {
        self.says.recv_timeout(PATIENCE).expect("a line in time")
    }

    fn hears(&mut self, value: &Value) {
        writeln!(self.hears, "{value}").unwrap();
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
    (a, b)
}

/// How both ends say that it went.
fn call(a: &Machine, b: &Machine) -> [String; 2] {
    let mut a = a.start("offers");
    let offer = a.says();
    let mut b = b.start("answers");
    b.hears(&offer);
    let answer = b.says();
    a.hears(&answer);
    [pass_candidates(&a, &mut b), pass_candidates(&b, &mut a)]
}

/// Passes candidates on until an end says how it went. Those of the other end are here already, or
/// wait.
fn pass_candidates(from: &Process, to: &mut Process) -> String {
    loop {
        let said = from.says();
        match said["outcome"].as_str() {
            Some(outcome) => return outcome.to_owned(),
            None => to.hears(&said),
        }
    }
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
    // The system looks first whether somebody else has the address.
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
fn two_machines_that_are_not_connected_say_what_they_tried() {
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
        say(&json!({"sdp": offer}));
        let answer = input.recv().await.unwrap();
        peer.accept_answer(answer["sdp"].as_str().unwrap()).await.unwrap();
        (peer, events)
    } else {
        let offer = input.recv().await.unwrap();
        let (peer, events, answer) =
            Peer::answer(config, offer["sdp"].as_str().unwrap()).await.unwrap();
        say(&json!({"sdp": answer}));
        (peer, events)
    };
    loop {
        tokio::select! {
            Some(candidate) = input.recv() => {
                peer.add_candidate(&candidate.to_string()).await.unwrap();
            }
            event = events.next() => match event.unwrap() {
                Event::Candidate(json) => say(&serde_json::from_str(&json).unwrap()),
                Event::Connected => say(&json!({"outcome": "connected"})),
                Event::Closed(closed) => return say(&json!({"outcome": closed.to_string()})),
                _ => {}
            }
        }
    }
}

/// On a line of its own: the harness may have begun one.
#[expect(clippy::print_stdout, reason = "the other process reads it")]
fn say(value: &Value) {
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
