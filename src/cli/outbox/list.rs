//! A list of entries.

use std::io::{self, Write};

use jiff::Timestamp;
use serde::Serialize;

use super::entry::EntryView;
use crate::store::{Entry, Filter, Run, Store, StoreError, Unreadable};

/// The entries of a filter, the oldest of them in full.
#[derive(Debug, Default, Serialize)]
pub struct EntryList {
    /// How many there are.
    pub total: usize,
    entries: Vec<EntryView>,
}

/// Reads as many entries as the filter allows, and counts them all.
pub async fn read(store: &Store, filter: &Filter, now: Timestamp) -> Result<EntryList, StoreError> {
    let entries = store.list_all(filter).await?;
    let total = store.discard(&Filter { limit: None, ..filter.clone() }, Run::Dry).await?;
    let shown = |entry: &Result<Entry, Box<Unreadable>>| match entry {
        Ok(entry) => EntryView::of(entry, now),
        Err(unreadable) => EntryView::of_unreadable(unreadable, now),
    };
    Ok(EntryList { total, entries: entries.iter().map(shown).collect() })
}

impl EntryList {
    /// Takes another list in.
    pub fn append(&mut self, mut other: Self) {
        self.total += other.total;
        self.entries.append(&mut other.entries);
    }

    /// Prints a table.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.total == 0 {
            return writeln!(out, "no entries");
        }
        let rows: Vec<_> = self.entries.iter().map(EntryView::cells).collect();
        let mut widths = EntryView::HEAD.map(str::len);
        for row in &rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        line(out, &EntryView::HEAD.map(str::to_owned), &widths)?;
        for row in &rows {
            line(out, row, &widths)?;
        }
        if self.entries.len() < self.total {
            writeln!(out, "{} of {} entries, the oldest", self.entries.len(), self.total)?;
        }
        Ok(())
    }
}

fn line(out: &mut dyn Write, cells: &[String], widths: &[usize]) -> io::Result<()> {
    let padded = cells.iter().zip(widths).map(|(cell, &width)| format!("{cell:<width$}"));
    let line = padded.collect::<Vec<_>>().join("  ");
    writeln!(out, "{}", line.trim_end())
}
