//! `/downloads`: the agent, the import templates, and the command that enrols.

use askama::Template;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use passportal_client::credential_table;
use tokio_util::io::ReaderStream;

use super::layout::{Layout, Section};
use super::problem::{Problem, page};
use super::session::Message;
use super::signed_in::SignedIn;
use crate::downloads::{Checksum, Download};
use crate::state::AppState;
use crate::vault::VaultError;

#[derive(Template)]
#[template(path = "downloads.html")]
struct DownloadsPage {
    layout: Layout,
    files: Vec<FileLine>,
    folder: String,
    dashboard: String,
}

struct FileLine {
    name: String,
    system: &'static str,
    megabytes: String,
    sha256: String,
    standing: Checksum,
}

impl FileLine {
    #[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
    fn new(file: Download) -> Self {
        Self {
            system: system(&file.name),
            megabytes: format!("{:.1}", file.bytes as f64 / 1e6),
            name: file.name,
            sha256: file.sha256,
            standing: file.standing,
        }
    }
}

/// For which system a file is, by its name.
fn system(name: &str) -> &'static str {
    let is_of = |word: &str| name.to_lowercase().contains(word);
    if is_of(".deb") {
        "Debian and Ubuntu"
    } else if is_of("linux") {
        "Linux"
    } else if is_of("windows") || is_of(".msi") || is_of(".exe") {
        "Windows"
    } else {
        ""
    }
}

pub(super) async fn show(
    State(state): State<AppState>,
    session: SignedIn,
) -> Result<Response, Problem> {
    let downloads = state.downloads.clone();
    let files = on_a_thread(move || downloads.list()).await?;
    page(&DownloadsPage {
        layout: Layout::new(&state, &session, Section::Downloads, "Downloads"),
        files: files.into_iter().map(FileLine::new).collect(),
        folder: state.downloads.folder().display().to_string(),
        dashboard: state.dashboard.as_str().trim_end_matches('/').to_owned(),
    })
}

pub(super) async fn file(
    State(state): State<AppState>,
    _session: SignedIn,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let downloads = state.downloads.clone();
    let found = on_a_thread(move || downloads.open(&name)).await?;
    let (file, open) = found.ok_or(VaultError::NotFound { what: "download" })?;
    let stream = ReaderStream::new(tokio::fs::File::from_std(open));
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_LENGTH, file.bytes.to_string()),
        (header::CONTENT_DISPOSITION, attachment(&file.name)),
    ];
    Ok((headers, Body::from_stream(stream)).into_response())
}

pub(super) async fn template(
    _session: SignedIn,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let template = match name.as_str() {
        "passwords.csv" => credential_table::Template::Passwords,
        "vault.csv" => credential_table::Template::CompanyVault,
        _ => return Err(VaultError::NotFound { what: "template" }.into()),
    };
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, attachment(&name)),
    ];
    Ok((headers, credential_table::template(template)).into_response())
}

/// Names come from the folder: what a header cannot hold becomes an underscore.
fn attachment(name: &str) -> String {
    let safe = |letter: char| match letter {
        letter if letter.is_ascii_alphanumeric() || "._-+~".contains(letter) => letter,
        _ => '_',
    };
    let name: String = name.chars().map(safe).collect();
    format!("attachment; filename=\"{name}\"")
}

/// Reading a whole release takes a while.
async fn on_a_thread<T: Send + 'static>(
    read: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T, Problem> {
    let read = tokio::task::spawn_blocking(read).await;
    let read = read.map_err(|error| Problem::internal(&error))?;
    read.map_err(|error| Problem::internal(&error))
}
