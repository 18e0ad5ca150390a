//! `postrider status`: where everything stands.

use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

use super::arguments::Format;
use super::console::{self, Page};
use super::project::{Project, now};
use super::style::{GOOD, STRONG, WARNING, examples, paint};
use super::table::Rows;
use super::{editions, feeds, fence, healthcheck, words};
use crate::config::{Config, StoreUrl};
use crate::planner::schedules;
use crate::store::{
    EditionRow, FeedReaders, Fenced, HeldFeeds, PushCount, QueueRow, StateCount, Tx,
};

/// Editions that are shown.
const EDITIONS: i64 = 5;
const SECONDS_OF_DAY: i64 = 86_400;
/// How long to ask whether the daemon runs.
const ASK: Duration = Duration::from_secs(1);

/// Say where everything stands: the daemon, what waits, what went out
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "postrider status
  postrider status --format json | jq '.queues'"
))]
pub(super) struct StatusArgs {
    /// For people or for programs
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// What `--format json` prints.
#[derive(Serialize)]
struct Status {
    schema: u32,
    at: Timestamp,
    /// Whether a daemon answers where the configuration says that it listens.
    running: bool,
    /// Why nothing goes out, until a person has released it.
    fenced: Option<Fenced>,
    /// Why the feeds stay as they were, until a person has let the change through.
    feeds_held: Option<HeldFeeds>,
    deliveries: Vec<StateCount>,
    queues: Vec<QueueRow>,
    editions: Vec<EditionRow>,
    schedules: Vec<NextRun>,
    /// At least so many read each feed.
    readers: Vec<FeedReaders>,
    /// Who is told of what, apart from mail and destinations.
    pushes: Vec<PushCount>,
}

#[derive(Serialize)]
struct NextRun {
    schedule: String,
    last_at: Option<Timestamp>,
    next_at: Option<Timestamp>,
}

pub(super) async fn run(project: &Project, args: &StatusArgs) -> anyhow::Result<()> {
    let config = &project.config;
    let running = healthcheck::status_of(config.server.listen, ASK).await.is_ok();
    let look = project.look().await?;
    let fenced = fence::of(&look.store).await?;
    let mut tx = look.store.read().await?;
    let status = Status {
        schema: 1,
        at: now(),
        running,
        fenced,
        feeds_held: tx.held_feeds().await?,
        deliveries: tx.delivery_counts().await?,
        queues: tx.queues().await?,
        editions: tx.latest_editions(EDITIONS).await?,
        schedules: runs(config, &mut tx).await?,
        readers: tx.feed_readers(now().as_second() / SECONDS_OF_DAY).await?,
        pushes: tx.pushes().await?,
    };
    drop(tx);
    let is_new = look.is_new;
    look.close().await;
    match args.format {
        Format::Json => console::print_json(&status)?,
        Format::Human => console::print(&status.text(config, is_new))?,
    }
    Ok(())
}

async fn runs(config: &Config, tx: &mut Tx) -> anyhow::Result<Vec<NextRun>> {
    let mut runs = Vec::new();
    for (name, schedule) in schedules(config) {
        let last_at = tx.last_tick(&name).await?;
        runs.push(NextRun { schedule: name, last_at, next_at: schedule.next_after(now()) });
    }
    Ok(runs)
}

impl Status {
    fn text(&self, config: &Config, is_new: bool) -> String {
        let mut page = Page::default();
        let listen = config.server.listen;
        if self.running {
            page.line(format_args!("{} at {}", paint(GOOD, "Running"), config.server.public_url));
        } else {
            let word = paint(WARNING, "Not running");
            page.line(format_args!("{word}: nothing answers at {listen}"));
        }
        if let Some(fenced) = &self.fenced {
            page.line(fence::line(fenced));
        }
        if let Some(held) = &self.feeds_held {
            page.line(feeds::line(held));
        }
        if is_new {
            let place = match &config.store {
                StoreUrl::Sqlite(path) => path.display().to_string(),
                StoreUrl::Postgres(_) => "PostgreSQL".to_owned(),
            };
            page.line(format_args!("There is nothing in the database yet ({place})"));
        }
        page.gap().block(&self.waiting());
        if !self.deliveries.is_empty() {
            let counts = self.deliveries.iter();
            let counts: Vec<_> =
                counts.map(|count| format!("{} {}", count.count, count.state.as_str())).collect();
            page.line(format_args!("All deliveries: {}", counts.join(", ")));
        }
        if !self.editions.is_empty() {
            page.gap().block(&editions::table(&self.editions, &config.site.time_zone));
        }
        if !self.schedules.is_empty() {
            page.gap().block(&self.schedules(config));
        }
        if !self.readers.is_empty() {
            page.gap().block(&self.feed_readers());
        }
        if !self.pushes.is_empty() {
            page.gap().block(&self.pushes());
        }
        page.text()
    }

    fn feed_readers(&self) -> String {
        let heads = ["feed", "readers, at least", "by themselves", "through services"];
        let mut rows = Rows::under(&heads).numbers_in(&[1, 2, 3]);
        for row in &self.readers {
            let all = row.pollers.saturating_add(row.subscribers).to_string();
            rows.row(&[&row.path, &all, &row.pollers.to_string(), &row.subscribers.to_string()]);
        }
        rows.text()
    }

    fn pushes(&self) -> String {
        let mut rows = Rows::under(&["told of changes", "subscribers", "owed"]).numbers_in(&[1, 2]);
        for row in &self.pushes {
            let subscribers = row.subscribers.map(|it| it.to_string()).unwrap_or_default();
            rows.row(&[&row.target, &subscribers, &row.owed.to_string()]);
        }
        rows.text()
    }

    fn waiting(&self) -> String {
        if self.queues.is_empty() {
            return format!("{}\n", paint(STRONG, "Nothing waits to be sent"));
        }
        let mut rows = Rows::under(&["channel", "waiting", "held", "oldest"]).numbers_in(&[1, 2]);
        for queue in &self.queues {
            let oldest = queue.oldest_at.map(|at| words::relative(at, self.at)).unwrap_or_default();
            let (waiting, held) = (queue.waiting.to_string(), queue.held.to_string());
            rows.row(&[&queue.channel, &waiting, &held, &oldest]);
        }
        rows.text()
    }

    fn schedules(&self, config: &Config) -> String {
        let zone = &config.site.time_zone;
        let mut rows = Rows::under(&["schedule", "last", "next"]);
        for run in &self.schedules {
            let last =
                run.last_at.map_or_else(|| "never".to_owned(), |at| words::relative(at, self.at));
            let next = run.next_at.map_or_else(
                || "never".to_owned(),
                |at| format!("{}, {}", words::local(at, zone), words::relative(at, self.at)),
            );
            rows.row(&[&run.schedule, &last, &next]);
        }
        rows.text()
    }
}
