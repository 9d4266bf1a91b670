//! Line plots as SVG.

use super::numbers::grouped;
use super::ruler::{Ruler, Scale};

const HEIGHT: f64 = 250.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 24.0;

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
    /// Of the y axis.
    pub(super) unit: &'static str,
    pub(super) x: Scale,
    pub(super) y: Scale,
    pub(super) series: Vec<Series>,
    /// A part of the x axis that is set off: what was measured.
    pub(super) highlight: Option<(f64, f64)>,
    /// Drawn over two columns.
    pub(super) wide: bool,
}

impl Plot {
    /// The plot as a figure. `None` if no line has two points.
    pub(super) fn to_svg(&self) -> Option<String> {
        let is_visible = |series: &Series| {
            series.points.len() > 1 && series.points.iter().any(|(_, y)| *y > 0.0)
        };
        self.series.iter().any(is_visible).then(|| {
            let points = || self.series.iter().flat_map(|series| &series.points);
            let x = Ruler::new(self.x, points().map(|(x, _)| *x), LEFT, self.width() - RIGHT);
            let y = Ruler::new(self.y, points().map(|(_, y)| *y), HEIGHT - BOTTOM, TOP);
            let lines = self.series.iter().enumerate();
            format!(
                "<figure class=\"{}\"><figcaption>{} <small>{}</small>{}</figcaption>\
                 <svg viewBox=\"0 0 {} {HEIGHT}\" role=\"img\" aria-label=\"{}\">{}{}{}{}</svg></figure>",
                if self.wide { "wide" } else { "" },
                self.title,
                self.unit,
                self.legend(),
                self.width(),
                self.title,
                self.highlighted(&x),
                self.rows(&y),
                columns(&x),
                lines.map(|(number, line)| self.line(number, line, &x, &y)).collect::<String>(),
            )
        })
    }

    /// Two narrow ones side by side are as wide as a wide one, so that text has one size.
    fn width(&self) -> f64 {
        if self.wide { 1140.0 } else { 560.0 }
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

    fn highlighted(&self, x: &Ruler) -> String {
        let Some((from, to)) = self.highlight else { return String::new() };
        let (from, width, height) = (x.at(from), x.at(to) - x.at(from), HEIGHT - TOP - BOTTOM);
        format!(
            "<rect class=\"measured\" x=\"{from:.1}\" y=\"{TOP}\" width=\"{width:.1}\" \
             height=\"{height}\"/>"
        )
    }

    /// The lines of the grid, and what they stand for.
    fn rows(&self, y: &Ruler) -> String {
        let row = |(value, label): (f64, String)| {
            let (at, right) = (y.at(value), self.width() - RIGHT);
            format!(
                "<path class=\"grid\" d=\"M{LEFT} {at:.1}H{right}\"/>\
                 <text class=\"end\" x=\"{}\" y=\"{:.1}\">{label}</text>",
                LEFT - 8.0,
                at + 4.0
            )
        };
        y.ticks().into_iter().map(row).collect()
    }

    fn line(&self, number: usize, series: &Series, x: &Ruler, y: &Ruler) -> String {
        let at = |(px, py): &(f64, f64)| (x.at(*px), y.at(*py));
        let points: Vec<_> =
            series.points.iter().map(at).map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        // The tooltip of a point.
        let spot = |point: &(f64, f64)| {
            let (cx, cy) = at(point);
            format!(
                "<circle class=\"s{number}\" cx=\"{cx:.1}\" cy=\"{cy:.1}\" r=\"5\">\
                 <title>{}: {} {} at {}</title></circle>",
                series.name,
                grouped(point.1),
                self.unit,
                self.x.label(point.0)
            )
        };
        format!(
            "<polyline class=\"line s{number}\" points=\"{}\"/>{}",
            points.join(" "),
            series.points.iter().map(spot).collect::<String>()
        )
    }
}

/// The ticks of the x axis.
fn columns(x: &Ruler) -> String {
    let bottom = HEIGHT - BOTTOM;
    let tick = |(value, label): (f64, String)| {
        let at = x.at(value);
        format!(
            "<path class=\"grid\" d=\"M{at:.1} {bottom}v4\"/>\
             <text class=\"middle\" x=\"{at:.1}\" y=\"{}\">{label}</text>",
            bottom + 17.0
        )
    };
    x.ticks().into_iter().map(tick).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot(points: Vec<(f64, f64)>) -> Plot {
        Plot {
            title: "t",
            unit: "µs",
            x: Scale::Nines,
            y: Scale::Logarithmic,
            series: vec![Series { name: "s", points }],
            highlight: None,
            wide: true,
        }
    }

    #[test]
    fn a_line_stays_within_its_frame() {
        let plot = plot(vec![(0.0, 3.0), (0.5, 10.0), (1.0, 70_000.0)]);
        let svg = plot.to_svg().unwrap();
        let line = svg.split("points=\"").nth(1).unwrap().split('"').next().unwrap();
        for point in line.split_whitespace() {
            let (x, y) = point.split_once(',').unwrap();
            assert!((LEFT..=plot.width() - RIGHT).contains(&x.parse().unwrap()), "{point}");
            assert!((TOP..=HEIGHT - BOTTOM).contains(&y.parse().unwrap()), "{point}");
        }
    }

    #[test]
    fn without_two_points_there_is_no_plot() {
        for points in [vec![], vec![(0.0, 1.0)], vec![(0.0, 0.0), (1.0, 0.0)]] {
            assert_eq!(plot(points).to_svg(), None);
        }
    }
}
