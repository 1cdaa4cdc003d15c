//! Reads a table: rows that can be stored, and rows that are refused, by line and reason.

use jiff::civil::Date;
use sync_engine::model::Password;

use super::columns::{Column, Columns};
use super::{ROWS_MOST, TableError, text};
use crate::one_time_code::TotpSecret;
use crate::password_rule;
use crate::wire::text_limit;

/// A row that can be stored as it is.
#[derive(Clone, Debug)]
pub struct ImportRow {
    /// The line of the file on which it begins.
    pub line: u64,
    /// The client's name, where the table tells.
    pub client_name: Option<String>,
    /// Its type.
    pub credential_type: String,
    /// The account.
    pub user_name: String,
    /// Its password, exactly as it stands there.
    pub password: Password,
    /// What it is.
    pub description: String,
    /// The day of expiry, where the table has one.
    pub expires: Option<Date>,
    /// Notes.
    pub notes: String,
    /// Where it is used.
    pub url: String,
    /// Its folder.
    pub folder: String,
    /// The secret of its one-time codes.
    pub totp: Option<Password>,
}

/// A row that cannot be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedRow {
    /// The line of the file on which it begins.
    pub line: u64,
    /// Why, without anything of its secrets.
    pub reason: String,
}

/// What a table holds.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// Rows that can be stored.
    pub rows: Vec<ImportRow>,
    /// Rows that cannot.
    pub refused: Vec<RefusedRow>,
    /// Columns that nothing is known of; they are left out.
    pub unknown_columns: Vec<String>,
    /// Rows whose password expires on a day that the table does not tell.
    pub without_day: usize,
}

/// Reads a file's bytes.
///
/// # Errors
/// When it is no table of credentials at all.
pub fn read(bytes: &[u8]) -> Result<Table, TableError> {
    let text = text::decode(bytes)?;
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(text::separator(&text))
        .flexible(true)
        .from_reader(text.as_bytes());
    let header = reader.headers().map_err(|_| TableError::Unreadable(1))?;
    if header.iter().all(|title| title.trim().is_empty()) {
        return Err(TableError::NoHeader);
    }
    let columns = Columns::of(header)?;
    let mut table = Table {
        unknown_columns: columns.unknown.clone(),
        ..Table::default()
    };
    let mut lines = Lines::of(&text);
    for record in reader.records() {
        let record = record.map_err(|_| TableError::Unreadable(lines.line))?;
        let line = record.position().map_or(0, |at| lines.at(at.byte()));
        if record.iter().all(|field| field.trim().is_empty()) {
            continue;
        }
        if table.rows.len() + table.refused.len() == ROWS_MOST {
            return Err(TableError::TooLong);
        }
        match row(&columns, &record, line) {
            Ok((row, says_yes)) => {
                table.without_day += usize::from(says_yes);
                table.rows.push(row);
            }
            Err(reason) => table.refused.push(RefusedRow { line, reason }),
        }
    }
    Ok(table)
}

/// Counts lines as an editor does: the reader's own count lags behind line breaks of two characters.
struct Lines<'a> {
    bytes: &'a [u8],
    counted: usize,
    line: u64,
}

impl<'a> Lines<'a> {
    fn of(text: &'a str) -> Self {
        Self {
            bytes: text.as_bytes(),
            counted: 0,
            line: 1,
        }
    }

    /// The line of the first letter from this byte on. Bytes only go up.
    fn at(&mut self, byte: u64) -> u64 {
        let byte = usize::try_from(byte).unwrap_or(usize::MAX);
        while let Some(letter) = self.bytes.get(self.counted) {
            let is_break = matches!(letter, b'\n' | b'\r');
            if self.counted >= byte && !is_break {
                break;
            }
            self.line += u64::from(*letter == b'\n');
            self.counted += 1;
        }
        self.line
    }
}

/// A row, and whether it expires on a day that it does not tell.
fn row(
    columns: &Columns,
    record: &csv::StringRecord,
    line: u64,
) -> Result<(ImportRow, bool), String> {
    let beyond = record.iter().skip(columns.count());
    if record.len() < columns.count() || beyond.clone().any(|field| !field.is_empty()) {
        let (is, should) = (record.len(), columns.count());
        return Err(format!("it has {is} fields, the header has {should}"));
    }
    let exact = |column| columns.field(record, column);
    let trimmed = |column| exact(column).trim().to_owned();
    let user_name = some(trimmed(Column::UserName), "it has no user name")?;
    let credential_type = some(trimmed(Column::Type), "it has no credential type")?;
    let password = exact(Column::Password);
    password_rule::check(password).map_err(|refusal| refusal.to_string())?;
    let totp = trimmed(Column::Totp);
    if !totp.is_empty() {
        TotpSecret::parse(&totp).map_err(|refusal| refusal.to_string())?;
    }
    for (what, text, most) in [
        ("user name", user_name.as_str(), text_limit::NAME),
        ("credential type", &credential_type, text_limit::NAME),
        ("folder", exact(Column::Folder), text_limit::NAME),
        ("description", exact(Column::Description), text_limit::NAME),
        ("URL", exact(Column::Url), text_limit::URL),
        ("notes", exact(Column::Notes), text_limit::NOTES),
    ] {
        if text.chars().count() > most {
            return Err(format!("the {what} has more than {most} characters"));
        }
    }
    let (expires, says_yes) = expiry(exact(Column::Expires).trim())?;
    let client_name = trimmed(Column::Client);
    let row = ImportRow {
        line,
        client_name: (!client_name.is_empty()).then_some(client_name),
        credential_type,
        user_name,
        password: Password::new(password),
        description: trimmed(Column::Description),
        expires,
        notes: exact(Column::Notes).replace("\r\n", "\n"),
        url: trimmed(Column::Url),
        folder: trimmed(Column::Folder),
        totp: (!totp.is_empty()).then(|| Password::new(totp)),
    };
    Ok((row, says_yes))
}

