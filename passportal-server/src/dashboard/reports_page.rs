//! `/reports`: each report on screen, for print, and as CSV or JSON.

use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Redirect, Response};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use passportal_client::wire::{Overview, OverviewKind, OverviewQuery};
use serde::Deserialize;
use uuid::Uuid;

use super::layout::{Layout, Section};
use super::problem::{Problem, page, sentence};
use super::session::Message;
use super::signed_in::SignedIn;
use super::wording::TimeView;
use crate::state::AppState;
use crate::vault::{Act, VaultError};

#[derive(Template)]
#[template(path = "report.html")]
struct ReportPage {
    layout: Layout,
    kind: OverviewKind,
    filter: Filter,
    clients: Vec<(Uuid, String)>,
    made: TimeView,
    report: Option<Overview>,
    refusal: Option<String>,
}

impl ReportPage {
    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "templates pass references"
    )]
    fn current(&self, kind: &OverviewKind) -> &'static str {
        if self.kind == *kind { "page" } else { "false" }
    }

    fn has_days(&self) -> bool {
        self.kind == OverviewKind::UnchangedPasswords
    }

    fn has_span(&self) -> bool {
        !matches!(
            self.kind,
            OverviewKind::Mismatches | OverviewKind::UnchangedPasswords
        )
    }

    fn has_clients(&self) -> bool {
        self.kind != OverviewKind::SignIns
    }
}

/// What was typed. Empty fields filter nothing.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Filter {
    client: String,
    days: String,
    from: String,
    until: String,
    format: String,
}

impl Filter {
    /// Days are whole days in UTC, the last one included.
    fn query(&self) -> OverviewQuery {
        let day = |text: &str| text.trim().parse::<Date>().ok();
        let last = day(&self.until).and_then(|day| day.tomorrow().ok());
        OverviewQuery {
            client: self.client.parse().ok(),
            days: self.days.trim().parse().ok(),
            from: day(&self.from).and_then(midnight),
            until: last.and_then(midnight),
        }
    }

    fn is_client(&self, id: &Uuid) -> bool {
        self.client == id.to_string()
    }

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "templates pass references"
    )]
    fn download(&self, kind: &OverviewKind, format: &str) -> String {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("client", &self.client)
            .append_pair("days", &self.days)
            .append_pair("from", &self.from)
            .append_pair("until", &self.until)
            .append_pair("format", format)
            .finish();
        format!("/reports/{kind}?{query}")
    }
}

fn midnight(day: Date) -> Option<Timestamp> {
    Some(day.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

pub(super) async fn first(_: SignedIn) -> Redirect {
    Redirect::to("/reports/mismatches")
}

pub(super) async fn show(
    State(state): State<AppState>,
    session: SignedIn,
    Path(kind): Path<String>,
    query: Result<Query<Filter>, QueryRejection>,
) -> Result<Response, Problem> {
    let kind: OverviewKind = kind
        .parse()
        .map_err(|_| VaultError::NotFound { what: "report" })?;
    let filter = query.map(|Query(filter)| filter).unwrap_or_default();
    let made = session.vault().overview(kind, &filter.query()).await;
    if let (Ok(report), "csv" | "json") = (&made, filter.format.as_str()) {
        let what = format!("exported the report {kind} as {}", filter.format);
        session.vault().note_export(Act::MakeReports, &what).await?;
        return download(report, &filter.format);
    }
    let (report, refusal) = match made {
        Ok(report) => (Some(report), None),
        Err(error @ VaultError::Refused(_)) => (None, Some(sentence(&error.to_string()))),
        Err(error) => return Err(error.into()),
    };
    let clients = session.vault().clients().await?;
    page(&ReportPage {
        layout: Layout::new(&state, &session, Section::Reports, kind.title()),
        kind,
        filter,
        clients: clients.into_iter().map(|it| (it.id, it.name)).collect(),
        made: TimeView::new(Timestamp::now()),
        report,
        refusal,
    })
}

fn download(report: &Overview, format: &str) -> Result<Response, Problem> {
    let (kind, text) = if format == "csv" {
        ("text/csv; charset=utf-8", report.csv())
    } else {
        let unreadable = |_| VaultError::Unreadable { what: "JSON" };
        let text = serde_json::to_string_pretty(report).map_err(unreadable)?;
        ("application/json", text)
    };
    let name = format!("attachment; filename=\"{}.{format}\"", report.report);
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CONTENT_DISPOSITION, name),
    ];
    Ok((headers, text).into_response())
}
