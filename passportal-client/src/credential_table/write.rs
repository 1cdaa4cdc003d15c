//! Writes a table that the import reads again.

use jiff::civil::Date;
use sync_engine::model::Password;
use zeroize::Zeroizing;

/// A credential in clear.
#[derive(Debug)]
pub struct ExportRow<'a> {
    /// Its client's name.
    pub client_name: &'a str,
    /// Its type.
    pub credential_type: &'a str,
    /// The account.
    pub user_name: &'a str,
    /// Its password.
    pub password: Password,
    /// What it is.
    pub description: &'a str,
    /// The day of expiry.
    pub expires: Option<Date>,
    /// Notes.
    pub notes: &'a str,
    /// Where it is used.
    pub url: &'a str,
    /// Its folder.
    pub folder: &'a str,
    /// The secret of its one-time codes.
    pub totp: Option<Password>,
}

/// What becomes of fields that a spreadsheet would take for a formula.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Formulas {
    /// They stay exact: the table can be imported again.
    Exact,
    /// An apostrophe comes before them: safe to open, wrong to import.
    Neutralised,
}

pub(super) const HEADER: [&str; 11] = [
    "Passportal ID (BLANK)",
    "Client Name",
    "Credential",
    "Username",
    "Password",
    "Description",
    "Expires (Yes/No)",
    "Notes",
    "URL",
    "Folder(Optional)",
    "TOTP Secret",
];

/// The table as UTF-8 with a byte-order mark, which spreadsheets need.
///
/// # Errors
/// When a row cannot be written, which memory alone could cause.
pub fn write<'a>(
    rows: impl Iterator<Item = ExportRow<'a>>,
    formulas: Formulas,
) -> Result<Zeroizing<Vec<u8>>, csv::Error> {
    let mut table = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer("\u{feff}".as_bytes().to_vec());
    table.write_record(HEADER)?;
    for row in rows {
        let expires = row.expires.map_or("No".to_owned(), |day| day.to_string());
        let fields = [
            "",
            row.client_name,
            row.credential_type,
            row.user_name,
            row.password.expose(),
            row.description,
            &expires,
            row.notes,
            row.url,
            row.folder,
            row.totp.as_ref().map_or("", Password::expose),
        ];
        table.write_record(
            fields
                .map(|field| said(field, formulas))
                .iter()
                .map(|it| it.as_str()),
        )?;
    }
    let bytes = table
        .into_inner()
        .map_err(|error| csv::Error::from(error.into_error()))?;
    Ok(Zeroizing::new(bytes))
}

/// Source: OWASP, CSV injection: what begins with one of these may be run as a formula.
fn said(field: &str, formulas: Formulas) -> Zeroizing<String> {
    let is_formula = field.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let mark = if is_formula && formulas == Formulas::Neutralised {
        "'"
    } else {
        ""
    };
    Zeroizing::new(format!("{mark}{field}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential_table::read;

    fn row() -> ExportRow<'static> {
        ExportRow {
            client_name: "Contoso",
            credential_type: "VPN",
            user_name: "anna",
            password: Password::new("=1+\"2\", 3 "),
            description: "",
            expires: Some("2031-03-31".parse().unwrap()),
            notes: "one\ntwo",
            url: "https://x.example",
            folder: "@home",
            totp: Some(Password::new("GEZDGNBVGY3TQOJQ")),
        }
    }

    #[test]
    fn what_is_exported_can_be_imported_exactly() {
        let bytes = write([row()].into_iter(), Formulas::Exact).unwrap();
        let table = read(&bytes).unwrap();
        let [again] = table.rows.as_slice() else {
            panic!("{table:?}");
        };
        assert_eq!(again.password.expose(), row().password.expose());
        assert_eq!(
            (again.notes.as_str(), again.folder.as_str()),
            ("one\ntwo", "@home")
        );
        assert_eq!(
            (again.expires, again.client_name.as_deref()),
            (row().expires, Some("Contoso"))
        );
        assert!(again.totp.is_some());
    }

    #[test]
    fn formulas_are_neutralised_where_somebody_asks_for_it() {
        let bytes = write([row()].into_iter(), Formulas::Neutralised).unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        assert!(text.contains("\"'=1+\"\"2\"\", 3 \"") && text.contains(",'@home,"));
    }
}
