//! Which column is which, whatever a version of the template calls it.

use super::TableError;

/// A column that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    Client,
    Type,
    UserName,
    Password,
    Description,
    Expires,
    Notes,
    Url,
    Folder,
    Totp,
}

/// Each column, as the template calls it, and how else it is called, without case, spaces and punctuation.
const NAMES: [(Column, &str, &[&str]); 10] = [
    (
        Column::Client,
        "Client Name",
        &[
            "clientname",
            "client",
            "company",
            "companyname",
            "organization",
            "customer",
        ],
    ),
    (
        Column::Type,
        "Credential",
        &["credential", "credentialtype", "type", "passwordtype"],
    ),
    (
        Column::UserName,
        "Username",
        &["username", "user", "login", "upn", "userprincipalname"],
    ),
    (Column::Password, "Password", &["password", "pass", "pwd"]),
    (
        Column::Description,
        "Description",
        &["description", "desc", "label"],
    ),
    (
        Column::Expires,
        "Expires (Yes/No)",
        &[
            "expires",
            "expiresyesno",
            "expiry",
            "expirydate",
            "expirationdate",
            "expireson",
        ],
    ),
    (
        Column::Notes,
        "Notes",
        &["notes", "note", "comments", "comment"],
    ),
    (Column::Url, "URL", &["url", "website", "link"]),
    (
        Column::Folder,
        "Folder(Optional)",
        &["folder", "folderoptional", "foldername"],
    ),
    (
        Column::Totp,
        "TOTP Secret",
        &["totpsecret", "totp", "otpsecret", "otp", "mfasecret"],
    ),
];

/// The vault's own ids mean nothing elsewhere.
const IGNORED: [&str; 4] = ["passportalid", "passportalidblank", "id", ""];

/// The columns of a header.
pub(super) struct Columns {
    at: Vec<Option<Column>>,
    /// Those that nothing is known of.
    pub(super) unknown: Vec<String>,
}

impl Columns {
    pub(super) fn of(header: &csv::StringRecord) -> Result<Self, TableError> {
        let mut columns = Self {
            at: Vec::new(),
            unknown: Vec::new(),
        };
        for title in header {
            let plain = plain(title);
            let known = NAMES
                .iter()
                .find(|(_, _, names)| names.contains(&plain.as_str()));
            if known.is_none() && !IGNORED.contains(&plain.as_str()) {
                columns.unknown.push(title.trim().to_owned());
            }
            let column = known.map(|(column, _, _)| *column);
            if column.is_some() && columns.at.contains(&column) {
                return Err(TableError::Twice(known.map_or("", |(_, name, _)| name)));
            }
            columns.at.push(column);
        }
        for needed in [Column::UserName, Column::Password, Column::Type] {
            if !columns.at.contains(&Some(needed)) {
                let name = NAMES.iter().find(|(column, _, _)| *column == needed);
                return Err(TableError::Missing(name.map_or("", |(_, name, _)| name)));
            }
        }
        Ok(columns)
    }

    pub(super) fn count(&self) -> usize {
        self.at.len()
    }

    /// A column's field, empty where the table has no such column.
    pub(super) fn field<'a>(&self, record: &'a csv::StringRecord, column: Column) -> &'a str {
        let place = self.at.iter().position(|at| *at == Some(column));
        place
            .and_then(|place| record.get(place))
            .unwrap_or_default()
    }
}

fn plain(title: &str) -> String {
    let letters = title.chars().filter(|letter| letter.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}
