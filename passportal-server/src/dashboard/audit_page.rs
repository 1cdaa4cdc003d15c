//! `/audit`: who did what, when and from where; the proof of its chain; and its export.

use askama::Template;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use futures::stream;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use passportal_client::audit::{AuditFormat, AuditHead};
use passportal_client::wire::{AuditLine, AuditQuery};
use serde::Deserialize;
use uuid::Uuid;

use super::layout::{Layout, Section};
use super::problem::{Problem, page};
use super::session::Message;
use super::signed_in::SignedIn;
use crate::state::AppState;
use crate::vault::{Act, VaultError};

/// Lines of a page.
const LINES: u32 = 100;

#[derive(Template)]
#[template(path = "audit.html")]
struct AuditPage {
    layout: Layout,
    filter: Filter,
    clients: Vec<(Uuid, String)>,
    lines: Vec<LineView>,
    older: Option<String>,
    newest: Option<String>,
    verification: Option<Result<AuditHead, String>>,
    head: AuditHead,
}

struct LineView {
    line: u64,
    machine: String,
    people: String,
    who: String,
    what: String,
    client: Option<(Uuid, String)>,
    subject: String,
    address: String,
    hash: String,
}

impl LineView {
    fn new(line: AuditLine) -> Self {
        Self {
            line: line.line,
            machine: format!("{:.9}", line.at),
            people: line.at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
            client: line.client.zip(line.client_name),
            who: line.who,
            what: line.what,
            subject: line.subject,
            address: line.address.unwrap_or_default(),
            hash: line.hash,
        }
    }
}

/// What was typed into the filters. Empty fields filter nothing.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Filter {
    who: String,
    what: String,
    client: String,
    from: String,
    until: String,
    before: Option<u64>,
    verify: Option<String>,
    format: Option<String>,
}

impl Filter {
    /// Days are whole days in UTC, the last one included. What is no day or no client filters nothing.
    fn query(&self) -> AuditQuery {
        let typed = |text: &str| (!text.trim().is_empty()).then(|| text.trim().to_owned());
        let day = |text: &str| text.parse::<Date>().ok();
        let last = day(&self.until).and_then(|day| day.tomorrow().ok());
        AuditQuery {
            who: typed(&self.who),
            what: typed(&self.what),
            client: self.client.parse().ok(),
            from: day(&self.from).and_then(midnight),
            until: last.and_then(midnight),
            before: self.before,
            after: None,
            limit: Some(LINES),
        }
    }

    fn is_on(&self) -> bool {
        [&self.who, &self.what, &self.client, &self.from, &self.until]
            .iter()
            .any(|text| !text.trim().is_empty())
    }

    /// The filters as an address.
    fn address(&self, page: &str, more: &[(&str, &str)]) -> String {
        let mut pairs = url::form_urlencoded::Serializer::new(String::new());
        let filters = [
            ("who", self.who.as_str()),
            ("what", &self.what),
            ("client", &self.client),
            ("from", &self.from),
            ("until", &self.until),
        ];
        for (name, text) in filters.iter().chain(more) {
            if !text.trim().is_empty() {
                pairs.append_pair(name, text.trim());
            }
        }
        format!("{page}?{}", pairs.finish())
    }

    fn export(&self, format: &str) -> String {
        self.address("/audit/export", &[("format", format)])
    }

    fn is_client(&self, id: &Uuid) -> bool {
        self.client == id.to_string()
    }
}

fn midnight(day: Date) -> Option<Timestamp> {
    let zoned = day.to_zoned(TimeZone::UTC).ok()?;
    Some(zoned.timestamp())
}

/// An address that nobody's form makes filters nothing.
fn typed(query: Result<Query<Filter>, QueryRejection>) -> Filter {
    query.map(|Query(filter)| filter).unwrap_or_default()
}

pub(super) async fn show(
    State(state): State<AppState>,
    session: SignedIn,
    query: Result<Query<Filter>, QueryRejection>,
) -> Result<Response, Problem> {
    let filter = typed(query);
    let lines = session.vault().audit(&filter.query()).await?;
    let last = lines.last().map(|line| line.line.to_string());
    let full = lines.len() == LINES as usize;
    let older = last.filter(|last| full && last != "1");
    let clients = session.vault().clients().await?;
    page(&AuditPage {
        layout: Layout::new(&state, &session, Section::Audit, "Audit trail"),
        clients: clients.into_iter().map(|it| (it.id, it.name)).collect(),
        lines: lines.into_iter().map(LineView::new).collect(),
        older: older.map(|last| filter.address("/audit", &[("before", &last)])),
        newest: filter.before.map(|_| filter.address("/audit", &[])),
        verification: match filter.verify {
            Some(_) => Some(verification(&session).await?),
            None => None,
        },
        head: session.vault().audit_head().await?,
        filter,
    })
}

async fn verification(session: &SignedIn) -> Result<Result<AuditHead, String>, VaultError> {
    let verified = session.vault().verify_audit(None).await?;
    Ok(match verified.broken {
        None => Ok(verified.head),
        Some(broken) => Err(super::problem::sentence(&broken.to_string())),
    })
}

/// Every line that the filters let pass, the earliest first, as a file. It is sent as it is read.
pub(super) async fn export(
    session: SignedIn,
    query: Result<Query<Filter>, QueryRejection>,
) -> Result<Response, Problem> {
    let filter = typed(query);
    let format: AuditFormat = filter
        .format
        .as_deref()
        .and_then(|word| word.parse().ok())
        .unwrap_or(AuditFormat::Csv);
    let what = format!("exported the audit trail as {}", format.name());
    session.vault().note_export(Act::ReadAudit, &what).await?;
    let query = AuditQuery {
        before: None,
        after: Some(0),
        limit: Some(AuditQuery::MOST),
        ..filter.query()
    };
    let kind = match format {
        AuditFormat::Csv => "text/csv; charset=utf-8",
        AuditFormat::Json => "application/x-ndjson",
        AuditFormat::Cef => "text/plain; charset=utf-8",
    };
    let name = format!("attachment; filename=\"audit.{}\"", format.name());
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CONTENT_DISPOSITION, name),
    ];
    Ok((headers, Body::from_stream(pages(session, query, format))).into_response())
}

/// The heading, and then a page of lines at a time.
fn pages(
    session: SignedIn,
    query: AuditQuery,
    format: AuditFormat,
) -> impl futures::Stream<Item = Result<String, VaultError>> {
    let begin = (session, query, Some(format.heading()));
    stream::try_unfold(begin, move |(session, mut query, heading)| async move {
        if let Some(heading) = heading {
            return Ok(Some((heading, (session, query, None))));
        }
        let lines = session.vault().audit(&query).await?;
        let Some(last) = lines.last() else {
            return Ok(None);
        };
        query.after = Some(last.line);
        let text: String = lines.iter().map(|line| format.line(line)).collect();
        Ok(Some((text, (session, query, None))))
    })
}
