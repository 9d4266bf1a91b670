//! The counters in the words of Prometheus (OpenMetrics text).

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _, text};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry as Metrics;
use securecall_protocol::{CloseCode, ErrorCode, MessageType};

use crate::counters::{Handshake, OUTCOMES};
use crate::refused::Refused;
use crate::server::Server;

/// All metrics as text.
///
/// # Errors
/// When the text cannot be written, which memory alone can cause.
pub(crate) fn render(server: &Arc<Server>) -> Result<String, fmt::Error> {
    let mut metrics = Metrics::default();
    metrics.register_collector(Box::new(Snapshot(server.clone())));
    let mut out = String::new();
    text::encode(&mut out, &metrics)?;
    Ok(out)
}

/// Reads the counters when it is scraped.
struct Snapshot(Arc<Server>);

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Snapshot")
    }
}

impl Collector for Snapshot {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let Self(server) = self;
        let counters = &server.counters;
        let addresses = {
            let mut admission = server.admission.lock();
            admission.forget_recovered(server.clock.now());
            admission.addresses()
        };
        gauge(
            &mut encoder,
            "connections",
            "Open WebSocket connections",
            server.connections.count(),
        )?;
        gauge(
            &mut encoder,
            "sessions",
            "Clients that are registered, or expected back",
            server.registry.sessions(),
        )?;
        gauge(
            &mut encoder,
            "addresses",
            "Addresses with connections, or whose rate recovers",
            addresses,
        )?;
        let records = server.directory.records();
        gauge(
            &mut encoder,
            "directory_records",
            "Public keys in the directory",
            usize::try_from(records.count).unwrap_or(usize::MAX),
        )?;
        gauge(
            &mut encoder,
            "directory_records_max",
            "Public keys that the directory may have (directory.records_max)",
            usize::try_from(records.max).unwrap_or(usize::MAX),
        )?;
        let calls = usize::try_from(counters.calls()).unwrap_or(0);
        gauge(&mut encoder, "calls", "Ends of calls that sessions hold", calls)?;
        counter(
            &mut encoder,
            "connections_accepted",
            "Upgrades to WebSocket",
            counters.accepted_total(),
        )?;
        let refused =
            Refused::ALL.map(|why| (why.as_str().to_owned(), counters.refused_total(why)));
        family(
            &mut encoder,
            "connections_refused",
            "Connections to the public port that were not upgraded",
            "reason",
            &refused,
        )?;
        if let Some(tls) = &server.tls {
            let handshakes =
                Handshake::ALL.map(|how| (how.as_str().to_owned(), counters.handshakes_total(how)));
            family(&mut encoder, "tls_handshakes", "TLS handshakes", "outcome", &handshakes)?;
            // As Prometheus would have it, to warn a week before: unix seconds.
            let until = tls.certificates.current().map_or(0, |certificate| certificate.not_after());
            gauge(
                &mut encoder,
                "tls_certificate_expiry_seconds",
                "When the certificate expires (Unix time); 0: there is none",
                until,
            )?;
        }
        let messages =
            MessageType::ALL.map(|m| (m.as_str().to_lowercase(), counters.messages_total(m)));
        family(&mut encoder, "messages", "Messages of clients that were taken", "type", &messages)?;
        let errors =
            ErrorCode::ALL.map(|code| (code.as_str().to_lowercase(), counters.errors_total(code)));
        family(&mut encoder, "errors", "ERROR messages sent", "code", &errors)?;
        let closes =
            CloseCode::ALL.map(|code| (code.code().to_string(), counters.closes_total(code)));
        family(
            &mut encoder,
            "closes",
            "Connections that ended with a close frame; 1000: the client began",
            "code",
            &closes,
        )?;
        let mail = OUTCOMES.map(|(outcome, name)| (name.to_owned(), counters.mail_total(outcome)));
        family(&mut encoder, "mail", "Mail between sessions", "outcome", &mail)
    }
}

fn gauge(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: usize) -> fmt::Result {
    let gauge = ConstGauge::new(value as i64);
    let name = format!("securecall_{name}");
    gauge.encode(encoder.encode_descriptor(&name, help, None, gauge.metric_type())?)
}

fn counter(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: u64) -> fmt::Result {
    let counter = ConstCounter::new(value);
    let name = format!("securecall_{name}");
    counter.encode(encoder.encode_descriptor(&name, help, None, counter.metric_type())?)
}

fn family(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    label: &str,
    values: &[(String, u64)],
) -> fmt::Result {
    let kind = ConstCounter::new(0_u64).metric_type();
    let name = format!("securecall_{name}");
    let mut metric = encoder.encode_descriptor(&name, help, None, kind)?;
    for (value, count) in values {
        let labels = [(label, value.as_str())];
        ConstCounter::new(*count).encode(metric.encode_family(&labels)?)?;
    }
    Ok(())
}
