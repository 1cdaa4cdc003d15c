//! Rows of comma-separated values, safe to open in a spreadsheet.

/// One row with its line ending (RFC 4180). Every cell is quoted; a text that a spreadsheet would take for a
/// formula gets an apostrophe before it.
pub fn row<'a>(cells: impl IntoIterator<Item = &'a str>) -> String {
    let cells: Vec<String> = cells.into_iter().map(cell).collect();
    format!("{}\r\n", cells.join(","))
}

fn cell(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        "'"
    } else {
        ""
    };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}
