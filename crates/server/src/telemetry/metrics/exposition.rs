//! Metrics as text: OpenMetrics 1.0.0, and the older format of Prometheus.
//!
//! They differ in three places. In OpenMetrics a family has the name without the suffix of its
//! samples, there is a type for descriptive labels (`info`), and the end is marked, so that a
//! truncated response is detected.

use std::fmt::Write as _;

use super::families::{Family, Kind, Samples, Scrape};
use super::format::Format;

/// Writes all families that have a sample.
pub(super) fn write(families: &[Family], scrape: &Scrape<'_>, format: Format) -> String {
    let mut out = String::new();
    for family in families {
        let samples = samples(family, scrape);
        if !samples.is_empty() {
            write_family(&mut out, family, &samples, format);
        }
    }
    if format == Format::OpenMetrics {
        out.push_str("# EOF\n");
    }
    out
}

/// A label, if there is one, and the value.
type Sample = (Option<(&'static str, String)>, f64);

fn samples(family: &Family, scrape: &Scrape<'_>) -> Vec<Sample> {
    match family.samples {
        Samples::One(read) => read(scrape).map(|value| (None, value)).into_iter().collect(),
        Samples::Each { label, values, read } => values()
            .into_iter()
            .enumerate()
            .filter_map(|(at, value)| Some((Some((label, value)), read(scrape, at)?)))
            .collect(),
    }
}

fn write_family(out: &mut String, family: &Family, samples: &[Sample], format: Format) {
    let (name, suffix) = (family.name, family.kind.suffix());
    let (described, kind) = match format {
        Format::OpenMetrics => (name.to_owned(), family.kind.as_str()),
        // The older format knows only counters and gauges.
        Format::Text if family.kind == Kind::Counter => (format!("{name}{suffix}"), "counter"),
        Format::Text => (format!("{name}{suffix}"), "gauge"),
    };
    // Writing to a String cannot fail.
    let _ = writeln!(out, "# HELP {described} {}", family.help);
    let _ = writeln!(out, "# TYPE {described} {kind}");
    for (label, value) in samples {
        let _ = match label {
            None => writeln!(out, "{name}{suffix} {value}"),
            Some((label, of)) => writeln!(out, "{name}{suffix}{{{label}=\"{of}\"}} {value}"),
        };
    }
}
