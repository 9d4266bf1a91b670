//! All metrics, declared once. Scrapes and the table in docs/operations-monitoring.md are generated
//! from this.
//!
//! The values of labels come from closed lists, so that a client cannot create new ones. No metric
//! contains an id, an address, or a pair of clients.

use securecall_protocol::{CloseCode, ErrorCode, MessageType};

use super::process::Process;
use crate::admission::refused::Refused;
use crate::server::Server;
use crate::telemetry::counters::{Handshake, OUTCOMES};
use crate::telemetry::readiness::Unready;

/// The sources of a scrape.
pub(super) struct Scrape<'a> {
    server: &'a Server,
    process: &'a Process,
    addresses: usize,
    connections_max: usize,
}

impl<'a> Scrape<'a> {
    pub(super) fn new(server: &'a Server, process: &'a Process) -> Self {
        let mut admission = server.admission.lock();
        admission.forget_recovered(server.clock.now());
        let (addresses, connections_max) = (admission.addresses(), admission.connections_max());
        drop(admission);
        Self { server, process, addresses, connections_max }
    }
}

/// A metric family: the samples under one name.
pub(super) struct Family {
    /// The name, without the suffix that samples of its kind have.
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) help: &'static str,
    pub(super) samples: Samples,
}

/// The kind of values of a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A number that only grows.
    Counter,
    Gauge,
    /// Always 1, with a descriptive label.
    Info,
}

impl Kind {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Info => "info",
        }
    }

    /// Returns the suffix of the samples' names.
    pub(super) const fn suffix(self) -> &'static str {
        match self {
            Self::Counter => "_total",
            Self::Gauge => "",
            Self::Info => "_info",
        }
    }
}

