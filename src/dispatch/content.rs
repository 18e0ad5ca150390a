//! What a delivery carries: the frozen content from the store, made ready once for all its recipients.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;

use super::Dispatch;
use super::job::{Content, MailContent};
use crate::config::{Config, Mailbox};
use crate::domain::{EditionId, Target};
use crate::mail::{
    Blueprint, BlueprintError, Composed, Envelope, FeedbackId, ListHeaders, ReturnPath,
};
use crate::store::StoreError;

/// Why content cannot be had. The delivery stays planned.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ContentError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the content of {0:?} is not in the database")]
    Missing(Target),
    #[error("the frozen mail cannot be read back")]
    Frozen(#[from] serde_json::Error),
    #[error("the mail cannot be built")]
    Build(#[from] BlueprintError),
}

/// The latest editions, ready to be filled in: made once, not once a batch.
#[derive(Default)]
pub struct Contents(Mutex<HashMap<EditionId, Content>>);

/// More editions than this are hardly ever under way at once; each holds its mail in memory.
const KEPT: usize = 32;

impl Contents {
    fn get(&self, edition: EditionId, version: i64) -> Option<Content> {
        let kept = self.0.lock().expect("no code panics while it holds the contents");
        kept.get(&edition).filter(|content| content.version() == Some(version)).cloned()
    }

    fn keep(&self, edition: EditionId, content: &Content) {
        let mut kept = self.0.lock().expect("no code panics while it holds the contents");
        if kept.len() >= KEPT {
            // Whoever is still needed is made again.
            kept.clear();
        }
        kept.insert(edition, content.clone());
    }
}

/// Loads what `target` carries.
pub(crate) async fn load(dispatch: &Dispatch, target: Target) -> Result<Content, ContentError> {
    let mut tx = dispatch.store.read().await?;
    match target {
        Target::Edition { edition, .. } => {
            let content =
                tx.edition_content(edition).await?.ok_or(ContentError::Missing(target))?;
            if let Some(known) = dispatch.contents.get(edition, content.version) {
                return Ok(known);
            }
            let newsletter = (&*dispatch.config, content.newsletter.as_str());
            let date = (content.sealed_at, MailKind::Edition(Some(edition)));
            let made = mail(newsletter, date, &content.content, Some(content.version))?;
            dispatch.contents.keep(edition, &made);
            Ok(made)
        }
        Target::Letter { letter } => {
            let (newsletter, created_at, frozen) =
                tx.letter_content(letter).await?.ok_or(ContentError::Missing(target))?;
            let newsletter = (&*dispatch.config, newsletter.as_str());
            mail(newsletter, (created_at, MailKind::Letter), &frozen, None)
        }
        Target::Announcement { announcement } => {
            let body =
                tx.announcement_body(announcement).await?.ok_or(ContentError::Missing(target))?;
            Ok(Content::Call(body.into()))
        }
    }
}

/// What sort of mail a blueprint is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailKind {
    /// Mail of the newsletter's list. None: an edition that nobody gets, such as a preview.
    Edition(Option<EditionId>),
    /// Mail to one person, such as a confirmation.
    Letter,
}

/// `version`: which text of its edition it is; none for a letter.
fn mail(
    (config, newsletter): (&Config, &str),
    (date, kind): (Timestamp, MailKind),
    frozen: &str,
    version: Option<i64>,
) -> Result<Content, ContentError> {
    let composed: Composed = serde_json::from_str(frozen)?;
    let blueprint = blueprint((config, newsletter), &composed, date, kind)?;
    let from = sender(config, newsletter).address.clone();
    let return_path = ReturnPath::new(config.mail.bounce_address.as_ref(), &from);
    Ok(Content::Mail(Arc::new(MailContent { blueprint, from, return_path, version })))
}

/// The mail of `newsletter` that `composed` makes, without its recipient. List mail says how to leave the list.
pub fn blueprint(
    (config, newsletter): (&Config, &str),
    composed: &Composed,
    date: Timestamp,
    kind: MailKind,
) -> Result<Blueprint, BlueprintError> {
    let own = config.newsletters.get(newsletter);
    let host = config.server.public_url.host_str().unwrap_or("localhost");
    let list_id = format!("{newsletter}.{host}");
    let unsubscribe_base = crate::mail::unsubscribe_base(&config.server.public_url);
    let subscribe = own.map(|_| format!("{}subscribe/{newsletter}", config.server.public_url));
    let reply_to = own.and_then(|own| own.reply_to.as_ref()).or(config.mail.reply_to.as_ref());
    let list = ListHeaders {
        id: &list_id,
        title: own.map_or(&config.site.title, |own| &own.title),
        unsubscribe_base: &unsubscribe_base,
        unsubscribe_mailto: config.mail.unsubscribe_mailto.as_ref(),
        subscribe: subscribe.as_deref(),
        archive: Some(config.site.url.as_str()),
        owner: reply_to.map(|reply_to| &reply_to.address),
    };
    let (campaign, kind) = match kind {
        MailKind::Edition(Some(edition)) => (edition.to_string(), "edition"),
        MailKind::Edition(None) => ("preview".to_owned(), "edition"),
        MailKind::Letter => ("confirmation".to_owned(), "letter"),
    };
    let sender_id = config.mail.feedback_id.as_deref();
    let envelope = Envelope {
        from: sender(config, newsletter),
        reply_to,
        list: (kind == "edition").then_some(list),
        feedback: sender_id.map(|sender| FeedbackId {
            campaign: &campaign,
            newsletter,
            kind,
            sender,
        }),
        date,
        dkim: &config.mail.dkim,
        encoding: config.mail.encoding,
    };
    Blueprint::new(composed, &envelope)
}

/// A newsletter that is no longer configured still owes what it planned; it speaks as the house then.
fn sender<'a>(config: &'a Config, newsletter: &str) -> &'a Mailbox {
    let known = config.newsletters.get(newsletter);
    known.and_then(|known| known.from.as_ref()).unwrap_or(&config.mail.from)
}
