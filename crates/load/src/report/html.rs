//! A report as one HTML page, with nothing to load.

use std::fmt::Write as _;

use super::numbers::{grouped, mebibytes, time};
use super::plot::{Plot, Series};
use super::ruler::Scale;
use super::{Report, Times};
use crate::run::Sample;

const STYLE: &str = include_str!("style.css");

/// The value of a sample that a line plots.
type ValueOf = fn(&Sample) -> Option<f64>;

impl Report {
    /// The page.
    pub fn to_html(&self) -> String {
        let title = escaped(&self.title());
        let (name, what) = title.split_once(": ").unwrap_or(("", &title));
        let stopped = if self.interrupted {
            "<p class=\"warning\">Stopped before its time: this is a part of the run.</p>"
        } else {
            ""
        };
        format!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width\">\
             <title>securecall load {name}</title><style>{STYLE}</style></head><body><main>\
             <header><p class=\"brand\">securecall load</p><h1>{name}</h1><p>{what}</p></header>\
             {stopped}{}<section class=\"tiles\">{}</section><section class=\"plots\">{}</section>{}{}\
             </main></body></html>\n",
            self.failures_section(),
            self.tiles(),
            self.plots(),
            self.times_table(),
            self.conditions_table(),
        )
    }

    /// The few numbers that people ask for first.
    fn tiles(&self) -> String {
        let traffic = &self.traffic;
        let mut tiles = vec![];
        let rates =
            [("messages/s", traffic.received_per_second), ("calls/s", traffic.calls_per_second)];
        tiles.extend(
            rates
                .into_iter()
                .filter(|(_, rate)| *rate > 0.0)
                .map(|(name, rate)| (name.to_owned(), grouped(rate))),
        );
        tiles.push(("clients".to_owned(), grouped(self.set_up.ready as f64)));
        if let Some(back) = &self.reconnect {
            tiles.push(("until all were back".to_owned(), time(back.max)));
        }
        // The last in the order of the table that is about the server, and not about us.
        if let Some((name, times)) = self.foremost_times() {
            tiles.push((format!("{name}, median"), time(times.p50)));
            tiles.push((format!("{name}, 99 %"), time(times.p99)));
        }
        if let Some(server) = &self.server {
            let micros = server.cpu_per_message.map(|micros| format!("{micros:.2} µs"));
            tiles.extend(micros.map(|value| ("server CPU per message".to_owned(), value)));
            let bytes = server.rss_per_client.map(|bytes| format!("{} B", grouped(bytes.round())));
            tiles.extend(bytes.map(|value| ("memory per client".to_owned(), value)));
        }
        let tile = |(name, value)| format!("<div><b>{value}</b><span>{name}</span></div>");
        tiles.into_iter().map(tile).collect()
    }

    /// The times that the scenario was run for.
    fn foremost_times(&self) -> Option<(&'static str, &Times)> {
        let named = |name| move |times| (name, times);
        let latency = self.latency.as_ref().map(named("latency"));
        let reconnect = || self.reconnect.as_ref().map(named("reconnect"));
        latency.or_else(reconnect).or_else(|| self.set_up.time.as_ref().map(named("register")))
    }

    fn plots(&self) -> String {
        let messages = |sample: &Sample| Some(sample.received_per_second);
        let clients = |sample: &Sample| Some(sample.ready as f64);
        let memory =
            |sample: &Sample| sample.server_rss.map(|bytes| bytes as f64 / (1024.0 * 1024.0));
        let (p50, p99) = (
            |sample: &Sample| positive(sample.latency_p50),
            |sample: &Sample| positive(sample.latency_p99),
        );
        let traffic = self.traffic.sent > 0;
        let mut plots = vec![self.percentiles()];
        if traffic {
            plots.push(self.over_time("Messages", "per second", &[("arrive", messages)]));
            plots.push(self.over_time("Latency", "µs", &[("median", p50), ("99 %", p99)]));
        } else {
            let clients = self.over_time("Clients", "registered", &[("registered", clients)]);
            plots.push(Plot { wide: true, ..clients });
        }
        let used = |sample: &Sample| sample.server_cpus;
        plots.push(self.over_time("Server processors", "in use", &[("in use", used)]));
        plots.push(self.over_time("Server memory", "MiB resident", &[("resident", memory)]));
        plots.iter().filter_map(Plot::to_svg).collect()
    }

    fn percentiles(&self) -> Plot {
        let series = self.times().filter(|(_, times)| times.count > 1);
        let series = series.map(|(name, times)| Series { name, points: times.curve.clone() });
        Plot {
            title: "Times by percentile",
            unit: "µs",
            x: Scale::Nines,
            y: Scale::Logarithmic,
            series: series.collect(),
            highlight: None,
            wide: true,
        }
    }

    fn over_time(
        &self,
        title: &'static str,
        unit: &'static str,
        lines: &[(&'static str, ValueOf)],
    ) -> Plot {
        let points = |value: ValueOf| {
            self.timeline.iter().filter_map(|sample| Some((sample.at, value(sample)?))).collect()
        };
        let series = lines.iter().map(|(name, value)| Series { name, points: points(*value) });
        let mut measured = self.timeline.iter().filter(|sample| sample.measured);
        let first = measured.next();
        Plot {
            title,
            unit,
            x: Scale::Time,
            y: Scale::Linear,
            series: series.collect(),
            highlight: first.zip(measured.next_back()).map(|(first, last)| (first.at, last.at)),
            wide: false,
        }
    }

    fn times_table(&self) -> String {
        let row = |(name, times): (&str, &Times)| {
            let values =
                [times.p50, times.p90, times.p99, times.p99_9, times.p99_99, times.max, times.mean];
            let cells = values.map(|value| format!("<td>{}</td>", grouped(value))).concat();
            format!("<tr><th>{name}</th><td>{}</td>{cells}</tr>", grouped(times.count as f64))
        };
        format!(
            "<section><h2>Times in µs</h2><table><tr><th></th><th>count</th><th>p50</th><th>p90</th>\
             <th>p99</th><th>p99.9</th><th>p99.99</th><th>max</th><th>mean</th></tr>{}</table></section>",
            self.times().map(row).collect::<String>()
        )
    }

    fn conditions_table(&self) -> String {
        let mut rows = vec![
            ("server", self.plan.url.clone()),
            ("clients ready", format!("{} of {}", self.set_up.ready, self.set_up.clients)),
            ("set-up", format!("{:.2} s", self.set_up.seconds)),
            ("messages sent", grouped(self.traffic.sent as f64)),
            ("messages received", grouped(self.traffic.received as f64)),
            (
                "generator",
                format!(
                    "{:.2} processors, {} event loops in {} processes",
                    self.generator.cpus, self.workers, self.processes
                ),
            ),
        ];
        if let Some(server) = &self.server {
            let each =
                |micros: Option<f64>| micros.map_or("–".to_owned(), |m| format!("{m:.2} µs"));
            rows.extend([
                ("server processors", format!("{:.2}", server.cpus)),
                ("server CPU per message", each(server.cpu_per_message)),
                ("server CPU per call", each(server.cpu_per_call)),
                ("server CPU per client set up", each(server.cpu_per_set_up)),
                ("server CPU per client that leaves", each(server.cpu_per_leave)),
                (
                    "server memory",
                    format!(
                        "{} before, {} with all clients, {} at the end, {} after",
                        mebibytes(server.rss_before),
                        mebibytes(server.rss_ready),
                        mebibytes(server.rss_end),
                        mebibytes(server.rss_after)
                    ),
                ),
            ]);
        }
        let row = |(name, value): (&str, String)| {
            format!("<tr><th>{name}</th><td>{}</td></tr>", escaped(&value))
        };
        let rows: String = rows.into_iter().map(row).collect();
        format!(
            "<section><h2>Conditions and costs</h2><table class=\"pairs\">{rows}</table></section>"
        )
    }

    fn failures_section(&self) -> String {
        let mut out = String::new();
        for (list, heading, class) in [
            (&self.failures, "Failures", "warning"),
            (&self.refusals, "Refused, and tried again", "note"),
        ] {
            if list.is_empty() {
                continue;
            }
            let _ = write!(out, "<section class=\"{class}\"><h2>{heading}</h2><ul>");
            for (kind, times) in list {
                let _ =
                    write!(out, "<li><b>{}</b> × {}</li>", grouped(*times as f64), escaped(kind));
            }
            out.push_str("</ul>");
            if class == "warning" {
                out.extend(self.advice.iter().map(|advice| format!("<p>{}</p>", escaped(advice))));
            }
            out.push_str("</section>");
        }
        out
    }
}

fn positive(value: f64) -> Option<f64> {
    (value > 0.0).then_some(value)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
