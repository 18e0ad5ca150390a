//! What one row asks for.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::SkipReason;
use super::systems::{Field, Layout, System};
use super::words::{self, Standing};
use crate::audience::{formula, offered};
use crate::config::{Config, Newsletter};
use crate::domain::{Cadence, Choice, EmailAddress, Topics};
use crate::store::{Evidence, PersonProfile};

/// Bytes of attributes that one person may have.
const MOST_ATTRIBUTES: usize = 16_000;

/// A row that can be carried out.
#[derive(Debug)]
pub(super) struct Row<'a> {
    pub(super) line: u64,
    pub(super) address: EmailAddress,
    pub(super) key: String,
    pub(super) newsletter: &'a Newsletter,
    pub(super) choice: Choice,
    pub(super) standing: Standing,
    pub(super) profile: PersonProfile,
    pub(super) created_at: Option<Timestamp>,
    /// When they said yes.
    pub(super) confirmed_at: Option<Timestamp>,
    pub(super) ended_at: Option<Timestamp>,
    pub(super) end_reason: String,
    pub(super) paused_until: Option<Timestamp>,
    /// Of our own exports, which say where it came from at first.
    pub(super) source: Option<String>,
    pub(super) evidence: Vec<Evidence>,
}

/// What stands in for cells that a row does not have, and what all rows share.
#[derive(Clone, Copy)]
pub(super) struct Setting<'a> {
    pub(super) config: &'a Config,
    pub(super) newsletter: Option<&'a Newsletter>,
    pub(super) cadence: Option<Cadence>,
    pub(super) file: &'a str,
    pub(super) now: Timestamp,
}

/// A row with the meaning of its columns.
struct Cells<'a> {
    layout: &'a Layout,
    record: &'a csv::ByteRecord,
}

impl<'a> Cells<'a> {
    fn at(&self, at: usize) -> Result<Cow<'a, str>, SkipReason> {
        let bytes = self.record.get(at).unwrap_or_default();
        let text = std::str::from_utf8(bytes).map_err(|_| SkipReason::NotUtf8)?;
        let cell = formula::undone(text.trim());
        // Databases keep none.
        Ok(if cell.contains('\0') { Cow::Owned(cell.replace('\0', "")) } else { cell })
    }

    /// Empty where there is no such column.
    fn of(&self, field: Field) -> Result<Cow<'a, str>, SkipReason> {
        self.layout.fields.get(&field).map_or(Ok(Cow::Borrowed("")), |at| self.at(*at))
    }

    fn optional(&self, field: Field) -> Result<Option<Cow<'a, str>>, SkipReason> {
        Ok(Some(self.of(field)?).filter(|cell| !cell.is_empty()))
    }

    /// Of the past: a date of years to come is a slip.
    fn moment(&self, field: Field, now: Timestamp) -> Result<Option<Timestamp>, SkipReason> {
        Ok(self.optional(field)?.and_then(|cell| words::moment(&cell)).map(|at| at.min(now)))
    }
}

/// Reads one row, or says why it is skipped.
pub(super) fn read<'a>(
    (layout, record): (&Layout, &csv::ByteRecord),
    line: u64,
    setting: Setting<'a>,
) -> Result<Row<'a>, SkipReason> {
    let cells = Cells { layout, record };
    let address = cells.at(layout.address)?;
    if address.is_empty() {
        return Err(SkipReason::NoAddress);
    }
    let address: EmailAddress = address.parse()?;
    if layout.system == System::Substack && address.domain() == "deletion-request.substack.com" {
        return Err(SkipReason::AskedToBeDeleted);
    }
    let newsletter = match cells.optional(Field::Newsletter)? {
        Some(name) => setting
            .config
            .newsletters
            .get(&*name)
            .ok_or_else(|| SkipReason::NoSuchNewsletter(name.into_owned()))?,
        None => setting.newsletter.ok_or(SkipReason::NoNewsletter)?,
    };
    let standing = standing(&cells)?;
    let choice = choice(&cells, newsletter, setting)?;
    let now = setting.now;
    let consented = match cells.moment(Field::Consented, now)? {
        Some(at) => Some(at),
        None => cells.moment(Field::Asked, now)?,
    };
    let created_at = cells.moment(Field::Created, now)?.or(consented);
    // Of those who are no subscribers any more nothing is kept that is not needed to keep them out.
    let is_ours = layout.system == System::Postrider;
    let keeps_profile = standing == Standing::Subscribed || is_ours;
    let confirmed_at = if is_ours { consented } else { consented.or(created_at) };
    Ok(Row {
        line,
        key: address.key(),
        address,
        newsletter,
        choice,
        standing,
        profile: if keeps_profile { profile(&cells)? } else { PersonProfile::default() },
        created_at,
        confirmed_at,
        ended_at: cells.moment(Field::Ended, now)?,
        end_reason: cells.of(Field::EndReason)?.chars().take(1_000).collect(),
        paused_until: cells.optional(Field::PausedUntil)?.and_then(|cell| words::moment(&cell)),
        source: cells.optional(Field::Source)?.map(Cow::into_owned),
        evidence: evidence(&cells, (standing, confirmed_at), setting)?,
    })
}