fn some(text: String, otherwise: &str) -> Result<String, String> {
    if text.is_empty() {
        return Err(otherwise.to_owned());
    }
    Ok(text)
}

/// The template asks yes or no; a table may have a day instead.
fn expiry(text: &str) -> Result<(Option<Date>, bool), String> {
    match text.to_lowercase().as_str() {
        "" | "no" | "n" | "false" | "0" | "never" => Ok((None, false)),
        "yes" | "y" | "true" | "1" => Ok((None, true)),
        _ => text
            .parse()
            .map(|day| (Some(day), false))
            .map_err(|_| "the expiry is neither Yes, No nor a day such as 2027-03-31".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "Passportal ID (BLANK),Client Name,Credential,Username,Password,Description,Expires (Yes/No),Notes,URL,Folder(Optional),TOTP Secret";

    #[test]
    fn the_template_is_read_with_line_breaks_quotes_and_edges() {
        let text = format!(
            "\u{feff}{HEADER}\r\n99,Contoso, VPN ,anna@contoso.com,\"=1,\"\"x\"\" \",Mail,No,\"one\r\ntwo\",https://x,Head,\r\n,,,,,,,,,,\r\n,Contoso,VPN,ben,pw,,Yes,,,,GEZD GNBV GY3T QOJQ\r\n"
        );
        let table = read(text.as_bytes()).unwrap();
        let [anna, ben] = table.rows.as_slice() else {
            panic!("{table:?}");
        };
        assert_eq!((anna.line, anna.password.expose()), (2, "=1,\"x\" "));
        assert_eq!(
            (anna.credential_type.as_str(), anna.notes.as_str()),
            ("VPN", "one\ntwo")
        );
        assert_eq!(
            (ben.line, ben.totp.is_some(), table.without_day),
            (5, true, 1)
        );
        assert!(table.refused.is_empty() && table.unknown_columns.is_empty());
    }

    #[test]
    fn headers_encodings_and_separators_vary() {
        let text =
            "user name;PASSWORD;credential-type;Expiry;Colour\nanna;a,b;VPN;2031-03-31;red\n";
        let units = text.encode_utf16();
        let little: Vec<u8> = [0xff, 0xfe]
            .into_iter()
            .chain(units.clone().flat_map(u16::to_le_bytes))
            .collect();
        let big: Vec<u8> = [0xfe, 0xff]
            .into_iter()
            .chain(units.flat_map(u16::to_be_bytes))
            .collect();
        let tabs = text.replace(';', "\t").into_bytes();
        for bytes in [text.as_bytes(), &little, &big, &tabs] {
            let table = read(bytes).unwrap();
            assert_eq!(table.rows[0].password.expose(), "a,b");
            assert_eq!(table.rows[0].expires.unwrap().to_string(), "2031-03-31");
            assert_eq!(
                (
                    table.rows[0].client_name.as_deref(),
                    table.unknown_columns.len()
                ),
                (None, 1)
            );
        }
    }

    #[test]
    fn refused_rows_are_told_by_line_and_reason_and_tell_no_secret() {
        let text = "Username,Password,Credential,Expires,TOTP Secret\n,Canary-1,VPN,,\nben, Canary-2,VPN,,\ncleo,Canary-3,,,\ndora,Canary-4,VPN,soon,\neve,Canary-5,VPN,,Canary-6\nfay,x\ngus,Canary-7,VPN,,,more\n";
        let table = read(text.as_bytes()).unwrap();
        assert!(table.rows.is_empty());
        let lines: Vec<u64> = table.refused.iter().map(|row| row.line).collect();
        assert_eq!(lines, [2, 3, 4, 5, 6, 7, 8]);
        assert!(!format!("{table:?}").contains("Canary"));
    }

    #[test]
    fn what_is_no_table_is_refused_whole() {
        let refusal = |bytes: &[u8]| read(bytes).unwrap_err();
        assert_eq!(refusal(b"\xff\xfe\x00"), TableError::NotText);
        assert_eq!(refusal(b"PK\x03\x04\x00"), TableError::NotText);
        assert_eq!(refusal(b"\xc3\x28"), TableError::NotText);
        assert_eq!(refusal(b""), TableError::NoHeader);
        assert_eq!(
            refusal(b"Username,Credential\n"),
            TableError::Missing("Password")
        );
        assert_eq!(
            refusal(b"Username,Login,Password,Type\n"),
            TableError::Twice("Username")
        );
        let many = format!(
            "Username,Password,Type\n{}",
            "a,b,c\n".repeat(ROWS_MOST + 1)
        );
        assert_eq!(refusal(many.as_bytes()), TableError::TooLong);
    }
}
