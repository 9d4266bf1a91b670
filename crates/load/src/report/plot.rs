//! Line plots as SVG.

use std::fmt::Write as _;

use super::table::grouped;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 250.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 34.0;

/// How values lie along an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scale {
    /// From zero, evenly.
    Linear,
    /// Each decade as long as the others.
    Logarithmic,
    /// Quantiles: each further nine as long as the others.
    Nines,
}

/// One direction of a plot.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    pub(super) scale: Scale,
    pub(super) label: &'static str,
}

/// A line.
#[derive(Clone, Debug)]
pub(super) struct Series {
    pub(super) name: &'static str,
    pub(super) points: Vec<(f64, f64)>,
}

/// Lines in one frame.
#[derive(Clone, Debug)]
pub(super) struct Plot {
    pub(super) title: &'static str,
    pub(super) x: Axis,
    pub(super) y: Axis,
    pub(super) series: Vec<Series>,
    /// A part of the x axis that is set off: what was measured.
    pub(super) highlight: Option<(f64, f64)>,
}

/// An axis with its range, in drawing units.
#[derive(Clone, Copy, Debug)]
struct Ruler {
    scale: Scale,
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Ruler {
    /// The range that holds all values, with its ends where ticks are.
    fn new(scale: Scale, values: impl Iterator<Item = f64> + Clone, from: f64, to: f64) -> Self {
        let bent = values.map(|value| bend(scale, value));
        let (least, most) = bent.fold((f64::MAX, f64::MIN), |(a, b), v| (a.min(v), b.max(v)));
        let (low, high) = match scale {
            Scale::Linear => (0.0, nice_above(most)),
            Scale::Logarithmic => (least.floor(), most.ceil().max(least.floor() + 1.0)),
            Scale::Nines => (0.0, most.max(1.0)),
        };
        Self { scale, low, high, from, to }
    }

    fn at(&self, value: f64) -> f64 {
        let part = (bend(self.scale, value) - self.low) / (self.high - self.low);
        self.from + part * (self.to - self.from)
    }

    /// The values that get a line and a label.
    fn ticks(&self) -> Vec<(f64, String)> {
        match self.scale {
            Scale::Linear => {
                let value = |step: u8| self.high * f64::from(step) / 4.0;
                (0..=4).map(|step| (value(step), short(value(step)))).collect()
            }
            Scale::Logarithmic => {
                let decades = self.low as i32..=self.high as i32;
                decades.map(|decade| 10f64.powi(decade)).map(|v| (v, short(v))).collect()
            }
            Scale::Nines => NINES
                .into_iter()
                .filter(|(_, q)| bend(self.scale, *q) <= self.high)
                .map(|(label, quantile)| (quantile, label.to_owned()))
                .collect(),
        }
    }
}

const NINES: [(&str, f64); 8] = [
    ("0", 0.0),
    ("50 %", 0.5),
    ("90 %", 0.9),
    ("99 %", 0.99),
    ("99.9 %", 0.999),
    ("99.99 %", 0.9999),
    ("99.999 %", 0.99999),
    ("99.9999 %", 0.999_999),
];

fn bend(scale: Scale, value: f64) -> f64 {
    match scale {
        Scale::Linear => value,
        Scale::Logarithmic => value.max(1e-3).log10(),
        Scale::Nines => -(1.0 - value).max(1e-7).log10(),
    }
}

/// The next of 1, 2, 4, 8 and 10 times a power of ten: each can be divided by four.
fn nice_above(value: f64) -> f64 {
    if value <= 0.0 {
        return 1.0;
    }
    let power = 10f64.powf(value.log10().floor());
    let nice = [1.0, 1.2, 1.6, 2.0, 3.0, 4.0, 6.0, 8.0, 10.0].map(|factor| factor * power);
    nice.into_iter().find(|nice| *nice >= value).unwrap_or(10.0 * power)
}

/// A number for an axis: with k and M, or with the decimals that it takes.
fn short(value: f64) -> String {
    match value.abs() {
        v if v >= 1e6 => format!("{} M", trimmed(value / 1e6)),
        v if v >= 1e4 => format!("{} k", trimmed(value / 1e3)),
        v if v >= 1e3 => grouped(value),
        _ => trimmed(value),
    }
}

fn trimmed(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

impl Plot {
    /// The plot as a figure. None: there is nothing to draw.
    pub(super) fn to_svg(&self) -> Option<String> {
        let points = || self.series.iter().flat_map(|series| &series.points);
        points().next()?;
        let x = self.x_ruler();
        let y = Ruler::new(self.y.scale, points().map(|(_, y)| *y), HEIGHT - BOTTOM, TOP);
        let mut svg = format!(
            "<figure><figcaption>{}{}</figcaption>\
             <svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">",
            self.title,
            self.legend(),
            self.title
        );
        self.draw_highlight(&mut svg, &x);
        self.draw_grid(&mut svg, &x, &y);
        for (number, series) in self.series.iter().enumerate() {
            series.draw(&mut svg, number, &x, &y);
        }
        svg.push_str("</svg></figure>");
        Some(svg)
    }

    /// A time axis ends where the points end; the others at a tick.
    fn x_ruler(&self) -> Ruler {
        let values = self.series.iter().flat_map(|series| &series.points).map(|(x, _)| *x);
        let most = values.clone().fold(f64::MIN, f64::max);
        let mut ruler = Ruler::new(self.x.scale, values, LEFT, WIDTH - RIGHT);
        if self.x.scale == Scale::Linear {
            ruler.high = most.max(0.1);
        }
        ruler
    }

    fn legend(&self) -> String {
        if self.series.len() < 2 {
            return String::new();
        }
        let entry = |(number, series): (usize, &Series)| {
            format!("<span class=\"key s{number}\">{}</span>", series.name)
        };
        self.series.iter().enumerate().map(entry).collect()
    }

    fn draw_highlight(&self, svg: &mut String, x: &Ruler) {
        let Some((from, to)) = self.highlight else { return };
        let (from, to) = (x.at(from), x.at(to));
        let (width, height) = (to - from, HEIGHT - TOP - BOTTOM);
        put(
            svg,
            format_args!(
                "<rect class=\"measured\" x=\"{from:.1}\" y=\"{TOP}\" width=\"{width:.1}\" height=\"{height}\"/>"
            ),
        );
    }

    fn draw_grid(&self, svg: &mut String, x: &Ruler, y: &Ruler) {
        let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        for (value, label) in y.ticks() {
            let (at, text_at) = (y.at(value), y.at(value) + 4.0);
            let label_x = LEFT - 8.0;
            put(
                svg,
                format_args!(
                    "<path class=\"grid\" d=\"M{LEFT} {at:.1}H{right}\"/>\
                 <text class=\"end\" x=\"{label_x}\" y=\"{text_at:.1}\">{label}</text>"
                ),
            );
        }
        for (value, label) in self.x_ticks(x) {
            let (at, label_y) = (x.at(value), bottom + 16.0);
            put(
                svg,
                format_args!(
                    "<path class=\"grid\" d=\"M{at:.1} {bottom}v4\"/>\
                 <text class=\"middle\" x=\"{at:.1}\" y=\"{label_y}\">{label}</text>"
                ),
            );
        }
        put(
            svg,
            format_args!(
                "<text class=\"label\" x=\"{LEFT}\" y=\"10\">{}</text>\
             <text class=\"label end\" x=\"{right}\" y=\"{}\">{}</text>",
                self.y.label,
                HEIGHT - 4.0,
                self.x.label
            ),
        );
    }

    /// Whole seconds, at most eight, on a time axis.
    fn x_ticks(&self, x: &Ruler) -> Vec<(f64, String)> {
        if self.x.scale != Scale::Linear {
            return x.ticks();
        }
        let steps = [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 600.0, 1800.0, 3600.0];
        let step = steps.into_iter().find(|step| x.high / step <= 8.0).unwrap_or(x.high);
        let count = (x.high / step) as u32;
        (0..=count).map(|n| f64::from(n) * step).map(|value| (value, trimmed(value))).collect()
    }
}

impl Series {
    fn draw(&self, svg: &mut String, number: usize, x: &Ruler, y: &Ruler) {
        put(svg, format_args!("<polyline class=\"line s{number}\" points=\""));
        for (px, py) in &self.points {
            put(svg, format_args!("{:.1},{:.1} ", x.at(*px), y.at(*py)));
        }
        svg.push_str("\"/>");
        // What a pointer that rests on a point is told.
        for (px, py) in &self.points {
            put(
                svg,
                format_args!(
                    "<circle class=\"s{number}\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"5\"><title>{}: {} at {}</title></circle>",
                    x.at(*px),
                    y.at(*py),
                    self.name,
                    grouped(*py),
                    trimmed_x(x.scale, *px)
                ),
            );
        }
    }
}

fn trimmed_x(scale: Scale, value: f64) -> String {
    if scale == Scale::Nines { format!("{:.4} %", 100.0 * value) } else { trimmed(value) }
}

/// Writing into a string cannot fail.
fn put(svg: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = svg.write_fmt(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plot_stays_within_its_frame() {
        let axis = |scale| Axis { scale, label: "" };
        let plot = Plot {
            title: "t",
            x: axis(Scale::Nines),
            y: axis(Scale::Logarithmic),
            series: vec![Series {
                name: "s",
                points: vec![(0.0, 3.0), (0.5, 10.0), (1.0, 70_000.0)],
            }],
            highlight: None,
        };
        let svg = plot.to_svg().unwrap();
        let line = svg.split("points=\"").nth(1).unwrap().split('"').next().unwrap();
        for point in line.split_whitespace() {
            let (x, y) = point.split_once(',').unwrap();
            assert!((LEFT..=WIDTH - RIGHT).contains(&x.parse().unwrap()), "{point}");
            assert!((TOP..=HEIGHT - BOTTOM).contains(&y.parse().unwrap()), "{point}");
        }
    }

    #[test]
    fn without_points_there_is_no_plot() {
        let axis = Axis { scale: Scale::Linear, label: "" };
        let series = vec![Series { name: "s", points: vec![] }];
        let plot = Plot { title: "t", x: axis, y: axis, series, highlight: None };
        assert_eq!(plot.to_svg(), None);
    }

    #[test]
    fn axes_end_at_round_numbers() {
        for (most, end) in [(0.0, 1.0), (0.7, 0.8), (1.0, 1.0), (173_068.0, 200_000.0), (9.1, 10.0)]
        {
            assert!((nice_above(most) - end).abs() < 1e-9, "{most}");
        }
    }
}
