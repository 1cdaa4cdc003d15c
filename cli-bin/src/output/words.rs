//! How values read: one line, without anything that a terminal would obey.

use jiff::Timestamp;

/// One line of printable text. Names and messages come from elsewhere, and must not move a
/// terminal's cursor.
pub(crate) fn one_line(text: &str) -> String {
    text.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .replace(char::is_control, "\u{FFFD}")
}

/// A time, to the second.
pub(crate) fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_steer_the_terminal() {
        assert_eq!(
            one_line("Contoso\u{1b}[2J\r\n\tLtd"),
            "Contoso\u{FFFD}[2J Ltd"
        );
    }
}
