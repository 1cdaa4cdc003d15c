//! A table of credentials is read, or refused; what was read is written and read again the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use passportal_client::credential_table::{ExportRow, Formulas, ImportRow, read, write};
use sync_engine::model::Password;

fuzz_target!(|bytes: &[u8]| {
    let Ok(table) = read(bytes) else { return };
    let exported = write(table.rows.iter().map(export), Formulas::Exact).unwrap();
    let again = read(&exported).unwrap();
    assert!(again.refused.is_empty(), "{:?}", again.refused);
    let told = |rows: &[ImportRow]| rows.iter().map(fields).collect::<Vec<_>>();
    assert_eq!(told(&table.rows), told(&again.rows));
});

fn export(row: &ImportRow) -> ExportRow<'_> {
    ExportRow {
        client_name: row.client_name.as_deref().unwrap_or_default(),
        credential_type: &row.credential_type,
        user_name: &row.user_name,
        password: row.password.clone(),
        description: &row.description,
        expires: row.expires,
        notes: &row.notes,
        url: &row.url,
        folder: &row.folder,
        totp: row.totp.clone(),
    }
}

/// All but the line, which is another one in the new table.
fn fields(row: &ImportRow) -> [String; 10] {
    let clear = |password: &Password| password.expose().to_owned();
    [
        row.client_name.clone().unwrap_or_default(),
        row.credential_type.clone(),
        row.user_name.clone(),
        clear(&row.password),
        row.description.clone(),
        row.expires.map(|day| day.to_string()).unwrap_or_default(),
        row.notes.clone(),
        row.url.clone(),
        row.folder.clone(),
        row.totp.as_ref().map(clear).unwrap_or_default(),
    ]
}
