//! Importing people from a CSV file. A no in the file is kept as a no; nobody who left here is brought back.

use std::io::{BufRead, BufReader, Read};

use jiff::Timestamp;

use super::columns::{Columns, Defaults, Dialect, Row, Standing, dialect};
use super::{Audience, AudienceError, ImportError, NotOffered};
use crate::domain::{Cadence, Choice, EmailAddressError, SubscriptionState};
use crate::store::{AddSubscriber, Added, StoreError, Tx};

/// Rows in one transaction: the writer is free for others in between.
const CHUNK: usize = 1_000;
/// Bytes of the file to look for the delimiter in.
const BUFFER: usize = 64 * 1024;

/// What to import, beside the file.
#[derive(Clone, Copy, Debug)]
pub struct Import<'a> {
    /// For rows that don't name one.
    pub newsletter: Option<&'a str>,
    /// For rows that don't say; else the newsletter's default.
    pub cadence: Option<Cadence>,
    /// The operator's word that everybody agreed to get mail.
    pub confirmed: bool,
    /// The file's name: kept with each subscription as `import:NAME`.
    pub file: &'a str,
}

/// How far an import has come.
#[derive(Clone, Copy, Debug)]
pub enum ImportStep<'a> {
    Skipped {
        /// Counts from 1.
        line: u64,
        reason: &'a SkipReason,
    },
    /// So many rows are dealt with and in the database; so many bytes of the file are read.
    Committed { rows: u64, bytes: u64 },
}

/// What an import did, in rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImportReport {
    pub rows: u64,
    pub added: u64,
    pub already_active: u64,
    /// People who left or must not be mailed, now known here too.
    pub kept_out: u64,
    pub skipped: u64,
}

/// Why a row was skipped.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SkipReason {
    #[error("the row has no address")]
    NoAddress,
    #[error("the row is not UTF-8; save the file as UTF-8")]
    NotUtf8,
    #[error(transparent)]
    Address(#[from] EmailAddressError),
    #[error("the row names no newsletter; say `--newsletter`")]
    NoNewsletter,
    #[error("there is no newsletter `{0}`")]
    NoSuchNewsletter(String),
    #[error(transparent)]
    Cadence(#[from] NotOffered),
    #[error("`{0}` is no status that is known here, such as active or unsubscribed")]
    UnknownStatus(String),
    #[error("never confirmed: only they themselves can subscribe")]
    NeverConfirmed,
    #[error("left this newsletter before: only they themselves may come back")]
    HasLeft,
    #[error("left elsewhere, but is an active subscriber here")]
    ActiveHere,
    #[error("must not be mailed: bounced, complained or was suppressed")]
    Suppressed,
}

/// What one row did.
enum Done {
    Added,
    AlreadyActive,
    KeptOut,
}

/// The rows read since the last commit.
type Chunk<'a> = Vec<(u64, Row<'a>)>;

