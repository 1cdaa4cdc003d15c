//! Tables of credentials as CSV: Passportal's password and vault templates, and what it exports.

mod columns;
mod decide;
mod open;
mod read;
mod seal;
mod template;
mod text;
mod write;

pub use decide::{Decision, clients_of, decide};
pub use open::Clear;
pub use read::{ImportRow, RefusedRow, Table, read};
pub use seal::{new_credential, update};
pub use template::{Template, template};
pub use write::{ExportRow, Formulas, write};

/// Rows that one table may have.
pub const ROWS_MOST: usize = 10_000;

/// Why a whole table is not taken. No text tells anything of a row.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// Neither UTF-8 nor UTF-16 with a byte-order mark.
    #[error("the file is not text in UTF-8 or UTF-16; save it as “CSV UTF-8”")]
    NotText,
    /// There is nothing in it.
    #[error("the file has no header line")]
    NoHeader,
    /// A column that every table has is not there.
    #[error("the header has no column `{0}`; take the import template as it is")]
    Missing(&'static str),
    /// Two columns are the same one.
    #[error("the header has the column `{0}` twice")]
    Twice(&'static str),
    /// Quotes or line breaks are not as in any table.
    #[error("the table cannot be read after line {0}")]
    Unreadable(u64),
    /// Too many at once.
    #[error("the table has more than {ROWS_MOST} rows; split it")]
    TooLong,
}
