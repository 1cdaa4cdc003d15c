//! The empty tables that people fill in.

use super::write::HEADER;

/// Which one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Template {
    /// Credentials of clients.
    Passwords,
    /// Credentials of the company vault: without the column for the client.
    CompanyVault,
}

/// The table's header line as UTF-8 with a byte-order mark, which spreadsheets need.
pub fn template(of: Template) -> String {
    let columns = HEADER
        .into_iter()
        .filter(|column| of == Template::Passwords || *column != "Client Name");
    let columns: Vec<&str> = columns.collect();
    format!("\u{feff}{}\r\n", columns.join(","))
}

#[cfg(test)]
mod tests {
    use super::super::read;
    use super::*;

    #[test]
    fn a_template_is_read_as_a_table_without_rows() {
        for of in [Template::Passwords, Template::CompanyVault] {
            let table = read(template(of).as_bytes()).unwrap();
            assert!(table.unknown_columns.is_empty() && table.rows.is_empty());
        }
        assert!(!template(Template::CompanyVault).contains("Client"));
    }
}
