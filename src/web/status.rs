//! The status page: how the house is doing, for its operator. Shows no address, and comes up with the database gone.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use jiff::{SignedDuration, Timestamp, Zoned};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::refusal::Refusal;
use super::{WebState, index, page};
use crate::config::{Config, Newsletter};
use crate::domain::{Cadence, DeliveryState, Diagnostic, Severity};
use crate::feed::Shelf;
use crate::store::{DestinationCount, EditionRow as Edition, EventRow as Fact, QueueRow as Queue};
use crate::store::{FeedReaders, Fenced, PushCount, StateCount as Count, Store, StoreError};
use crate::telemetry;
use crate::template::{
    CadenceRow, DestinationRow, EditionRow, EventRow, NewsletterRow, ProblemRow, PushRow, QueueRow,
    ReaderRow, StateCount, StatusPage,
};

/// How old the database's part of the page may be: counting reads whole tables.
const REPORT_AGE: SignedDuration = SignedDuration::from_secs(2);
/// How long the page waits for the database before it comes without.
const DATABASE_WITHIN: Duration = Duration::from_secs(5);
const SECONDS_OF_DAY: i64 = 86_400;
const EDITIONS: i64 = 10;
const EVENTS: i64 = 30;

/// What the database says.
#[derive(Debug, Default)]
struct Report {
    fenced: Option<Fenced>,
    queues: Vec<Queue>,
    editions: Vec<Edition>,
    events: Vec<Fact>,
    readers: Vec<FeedReaders>,
    pushes: Vec<PushCount>,
    deliveries: Vec<Count>,
    destinations: Vec<DestinationCount>,
    /// By newsletter and cadence.
    audiences: Vec<(String, Cadence, i64)>,
}

/// The report and when it was made. Holding it means making one, so that many visitors make one.
#[derive(Debug, Default)]
pub(super) struct ReportCache(Mutex<Option<(Timestamp, Arc<Report>)>>);

/// `GET /status`.
pub(super) async fn show(State(state): State<WebState>) -> Result<Response, Refusal> {
    let config = state.config.load();
    let (report, trouble) = match timeout(DATABASE_WITHIN, report(&state, &config)).await {
        Ok(Ok(report)) => (report, None),
        Ok(Err(error)) => {
            let error = telemetry::causes(&error);
            tracing::warn!(%error, "the status page comes without the database");
            (Arc::default(), Some(without_database()))
        }
        Err(_) => (Arc::default(), Some(without_database())),
    };
    let context = context(&state, &config, &report, trouble.as_ref());
    let page = page::html(&state, "page/status.html", &context)?;
    Ok(page::uncached(page))
}

fn without_database() -> Diagnostic {
    Diagnostic::error("database-away", "the database does not answer")
        .effect(
            "feeds are still served; nobody can subscribe, nothing is sent, and this page lacks what it knows",
        )
        .help("the log says what went wrong")
}

fn fence(report: &Report) -> Option<Diagnostic> {
    let fenced = report.fenced.as_ref()?;
    let problem = Diagnostic::error("database-fenced", format!("nothing goes out: {}", fenced.why));
    Some(
        problem
            .effect(
                "feeds are served and posts are read; no mail, no confirmation and no call is sent",
            )
            .help("`postrider fence` on the command line shows what waits, and goes on"),
    )
}

async fn report(state: &WebState, config: &Config) -> Result<Arc<Report>, StoreError> {
    let mut cached = state.kept.report.0.lock().await;
    let now = state.clock.now();
    if let Some((at, report)) = &*cached
        && now.duration_since(*at) < REPORT_AGE
    {
        return Ok(Arc::clone(report));
    }
    let report = Arc::new(read(&state.store, config, now).await?);
    *cached = Some((now, Arc::clone(&report)));
    Ok(report)
}

async fn read(store: &Store, config: &Config, now: Timestamp) -> Result<Report, StoreError> {
    let mut tx = store.read().await?;
    let mut audiences = Vec::new();
    for newsletter in config.newsletters.values() {
        for cadence in newsletter.cadences.keys() {
            let size = tx.audience_size(&newsletter.name, *cadence).await?;
            audiences.push((newsletter.name.clone(), *cadence, size));
        }
    }
    Ok(Report {
        fenced: tx.fenced().await?,
        audiences,
        queues: tx.queues().await?,
        editions: tx.latest_editions(EDITIONS).await?,
        events: tx.latest_events(EVENTS).await?,
        readers: tx.feed_readers(now.as_second() / SECONDS_OF_DAY).await?,
        pushes: tx.pushes().await?,
        deliveries: tx.delivery_counts().await?,
        destinations: tx.destination_counts().await?,
    })
}

fn context(
    state: &WebState,
    config: &Config,
    report: &Report,
    trouble: Option<&Diagnostic>,
) -> StatusPage {
    let shelf = state.shelf.load();
    let now = state.clock.now();
    let told = |at: Timestamp| at.to_zoned(config.site.time_zone.clone());
    StatusPage {
        site: page::site(config),
        nav: page::navigation(config, "Status"),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started_at: told(state.started_at),
        now: told(now),
        posts: number(shelf.live.posts.len()),
        drafts: number(shelf.drafts),
        problems: problems(trouble.or(fence(report).as_ref()), &shelf),
        feeds: index::feeds(config),
        readers: report
            .readers
            .iter()
            .map(|row| ReaderRow {
                path: row.path.clone(),
                pollers: number(row.pollers),
                subscribers: number(row.subscribers),
            })
            .collect(),
        pushes: report.pushes.iter().map(push).collect(),
        newsletters: newsletters(config, report, now),
        destinations: destinations(config, report),
        queue: report.queues.iter().map(|row| queue(row, told)).collect(),
        editions: report.editions.iter().map(|row| edition(row, told)).collect(),
        events: report.events.iter().map(|row| event(row, told)).collect(),
        deliveries: report
            .deliveries
            .iter()
            .map(|row| StateCount {
                state: row.state.as_str().to_owned(),
                count: number(row.count),
            })
            .collect(),
    }
}

