//! Exporting people: everything that `import` reads back, and when they did what.

use std::io::Write;

use serde::Serialize;

use super::{Audience, ExportError};
use crate::store::SubscriberRow;

/// Rows read at once: an export of millions holds no more than these.
const PAGE: i64 = 1_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportFormat {
    /// For spreadsheets, which run cells that begin like a formula: those get an apostrophe in front.
    Csv,
    /// One array of objects.
    Json,
}

/// One line of an export.
#[derive(Serialize)]
struct Line<'a> {
    email: &'a str,
    newsletter: &'a str,
    cadence: &'a str,
    /// The subscription's state, or `suppressed`.
    status: &'a str,
    source: &'a str,
    created_at: String,
    confirmed_at: Option<String>,
    ended_at: Option<String>,
    suppressed_at: Option<String>,
    suppression_reason: Option<&'a str>,
}

impl Audience<'_> {
    /// Writes every subscription, or those to one newsletter, in order of address. Says how many there were.
    pub async fn export(
        &self,
        newsletter: Option<&str>,
        format: ExportFormat,
        out: &mut (dyn Write + Send),
    ) -> Result<u64, ExportError> {
        if newsletter.is_some() {
            self.newsletter(newsletter)?;
        }
        let mut lines = Lines::begin(format, out)?;
        let mut after = (String::new(), String::new());
        let mut count = 0;
        loop {
            // A transaction a page: an export to a slow disk must not hold back the database.
            let mut tx = self.store.read().await?;
            let page = tx.subscribers_page(newsletter, (&after.0, &after.1), PAGE).await?;
            drop(tx);
            let Some(last) = page.last() else { break };
            after = (last.address.to_lowercase(), last.newsletter.clone());
            for row in &page {
                lines.write(row)?;
                count += 1;
            }
        }
        lines.end()?;
        Ok(count)
    }
}

enum Lines<'a> {
    Csv(Box<csv::Writer<&'a mut (dyn Write + Send)>>),
    Json { out: &'a mut (dyn Write + Send), is_first: bool },
}

impl<'a> Lines<'a> {
    fn begin(format: ExportFormat, out: &'a mut (dyn Write + Send)) -> Result<Self, ExportError> {
        Ok(match format {
            ExportFormat::Csv => {
                // Written by hand, so that an export of nobody has its header too.
                let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(out);
                writer.write_record(COLUMNS)?;
                Self::Csv(Box::new(writer))
            }
            ExportFormat::Json => {
                out.write_all(b"[")?;
                Self::Json { out, is_first: true }
            }
        })
    }

    fn write(&mut self, row: &SubscriberRow) -> Result<(), ExportError> {
        let line = Line::of(row);
        match self {
            Self::Csv(writer) => {
                let (email, source) = (defused(line.email), defused(line.source));
                let reason = line.suppression_reason.map(defused);
                writer.serialize(Line {
                    email: &email,
                    source: &source,
                    suppression_reason: reason.as_deref(),
                    ..line
                })?;
            }
            Self::Json { out, is_first } => {
                out.write_all(if *is_first { b"\n" } else { b",\n" })?;
                *is_first = false;
                serde_json::to_writer(&mut **out, &line)?;
            }
        }
        Ok(())
    }

    fn end(self) -> Result<(), ExportError> {
        match self {
            Self::Csv(mut writer) => writer.flush()?,
            Self::Json { out, is_first } => {
                out.write_all(if is_first { b"]\n" } else { b"\n]\n" })?;
                out.flush()?;
            }
        }
        Ok(())
    }
}

const COLUMNS: [&str; 10] = [
    "email",
    "newsletter",
    "cadence",
    "status",
    "source",
    "created_at",
    "confirmed_at",
    "ended_at",
    "suppressed_at",
    "suppression_reason",
];

impl<'a> Line<'a> {
    fn of(row: &'a SubscriberRow) -> Self {
        let suppressed = row.suppressed_at.is_some();
        Self {
            email: &row.address,
            newsletter: &row.newsletter,
            cadence: row.cadence.as_str(),
            status: if suppressed { "suppressed" } else { row.state.as_str() },
            source: &row.source,
            created_at: row.created_at.to_string(),
            confirmed_at: row.confirmed_at.map(|at| at.to_string()),
            ended_at: row.ended_at.map(|at| at.to_string()),
            suppressed_at: row.suppressed_at.map(|at| at.to_string()),
            suppression_reason: row.suppression_reason.as_deref(),
        }
    }
}

/// With an apostrophe in front of what a spreadsheet would run (OWASP, "CSV injection").
fn defused(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}
