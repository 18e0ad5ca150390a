//! Importing people from a file that any of the known systems exported, or from somebody's own table.
//!
//! A no in the file is kept as a no; nobody who left here is brought back. Rows are read one by one, and carried out so many at a
//! time, each lot in one transaction of a few statements: a million needs no more memory than a thousand.

mod carry;
mod row;
mod systems;
#[cfg(test)]
mod tests;
mod words;

use std::io::{self, BufRead, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Audience, AudienceError, ImportError, NotOffered};
use crate::domain::{Cadence, EmailAddressError};
use carry::Carrier;
use row::Setting;
use systems::Layout;

pub use systems::{MailchimpList, System};

/// Rows in one transaction: the writer is free for others in between.
const CHUNK: usize = 2_000;
/// Bytes of the file to look for the delimiter in.
const BUFFER: usize = 64 * 1024;
/// Bytes of one row at most. A quotation mark that is never closed makes a row of all that is left of a file.
const MOST_OF_A_ROW: u64 = 4 * 1024 * 1024;

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
    /// Whose file it is, and the attributes that its columns become.
    Recognised { system: System, attributes: &'a [String] },
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
    #[error("asked to be deleted there: the address is a stand-in")]
    AskedToBeDeleted,
    #[error("its attributes are longer than 16000 bytes")]
    TooMuch,
}

impl Audience<'_> {
    /// Reads `file` row by row and makes its people active subscribers, so many in a transaction. `step` hears whose file it
    /// is, of every row that is skipped and of every commit. Importing a file twice changes nothing the second time.
    pub async fn import<R: Read + Send>(
        &self,
        file: R,
        import: Import<'_>,
        mut step: impl FnMut(ImportStep<'_>) + Send,
    ) -> Result<ImportReport, ImportError> {
        let setting = self.setting(import)?;
        let allowance = Arc::new(AtomicU64::new(MOST_OF_A_ROW));
        let file = Rationed { file, allowance: Arc::clone(&allowance) };
        let mut input = BufReader::with_capacity(BUFFER, file);
        let dialect = dialect(&mut input).map_err(csv::Error::from)?;
        let mut reader = reader(&mut input, dialect);
        let mut record = csv::ByteRecord::new();
        if !reader.read_byte_record(&mut record)? {
            return Err(ImportError::Empty);
        }
        let header = texts(&record);
        let mut more = reader.read_byte_record(&mut record).map_err(|error| too_long(error, 1))?;
        let named = Layout::of_header(&header, &texts(&record), import.file);
        let (layout, is_header) = match (named, Layout::of_first_row(&header)) {
            (Some(layout), _) => (layout, true),
            (None, Some(layout)) => (layout, false),
            (None, None) => {
                let found = header.iter().map(|cell| cell.trim().to_lowercase()).collect();
                return Err(ImportError::NoAddressColumn { found });
            }
        };
        let attributes: Vec<_> = layout.attributes.iter().map(|(_, name)| name.clone()).collect();
        step(ImportStep::Recognised { system: layout.system, attributes: &attributes });
        let mut carrier = Carrier::new(self.store, import.file, setting.now);
        let mut report = ImportReport::default();
        let mut first = (!is_header).then(|| csv::ByteRecord::from(header));
        while first.is_some() || more {
            report.rows += 1;
            let (row, line) = if let Some(first) = first.take() {
                (row::read((&layout, &first), 1, setting), 1)
            } else {
                let line = line_of(&record, dialect);
                let row = row::read((&layout, &record), line, setting);
                allowance.store(MOST_OF_A_ROW, Ordering::Relaxed);
                more =
                    reader.read_byte_record(&mut record).map_err(|error| too_long(error, line))?;
                (row, line)
            };
            match row {
                Ok(row) => carrier.rows.push(row),
                Err(reason) => report.skip(line, &reason, &mut step),
            }
            if carrier.rows.len() == CHUNK || !more {
                carrier.carry_out(&mut report, &mut step).await?;
                let bytes = reader.position().byte();
                step(ImportStep::Committed { rows: report.rows, bytes });
            }
        }
        Ok(report)
    }

    fn setting<'a>(&'a self, import: Import<'a>) -> Result<Setting<'a>, ImportError> {
        if !import.confirmed {
            return Err(ImportError::NotConfirmed);
        }
        let newsletter = match self.newsletter(import.newsletter) {
            Ok(newsletter) => Some(newsletter),
            // The rows may say.
            Err(AudienceError::WhichNewsletter { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        let Import { cadence, file, .. } = import;
        Ok(Setting { config: self.config, newsletter, cadence, file, now: self.now() })
    }
}

impl ImportReport {
    fn skip(&mut self, line: u64, reason: &SkipReason, step: &mut impl FnMut(ImportStep<'_>)) {
        self.skipped += 1;
        step(ImportStep::Skipped { line, reason });
    }
}

fn texts(record: &csv::ByteRecord) -> Vec<String> {
    record.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect()
}

/// A file of which no more is read than the allowance.
struct Rationed<R> {
    file: R,
    allowance: Arc<AtomicU64>,
}

impl<R: Read> Read for Rationed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.allowance.load(Ordering::Relaxed);
        if left == 0 {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let count = self.file.read(buffer)?;
        let read = u64::try_from(count).unwrap_or(u64::MAX);
        self.allowance.store(left.saturating_sub(read), Ordering::Relaxed);
        Ok(count)
    }
}

fn too_long(error: csv::Error, after: u64) -> ImportError {
    match error.kind() {
        csv::ErrorKind::Io(source) if source.kind() == io::ErrorKind::FileTooLarge => {
            ImportError::RowTooLong { after }
        }
        _ => error.into(),
    }
}

/// How a file is written, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Dialect {
    /// The one that the first line has most of. Spreadsheets of half the world write `;`.
    delimiter: u8,
    /// Lines end with CR and LF.
    crlf: bool,
}

/// Looks at the beginning of `input` and consumes nothing.
fn dialect(input: &mut impl BufRead) -> io::Result<Dialect> {
    let start = input.fill_buf()?;
    let line = start.split(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default();
    let count = |delimiter: u8| line.split(|byte| *byte == delimiter).count();
    let best = [b'\t', b';', b','].into_iter().max_by_key(|delimiter| count(*delimiter));
    let crlf = start[line.len()..].starts_with(b"\r\n");
    Ok(Dialect { delimiter: best.unwrap_or(b','), crlf })
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