/// Worst first; among equals in the order in which they were found.
fn problems(trouble: Option<&Diagnostic>, shelf: &Shelf) -> Vec<ProblemRow> {
    let mut all: Vec<&Diagnostic> = trouble.into_iter().chain(&shelf.problems).collect();
    all.sort_by_key(|problem| std::cmp::Reverse(problem.severity));
    let row = |problem: &Diagnostic| ProblemRow {
        severity: match problem.severity {
            Severity::Error => "error".to_owned(),
            Severity::Warning => "warning".to_owned(),
        },
        place: problem.place(),
        message: problem.message.clone(),
        effect: problem.effect.clone(),
        help: problem.help.clone(),
    };
    all.into_iter().map(row).collect()
}

fn newsletters(config: &Config, report: &Report, now: Timestamp) -> Vec<NewsletterRow> {
    let row = |newsletter: &Newsletter| NewsletterRow {
        name: newsletter.name.clone(),
        title: newsletter.title.clone(),
        url: page::local(config, &format!("subscribe/{}", newsletter.name)),
        cadences: cadences(newsletter, report, now),
    };
    config.newsletters.values().map(row).collect()
}

fn cadences(newsletter: &Newsletter, report: &Report, now: Timestamp) -> Vec<CadenceRow> {
    let size = |cadence: Cadence| {
        let mut audiences = report.audiences.iter();
        audiences
            .find(|(name, of, _)| *name == newsletter.name && *of == cadence)
            .map_or(0, |(_, _, size)| number(*size))
    };
    newsletter
        .cadences
        .iter()
        .map(|(cadence, schedule)| CadenceRow {
            cadence: cadence.to_string(),
            expression: schedule.as_ref().map(|schedule| schedule.expression().to_owned()),
            next_run: schedule.as_ref().and_then(|schedule| {
                schedule.next_after(now).map(|at| at.to_zoned(schedule.zone().clone()))
            }),
            subscribers: size(*cadence),
        })
        .collect()
}

fn destinations(config: &Config, report: &Report) -> Vec<DestinationRow> {
    config.destinations.keys().map(|name| destination(name, report)).collect()
}

fn destination(name: &str, report: &Report) -> DestinationRow {
    let mine = || report.destinations.iter().filter(|row| row.destination == name);
    let count = |state| mine().filter(|row| row.state == state).map(|row| number(row.count)).sum();
    let deferred: u64 = count(DeliveryState::Deferred);
    let uncertain: u64 = count(DeliveryState::Uncertain);
    let state = match (deferred, uncertain) {
        (0, 0) => "well".to_owned(),
        (_, 0) => format!("refuses for now; {deferred} will be tried again"),
        (_, _) => format!("did not answer; {uncertain} in doubt"),
    };
    DestinationRow {
        name: name.to_owned(),
        state,
        healthy: deferred + uncertain == 0,
        accepted: count(DeliveryState::Accepted),
        waiting: mine().filter(|row| !row.state.is_final()).map(|row| number(row.count)).sum(),
        rejected: count(DeliveryState::Rejected),
    }
}

fn push(row: &PushCount) -> PushRow {
    PushRow {
        target: row.target.clone(),
        subscribers: row.subscribers.map(number),
        owed: number(row.owed),
    }
}

fn queue(row: &Queue, told: impl Fn(Timestamp) -> Zoned) -> QueueRow {
    QueueRow {
        channel: row.channel.clone(),
        waiting: number(row.waiting),
        held: number(row.held),
        oldest: row.oldest_at.map(told),
    }
}

fn edition(row: &Edition, told: impl Fn(Timestamp) -> Zoned) -> EditionRow {
    let count = |wanted: fn(DeliveryState) -> bool| {
        row.counts.iter().filter(|one| wanted(one.state)).map(|one| number(one.count)).sum()
    };
    EditionRow {
        id: row.id.0,
        newsletter: row.newsletter.clone(),
        cadence: row.cadence.clone(),
        subject: row.subject.clone(),
        sealed_at: told(row.sealed_at),
        state: row.state.as_str().to_owned(),
        why: row.why.clone(),
        accepted: count(|state| state == DeliveryState::Accepted),
        waiting: count(|state| !state.is_final() && state != DeliveryState::Uncertain),
        rejected: count(|state| state == DeliveryState::Rejected),
        uncertain: count(|state| state == DeliveryState::Uncertain),
    }
}

fn event(row: &Fact, told: impl Fn(Timestamp) -> Zoned) -> EventRow {
    let named = |what: &str, id: Option<i64>| id.map(|id| format!("{what} {id}"));
    let parts = [
        named("edition", row.edition),
        named("delivery", row.delivery),
        row.post.clone(),
        Some(row.detail.clone()).filter(|detail| !detail.is_empty()),
    ];
    let text = parts.into_iter().flatten().collect::<Vec<_>>().join(" · ");
    EventRow { at: told(row.at), kind: row.kind.clone(), text }
}

/// A count as pages show it: databases count with a sign.
fn number<N: TryInto<u64>>(count: N) -> u64 {
    count.try_into().unwrap_or_default()
}
