//! The audience: who subscribes, confirms, leaves, is imported or exported. Use cases shared by the pages and the command line.
//!
//! Each is a few statements in one transaction; a mail that follows from one is planned in the same transaction. The public
//! ones answer the same for every address: nobody learns from us who subscribes.

mod address;
mod answers;
mod error;
mod export;
#[cfg(test)]
pub(crate) mod fixture;
mod formula;
pub(crate) mod gate;
mod import;
mod leaving;
mod limit;
mod members;
mod mistake;
mod preferences;
mod privacy;
mod signup;
#[cfg(test)]
mod tests;

use jiff::Timestamp;

use crate::clock::Clock;
use crate::config::{Config, Newsletter};
use crate::domain::Cadence;
use crate::store::Store;
use crate::template::Templates;

pub use address::NewAddress;
pub use answers::{Answers, Kept, Wish};
pub use error::{AudienceError, ExportError, ImportError, NotOffered};
pub use export::{ExportFormat, ExportLine};
pub use gate::{Knock, Pass, Turned};
pub use import::{Import, ImportReport, ImportStep, MailchimpList, SkipReason, System};
pub use limit::{Admission, SignupLimit, network};
pub use mistake::{Mistake, Wrong};
pub use preferences::{ChoiceForm, Pause, Preferences};
pub use privacy::Known;
pub use signup::{Confirmation, Origin};

/// The use cases, over what is in force now. Cheap to make: one for each request or command.
#[derive(Clone, Copy, Debug)]
pub struct Audience<'a> {
    pub config: &'a Config,
    pub templates: &'a Templates,
    pub store: &'a Store,
    pub clock: &'a dyn Clock,
}

impl<'a> Audience<'a> {
    /// The newsletter `name`; when `name` is left out and there is only one, that one.
    pub fn newsletter(&self, name: Option<&str>) -> Result<&'a Newsletter, AudienceError> {
        let newsletters = &self.config.newsletters;
        let known = || newsletters.keys().cloned().collect::<Vec<_>>();
        match name {
            Some(name) => newsletters.get(name).ok_or_else(|| AudienceError::NoSuchNewsletter {
                name: name.to_owned(),
                known: known(),
            }),
            None if newsletters.len() == 1 => {
                Ok(newsletters.values().next().expect("a map of one has a first value"))
            }
            None => Err(AudienceError::WhichNewsletter { known: known() }),
        }
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// What `newsletter` offers: `wish` if it does, its default when there is no wish.
fn offered(newsletter: &Newsletter, wish: Option<&str>) -> Result<Cadence, NotOffered> {
    let Some(wish) = wish.map(str::trim).filter(|wish| !wish.is_empty()) else {
        return Ok(newsletter.default_cadence);
    };
    wish.to_ascii_lowercase()
        .parse()
        .ok()
        .filter(|cadence| newsletter.cadences.contains_key(cadence))
        .ok_or_else(|| NotOffered {
            newsletter: newsletter.name.clone(),
            cadence: wish.to_owned(),
            offered: newsletter.cadences.keys().copied().collect(),
        })
}