fn standing(cells: &Cells<'_>) -> Result<Standing, SkipReason> {
    let system = cells.layout.system;
    let standing = words::standing(system, &cells.of(Field::Status)?)?;
    // Ghost exports members that were deleted; the others say it twice.
    let is_over = system == System::Ghost && cells.optional(Field::Ended)?.is_some();
    let is_over = is_over
        || (matches!(system, System::Buttondown | System::Beehiiv)
            && cells.of(Field::Status)?.is_empty()
            && cells.optional(Field::Ended)?.is_some());
    Ok(if is_over && standing == Standing::Subscribed { Standing::Left } else { standing })
}

/// What the newsletter offers of what the row wishes. A cadence that it does not have is a reason to ask; other words are
/// left out.
fn choice(
    cells: &Cells<'_>,
    newsletter: &Newsletter,
    setting: Setting<'_>,
) -> Result<Choice, SkipReason> {
    let wish = cells.optional(Field::Cadence)?;
    let wish = wish.as_deref().or(setting.cadence.map(Cadence::as_str));
    let mut choice = Choice::of(offered(newsletter, wish)?);
    let topics = words::tags(&cells.of(Field::Topics)?, &[',', ';', '|']);
    choice.topics = topics
        .into_iter()
        .map(|topic| topic.to_lowercase())
        .filter(|topic| newsletter.topics.contains_key(topic))
        .collect::<Topics>();
    choice.language = cells.optional(Field::Language)?.and_then(|wish| {
        let offered = newsletter.offered_languages().find(|it| it.eq_ignore_ascii_case(&wish))?;
        (offered != newsletter.language).then(|| offered.to_owned())
    });
    choice.timezone = cells.optional(Field::Timezone)?.and_then(|name| {
        let zone = TimeZone::get(&name).ok()?;
        zone.iana_name().map(str::to_owned)
    });
    choice.send_time = cells.optional(Field::SendTime)?.and_then(|time| time.parse().ok());
    Ok(choice)
}

fn profile(cells: &Cells<'_>) -> Result<PersonProfile, SkipReason> {
    let system = cells.layout.system;
    let name = match cells.optional(Field::Name)? {
        Some(name) => name.into_owned(),
        None => format!("{} {}", cells.of(Field::FirstName)?, cells.of(Field::LastName)?),
    };
    let label = match system {
        System::Keila => "data",
        System::Buttondown => "metadata",
        _ => "attributes",
    };
    let mut attributes = words::attributes(&cells.of(Field::Attributes)?, label);
    for (at, name) in &cells.layout.attributes {
        let cell = cells.at(*at)?;
        if !cell.is_empty() && !attributes.contains_key(name) {
            attributes.insert(name.clone(), serde_json::Value::from(&*cell));
        }
    }
    if system == System::Buttondown && !cells.of(Field::Status)?.eq_ignore_ascii_case("regular") {
        let plan = cells.of(Field::Status)?.to_lowercase();
        attributes.insert("subscriber_type".to_owned(), plan.into());
    }
    let size: usize = cells
        .layout
        .attributes
        .iter()
        .map(|(at, _)| cells.record.get(*at).map_or(0, <[u8]>::len))
        .sum();
    if size + cells.of(Field::Attributes)?.len() > MOST_ATTRIBUTES {
        return Err(SkipReason::TooMuch);
    }
    let mut tags = words::tags(&cells.of(Field::Tags)?, system.tag_separators());
    tags.sort_unstable();
    tags.dedup();
    Ok(PersonProfile { name: words::line(&name), attributes, tags })
}

/// What shows that they said yes: as our own export has it, or what the other system says of when and from where.
fn evidence(
    cells: &Cells<'_>,
    (standing, confirmed_at): (Standing, Option<Timestamp>),
    setting: Setting<'_>,
) -> Result<Vec<Evidence>, SkipReason> {
    let known = |kind: &str| ["asked", "confirmed", "added", "imported"].contains(&kind);
    if let Some(cell) = cells.optional(Field::Consents)? {
        let read: Vec<Evidence> = serde_json::from_str(&cell).unwrap_or_default();
        return Ok(read.into_iter().filter(|one| known(&one.kind)).collect());
    }
    if standing != Standing::Subscribed || cells.layout.system == System::Postrider {
        return Ok(Vec::new());
    }
    let ip = match cells.optional(Field::Ip)? {
        Some(ip) => Some(ip),
        None => cells.optional(Field::AskedIp)?,
    };
    let title = cells.layout.system.title();
    let statement = match confirmed_at {
        Some(_) => format!("Subscriber according to {title}"),
        None => format!("Subscriber according to {title}, which does not say since when"),
    };
    Ok(vec![Evidence {
        kind: "imported".to_owned(),
        at: confirmed_at.unwrap_or(setting.now),
        // Nothing but an address may stand there.
        address: ip
            .and_then(|ip| ip.parse::<std::net::IpAddr>().ok())
            .map_or_else(String::new, |ip| ip.to_string()),
        form: setting.file.to_owned(),
        statement,
    }])
}
