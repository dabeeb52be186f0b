//! What was measured, as tables in Markdown: on the screen and in a file of `docs/`. Judges each bar;
//! hides none.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

use crate::numbers::short;

/// A number with what it may be at most.
#[derive(Serialize, Deserialize)]
pub(crate) struct Bar {
    pub(crate) what: String,
    pub(crate) measured: f64,
    pub(crate) limit: f64,
    pub(crate) unit: String,
}

/// Missed by more than this factor, a bar fails the bench: noise alone does not do that.
const FAR: f64 = 2.0;

impl Bar {
    pub(crate) fn new(
        what: impl Into<String>,
        measured: f64,
        limit: f64,
        unit: &'static str,
    ) -> Self {
        Self { what: what.into(), measured, limit, unit: unit.to_owned() }
    }

    pub(crate) fn is_met(&self) -> bool {
        self.measured <= self.limit
    }

    pub(crate) fn is_missed_by_far(&self) -> bool {
        self.measured > self.limit * FAR
    }

    fn cells(&self) -> Vec<String> {
        let verdict = match (self.is_met(), self.is_missed_by_far()) {
            (true, _) => "met".to_owned(),
            (false, far) => {
                let far = if far { ", by far" } else { "" };
                let times = self.measured / self.limit;
                let times = if times.is_finite() {
                    format!(" ({} x)", short(times))
                } else {
                    String::new()
                };
                format!("**missed{far}**{times}")
            }
        };
        let with_unit =
            |value: f64| format!("{} {}", short(value), self.unit).trim_end().to_owned();
        vec![self.what.clone(), with_unit(self.measured), with_unit(self.limit), verdict]
    }
}

/// One thing that was measured of all contenders.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Section {
    pub(crate) title: String,
    /// What was done and how it was measured, in sentences.
    pub(crate) how: String,
    pub(crate) table: Table,
    pub(crate) notes: Vec<String>,
    pub(crate) bars: Vec<Bar>,
}

#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Table {
    pub(crate) head: Vec<String>,
    pub(crate) lines: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(head: &[&str]) -> Self {
        Self { head: head.iter().map(|&cell| cell.to_owned()).collect(), lines: Vec::new() }
    }

    pub(crate) fn line(&mut self, cells: impl IntoIterator<Item = String>) {
        self.lines.push(cells.into_iter().collect());
    }

    /// Columns are as wide as their widest cell.
    pub(crate) fn text(&self) -> String {
        let all = || std::iter::once(&self.head).chain(&self.lines);
        let width = |at: usize| {
            all().filter_map(|line| line.get(at)).map(|cell| cell.chars().count()).max()
        };
        let widths: Vec<usize> = (0..self.head.len()).map(|at| width(at).unwrap_or(0)).collect();
        let row = |cells: &[String]| {
            let mut row = String::from("|");
            for (cell, &width) in cells.iter().zip(&widths) {
                let _ = write!(row, " {cell:width$} |");
            }
            row + "\n"
        };
        let rule: Vec<String> = widths.iter().map(|&width| "-".repeat(width)).collect();
        let lines: Vec<String> = self.lines.iter().map(|line| row(line)).collect();
        row(&self.head) + &row(&rule) + &lines.concat()
    }
}

impl Section {
    pub(crate) fn text(&self) -> String {
        let mut text = format!("## {}\n\n{}\n\n{}", self.title, self.how, self.table.text());
        for note in &self.notes {
            let _ = write!(text, "\n- {note}");
        }
        if !self.notes.is_empty() {
            text.push('\n');
        }
        text
    }
}

/// Every bar of all sections in one table.
pub(crate) fn bars(sections: &[Section]) -> String {
    let mut table = Table::new(&["what", "measured", "at most", ""]);
    for bar in sections.iter().flat_map(|section| &section.bars) {
        table.line(bar.cells());
    }
    table.text()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_met_missed_or_missed_by_far() {
        let verdict =
            |measured| Bar::new("start", measured, 10.0, "ms").cells().pop().unwrap_or_default();
        assert_eq!(verdict(10.0), "met");
        assert_eq!(verdict(15.0), "**missed** (1.50 x)");
        assert_eq!(verdict(25.0), "**missed, by far** (2.50 x)");
    }

    #[test]
    fn a_table_lines_up() {
        let mut table = Table::new(&["who", "ms"]);
        table.line(["Runner Tray".to_owned(), "9".to_owned()]);
        assert_eq!(
            table.text(),
            "| who         | ms |\n| ----------- | -- |\n| Runner Tray | 9  |\n"
        );
    }
}
