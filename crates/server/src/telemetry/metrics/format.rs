//! The two text formats of metrics, and their selection by a scraper (RFC 9110, section 12.5.1).

/// A format of metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// The text format of Prometheus, version 0.0.4, which every scraper can read.
    Text,
    /// OpenMetrics 1.0.0.
    OpenMetrics,
}

impl Format {
    /// Returns the format that these values of `Accept` prefer, by default the text format.
    pub(crate) fn preferred<'a>(accept: impl Iterator<Item = &'a [u8]>) -> Self {
        let (mut text, mut open_metrics) = (Preference::default(), Preference::default());
        let fields = accept.filter_map(|field| std::str::from_utf8(field).ok());
        for range in fields.flat_map(|field| field.split(',')).filter_map(Range::parse) {
            text.consider(&range, Self::Text);
            open_metrics.consider(&range, Self::OpenMetrics);
        }
        if open_metrics.quality > text.quality { Self::OpenMetrics } else { Self::Text }
    }

    /// Returns the value of `Content-Type`.
    pub(crate) const fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }

    const fn media_type(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Text => ("text", "plain", "0.0.4"),
            Self::OpenMetrics => ("application", "openmetrics-text", "1.0.0"),
        }
    }
}

/// An entry of `Accept`.
struct Range<'a> {
    kind: &'a str,
    subtype: &'a str,
    version: Option<&'a str>,
    quality: f32,
}

impl<'a> Range<'a> {
    fn parse(entry: &'a str) -> Option<Self> {
        let mut parts = entry.split(';').map(str::trim);
        let (kind, subtype) = parts.next()?.split_once('/')?;
        let mut range = Self { kind, subtype, version: None, quality: 1.0 };
        for (name, value) in parts.filter_map(|part| part.split_once('=')) {
            let value = value.trim().trim_matches('"');
            match name.trim() {
                "version" => range.version = Some(value),
                "q" | "Q" => range.quality = value.parse().ok()?,
                _ => {}
            }
        }
        Some(range)
    }

    /// Returns how specifically the range names the format, or `None` if it does not include it.
    fn precision(&self, format: Format) -> Option<u8> {
        let (kind, subtype, version) = format.media_type();
        if self.version.is_some_and(|wanted| wanted != version) {
            return None;
        }
        match (self.kind, self.subtype) {
            ("*", "*") => Some(1),
            (given, "*") if given.eq_ignore_ascii_case(kind) => Some(2),
            (given, sub)
                if given.eq_ignore_ascii_case(kind) && sub.eq_ignore_ascii_case(subtype) =>
            {
                Some(if self.version.is_some() { 4 } else { 3 })
            }
            _ => None,
        }
    }
}

/// The quality of a format, from the most specific range.
#[derive(Default)]
struct Preference {
    precision: u8,
    quality: f32,
}

impl Preference {
    fn consider(&mut self, range: &Range<'_>, format: Format) {
        if let Some(precision) = range.precision(format)
            && precision > self.precision
        {
            *self = Self { precision, quality: range.quality };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Format::{OpenMetrics, Text};
    use super::*;

    fn preferred(accept: &str) -> Format {
        Format::preferred([accept.as_bytes()].into_iter())
    }

    #[test]
    fn prometheus_2_and_3_get_open_metrics() {
        let two = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;\
                   version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        let three = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,\
                     application/openmetrics-text;version=0.0.1;q=0.4,\
                     text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,\
                     text/plain;version=0.0.4;q=0.2,*/*;q=0.1";
        assert_eq!(preferred(two), OpenMetrics);
        assert_eq!(preferred(three), OpenMetrics);
    }

    #[test]
    fn without_a_preference_for_open_metrics_the_format_is_text() {
        for accept in [
            "",
            "*/*",
            "text/plain",
            "text/html,application/xhtml+xml,*/*;q=0.8",
            "application/json",
            "application/openmetrics-text;q=0",
            "application/openmetrics-text;q=0.4,text/plain;q=0.5",
            "application/openmetrics-text;version=2.0.0",
            "application/openmetrics-text;q=much",
            "nonsense",
            ";;;,,,/",
        ] {
            assert_eq!(preferred(accept), Text, "{accept}");
        }
        assert_eq!(Format::preferred([].into_iter()), Text);
        assert_eq!(Format::preferred([&b"\xff"[..]].into_iter()), Text);
    }

    #[test]
    fn the_range_that_names_a_format_most_exactly_decides() {
        assert_eq!(preferred("*/*;q=0.9, application/openmetrics-text;q=0.1"), Text);
        assert_eq!(preferred("text/plain;q=0.1, */*;q=0.9"), OpenMetrics);
        assert_eq!(preferred("Application/OpenMetrics-Text; version=\"1.0.0\""), OpenMetrics);
        let fields = [&b"text/plain;q=0.5"[..], b"application/openmetrics-text"];
        assert_eq!(Format::preferred(fields.into_iter()), OpenMetrics);
    }
}
