//! Tables: framed for people at a terminal, plain columns for pipes and files.

use comfy_table::{CellAlignment, Table, presets};

use super::{console, report};

/// Rows under a heading. Cells are made safe to print: what they hold came from posts, people and servers.
pub(super) struct Rows {
    table: Table,
    framed: bool,
}

impl Rows {
    /// Framed if somebody looks at standard output.
    pub(super) fn under(heading: &[&str]) -> Self {
        Self::framed(heading, console::is_watched())
    }

    pub(super) fn framed(heading: &[&str], framed: bool) -> Self {
        let mut table = Table::new();
        table.load_preset(if framed { presets::UTF8_FULL_CONDENSED } else { presets::NOTHING });
        table.set_header(heading.to_vec());
        if !framed {
            for column in table.column_iter_mut() {
                column.set_padding((0, 2));
            }
        }
        Self { table, framed }
    }

    /// Numbers are read from the right.
    pub(super) fn numbers_in(mut self, columns: &[usize]) -> Self {
        for column in columns {
            if let Some(column) = self.table.column_mut(*column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        self
    }

    /// Adds a row. A cell may have several lines when framed.
    pub(super) fn row(&mut self, cells: &[&str]) {
        let clean = cells.iter().map(|cell| {
            let lines: Vec<_> = cell.lines().map(report::clean).collect();
            lines.join(if self.framed { "\n" } else { ", " })
        });
        self.table.add_row(clean.collect::<Vec<_>>());
    }

    /// The table, a line end after each row and no blanks before it.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for line in self.table.lines() {
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(framed: bool) -> Rows {
        let mut rows = Rows::framed(&["what", "count"], framed).numbers_in(&[1]);
        rows.row(&["one\nand two", "12"]);
        rows.row(&["\u{1b}[31mred", "3"]);
        rows
    }

    #[test]
    fn a_table_in_a_pipe_is_plain_columns() {
        insta::assert_snapshot!(rows(false).text());
    }

    #[test]
    fn a_table_on_a_terminal_has_a_frame() {
        insta::assert_snapshot!(rows(true).text());
    }
}
