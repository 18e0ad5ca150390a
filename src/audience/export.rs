//! Exporting people: everything that `import` reads back, and when they did what.

use std::io::Write;

use serde::Serialize;
use serde_json::{Map, Value};

use super::formula::defused;
use super::{Audience, ExportError};
use crate::domain::Segment;
use crate::store::{Evidence, SubscriberRow, Whom};

/// Rows read at once: an export of millions holds no more than these.
const PAGE: i64 = 1_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportFormat {
    /// For spreadsheets, which run cells that begin like a formula: those get an apostrophe in front.
    Csv,
    /// One array of objects.
    Json,
}

/// One line of a JSON export.
#[derive(Debug, Serialize)]
pub struct ExportLine<'a> {
    email: &'a str,
    name: &'a str,
    newsletter: &'a str,
    cadence: &'a str,
    /// None: all of them.
    topics: Option<Vec<&'a str>>,
    language: Option<&'a str>,
    timezone: Option<&'a str>,
    send_time: Option<String>,
    /// The subscription's state, or `suppressed`.
    status: &'a str,
    tags: &'a [String],
    attributes: &'a Map<String, Value>,
    source: &'a str,
    created_at: String,
    confirmed_at: Option<String>,
    paused_until: Option<String>,
    ended_at: Option<String>,
    end_reason: &'a str,
    suppressed_at: Option<String>,
    suppression_reason: Option<&'a str>,
    consents: &'a [Evidence],
}

impl Audience<'_> {
    /// Writes every subscription, or those to one newsletter or of a segment, in order of address. Says how many there were.
    pub async fn export(
        &self,
        (newsletter, segment): (Option<&str>, Option<&Segment>),
        format: ExportFormat,
        out: &mut (dyn Write + Send),
    ) -> Result<u64, ExportError> {
        if newsletter.is_some() {
            self.newsletter(newsletter)?;
        }
        let (houses, now) = (self.config.houses(), self.now());
        let segments: Vec<_> = segment.into_iter().collect();
        let whom = Whom { newsletter, segments: &segments, houses: &houses, now };
        let mut lines = Lines::begin(format, out)?;
        let mut after = (String::new(), String::new());
        let mut count = 0;
        loop {
            // A transaction a page: an export to a slow disk must not hold back the database.
            let mut tx = self.store.read().await?;
            let page = tx.subscribers_page(whom, (&after.0, &after.1), PAGE).await?;
            drop(tx);
            let Some(last) = page.last() else { break };
            after = (last.key.clone(), last.newsletter.clone());
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
        let line = ExportLine::of(row);
        match self {
            Self::Csv(writer) => {
                let cells = line.cells()?;
                writer.write_record(cells.iter().map(|cell| defused(cell).into_owned()))?;
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

const COLUMNS: [&str; 20] = [
    "email",
    "name",
    "newsletter",
    "cadence",
    "topics",
    "language",
    "timezone",
    "send_time",
    "status",
    "tags",
    "attributes",
    "source",
    "created_at",
    "confirmed_at",
    "paused_until",
    "ended_at",
    "end_reason",
    "suppressed_at",
    "suppression_reason",
    "consents",
];

impl<'a> ExportLine<'a> {
    pub fn of(row: &'a SubscriberRow) -> Self {
        let (suppressed, choice) = (row.suppressed_at.is_some(), &row.choice);
        Self {
            email: &row.address,
            name: &row.name,
            newsletter: &row.newsletter,
            cadence: choice.cadence.as_str(),
            topics: (!choice.topics.is_everything()).then(|| choice.topics.iter().collect()),
            language: choice.language.as_deref(),
            timezone: choice.timezone.as_deref(),
            send_time: choice.send_time.map(|time| time.to_string()),
            status: if suppressed { "suppressed" } else { row.state.as_str() },
            tags: &row.tags,
            attributes: &row.attributes,
            source: &row.source,
            created_at: row.created_at.to_string(),
            confirmed_at: row.confirmed_at.map(|at| at.to_string()),
            paused_until: row.paused_until.map(|at| at.to_string()),
            ended_at: row.ended_at.map(|at| at.to_string()),
            end_reason: &row.end_reason,
            suppressed_at: row.suppressed_at.map(|at| at.to_string()),
            suppression_reason: row.suppression_reason.as_deref(),
            consents: &row.consents,
        }
    }

    /// In the order of `COLUMNS`. Lists and objects are JSON, and empty where there is nothing in them.
    fn cells(self) -> Result<[String; 20], serde_json::Error> {
        let optional = Option::unwrap_or_default;
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let list = |is_empty: bool, json: serde_json::Result<String>| {
            if is_empty { Ok(String::new()) } else { json }
        };
        Ok([
            self.email.to_owned(),
            self.name.to_owned(),
            self.newsletter.to_owned(),
            self.cadence.to_owned(),
            list(self.topics.is_none(), serde_json::to_string(&self.topics))?,
            text(self.language),
            text(self.timezone),
            optional(self.send_time),
            self.status.to_owned(),
            list(self.tags.is_empty(), serde_json::to_string(self.tags))?,
            list(self.attributes.is_empty(), serde_json::to_string(self.attributes))?,
            self.source.to_owned(),
            self.created_at,
            optional(self.confirmed_at),
            optional(self.paused_until),
            optional(self.ended_at),
            self.end_reason.to_owned(),
            optional(self.suppressed_at),
            text(self.suppression_reason),
            list(self.consents.is_empty(), serde_json::to_string(self.consents))?,
        ])
    }
}
