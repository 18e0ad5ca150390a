//! `postrider plan`: what would go to whom and when, without doing it.

use std::collections::BTreeMap;

use clap::Args;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::arguments::Format;
use super::bench::Bench;
use super::console::{self, Page};
use super::project::Project;
use super::style::examples;
use super::table::Rows;
use super::{feeds, fence, report, words};
use crate::domain::{Diagnostic, EmailAddress, Refusal};
use crate::planner::{Forecast, ForecastRow, Withheld, forecast, forecast_for};
use crate::store::Fenced;

/// Posts named in one row of the table; the rest is counted.
const POSTS_NAMED: usize = 8;
/// Posts of which is said why they do not go out somewhere; the rest is counted.
const WITHHELD_NAMED: usize = 20;

/// Say what would go to whom and when, without doing it
///
/// Reads the posts as they are now and looks at the database. Nothing is written, nothing is sent.
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "postrider plan
  postrider plan --for ann@example.org
  postrider plan --format json | jq '.rows[0]'"
))]
pub(super) struct PlanArgs {
    /// Only what this subscriber gets by mail
    #[arg(long = "for", value_name = "ADDRESS")]
    whom: Option<EmailAddress>,
    /// For people or for programs
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Posts that will not go out, and why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
struct HeldBack {
    /// Found by the first scan, or older than a channel: live in feeds, never mailed or announced.
    baseline: usize,
    /// Held until somebody has looked: `postrider posts held`.
    held: usize,
    drafts: usize,
    broken: usize,
}

/// What `--format json` prints.
#[derive(Serialize)]
struct Plan<'a> {
    schema: u32,
    at: Timestamp,
    /// Nothing of this happens until a person has released it.
    fenced: Option<Fenced>,
    /// What readers of feeds would stumble over.
    feeds: &'a [Diagnostic],
    rows: &'a [ForecastRow],
    held_back: HeldBack,
    /// Posts that their authors keep from a channel.
    withheld: &'a [Withheld],
}

pub(super) async fn run(project: &Project, args: &PlanArgs) -> anyhow::Result<()> {
    let bench = Bench::open(project).await?;
    if let Some(address) = &args.whom {
        let shown = one(&bench, address, args.format).await;
        bench.close().await;
        return shown;
    }
    let forecast = forecast(&bench.planner, &bench.catalog, bench.now).await?;
    let fenced = fence::of(&bench.look.store).await?;
    let found = (&bench.catalog, bench.cache());
    let found =
        feeds::findings(&bench.look.store, &bench.config, found, bench.planner.taken()).await?;
    let held_back = HeldBack {
        baseline: forecast.not_news,
        held: bench.catalog.posts.iter().filter(|known| known.is_held()).count(),
        drafts: bench.catalog.drafts,
        broken: bench.catalog.broken,
    };
    match args.format {
        Format::Json => {
            let (rows, withheld) = (&forecast.rows, &forecast.withheld);
            let feeds = &found;
            let plan = Plan { schema: 1, at: bench.now, fenced, feeds, rows, held_back, withheld };
            console::print_json(&plan)?;
        }
        Format::Human => {
            let zone = &bench.config.site.time_zone;
            let view = View { zone, now: bench.now, framed: console::is_watched() };
            let fenced = fenced.map(|fenced| format!("{}\n\n", fence::line(&fenced)));
            let found = report::human(&found);
            let found = if found.is_empty() { found } else { format!("{}\n\n", found.trim_end()) };
            let before = fenced.unwrap_or_default() + &found;
            console::print(&(before + &view.text(&forecast, held_back)))?;
        }
    }
    bench.close().await;
    Ok(())
}

/// What one subscriber gets.
async fn one(bench: &Bench, address: &EmailAddress, format: Format) -> anyhow::Result<()> {
    let rows = forecast_for(&bench.planner, &bench.catalog, address, bench.now).await?;
    if let Format::Json = format {
        return console::print_json(&rows);
    }
    if rows.is_empty() {
        console::note(&format!(
            "Nothing is planned for {}: there is nothing new for them, or they get no mail now. \
             `postrider subscribers list` says where they stand.",
            address.as_str()
        ));
        return Ok(());
    }
    let zone = &bench.config.site.time_zone;
    let view = View { zone, now: bench.now, framed: console::is_watched() };
    Ok(console::print(&view.table(&rows))?)
}

/// How a forecast looks from here and now.
struct View<'a> {
    zone: &'a TimeZone,
    now: Timestamp,
    framed: bool,
}

