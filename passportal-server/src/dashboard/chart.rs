//! Line charts over days, as inline SVG: where a person would rather look than read. The numbers stand below as a table.

use jiff::civil::Date;

/// Labels of days at the most.
const DAY_LABELS_MOST: usize = 6;

/// A line to be drawn: a value for each day, or none.
pub(super) struct Series {
    pub(super) label: &'static str,
    /// For its colour.
    pub(super) class: &'static str,
    pub(super) values: Vec<Option<f64>>,
}

/// A chart, ready for a page.
pub(super) struct Chart {
    pub(super) lines: Vec<Line>,
    pub(super) levels: Vec<Level>,
    pub(super) days: Vec<DayLabel>,
    pub(super) rows: Vec<Row>,
}

pub(super) struct Line {
    pub(super) label: &'static str,
    pub(super) class: &'static str,
    /// The `d` of a path.
    pub(super) path: String,
    /// A day alone between days without a value would be no line.
    pub(super) dots: Vec<(String, String)>,
}

/// A line across, with its value.
pub(super) struct Level {
    pub(super) y: String,
    pub(super) label: String,
}

pub(super) struct DayLabel {
    pub(super) x: String,
    pub(super) label: String,
}

/// A day of the table.
pub(super) struct Row {
    pub(super) day: Date,
    pub(super) values: Vec<String>,
}

impl Chart {
    // Where the drawing is, in the SVG's own units.
    pub(super) const WIDTH: f64 = 720.0;
    pub(super) const HEIGHT: f64 = 200.0;
    const TOP: f64 = 12.0;
    const BOTTOM: f64 = Self::HEIGHT - 26.0;
    pub(super) const LEFT: f64 = 44.0;
    pub(super) const RIGHT: f64 = Self::WIDTH - 12.0;
    /// Where the levels' labels end.
    pub(super) const LABELS: f64 = Self::LEFT - 8.0;
    /// The base line of the days.
    pub(super) const BELOW: f64 = Self::HEIGHT - 8.0;

    /// Draws values of the same unit over consecutive days.
    pub(super) fn new(days: &[Date], series: Vec<Series>) -> Self {
        let all = series.iter().flat_map(|line| line.values.iter().flatten());
        let top = ceiling(all.copied().fold(0.0, f64::max));
        let x = |n: usize| at(n, days.len());
        let y = |value: f64| Self::BOTTOM - value / top * (Self::BOTTOM - Self::TOP);
        Self {
            rows: rows(days, &series),
            lines: series.into_iter().map(|line| draw(&line, x, y)).collect(),
            levels: [0.0, 0.5, 1.0]
                .map(|part| Level {
                    y: units(y(part * top)),
                    label: number(part * top),
                })
                .into(),
            days: labels(days, x),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a year has few days")]
fn at(n: usize, of: usize) -> f64 {
    let steps = of.saturating_sub(1).max(1);
    Chart::LEFT + (Chart::RIGHT - Chart::LEFT) * n as f64 / steps as f64
}

fn draw(line: &Series, x: impl Fn(usize) -> f64, y: impl Fn(f64) -> f64) -> Line {
    let (mut path, mut dots) = (String::new(), Vec::new());
    let value = |n: usize| line.values.get(n).copied().flatten();
    for (n, found) in line.values.iter().enumerate() {
        let Some(found) = found else { continue };
        let (x, y) = (units(x(n)), units(y(*found)));
        let before = n.checked_sub(1).and_then(value);
        let step = if before.is_some() { "L" } else { "M" };
        path.extend([step, &x, " ", &y]);
        if before.is_none() && value(n + 1).is_none() {
            dots.push((x, y));
        }
    }
    Line {
        label: line.label,
        class: line.class,
        path,
        dots,
    }
}

fn rows(days: &[Date], series: &[Series]) -> Vec<Row> {
    let row = |(n, day): (usize, &Date)| {
        let values = series.iter().map(|line| {
            let value = line.values.get(n).copied().flatten();
            value.map_or_else(|| "–".to_owned(), number)
        });
        Row {
            day: *day,
            values: values.collect(),
        }
    };
    days.iter().enumerate().rev().map(row).collect()
}

fn labels(days: &[Date], x: impl Fn(usize) -> f64) -> Vec<DayLabel> {
    let step = days.len().div_ceil(DAY_LABELS_MOST).max(1);
    let label = |(n, day): (usize, &Date)| DayLabel {
        x: units(x(n)),
        label: day.strftime("%b %-d").to_string(),
    };
    days.iter().enumerate().step_by(step).map(label).collect()
}

/// The next 1, 2 or 5 of a power of ten, so that half of it is a round number, too.
fn ceiling(most: f64) -> f64 {
    let most = most.max(1.0);
    let power = 10f64.powf(most.log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|step| step * power)
        .find(|top| *top >= most)
        .unwrap_or(most)
}

fn units(value: f64) -> String {
    format!("{value:.1}")
}

/// Up to one decimal.
fn number(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(values: &[Option<f64>]) -> Chart {
        let first: Date = "2025-01-01".parse().unwrap();
        let days: Vec<Date> = first
            .series(jiff::Span::new().days(1))
            .take(values.len())
            .collect();
        let values = values.to_vec();
        let line = Series {
            label: "L",
            class: "l",
            values,
        };
        Chart::new(&days, vec![line])
    }

    #[test]
    fn the_scale_ends_at_the_next_1_2_or_5_of_a_power_of_ten() {
        for (most, top) in [
            (0.0, 1.0),
            (1.0, 1.0),
            (1.1, 2.0),
            (3.0, 5.0),
            (7.0, 10.0),
            (51.0, 100.0),
            (200.0, 200.0),
        ] {
            assert!((ceiling(most) - top).abs() < f64::EPSILON, "{most}");
        }
    }

    #[test]
    fn days_without_a_value_break_the_line_and_a_day_alone_is_a_dot() {
        let chart = chart(&[Some(0.0), Some(2.0), None, Some(1.0), None]);
        let line = &chart.lines[0];
        assert_eq!(line.path, "M44.0 174.0L210.0 12.0M542.0 93.0");
        assert_eq!(line.dots, [("542.0".to_owned(), "93.0".to_owned())]);
        let table: Vec<_> = chart
            .rows
            .iter()
            .map(|row| row.values[0].as_str())
            .collect();
        assert_eq!(table, ["–", "1", "–", "2", "0"], "the latest day first");
    }

    #[test]
    fn a_year_has_few_labels_and_one_day_is_no_division_by_zero() {
        assert!(chart(&[Some(1.0); 365]).days.len() <= DAY_LABELS_MOST);
        assert_eq!(chart(&[Some(1.0)]).lines[0].dots.len(), 1);
        assert!(chart(&[]).days.is_empty());
    }
}