/// The way to read the samples of a family. `None` if the sample does not exist on this server.
pub(super) enum Samples {
    One(fn(&Scrape<'_>) -> Option<f64>),
    /// One sample for each value of a label; `read` takes the index of the value.
    Each {
        label: &'static str,
        values: fn() -> Vec<String>,
        read: fn(&Scrape<'_>, usize) -> Option<f64>,
    },
}

const fn gauge(
    name: &'static str,
    help: &'static str,
    read: fn(&Scrape<'_>) -> Option<f64>,
) -> Family {
    Family { name, kind: Kind::Gauge, help, samples: Samples::One(read) }
}

const fn counter(
    name: &'static str,
    help: &'static str,
    read: fn(&Scrape<'_>) -> Option<f64>,
) -> Family {
    Family { name, kind: Kind::Counter, help, samples: Samples::One(read) }
}

const fn counters(
    name: &'static str,
    help: &'static str,
    label: &'static str,
    values: fn() -> Vec<String>,
    read: fn(&Scrape<'_>, usize) -> Option<f64>,
) -> Family {
    Family { name, kind: Kind::Counter, help, samples: Samples::Each { label, values, read } }
}

/// All families, in the order of a scrape.
pub(super) const FAMILIES: &[Family] = &[
    gauge("securecall_connections", "Open WebSocket connections", |at| {
        Some(at.server.connections.count() as f64)
    }),
    gauge(
        "securecall_connections_max",
        "Maximum of open connections (limits.connections_max, or less if there are too few file \
         descriptors)",
        |at| Some(at.connections_max as f64),
    ),
    gauge(
        "securecall_sessions",
        "Clients that are registered, or expected back within their grace",
        |at| Some(at.server.registry.sessions() as f64),
    ),
    gauge("securecall_calls", "Calls of all sessions: a call between two clients counts 2", |at| {
        Some(at.server.counters.calls() as f64)
    }),
    gauge(
        "securecall_addresses",
        "Addresses in the table of rate limits: connected, or with a bucket that is not full again",
        |at| Some(at.addresses as f64),
    ),
    gauge("securecall_directory_records", "Public keys and chains in the directory", |at| {
        Some(at.server.directory.records().count as f64)
    }),
    gauge(
        "securecall_directory_records_max",
        "Maximum of public keys and chains that clients may register (directory.records_max)",
        |at| Some(at.server.directory.records().max as f64),
    ),
    Family {
        name: "securecall_unready",
        kind: Kind::Gauge,
        help: "1 while the server is not ready for this reason, as in /readyz",
        samples: Samples::Each {
            label: "reason",
            values: || Unready::ALL.map(|why| why.as_str().to_owned()).into(),
            read: |at, place| Some(f64::from(u8::from(Unready::ALL[place].holds(at.server)))),
        },
    },
    counter("securecall_connections_accepted", "Upgrades to WebSocket", |at| {
        Some(at.server.counters.accepted_total() as f64)
    }),
    counters(
        "securecall_connections_refused",
        "Connections to the public port that were not upgraded, except those that got /health, / \
         or /favicon.ico",
        "reason",
        || Refused::ALL.map(|why| why.as_str().to_owned()).into(),
        |at, place| Some(at.server.counters.refused_total(Refused::ALL[place]) as f64),
    ),
    counters(
        "securecall_tls_handshakes",
        "TLS handshakes; absent without TLS",
        "outcome",
        || Handshake::ALL.map(|how| how.as_str().to_owned()).into(),
        |at, place| {
            at.server.tls.as_ref()?;
            Some(at.server.counters.handshakes_total(Handshake::ALL[place]) as f64)
        },
    ),
    gauge(
        "securecall_tls_certificate_expiry_seconds",
        "Unix time at which the certificate expires; 0 while there is none",
        |at| {
            let current = at.server.tls.as_ref()?.certificates.current();
            Some(current.map_or(0, |certificate| certificate.not_after()) as f64)
        },
    ),
    counters(
        "securecall_messages",
        "Valid messages from clients within their rates, including those that are answered with \
         an ERROR",
        "type",
        || MessageType::ALL.map(|message| message.as_str().to_lowercase()).into(),
        |at, place| Some(at.server.counters.messages_total(MessageType::ALL[place]) as f64),
    ),
    counters(
        "securecall_errors",
        "ERROR messages sent",
        "code",
        || ErrorCode::ALL.map(|code| code.as_str().to_lowercase()).into(),
        |at, place| Some(at.server.counters.errors_total(ErrorCode::ALL[place]) as f64),
    ),
    counters(
        "securecall_closes",
        "Connections that ended with a close frame; 1000: closed by the client",
        "code",
        || CloseCode::ALL.map(|code| code.code().to_string()).into(),
        |at, place| Some(at.server.counters.closes_total(CloseCode::ALL[place]) as f64),
    ),
    counters(
        "securecall_mail",
        "Delivery results of messages between sessions",
        "outcome",
        || OUTCOMES.map(|(_, name)| name.to_owned()).into(),
        |at, place| Some(at.server.counters.mail_total(OUTCOMES[place].0) as f64),
    ),
    Family {
        name: "securecall_build",
        kind: Kind::Info,
        help: "1, with the version of the server",
        samples: Samples::Each {
            label: "version",
            values: || vec![env!("CARGO_PKG_VERSION").to_owned()],
            read: |_, _| Some(1.0),
        },
    },
    counter("process_cpu_seconds", "CPU time of the process, in seconds", |at| {
        at.process.cpu_seconds
    }),
    gauge("process_start_time_seconds", "Unix time at which the process started", |at| {
        at.process.start_time_seconds
    }),
    gauge("process_resident_memory_bytes", "Resident memory of the process", |at| {
        at.process.resident_memory_bytes
    }),
    gauge("process_virtual_memory_bytes", "Virtual memory of the process", |at| {
        at.process.virtual_memory_bytes
    }),
    gauge("process_threads", "Threads of the process", |at| at.process.threads),
    gauge("process_open_fds", "Open file descriptors", |at| at.process.open_fds),
    gauge("process_max_fds", "Maximum of open file descriptors", |at| at.process.max_fds),
];
