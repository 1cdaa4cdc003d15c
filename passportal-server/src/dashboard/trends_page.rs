//! `/trends`: flags over time, and how long changes took to reach Entra ID.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use passportal_client::wire::{FlagKind, OverviewKind};
use serde::Deserialize;

use super::chart::{Chart, Series};
use super::layout::{Layout, Section};
use super::problem::{Problem, page};
use super::session::Message;
use super::signed_in::SignedIn;
use crate::state::AppState;
use crate::vault::{FlagsOfDay, Latency, VaultError};

/// The spans that are offered, in days.
const SPANS: [i32; 3] = [30, 90, 365];

#[derive(Template)]
#[template(path = "trends.html")]
struct TrendsPage {
    layout: Layout,
    days: i32,
    flags: Option<Chart>,
    latency: Option<Chart>,
    changes: usize,
}

/// How far back.
#[derive(Deserialize)]
pub(super) struct SpanQuery {
    days: Option<String>,
}

pub(super) async fn show(
    State(state): State<AppState>,
    session: SignedIn,
    Query(query): Query<SpanQuery>,
) -> Result<Response, Problem> {
    let asked = query.days.and_then(|days| days.parse().ok());
    let days = SPANS
        .into_iter()
        .find(|span| Some(*span) == asked)
        .unwrap_or(SPANS[0]);
    let span = last(days, Timestamp::now());
    let from = span.first().copied().unwrap_or_default();
    let latency = session.vault().latency_by_day(from).await?;
    page(&TrendsPage {
        layout: Layout::new(&state, &session, Section::Reports, "Trends"),
        days,
        flags: flags_chart(&span, &session.vault().flags_by_day(from).await?),
        changes: latency.values().map(|of_day| of_day.changes).sum(),
        latency: latency_chart(&span, &latency),
    })
}

/// The chart of the dashboard: nothing before there are two days to compare.
pub(super) async fn flags_of_a_month(session: &SignedIn) -> Result<Option<Chart>, VaultError> {
    let span = last(SPANS[0], Timestamp::now());
    let from = span.first().copied().unwrap_or_default();
    let days = session.vault().flags_by_day(from).await?;
    Ok(flags_chart(&span, &days).filter(|_| days.len() > 1))
}

/// That many days, today the last.
fn last(days: i32, now: Timestamp) -> Vec<Date> {
    let today = TimeZone::UTC.to_datetime(now).date();
    let first = today.saturating_sub(Span::new().days(days - 1));
    first
        .series(Span::new().days(1))
        .take_while(|day| *day <= today)
        .collect()
}

/// A chart of the kinds that stood on any day; nothing before the first day that was looked at.
fn flags_chart(span: &[Date], days: &BTreeMap<Date, FlagsOfDay>) -> Option<Chart> {
    if days.is_empty() {
        return None;
    }
    let stood = |kind: &FlagKind| {
        FlagKind::BY_AGENTS.contains(kind) || days.values().any(|day| day.contains_key(kind))
    };
    let series = FlagKind::ALL.into_iter().filter(stood).map(|kind| {
        let of_day = |day: &Date| days.get(day).map(|day| count(day.get(&kind)));
        Series {
            label: kind.label(),
            class: kind.name(),
            values: span.iter().map(of_day).collect(),
        }
    });
    Some(Chart::new(span, series.collect()))
}

#[expect(clippy::cast_precision_loss, reason = "no vault has so many flags")]
fn count(of: Option<&u64>) -> f64 {
    of.copied().unwrap_or_default() as f64
}

fn latency_chart(span: &[Date], days: &BTreeMap<Date, Latency>) -> Option<Chart> {
    if days.is_empty() {
        return None;
    }
    let line = |label, class, of: fn(&Latency) -> f64| Series {
        label,
        class,
        values: span.iter().map(|day| days.get(day).map(of)).collect(),
    };
    let series = vec![
        line("Median", "median", |day| day.median_seconds),
        line("95 of 100 within", "p95", |day| day.p95_seconds),
    ];
    Some(Chart::new(span, series))
}
