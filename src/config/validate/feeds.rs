//! `[feeds]`.

use std::collections::BTreeMap;

use url::Url;

use super::Context;
use super::destinations::networks;
use super::site::{DAY, duration};
use crate::config::report::Problem;
use crate::config::{FeedAbout, FeedSelection, Feeds, Hub, Podcast, raw, values};
use crate::domain::{FeedTopic, FeedWindow};

pub(super) fn feeds(
    raw: &raw::Feeds,
    (site, public_url): (Option<&Url>, Option<&Url>),
    context: &mut Context<'_>,
) -> Option<Feeds> {
    let hub = hub(&raw.hub, public_url, context);
    let about = about(raw, site, context);
    let mut per = Vec::new();
    for topic in &raw.per {
        if !per.contains(topic) {
            per.push(*topic);
        }
    }
    let mut selections = BTreeMap::new();
    let mut complete = true;
    for (name, selection) in &raw.selections {
        let at = format!("feeds.selections.{name}");
        let named = context.report.take(&at, values::name(name).and_then(|()| free(name)));
        match (named, selection_of(&at, selection, raw, context)) {
            (Some(()), Some(selection)) => {
                selections.insert(name.clone(), selection);
            }
            _ => complete = false,
        }
    }
    let podcast = match &raw.podcast {
        Some(raw) => podcast(raw, site, context).map(Some),
        None => Some(None),
    };
    let polling = super::polling::polling(raw, context);
    let (mut about, hub) = (about?, hub.ok()?);
    if let Some(hub) = &hub {
        about.hubs.retain(|named| *named != hub.url);
        about.hubs.insert(0, hub.url.clone());
    }
    Some(Feeds {
        window: window(raw.items, raw.kilobytes),
        full_text: raw.full_text,
        about,
        per,
        selections: complete.then_some(selections)?,
        podcast: podcast?,
        polling: polling?,
        self_check: raw.self_check,
        most_marked_new: count(raw.most_marked_new),
        hub,
    })
}

fn hub(
    raw: &raw::Hub,
    public_url: Option<&Url>,
    context: &mut Context<'_>,
) -> Result<Option<Hub>, Faulty> {
    let allow = networks("feeds.hub.allow", &raw.allow, context).ok_or(Faulty)?;
    if !raw.enabled {
        return Ok(None);
    }
    let url = public_url.and_then(|url| url.join("websub").ok()).ok_or(Faulty)?;
    Ok(Some(Hub { url, allow }))
}