impl View<'_> {
    fn text(&self, forecast: &Forecast, held_back: HeldBack) -> String {
        let mut page = Page::default();
        if forecast.rows.is_empty() {
            page.line("Nothing is planned: there is nothing new.");
        } else {
            page.block(&self.table(&forecast.rows));
        }
        let held = held_back.lines() + &withheld(&forecast.withheld);
        if !held.is_empty() {
            page.gap().line("Held back:").block(&held);
        }
        page.text()
    }

    /// What happens at one time stands together; the time is said once.
    fn table(&self, rows: &[ForecastRow]) -> String {
        let mut table =
            Rows::framed(&["when", "channel", "posts", "recipients"], self.framed).numbers_in(&[3]);
        let mut said = None;
        for row in rows {
            let when =
                if said == Some(row.at) && self.framed { String::new() } else { self.when(row.at) };
            said = Some(row.at);
            let recipients = match row.recipients {
                None => "all readers".to_owned(),
                Some(0) => "nobody".to_owned(),
                Some(recipients) => recipients.to_string(),
            };
            table.row(&[&when, &row.channel, &posts(&row.posts), &recipients]);
        }
        table.text()
    }

    fn when(&self, at: Timestamp) -> String {
        format!("{}, {}", words::local(at, self.zone), words::relative(at, self.now))
    }
}

/// One line a post and reason, with the channels that it is kept from.
fn withheld(all: &[Withheld]) -> String {
    let mut grouped: BTreeMap<(&str, Refusal), Vec<&str>> = BTreeMap::new();
    for one in all {
        grouped.entry((&one.post, one.why)).or_default().push(&one.channel);
    }
    let mut page = Page::default();
    for ((post, why), channels) in grouped.iter().take(WITHHELD_NAMED) {
        let channels = channels.join(", ");
        page.line(format_args!(
            "  {post}: not to {channels} ({} in its front matter)",
            why.words()
        ));
    }
    if grouped.len() > WITHHELD_NAMED {
        page.line(format_args!("  and {} more", grouped.len() - WITHHELD_NAMED));
    }
    page.text()
}

fn posts(slugs: &[String]) -> String {
    let mut lines: Vec<String> = slugs.iter().take(POSTS_NAMED).cloned().collect();
    if slugs.len() > POSTS_NAMED {
        lines.push(format!("and {} more", slugs.len() - POSTS_NAMED));
    }
    lines.join("\n")
}

impl HeldBack {
    fn lines(self) -> String {
        let mut page = Page::default();
        if self.baseline > 0 {
            page.line(format_args!(
                "  {}: there at the first start, so live in the feeds but no news (`baseline` in `[[posts]]`)",
                words::count(self.baseline, "old post")
            ));
        }
        if self.held > 0 {
            page.line(format_args!(
                "  {} that somebody has to look at: `postrider posts held`",
                words::count(self.held, "post")
            ));
        }
        if self.drafts > 0 {
            page.line(format_args!("  {}", words::count(self.drafts, "draft")));
        }
        if self.broken > 0 {
            page.line(format_args!(
                "  {}: `postrider check` says what is wrong",
                words::count(self.broken, "broken file")
            ));
        }
        page.text()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(at: &str, channel: &str, posts: &[&str], recipients: Option<i64>) -> ForecastRow {
        ForecastRow {
            at: at.parse().unwrap(),
            channel: channel.to_owned(),
            posts: posts.iter().map(|&slug| slug.to_owned()).collect(),
            recipients,
        }
    }

    fn shown(framed: bool) -> String {
        let many: Vec<String> = (1..=10).map(|number| format!("note-{number}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let forecast = Forecast {
            rows: vec![
                row("2026-10-05T05:00:00Z", "destination:chat", &["hello"], Some(1)),
                row(
                    "2026-10-05T05:00:00Z",
                    "newsletter:weekly:weekly",
                    &["hello", "bye"],
                    Some(1204),
                ),
                row("2026-10-25T01:30:00Z", "feeds", &["winter"], None),
                row("2026-11-01T06:00:00Z", "newsletter:weekly:monthly", &many, Some(0)),
            ],
            not_news: 12,
            withheld: [
                ("newsletter:weekly:daily", Refusal::NoMail),
                ("newsletter:weekly:weekly", Refusal::NoMail),
                ("destination:chat", Refusal::OtherDestinations),
            ]
            .map(|(channel, why)| Withheld {
                post: "aside".to_owned(),
                channel: channel.to_owned(),
                why,
            })
            .into(),
        };
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let view = View { zone: &zone, now: "2026-10-05T04:57:00Z".parse().unwrap(), framed };
        view.text(
            &forecast,
            HeldBack { baseline: forecast.not_news, held: 12, drafts: 1, broken: 2 },
        )
    }

    #[test]
    fn a_plan_for_people_groups_by_time() {
        insta::assert_snapshot!(shown(true));
    }

    #[test]
    fn a_plan_in_a_pipe_has_a_line_for_each_row() {
        insta::assert_snapshot!(shown(false));
    }

    #[test]
    fn where_nothing_is_planned_the_plan_says_so() {
        let zone = TimeZone::UTC;
        let view = View { zone: &zone, now: Timestamp::UNIX_EPOCH, framed: true };
        let text = view.text(&Forecast::default(), HeldBack::default());
        assert_eq!(text, "Nothing is planned: there is nothing new.\n");
    }
}
