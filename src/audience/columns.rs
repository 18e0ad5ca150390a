//! How an import reads a file: its delimiter, which column means what, and what one row asks for.

use std::io::{self, BufRead};

use super::import::SkipReason;
use super::{ImportError, offered};
use crate::config::{Config, Newsletter};
use crate::domain::{Cadence, EmailAddress};

/// Where the cells that we use are. Everything else in a row, names among it, is ignored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Columns {
    address: usize,
    newsletter: Option<usize>,
    cadence: Option<usize>,
    status: Option<usize>,
}

/// What a row says about the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Subscribed,
    /// Left: kept as a no, so that no later import brings them back.
    Left,
    /// Bounced or complained: never mailed again.
    Unwanted(&'static str),
}

/// A row that can be carried out.
#[derive(Debug)]
pub(super) struct Row<'a> {
    pub(super) address: EmailAddress,
    pub(super) newsletter: &'a Newsletter,
    pub(super) cadence: Cadence,
    pub(super) standing: Standing,
}

/// What stands in for cells that a row does not have.
#[derive(Clone, Copy)]
pub(super) struct Defaults<'a> {
    pub(super) config: &'a Config,
    pub(super) newsletter: Option<&'a Newsletter>,
    pub(super) cadence: Option<Cadence>,
}

/// How a file is written, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dialect {
    /// The one that the first line has most of. Spreadsheets of half the world write `;`.
    pub(super) delimiter: u8,
    /// Lines end with CR and LF.
    pub(super) crlf: bool,
}

/// Looks at the beginning of `input` and consumes nothing.
pub(super) fn dialect(input: &mut impl BufRead) -> io::Result<Dialect> {
    let start = input.fill_buf()?;
    let line = start.split(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default();
    let count = |delimiter: u8| line.split(|byte| *byte == delimiter).count();
    let best = [b'\t', b';', b','].into_iter().max_by_key(|delimiter| count(*delimiter));
    let crlf = start[line.len()..].starts_with(b"\r\n");
    Ok(Dialect { delimiter: best.unwrap_or(b','), crlf })
}

impl Columns {
    /// Finds the columns by the first row, and says whether it is a header. When it is a person already, the column of
    /// addresses is the one that has an address.
    pub(super) fn find(first: &csv::ByteRecord) -> Result<(Self, bool), ImportError> {
        let cells: Vec<String> = first
            .iter()
            .map(|cell| String::from_utf8_lossy(cell).trim().to_ascii_lowercase())
            .collect();
        let named = |names: &[&str]| cells.iter().position(|cell| names.contains(&cell.as_str()));
        if let Some(address) =
            named(&["email", "address", "email address", "e-mail", "email_address"])
        {
            let columns = Self {
                address,
                newsletter: named(&["newsletter"]),
                cadence: named(&["cadence"]),
                status: named(&["status", "state"]),
            };
            return Ok((columns, true));
        }
        match cells.iter().position(|cell| cell.parse::<EmailAddress>().is_ok()) {
            Some(address) => Ok((Self { address, ..Self::default() }, false)),
            None => Err(ImportError::NoAddressColumn { found: cells }),
        }
    }

    /// Reads one row, or says why it is skipped.
    pub(super) fn read<'a>(
        &self,
        record: &csv::ByteRecord,
        defaults: Defaults<'a>,
    ) -> Result<Row<'a>, SkipReason> {
        let cell = |at: usize| -> Result<&str, SkipReason> {
            let bytes = record.get(at).unwrap_or_default();
            std::str::from_utf8(bytes).map(str::trim).map_err(|_| SkipReason::NotUtf8)
        };
        let optional = |at: Option<usize>| -> Result<Option<&str>, SkipReason> {
            Ok(at.map(cell).transpose()?.filter(|cell| !cell.is_empty()))
        };
        let address = plain(cell(self.address)?);
        if address.is_empty() {
            return Err(SkipReason::NoAddress);
        }
        let newsletter = match optional(self.newsletter)? {
            Some(name) => defaults
                .config
                .newsletters
                .get(name)
                .ok_or_else(|| SkipReason::NoSuchNewsletter(name.to_owned()))?,
            None => defaults.newsletter.ok_or(SkipReason::NoNewsletter)?,
        };
        let wish = optional(self.cadence)?.or(defaults.cadence.map(Cadence::as_str));
        Ok(Row {
            address: address.parse()?,
            newsletter,
            cadence: offered(newsletter, wish)?,
            standing: standing(optional(self.status)?)?,
        })
    }
}

/// The words that Postrider and its rivals export.
fn standing(status: Option<&str>) -> Result<Standing, SkipReason> {
    let Some(status) = status else { return Ok(Standing::Subscribed) };
    match status.to_ascii_lowercase().as_str() {
        "active" | "subscribed" | "confirmed" | "enabled" | "regular" => Ok(Standing::Subscribed),
        "unsubscribed" | "removed" => Ok(Standing::Left),
        "suppressed" | "blocklisted" | "blocked" => Ok(Standing::Unwanted("import: suppressed")),
        "bounced" | "cleaned" | "undeliverable" | "unreachable" => {
            Ok(Standing::Unwanted("import: bounced"))
        }
        "complained" => Ok(Standing::Unwanted("import: complained")),
        "pending" | "unconfirmed" | "unactivated" => Err(SkipReason::NeverConfirmed),
        _ => Err(SkipReason::UnknownStatus(status.to_owned())),
    }
}

/// Takes off the apostrophe with which exports, ours among them, keep spreadsheets from seeing a formula.
fn plain(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if rest.starts_with(['=', '+', '-', '@']) => rest,
        Some(_) | None => cell,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delimiter_is_the_one_that_the_header_uses() {
        let sniff = |text: &str| dialect(&mut text.as_bytes()).unwrap().delimiter;
        assert_eq!(sniff("email;name;cadence\na,b;c"), b';');
        assert_eq!(sniff("email\tname"), b'\t');
        assert_eq!(sniff("email,name"), b',');
        assert_eq!(sniff("email"), b',');
        assert_eq!(sniff(""), b',');
    }

    #[test]
    fn columns_are_found_in_any_case_and_order() {
        let header = csv::ByteRecord::from(vec!["Name", " E-Mail", "STATUS", "Cadence"]);
        let (columns, is_header) = Columns::find(&header).unwrap();
        assert!(is_header);
        assert_eq!(
            columns,
            Columns { address: 1, newsletter: None, cadence: Some(3), status: Some(2) }
        );
        let bare = csv::ByteRecord::from(vec!["Ann", "ann@example.org"]);
        assert_eq!(
            Columns::find(&bare).unwrap(),
            (Columns { address: 1, ..Columns::default() }, false)
        );
        let error = Columns::find(&csv::ByteRecord::from(vec!["name", "mail"])).unwrap_err();
        assert!(error.to_string().ends_with("its first line has `name`, `mail`"), "{error}");
    }
}