impl Audience<'_> {
    /// Reads `file` row by row and makes its people active subscribers, a thousand in a transaction. `step` hears of every
    /// row that is skipped and of every commit. Importing a file twice changes nothing the second time.
    pub async fn import<R: Read + Send>(
        &self,
        file: R,
        import: Import<'_>,
        mut step: impl FnMut(ImportStep<'_>) + Send,
    ) -> Result<ImportReport, ImportError> {
        if !import.confirmed {
            return Err(ImportError::NotConfirmed);
        }
        let newsletter = match self.newsletter(import.newsletter) {
            Ok(newsletter) => Some(newsletter),
            // The rows may say.
            Err(AudienceError::WhichNewsletter { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        let defaults = Defaults { config: self.config, newsletter, cadence: import.cadence };
        let mut input = BufReader::with_capacity(BUFFER, file);
        let dialect = dialect(&mut input).map_err(csv::Error::from)?;
        let mut reader = reader(&mut input, dialect);
        let mut record = csv::ByteRecord::new();
        if !reader.read_byte_record(&mut record)? {
            return Err(ImportError::Empty);
        }
        let (columns, is_header) = Columns::find(&record)?;
        let mut report = ImportReport::default();
        let source = format!("import:{}", import.file);
        let mut chunk = Chunk::with_capacity(CHUNK);
        let mut more = if is_header { reader.read_byte_record(&mut record)? } else { true };
        while more {
            report.rows += 1;
            let line = line_of(&record, dialect);
            match columns.read(&record, defaults) {
                Ok(row) => chunk.push((line, row)),
                Err(reason) => report.skip(line, &reason, &mut step),
            }
            more = reader.read_byte_record(&mut record)?;
            if chunk.len() == CHUNK || !more {
                self.carry_out(&mut chunk, &source, &mut report, &mut step).await?;
                let bytes = reader.position().byte();
                step(ImportStep::Committed { rows: report.rows, bytes });
            }
        }
        Ok(report)
    }

    async fn carry_out(
        &self,
        chunk: &mut Chunk<'_>,
        source: &str,
        report: &mut ImportReport,
        step: &mut (impl FnMut(ImportStep<'_>) + Send),
    ) -> Result<(), StoreError> {
        let now = self.now();
        let mut results = Vec::with_capacity(chunk.len());
        let mut tx = self.store.write().await?;
        for (line, row) in chunk.drain(..) {
            results.push((line, self.carry_out_row(&mut tx, &row, source, now).await?));
        }
        tx.commit().await?;
        for (line, result) in results {
            match result {
                Ok(Done::Added) => report.added += 1,
                Ok(Done::AlreadyActive) => report.already_active += 1,
                Ok(Done::KeptOut) => report.kept_out += 1,
                Err(reason) => report.skip(line, &reason, step),
            }
        }
        Ok(())
    }

    async fn carry_out_row(
        &self,
        tx: &mut Tx,
        row: &Row<'_>,
        source: &str,
        now: Timestamp,
    ) -> Result<Result<Done, SkipReason>, StoreError> {
        let keyring = self.store.keyring();
        let state = match row.standing {
            Standing::Unwanted(reason) => {
                tx.suppress(&row.address, keyring, reason, now).await?;
                return Ok(Ok(Done::KeptOut));
            }
            Standing::Left => SubscriptionState::Unsubscribed,
            Standing::Subscribed => SubscriptionState::Active,
        };
        let wish = AddSubscriber {
            address: &row.address,
            newsletter: &row.newsletter.name,
            choice: &Choice::of(row.cadence),
            state,
            source,
        };
        let added = tx.add_subscriber(&wish, keyring, now).await?;
        Ok(match (row.standing, added) {
            (Standing::Subscribed, Added::Subscribed(_)) => Ok(Done::Added),
            (Standing::Subscribed, Added::AlreadyActive(_)) => Ok(Done::AlreadyActive),
            (Standing::Subscribed, Added::HasLeft(_)) => Err(SkipReason::HasLeft),
            (Standing::Subscribed, Added::Suppressed) => Err(SkipReason::Suppressed),
            (Standing::Subscribed, Added::StillPending(_)) => Err(SkipReason::NeverConfirmed),
            (_, Added::AlreadyActive(_)) => Err(SkipReason::ActiveHere),
            (
                _,
                Added::Subscribed(_)
                | Added::StillPending(_)
                | Added::HasLeft(_)
                | Added::Suppressed,
            ) => Ok(Done::KeptOut),
        })
    }
}

impl ImportReport {
    fn skip(&mut self, line: u64, reason: &SkipReason, step: &mut impl FnMut(ImportStep<'_>)) {
        self.skipped += 1;
        step(ImportStep::Skipped { line, reason });
    }
}

fn reader<R: BufRead>(input: &mut R, dialect: Dialect) -> csv::Reader<&mut R> {
    // Rows of odd lengths are read as far as they go: what they lack is reported by line.
    csv::ReaderBuilder::new()
        .delimiter(dialect.delimiter)
        .has_headers(false)
        .flexible(true)
        .from_reader(input)
}

/// The line that `record` begins in. The reader ends a row at its CR and counts the LF to the next one, which it then
/// places a line too early.
fn line_of(record: &csv::ByteRecord, dialect: Dialect) -> u64 {
    let position = record.position();
    let late = position.is_some_and(|position| dialect.crlf && position.record() > 0);
    position.map_or(0, csv::Position::line) + u64::from(late)
}
