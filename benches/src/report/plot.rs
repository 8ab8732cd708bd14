//! Throughput against connections, as SVG: both axes logarithmic, since peers differ by a factor of a hundred.

use std::collections::BTreeSet;
use std::error::Error;
use std::path::Path;

use anyhow::{Result, anyhow};
use plotters::prelude::{
    ChartBuilder, Circle, Color as _, IntoDrawingArea as _, IntoFont as _, IntoLogRange as _, LineSeries,
    PathElement, RGBColor, SVGBackend, SeriesLabelPosition, WHITE,
};
use plotters::style::BLACK;

use super::markdown::{grouped, title};
use super::{Record, Report};
use crate::peers::Kind;
use crate::workload::Shape;

const SIZE: (u32, u32) = (900, 520);

/// What a workload's plot is called.
pub fn file_name(shape: Shape) -> &'static str {
    match shape {
        Shape::Hot => "hot.svg",
        Shape::Spread => "spread.svg",
        Shape::Zipf => "zipf.svg",
        Shape::Baskets => "baskets.svg",
    }
}

/// Draws every workload that was tried at several numbers of connections.
pub fn write_all(report: &Report, folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    let shapes: BTreeSet<Shape> = report.levels.iter().map(|try_| try_.place.workload).collect();
    for shape in shapes {
        let svg = svg(report, shape)?;
        std::fs::write(folder.join(file_name(shape)), svg)?;
    }
    Ok(())
}

/// One workload's plot.
pub fn svg(report: &Report, shape: Shape) -> Result<String> {
    let tries: Vec<&Record> = report.levels.iter().filter(|try_| try_.place.workload == shape).collect();
    let mut svg = String::new();
    // The library's errors borrow what is drawn on.
    draw(&mut svg, &tries, shape).map_err(|error| anyhow!("drawing the plot of {shape:?}: {error}"))?;
    Ok(svg)
}

fn draw(svg: &mut String, tries: &[&Record], shape: Shape) -> Result<(), Box<dyn Error>> {
    let most = tries.iter().map(|try_| try_.place.connections).max().unwrap_or(2).max(2) as f64;
    let fewest = tries
        .iter()
        .filter(|try_| try_.place.peer != Kind::Floor)
        .map(|try_| try_.place.connections)
        .min()
        .unwrap_or(1) as f64;
    let rates = || tries.iter().map(|try_| try_.figures.per_second);
    let (low, high) = (rates().fold(f64::MAX, f64::min), rates().fold(1.0, f64::max));
    let area = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let caption = format!("{}: reservations/s against connections", title(shape));
    let mut chart = ChartBuilder::on(&area)
        .caption(caption, ("sans-serif", 20).into_font())
        .margin(14)
        .x_label_area_size(42)
        .y_label_area_size(82)
        .build_cartesian_2d(
            (fewest.min(most / 2.0)..most * 1.1).log_scale().base(2.0),
            (low.min(high) / 1.5..high * 1.5).log_scale(),
        )?;
    chart
        .configure_mesh()
        .x_desc("connections, or callers in process")
        .y_desc("reservations/s")
        .x_label_formatter(&|connections| grouped(*connections))
        .y_label_formatter(&|rate| grouped(*rate))
        .light_line_style(WHITE)
        .draw()?;
    for peer in Kind::ALL {
        let mut points: Vec<(f64, f64)> = tries
            .iter()
            .filter(|try_| try_.place.peer == peer)
            .map(|try_| (try_.place.connections as f64, try_.figures.per_second))
            .collect();
        points.sort_by(|one, other| one.0.total_cmp(&other.0));
        let color = color(peer);
        // One loop has no connections to vary.
        if let (Kind::Floor, [(_, rate)]) = (peer, points.as_slice()) {
            points = vec![(fewest, *rate), (most, *rate)];
        } else {
            chart.draw_series(points.iter().map(|point| Circle::new(*point, 3, color.filled())))?;
        }
        if !points.is_empty() {
            chart
                .draw_series(LineSeries::new(points, color.stroke_width(2)))?
                .label(peer.title())
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], color.stroke_width(2)));
        }
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerRight)
        .background_style(WHITE.mix(0.85))
        .border_style(BLACK.mix(0.3))
        .draw()?;
    area.present()?;
    Ok(())
}

/// Apart from each other for most eyes (after Okabe and Ito).
fn color(peer: Kind) -> RGBColor {
    match peer {
        Kind::Transaction => RGBColor(213, 94, 0),
        Kind::ConditionalUpdate => RGBColor(230, 159, 0),
        Kind::RowPerUnit => RGBColor(204, 121, 167),
        Kind::RedisLua => RGBColor(170, 60, 60),
        Kind::InProcess => RGBColor(0, 114, 178),
        Kind::OverHttp => RGBColor(86, 180, 233),
        Kind::Bare => RGBColor(120, 120, 120),
        Kind::Floor => RGBColor(0, 0, 0),
        Kind::Insert | Kind::SoldOut | Kind::ReserveBatch | Kind::Commit | Kind::Release => {
            RGBColor(0, 158, 115)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{record, report};
    use super::*;

    #[test]
    fn a_plot_names_its_workload_and_whoever_was_tried() {
        let report = report(vec![
            record(Kind::Transaction, 8, 1, 900.0),
            record(Kind::Transaction, 64, 1, 1_200.0),
            record(Kind::Floor, 1, 1, 200_000.0),
        ]);
        let svg = svg(&report, Shape::Hot).unwrap();
        assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
        assert!(svg.contains("One hot product"));
        assert!(svg.contains(Kind::Transaction.title()) && svg.contains(Kind::Floor.title()));
        assert!(!svg.contains(Kind::RedisLua.title()));
    }

    #[test]
    fn a_single_try_can_be_drawn() {
        let report = report(vec![record(Kind::Bare, 8, 1, 900.0)]);
        assert!(svg(&report, Shape::Hot).is_ok());
    }
}
