//! A plain table: a heading, a line, rows. And the few colours there are.

use comfy_table::{
    Attribute, Cell, Color, ColumnConstraint, ContentArrangement, LineStyle, Table, TableStyle,
};

use super::one_line;

const STYLE: TableStyle =
    TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// How text may look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Paint {
    /// For a file or a pipe: no colours, and no line is broken.
    Plain,
    /// For a terminal without colours.
    Uncoloured,
    /// For a terminal.
    Coloured,
}

/// What a word means, and so its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Normal,
    Strong,
    Good,
    Attention,
    Bad,
    Faint,
}

impl Paint {
    /// The text in its tone.
    pub(crate) fn tone(self, tone: Tone, text: &str) -> String {
        let code = match tone {
            Tone::Strong => "1",
            Tone::Good => "32",
            Tone::Attention => "33",
            Tone::Bad => "31",
            Tone::Faint => "2",
            Tone::Normal => return text.to_owned(),
        };
        match self {
            Self::Plain | Self::Uncoloured => text.to_owned(),
            Self::Coloured => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
        }
    }
}

/// A table under construction.
pub(crate) struct Sheet {
    table: Table,
    paint: Paint,
}

impl Sheet {
    pub(crate) fn new(paint: Paint, headings: &[&str]) -> Self {
        let mut table = Table::new();
        table
            .load_style(STYLE)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_header(headings.iter().map(|text| cell(text, Tone::Strong, paint)));
        match paint {
            Paint::Plain => {
                table.force_no_tty();
            }
            Paint::Uncoloured => {}
            Paint::Coloured => {
                table.enforce_styling();
            }
        }
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        Self { table, paint }
    }

    /// Never breaks the lines of these columns, however narrow the terminal is.
    pub(crate) fn unbroken(mut self, columns: &[usize]) -> Self {
        for column in columns {
            if let Some(column) = self.table.column_mut(*column) {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
        }
        self
    }

    /// Adds a row of cells in their tones.
    pub(crate) fn row<T: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = (T, Tone)>) {
        let paint = self.paint;
        let cells = cells.into_iter();
        self.table
            .add_row(cells.map(|(text, tone)| cell(text.as_ref(), tone, paint)));
    }

    /// The table, or these words where it has no row.
    pub(crate) fn text_or(&self, nothing: &str) -> String {
        if self.table.is_empty() {
            return nothing.to_owned();
        }
        self.table.trim_fmt()
    }
}

fn cell(text: &str, tone: Tone, paint: Paint) -> Cell {
    let cell = Cell::new(one_line(text));
    if paint != Paint::Coloured {
        return cell;
    }
    match tone {
        Tone::Normal => cell,
        Tone::Strong => cell.add_attribute(Attribute::Bold),
        Tone::Good => cell.fg(Color::DarkGreen),
        Tone::Attention => cell.fg(Color::DarkYellow),
        Tone::Bad => cell.fg(Color::DarkRed),
        Tone::Faint => cell.add_attribute(Attribute::Dim),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet(paint: Paint) -> String {
        let mut sheet = Sheet::new(paint, &["account", "why"]);
        sheet.row([("anna@contoso.com", Tone::Normal), ("match", Tone::Good)]);
        sheet.text_or("nothing")
    }

    #[test]
    fn a_plain_table_holds_no_escape_and_a_coloured_one_does() {
        assert!(!sheet(Paint::Plain).contains('\u{1b}'));
        assert!(!sheet(Paint::Uncoloured).contains('\u{1b}'));
        assert!(sheet(Paint::Coloured).contains('\u{1b}'));
    }

    #[test]
    fn a_table_without_rows_says_so() {
        assert_eq!(Sheet::new(Paint::Plain, &["name"]).text_or("none"), "none");
    }
}
