//! A line of the audit trail as JSON, CSV and CEF.

use std::fmt::Write as _;
use std::str::FromStr;

use crate::csv;
use crate::wire::AuditLine;

/// How lines are written down for another program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditFormat {
    /// One object on each line.
    Json,
    /// Comma-separated, with a heading.
    Csv,
    /// `ArcSight`'s Common Event Format, version 0, one event on each line.
    Cef,
}

/// Not a format.
#[derive(Clone, Debug, thiserror::Error)]
#[error("`{0}` is not a format: json, csv or cef")]
pub struct UnknownFormat(String);

impl FromStr for AuditFormat {
    type Err = UnknownFormat;

    fn from_str(word: &str) -> Result<Self, UnknownFormat> {
        match word {
            "json" => Ok(Self::Json),
            "csv" => Ok(Self::Csv),
            "cef" => Ok(Self::Cef),
            other => Err(UnknownFormat(other.to_owned())),
        }
    }
}

impl AuditFormat {
    /// Its word, which is also the ending of a file's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Cef => "cef",
        }
    }

    /// What stands before the first line.
    pub fn heading(self) -> String {
        match self {
            Self::Csv => csv::row([
                "Line",
                "Time",
                "Who",
                "What",
                "Subject",
                "Client id",
                "Client",
                "Address",
                "Hash",
            ]),
            Self::Json | Self::Cef => String::new(),
        }
    }

    /// One line, its line feed included.
    pub fn line(self, line: &AuditLine) -> String {
        match self {
            Self::Json => json(line),
            Self::Csv => row(line),
            Self::Cef => cef(line),
        }
    }
}

fn json(line: &AuditLine) -> String {
    // These fields are text and numbers, which always serialize.
    let text = serde_json::to_string(line).unwrap_or_default();
    format!("{text}\n")
}

fn row(line: &AuditLine) -> String {
    csv::row([
        line.line.to_string().as_str(),
        &format!("{:.9}", line.at),
        &line.who,
        &line.what,
        &line.subject,
        &line.client.map(|id| id.to_string()).unwrap_or_default(),
        line.client_name.as_deref().unwrap_or_default(),
        line.address.as_deref().unwrap_or_default(),
        &line.hash,
    ])
}

/// Source: Micro Focus, "`ArcSight` Common Event Format, version 26".
fn cef(line: &AuditLine) -> String {
    let (class, severity) = class(&line.what);
    let mut event = format!(
        "CEF:0|passportal-sync|passportal-server|{}|{class}|{}|{severity}|rt={} suser={} externalId={} cs1Label=hash cs1={}",
        env!("CARGO_PKG_VERSION"),
        header(&line.what),
        line.at.as_millisecond(),
        value(&line.who),
        line.line,
        line.hash,
    );
    let client = line.client.map(|id| id.to_string());
    let optional = [
        ("src", line.address.as_deref()),
        ("fname", Some(line.subject.as_str())),
        ("cs2Label=client cs2", client.as_deref()),
    ];
    for (key, text) in optional {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            let _ = write!(event, " {key}={}", value(text));
        }
    }
    event.push('\n');
    event
}

/// The event's class, which stays the same where the words vary, and its severity (0 to 10).
fn class(what: &str) -> (&'static str, u8) {
    const CLASSES: [(&str, &str, u8); 29] = [
        ("failed to sign in", "sign-in-failed", 6),
        ("signed in", "sign-in", 3),
        ("signed out", "sign-out", 1),
        ("revealed", "reveal", 5),
        ("copied", "reveal", 5),
        ("exported", "export", 6),
        ("changed the password", "password", 4),
        ("cleared", "flag", 3),
        ("snoozed", "flag", 3),
        ("approved", "plan", 5),
        ("rejected", "plan", 4),
        ("enrolled", "agent", 5),
        ("revoked", "agent", 5),
        ("created an API key", "api-key", 6),
        ("fetched the sealed secrets", "reveal", 5),
        ("invited", "people", 6),
        ("accepted the invitation", "people", 6),
        ("withdrew an invitation", "people", 4),
        ("changed the person", "people", 6),
        ("failed to accept an invitation", "sign-in-failed", 6),
        ("changed the organization key", "organization-key", 8),
        ("changed their own password", "password", 5),
        ("reset the password", "people", 7),
        ("turned off the second factor", "people", 7),
        ("turned their second factor on", "second-factor", 4),
        ("turned their second factor off", "second-factor", 6),
        ("added the notice channel", "notices", 5),
        ("changed the notice channel", "notices", 5),
        ("removed the notice channel", "notices", 5),
    ];
    CLASSES
        .into_iter()
        .find(|(begin, ..)| what.starts_with(begin))
        .map_or(("change", 3), |(_, class, severity)| (class, severity))
}

fn header(text: &str) -> String {
    one_line(text).replace('\\', "\\\\").replace('|', "\\|")
}

fn value(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('=', "\\=")
        .replace('\n', "\\n")
        .replace('\r', "\\r")
}

fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn a_line() -> AuditLine {
        AuditLine {
            line: 7,
            at: Timestamp::UNIX_EPOCH,
            who: "=ada@msp.example".into(),
            what: "renamed a client to a|b\nc\"d".into(),
            subject: "x=y".into(),
            client: None,
            client_name: None,
            address: Some("127.0.0.1".into()),
            hash: "00".into(),
        }
    }

    #[test]
    fn cef_escapes_what_would_end_a_field() {
        let version = env!("CARGO_PKG_VERSION");
        let expected = format!(
            "CEF:0|passportal-sync|passportal-server|{version}|change|renamed a client to a\\|b c\"d|3|rt=0 \
             suser=\\=ada@msp.example externalId=7 cs1Label=hash cs1=00 src=127.0.0.1 fname=x\\=y\n"
        );
        assert_eq!(AuditFormat::Cef.line(&a_line()), expected);
    }

    #[test]
    fn csv_quotes_and_no_cell_is_a_formula() {
        let expected = "\"7\",\"1970-01-01T00:00:00.000000000Z\",\"'=ada@msp.example\",\
                        \"renamed a client to a|b\nc\"\"d\",\"x=y\",\"\",\"\",\"127.0.0.1\",\"00\"\r\n";
        assert_eq!(AuditFormat::Csv.line(&a_line()), expected);
    }

    #[test]
    fn json_is_one_object_on_one_line() {
        let text = AuditFormat::Json.line(&a_line());
        let read: AuditLine = serde_json::from_str(&text).unwrap();
        assert_eq!((read, text.trim_end().contains('\n')), (a_line(), false));
    }
}
