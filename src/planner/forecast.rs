//! The forecast: what would go to how many, when, on which channels. Nothing is written.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;

use super::Planner;
use super::correct::{correction_audience, edit, wished};
use super::foresight::Foreseen;
use super::names::{Way, cadence_channel, expression_key, slot_schedule};
use super::news::all_slots;
use super::select::{Run, latest_run, withheld};
use crate::config::Newsletter;
use crate::domain::{
    Cadence, Catalog, CatalogPost, Channel, Due, EmailAddress, PostId, QueuedRelease, Refusal,
    Releases, Schedule,
};
use crate::store::{StoreError, Tx, Whose};

/// How many runs of a schedule are looked at.
const RUNS: usize = 10;

/// Everything that will happen if nothing changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Forecast {
    pub rows: Vec<ForecastRow>,
    /// Posts that stay where they are: the baseline, and those that no tick will take.
    pub not_news: usize,
    /// What would go out if its author did not wish otherwise.
    pub withheld: Vec<Withheld>,
}

/// A post that its author keeps from a channel.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Withheld {
    /// Its slug.
    pub post: String,
    /// As in `ForecastRow`.
    pub channel: String,
    pub why: Refusal,
}

/// One thing that will happen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ForecastRow {
    pub at: Timestamp,
    /// `feeds`, `newsletter:weekly:daily`, `welcome:weekly`, `correction:weekly`, `destination:chat`.
    pub channel: String,
    /// Slugs; of a welcome mail that is a template by itself: its name.
    pub posts: Vec<String>,
    /// Subscribers, or 1 for a destination; none for feeds.
    pub recipients: Option<i64>,
}

/// Foretells what `planner` would do with `catalog` from `now` on.
pub async fn forecast(
    planner: &Planner,
    catalog: &Catalog,
    now: Timestamp,
) -> Result<Forecast, StoreError> {
    let config = Arc::clone(&planner.config);
    let taken = foreseen_queues(planner, catalog, now);
    let ahead = ahead_of(planner, taken);
    let mut rows = feeds(&ahead, catalog, now);
    let mut held = Vec::new();
    let mut tx = planner.store.read().await?;
    for newsletter in config.newsletters.values() {
        for (known, _) in wished(catalog, now) {
            let Some(edit) = edit(newsletter, known) else { continue };
            let audience = correction_audience(&mut tx, edit).await?;
            if audience > 0 {
                let at = known.settled_at().max(now);
                let channel = format!("correction:{}", newsletter.name);
                rows.push(row(at, &channel, &[Arc::clone(known)], audience));
            }
        }
        let whose = (newsletter, None);
        rows.extend(ahead.foreseen_welcomes(&mut tx, whose, catalog, now).await?);
        for (cadence, schedule) in &newsletter.cadences {
            held.extend(ahead.withheld(&Way::by_mail(newsletter, *cadence), catalog, now));
            let cadence = (newsletter, *cadence);
            rows.extend(match schedule {
                None => alone(&ahead, cadence, catalog, now).await?,
                Some(schedule) => {
                    digests((&ahead, &mut tx), (cadence, schedule), catalog, now).await?
                }
            });
        }
    }
    for destination in config.destinations.values() {
        let way = Way::to(destination);
        let waiting = ahead.waiting(&way, catalog, now);
        held.extend(ahead.withheld(&way, catalog, now));
        let told = waiting.into_iter();
        rows.extend(told.map(|one| row(one.ready_at.max(now), &way.name, &[one.post], 1)));
    }
    rows.sort_by(|a, b| a.at.cmp(&b.at).then_with(|| a.channel.cmp(&b.channel)));
    let not_news = catalog.posts.iter().filter(|known| !known.is_news).count();
    held.sort();
    Ok(Forecast { rows, not_news, withheld: held })
}

/// What `address` will get by mail, and when, if nothing changes.
pub async fn forecast_for(
    planner: &Planner,
    catalog: &Catalog,
    address: &EmailAddress,
    now: Timestamp,
) -> Result<Vec<ForecastRow>, StoreError> {
    let ahead = ahead_of(planner, foreseen_queues(planner, catalog, now));
    let subscriptions = planner.store.read().await?.subscriptions_of(address, None).await?;
    let mut rows = Vec::new();
    for subscription in subscriptions {
        let cadence = subscription.choice.cadence;
        let newsletter = planner.config.newsletters.get(&subscription.newsletter);
        let offered = newsletter.and_then(|it| Some((it, it.cadences.get(&cadence)?.as_ref())));
        let Some((newsletter, schedule)) = offered else { continue };
        let mut tx = planner.store.read().await?;
        let whose = (newsletter, Some(subscription.id));
        rows.extend(ahead.foreseen_welcomes(&mut tx, whose, catalog, now).await?);
        drop(tx);
        let whose = (newsletter, cadence, Whose::One(subscription.id));
        let foreseen = Foreseen::whose(&ahead, whose, catalog, now).await?;
        // They left, did not confirm, or wish no mail now.
        if foreseen.is_made_up() {
            continue;
        }
        let channel = cadence_channel(newsletter, cadence);
        let mails = if let Some((slot, schedule)) = subscription.choice.slot().zip(schedule) {
            foreseen.at(slot.schedule(schedule).upcoming(now, RUNS).into_iter())
        } else {
            let each = foreseen.each(now).into_iter();
            each.map(|(at, known, people)| (at, vec![known], people)).collect()
        };
        rows.extend(mails.into_iter().map(|(at, posts, people)| row(at, &channel, &posts, people)));
    }
    rows.sort_by(|a, b| a.at.cmp(&b.at).then_with(|| a.channel.cmp(&b.channel)));
    Ok(rows)
}