fn count(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// The archive of the main feed has its documents where selections have theirs.
fn free(name: &str) -> Result<(), Problem> {
    if name == "archive" {
        return Err(Problem::new("`archive` cannot be a name")
            .help("`/feeds/archive/` is where older posts of the main feed are"));
    }
    Ok(())
}

fn about(raw: &raw::Feeds, site: Option<&Url>, context: &mut Context<'_>) -> Option<FeedAbout> {
    let logo = picture("feeds.logo", raw.logo.as_deref(), site, context);
    let icon = picture("feeds.icon", raw.icon.as_deref(), site, context);
    let copyright = optional_line("feeds.copyright", raw.copyright.as_deref(), context);
    let ttl = match &raw.ttl {
        Some(ttl) => duration("feeds.ttl", ttl, 60, 7 * DAY, context).map(Some),
        None => Some(None),
    };
    let mut hubs = Vec::new();
    let mut complete = true;
    for (index, hub) in raw.hubs.iter().enumerate() {
        match context.report.take(&format!("feeds.hubs.{index}"), values::web_url(hub)) {
            Some(hub) if !hubs.contains(&hub) => hubs.push(hub),
            Some(_) => {}
            None => complete = false,
        }
    }
    let hubs = complete.then_some(hubs);
    Some(FeedAbout {
        logo: logo.ok()?,
        icon: icon.ok()?,
        copyright: copyright.ok()?,
        ttl: ttl?,
        hubs: hubs?,
    })
}

/// The report says what is wrong.
pub(super) struct Faulty;

/// A whole address, or a path on the site.
fn picture(
    at: &str,
    text: Option<&str>,
    site: Option<&Url>,
    context: &mut Context<'_>,
) -> Result<Option<Url>, Faulty> {
    let Some(text) = text else { return Ok(None) };
    let url = if text.starts_with('/') && !text.starts_with("//") {
        let path = text.trim_start_matches('/');
        site.ok_or(Faulty)?
            .join(path)
            .map_err(|error| Problem::new(format!("this is not an address: {error}")))
    } else {
        values::web_url(text)
    };
    context.report.take(at, url).map(Some).ok_or(Faulty)
}

fn optional_line(
    at: &str,
    text: Option<&str>,
    context: &mut Context<'_>,
) -> Result<Option<String>, Faulty> {
    let Some(text) = text else { return Ok(None) };
    context.report.take(at, values::line(text)).map(Some).ok_or(Faulty)
}

fn selection_of(
    at: &str,
    raw: &raw::FeedSelection,
    feeds: &raw::Feeds,
    context: &mut Context<'_>,
) -> Option<FeedSelection> {
    let title = optional_line(&format!("{at}.title"), raw.title.as_deref(), context);
    let mut languages = Vec::new();
    for (index, tag) in raw.languages.iter().enumerate() {
        let tag = values::language(tag);
        languages.push(context.report.take(&format!("{at}.languages.{index}"), tag));
    }
    let languages: Option<Vec<String>> = languages.into_iter().collect();
    let lists = [
        (FeedTopic::Tag, raw.tags.clone()),
        (FeedTopic::Category, raw.categories.clone()),
        (FeedTopic::Author, raw.authors.clone()),
        (FeedTopic::Language, languages?),
        (FeedTopic::Section, raw.sections.clone()),
    ];
    let wanted: BTreeMap<_, _> = lists.into_iter().filter(|(_, list)| !list.is_empty()).collect();
    if wanted.is_empty() {
        let help = "write at least one list, such as `tags = [\"ponds\"]`";
        context.error(at, "this selection chooses nothing: it would be the main feed", help);
        return None;
    }
    Some(FeedSelection {
        title: title.ok()?,
        description: raw.description.trim().to_owned(),
        wanted,
        window: window(raw.items.unwrap_or(feeds.items), raw.kilobytes.unwrap_or(feeds.kilobytes)),
        full_text: raw.full_text.unwrap_or(feeds.full_text),
    })
}

fn window(items: u32, kilobytes: u32) -> FeedWindow {
    let bytes = (kilobytes > 0).then(|| u64::from(kilobytes) * 1000);
    FeedWindow { items: count(items), bytes }
}

fn podcast(raw: &raw::Podcast, site: Option<&Url>, context: &mut Context<'_>) -> Option<Podcast> {
    let key = |name: &str| format!("feeds.podcast.{name}");
    let title = optional_line(&key("title"), raw.title.as_deref(), context);
    let description = optional_line(&key("description"), raw.description.as_deref(), context);
    let category = raw
        .category
        .as_deref()
        .and_then(|text| context.report.take(&key("category"), category(text)));
    let image = picture(&key("image"), raw.image.as_deref(), site, context);
    let owner = match raw.owner.as_deref() {
        Some(text) => context.report.take(&key("owner"), values::mailbox(text)).map(Some),
        None => Some(None),
    };
    let guid = match raw.guid.as_deref() {
        Some(text) => {
            let parsed = text.trim().parse().map_err(|_| {
                Problem::new(format!("`{text}` is not a `podcast:guid`")).help(
                    "it has 32 hexadecimal digits in five groups; leave it out for a new podcast",
                )
            });
            context.report.take(&key("guid"), parsed).map(Some)
        }
        None => Some(None),
    };
    Some(Podcast {
        title: title.ok()?,
        description: description.ok()?,
        category: category?,
        explicit: raw.explicit,
        image: image.ok()?,
        owner: owner?.map(|who| (who.name, who.address.as_str().to_owned())),
        guid: guid?,
    })
}

/// `Society & Culture/Documentary`.
fn category(text: &str) -> Result<(String, Option<String>), Problem> {
    match text.split_once('/') {
        Some((outer, inner)) => Ok((values::line(outer)?, Some(values::line(inner)?))),
        None => Ok((values::line(text)?, None)),
    }
}
