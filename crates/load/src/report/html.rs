//! A report as one HTML page, with nothing to load.

use std::fmt::Write as _;

use super::plot::{Axis, Plot, Scale, Series};
use super::table::{grouped, mebibytes};
use super::{Report, Times};
use crate::run::Sample;

const STYLE: &str = include_str!("style.css");

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
        let server = self.server.as_ref();
        let latency = self.latency.as_ref().or(self.reconnect.as_ref());
        let latency = latency.or(self.set_up.time.as_ref());
        let whole = |value: f64| (value > 0.0).then(|| grouped(value));
        let tiles = [
            ("messages/s", whole(traffic.received_per_second)),
            ("calls/s", whole(traffic.calls_per_second)),
            ("clients", Some(grouped(self.set_up.ready as f64))),
            ("registered/s", Some(grouped(self.set_up.per_second))),
            ("p50", latency.map(|times| time(times.p50))),
            ("p99", latency.map(|times| time(times.p99))),
            (
                "server CPU per message",
                server
                    .and_then(|server| server.cpu_per_message)
                    .map(|micros| format!("{micros:.2} µs")),
            ),
            (
                "memory per client",
                server
                    .and_then(|server| server.rss_per_client)
                    .filter(|bytes| *bytes > 0.0)
                    .map(|bytes| format!("{} B", grouped(bytes.round()))),
            ),
        ];
        let tile = |(name, value): (&str, Option<String>)| {
            value.map(|value| format!("<div><b>{value}</b><span>{name}</span></div>"))
        };
        tiles.into_iter().filter_map(tile).collect()
    }

    fn plots(&self) -> String {
        let plots = [
            self.percentiles(),
            self.over_time(
                "Messages over time",
                "messages/s",
                &[("received", |sample| {
                    (sample.received_per_second > 0.0 || sample.measured)
                        .then_some(sample.received_per_second)
                })],
            ),
            self.over_time(
                "Latency over time",
                "µs",
                &[
                    ("median", |sample| positive(sample.latency_p50)),
                    ("99 %", |sample| positive(sample.latency_p99)),
                ],
            ),
            self.over_time("Clients", "clients", &[("ready", |sample| Some(sample.ready as f64))]),
            self.over_time(
                "Server processors",
                "processors",
                &[("used", |sample| sample.server_cpus)],
            ),
            self.over_time(
                "Server memory",
                "MiB",
                &[("resident", |sample| {
                    sample.server_rss.map(|bytes| bytes as f64 / (1024.0 * 1024.0))
                })],
            ),
        ];
        plots.iter().filter(|plot| plot.says_something()).filter_map(Plot::to_svg).collect()
    }

    fn percentiles(&self) -> Plot {
        let series = self.times().filter(|(_, times)| times.count > 1);
        Plot {
            title: "Latency by percentile",
            x: Axis { scale: Scale::Nines, label: "" },
            y: Axis { scale: Scale::Logarithmic, label: "µs" },
            series: series
                .map(|(name, times)| Series { name, points: times.curve.clone() })
                .collect(),
            highlight: None,
        }
    }

    fn over_time(
        &self,
        title: &'static str,
        unit: &'static str,
        lines: &[(&'static str, fn(&Sample) -> Option<f64>)],
    ) -> Plot {
        let series = lines.iter().map(|(name, value)| Series {
            name,
            points: self.timeline.iter().filter_map(|s| Some((s.at, value(s)?))).collect(),
        });
        let measured = || self.timeline.iter().filter(|sample| sample.measured);
        let ends = measured().next().zip(measured().last());
        Plot {
            title,
            x: Axis { scale: Scale::Linear, label: "s" },
            y: Axis { scale: Scale::Linear, label: unit },
            series: series.collect(),
            highlight: ends.map(|(first, last)| (first.at, last.at)),
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

impl Plot {
    /// Whether any line has two points, and they are not all zero.
    fn says_something(&self) -> bool {
        self.series
            .iter()
            .any(|line| line.points.len() > 1 && line.points.iter().any(|(_, y)| *y > 0.0))
    }
}

fn positive(value: f64) -> Option<f64> {
    (value > 0.0).then_some(value)
}

/// A time in microseconds, in the unit that people would say.
fn time(micros: f64) -> String {
    match micros {
        m if m < 1e3 => format!("{} µs", grouped(m)),
        m if m < 1e6 => format!("{:.1} ms", m / 1e3),
        m => format!("{:.2} s", m / 1e6),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
