//! What channels and schedules are called in the store and in logs.

use crate::config::{Config, Destination, Newsletter};
use crate::domain::{Cadence, Channel, Queue, Schedule, Slot};

/// A way out: a cadence of a newsletter, or a destination.
#[derive(Clone, Debug)]
pub(super) struct Way {
    /// In the store and in logs.
    pub(super) name: String,
    pub(super) channel: Channel,
    pub(super) cadence: Option<Cadence>,
    /// In which language its readers get posts that are there in several. None: in all of them.
    pub(super) language: Option<String>,
}

impl Way {
    pub(super) fn by_mail(newsletter: &Newsletter, cadence: Cadence) -> Self {
        Self {
            name: cadence_channel(newsletter, cadence),
            channel: Channel::Newsletter(newsletter.name.clone()),
            cadence: Some(cadence),
            language: Some(newsletter.language.clone()),
        }
    }

    /// What is news to a newsletter, in all languages.
    pub(super) fn news(newsletter: &Newsletter, cadence: Cadence) -> Self {
        let name = news_channel(newsletter);
        Self { name, language: None, ..Self::by_mail(newsletter, cadence) }
    }

    pub(super) fn to(destination: &Destination) -> Self {
        Self {
            name: destination_channel(&destination.name),
            channel: Channel::Destination(destination.name.clone()),
            cadence: None,
            language: None,
        }
    }
}

/// Every schedule of the configuration with its name in the store.
pub fn schedules(config: &Config) -> Vec<(String, &Schedule)> {
    let digests = config.newsletters.values().flat_map(|newsletter| {
        newsletter.cadences.iter().filter_map(move |(cadence, schedule)| {
            schedule.as_ref().map(|schedule| (cadence_channel(newsletter, *cadence), schedule))
        })
    });
    let queues =
        config.releases.queues.iter().map(|queue| (queue_schedule(queue), &queue.schedule));
    digests.chain(queues).collect()
}

/// `newsletter:NAME:CADENCE`.
pub fn cadence_channel(newsletter: &Newsletter, cadence: Cadence) -> String {
    format!("newsletter:{}:{cadence}", newsletter.name)
}

/// `newsletter:NAME`.
pub(super) fn news_channel(newsletter: &Newsletter) -> String {
    format!("newsletter:{}", newsletter.name)
}

/// The name of its cadence, and what subscribers chose beside it: `newsletter:NAME:daily Europe/Berlin 07:00`.
pub(super) fn slot_schedule(newsletter: &Newsletter, slot: &Slot) -> String {
    let mut name = cadence_channel(newsletter, slot.cadence);
    let time = slot.send_time.map(|time| time.to_string());
    for chosen in slot.timezone.iter().chain(&time) {
        name.push(' ');
        name.push_str(chosen);
    }
    name
}

pub(super) fn destination_channel(destination: &str) -> String {
    format!("destination:{destination}")
}

pub(super) fn queue_schedule(queue: &Queue) -> String {
    format!("queue:{}", queue.name)
}

/// What makes a schedule another schedule: its expression or its zone.
pub(super) fn expression_key(schedule: &Schedule) -> String {
    let zone = schedule.zone().iana_name().unwrap_or("fixed");
    format!("{} {zone}", schedule.expression())
}