/// The same planner with what queues will have released by then.
fn ahead_of(planner: &Planner, taken: HashMap<PostId, QueuedRelease>) -> Planner {
    Planner {
        config: Arc::clone(&planner.config),
        templates: planner.templates.clone(),
        store: planner.store.clone(),
        cache: planner.cache.clone(),
        had: planner.had.clone(),
        since: planner.since.clone(),
        taken,
        told: HashMap::new(),
        corrected: HashSet::new(),
        doubted: None,
    }
}

impl Planner {
    fn withheld(&self, way: &Way, catalog: &Catalog, now: Timestamp) -> Vec<Withheld> {
        let found = self.look(way, catalog, now, withheld);
        let name = |(known, why): (Arc<CatalogPost>, Refusal)| Withheld {
            post: known.post.slug.clone(),
            channel: way.name.clone(),
            why,
        };
        found.into_iter().map(name).collect()
    }
}

/// What queues have released, and what they will at their next runs.
fn foreseen_queues(
    planner: &Planner,
    catalog: &Catalog,
    now: Timestamp,
) -> HashMap<PostId, QueuedRelease> {
    let mut taken = planner.taken.clone();
    let posts: Vec<_> = catalog.posts.iter().map(|known| Arc::clone(&known.post)).collect();
    for queue in &planner.config.releases.queues {
        for at in queue.schedule.upcoming(now, RUNS) {
            let next: Vec<PostId> =
                Releases::next_in_queue(queue, &posts, &taken).into_iter().cloned().collect();
            for post in next {
                let queued = QueuedRelease { queue: queue.name.clone(), post: post.clone(), at };
                taken.insert(post, queued);
            }
        }
    }
    taken
}

/// Posts that go live in the feeds later.
fn feeds(planner: &Planner, catalog: &Catalog, now: Timestamp) -> Vec<ForecastRow> {
    let releases = &planner.config.releases;
    let later = catalog.posts.iter().filter_map(|known| {
        match releases.due(&known.post, &Channel::Feeds, &planner.taken) {
            Due::At(at) if at > now => Some((at, known)),
            Due::At(_) | Due::InQueue => None,
        }
    });
    later
        .map(|(at, known)| ForecastRow {
            at,
            channel: "feeds".to_owned(),
            posts: vec![known.post.slug.clone()],
            recipients: None,
        })
        .collect()
}

/// Each post that will be mailed by itself.
async fn alone(
    planner: &Planner,
    (newsletter, cadence): (&Newsletter, Cadence),
    catalog: &Catalog,
    now: Timestamp,
) -> Result<Vec<ForecastRow>, StoreError> {
    let foreseen = Foreseen::of(planner, (newsletter, cadence, None), catalog, now).await?;
    let channel = cadence_channel(newsletter, cadence);
    let each = foreseen.each(now).into_iter();
    Ok(each.map(|(at, known, people)| row(at, &channel, &[known], people)).collect())
}

/// The digests of a cadence, at whosever hour: those of one instant are one.
async fn digests(
    (planner, tx): (&Planner, &mut Tx),
    ((newsletter, cadence), schedule): ((&Newsletter, Cadence), &Schedule),
    catalog: &Catalog,
    now: Timestamp,
) -> Result<Vec<ForecastRow>, StoreError> {
    let channel = cadence_channel(newsletter, cadence);
    let known = tx.schedules(&channel).await?;
    let mut found: BTreeMap<Timestamp, ForecastRow> = BTreeMap::new();
    for slot in all_slots(tx, newsletter, cadence).await? {
        let schedule = slot.schedule(schedule);
        let row = known.get(&slot_schedule(newsletter, &slot));
        let row = row.filter(|row| row.expression == expression_key(&schedule));
        let considered = row.map_or(now, |row| row.considered_until);
        let made_up = latest_run(&schedule, newsletter.missed_runs, considered, now);
        let first = matches!(made_up, Run::Fire { .. }).then_some(now);
        let runs = first.into_iter().chain(schedule.upcoming(now, RUNS));
        let foreseen = Foreseen::of_slot(planner, newsletter, &slot, (catalog, now)).await?;
        if foreseen.is_made_up() && !slot.is_the_newsletters() {
            continue;
        }
        for (at, posts, people) in foreseen.at(runs) {
            let there = found.entry(at).or_insert_with(|| self::row(at, &channel, &[], 0));
            there.recipients = there.recipients.map(|known| known + people);
            for known in posts {
                if !there.posts.contains(&known.post.slug) {
                    there.posts.push(known.post.slug.clone());
                }
            }
        }
    }
    Ok(found.into_values().collect())
}

fn row(at: Timestamp, channel: &str, posts: &[Arc<CatalogPost>], recipients: i64) -> ForecastRow {
    ForecastRow {
        at,
        channel: channel.to_owned(),
        posts: posts.iter().map(|known| known.post.slug.clone()).collect(),
        recipients: Some(recipients),
    }
}
