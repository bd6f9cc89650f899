//! Plots as SVG: lines over two logarithmic axes.

use std::ops::Range;
use std::path::Path;

use plotters::prelude::*;

/// One line: its name and its points.
pub(crate) type Line = (String, Vec<(f64, f64)>);

/// What stands around the lines.
#[derive(Debug)]
pub(crate) struct Axes {
    pub(crate) title: &'static str,
    pub(crate) x: &'static str,
    pub(crate) y: &'static str,
    pub(crate) x_label: fn(f64) -> String,
    pub(crate) y_label: fn(f64) -> String,
}

/// Colours that differ for every kind of sight (Okabe and Ito).
const COLOURS: [RGBColor; 6] = [
    RGBColor(0, 114, 178),
    RGBColor(230, 159, 0),
    RGBColor(0, 158, 115),
    RGBColor(213, 94, 0),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
];

/// One, two and five of each power of ten: plotters' own come twice where a power ends and the next one begins.
fn ticks(range: &Range<f64>) -> Vec<f64> {
    (-9..10)
        .flat_map(|power| [1.0, 2.0, 5.0].map(|digit| digit * 10_f64.powi(power)))
        .filter(|tick| range.contains(tick))
        .collect()
}

/// Draws lines.
///
/// # Errors
/// There is nothing to draw, or the file cannot be written.
pub(crate) fn draw(file: &Path, axes: &Axes, lines: &[Line]) -> Result<(), String> {
    let points = || lines.iter().flat_map(|(_, points)| points);
    if points().next().is_none() {
        return Err(format!("`{}`: no points to draw", file.display()));
    }
    let range = |of: fn(&(f64, f64)) -> f64| {
        let (least, most) = points()
            .map(of)
            .fold((f64::MAX, f64::MIN), |(least, most), value| {
                (least.min(value), most.max(value))
            });
        least / 1.2..most * 1.2
    };
    let heights = range(|point| point.1);
    let wrong = |error: &dyn std::fmt::Display| format!("`{}`: {error}", file.display());
    let area = SVGBackend::new(file, (900, 560)).into_drawing_area();
    area.fill(&WHITE).map_err(|error| wrong(&error))?;
    let mut chart = ChartBuilder::on(&area)
        .caption(axes.title, ("sans-serif", 22))
        .margin(16)
        .x_label_area_size(48)
        .y_label_area_size(80)
        .build_cartesian_2d(
            // Sizes and depths are powers of four.
            range(|point| point.0).log_scale().base(4.0),
            heights.clone().log_scale().with_key_points(ticks(&heights)),
        )
        .map_err(|error| wrong(&error))?;
    chart
        .configure_mesh()
        .x_desc(axes.x)
        .y_desc(axes.y)
        .x_label_formatter(&|x| (axes.x_label)(*x))
        .y_label_formatter(&|y| (axes.y_label)(*y))
        .label_style(("sans-serif", 14))
        .light_line_style(TRANSPARENT)
        .draw()
        .map_err(|error| wrong(&error))?;
    for ((name, points), colour) in lines.iter().zip(COLOURS.iter().cycle()) {
        let style = colour.stroke_width(2);
        let series = LineSeries::new(points.iter().copied(), style).point_size(3);
        chart
            .draw_series(series)
            .map_err(|error| wrong(&error))?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], style));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .label_font(("sans-serif", 14))
        .background_style(WHITE.mix(0.8))
        .draw()
        .map_err(|error| wrong(&error))?;
    area.present().map_err(|error| wrong(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_tick_of_an_axis_stands_there_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("plot.svg");
        let axes = Axes {
            title: "",
            x: "",
            y: "",
            x_label: |x| format!("x {x:.0}"),
            y_label: |y| format!("y {y:.0}"),
        };
        let line = ("line".to_owned(), vec![(1.0, 14e3), (256.0, 1.2e6)]);
        draw(&file, &axes, &[line]).unwrap();
        let drawn = std::fs::read_to_string(file).unwrap();
        let ticks: Vec<&str> = drawn
            .lines()
            .filter_map(|line| line.strip_prefix("y "))
            .collect();
        assert_eq!(
            ticks,
            ["20000", "50000", "100000", "200000", "500000", "1000000"]
        );
        let ticks: Vec<&str> = drawn
            .lines()
            .filter_map(|line| line.strip_prefix("x "))
            .collect();
        assert_eq!(ticks, ["1", "4", "16", "64", "256"]);
    }
}
