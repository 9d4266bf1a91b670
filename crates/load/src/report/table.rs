//! A report for a terminal.

use std::fmt;

use super::numbers::{grouped, mebibytes};
use super::{Report, ServerCost, Times};
use crate::plan::{Pace, Workload};

/// Rows of a name and its values, under headings.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.title())?;
        if self.interrupted {
            writeln!(f, "stopped before its time: this is a part of the run")?;
        }
        writeln!(f)?;
        self.write_set_up(f)?;
        self.write_traffic(f)?;
        self.write_times(f)?;
        self.write_costs(f)?;
        self.write_failures(f)
    }
}

impl Report {
    /// The plan in one line.
    pub fn title(&self) -> String {
        let what = match self.plan.workload {
            Workload::Idle { connections } => {
                format!("{} idle clients", grouped(connections as f64))
            }
            Workload::Storm { connections } => {
                format!("{} clients reconnect at once", grouped(connections as f64))
            }
            Workload::Relay { pairs, pace, bytes } => {
                format!("{bytes}-byte candidates in {pairs} pairs, {}", pace_text(pace, "messages"))
            }
            Workload::Calls { pairs, pace, candidates, bytes } => format!(
                "calls with {candidates} candidates each way and {bytes}-byte offers in {pairs} \
                 pairs, {}",
                pace_text(pace, "calls")
            ),
            Workload::Offers { pairs, pace, bytes } => {
                format!("{bytes}-byte offers in {pairs} pairs, {}", pace_text(pace, "offers"))
            }
        };
        format!("{}: {what}, {:.1} s", self.plan.workload.name(), self.traffic.seconds)
    }

    fn write_set_up(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set_up = &self.set_up;
        row(f, "clients ready", &format!("{} of {}", set_up.ready, set_up.clients))?;
        row(
            f,
            "set-up",
            &format!("{:.2} s, {} clients/s", set_up.seconds, grouped(set_up.per_second)),
        )
    }

    fn write_traffic(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let traffic = &self.traffic;
        if traffic.calls > 0 {
            let calls = grouped(traffic.calls as f64);
            row(f, "calls", &format!("{calls}, {}/s", grouped(traffic.calls_per_second)))?;
        }
        if traffic.sent > 0 {
            row(f, "messages sent", &grouped(traffic.sent as f64))?;
            let received = grouped(traffic.received as f64);
            let rate = grouped(traffic.received_per_second);
            row(f, "messages received", &format!("{received}, {rate}/s"))?;
        }
        Ok(())
    }

    /// The kinds of times that there are, with their names.
    pub(super) fn times(&self) -> impl Iterator<Item = (&'static str, &Times)> {
        [
            ("connect + register", &self.set_up.time),
            ("reconnect + register", &self.reconnect),
            ("latency", &self.latency),
            ("answer", &self.answer),
            ("whole call", &self.call),
            ("generator late", &self.lateness),
        ]
        .into_iter()
        .filter_map(|(name, times)| Some((name, times.as_ref()?)))
    }

    fn write_times(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n{:22}", "µs")?;
        for heading in ["p50", "p90", "p99", "p99.9", "p99.99", "max"] {
            write!(f, "{heading:>12}")?;
        }
        writeln!(f)?;
        for (name, times) in self.times() {
            write!(f, "{name:22}")?;
            let values = [times.p50, times.p90, times.p99, times.p99_9, times.p99_99, times.max];
            for value in values {
                write!(f, "{:>12}", grouped(value))?;
            }
            writeln!(f)?;
        }
        writeln!(f)
    }

    fn write_costs(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(server) = &self.server {
            server.write(f)?;
        }
        let generator = &self.generator;
        let message = per(generator.cpu_per_message, "message");
        row(f, "generator", &format!("{:.2} processors{message}", generator.cpus))
    }

    fn write_failures(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (refusal, times) in &self.refusals {
            row(f, "refused, tried again", &format!("{times} × {refusal}"))?;
        }
        for (failure, times) in &self.failures {
            row(f, "FAILED", &format!("{times} × {failure}"))?;
        }
        for advice in &self.advice {
            writeln!(f, "  {advice}")?;
        }
        Ok(())
    }
}

impl ServerCost {
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let each = [
            per(self.cpu_per_message, "message"),
            per(self.cpu_per_call, "call"),
            per(self.cpu_per_set_up, "client set up"),
            per(self.cpu_per_reconnect, "client that comes back"),
            per(self.cpu_per_leave, "client that leaves"),
        ];
        row(f, "server", &format!("{:.2} processors{}", self.cpus, each.concat()))?;
        let [before, ready, end, after] =
            [self.rss_before, self.rss_ready, self.rss_end, self.rss_after].map(mebibytes);
        let memory =
            format!("{before} before, {ready} with all clients, {end} at the end, {after} after");
        row(f, "server memory", &memory)?;
        match self.rss_per_client {
            Some(bytes) => row(f, "", &format!("{} bytes per client", grouped(bytes))),
            None => Ok(()),
        }
    }
}

fn pace_text(pace: Pace, what: &str) -> String {
    match pace {
        Pace::InFlight(count) => format!("{count} in flight"),
        Pace::PerSecond(rate) => format!("{} {what}/s", grouped(rate)),
    }
}

fn per(micros: Option<f64>, what: &str) -> String {
    micros.map_or_else(String::new, |micros| format!(", {micros:.2} µs per {what}"))
}

fn row(f: &mut fmt::Formatter<'_>, name: &str, value: &str) -> fmt::Result {
    writeln!(f, "{name:22}{value}")
}
