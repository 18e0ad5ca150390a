//! The table: all rows, round after round, and the middle of what each round said.

use std::collections::BTreeMap;

use clap::Args;

use crate::daemon::{Edition, Newsletter};
use crate::measure::{cores, machine, median};
use crate::peers::openssl_signatures;
use crate::rows::{Place, Row, Sample, as_f64, rows};

#[derive(Args)]
pub(crate) struct Table {
    /// Rounds; the table shows the middle of each figure
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Mails of each measurement
    #[arg(long, default_value_t = 100_000)]
    pub(crate) mails: u64,
    /// Readers of the large edition; 0 leaves it out
    #[arg(long, default_value_t = 1_000_000)]
    large: u64,
    /// An empty database for the rows on PostgreSQL, with `fsync` on
    #[arg(long)]
    pub(crate) postgres: Option<String>,
    /// Only rows whose name has this in it
    #[arg(long)]
    only: Option<String>,
}

pub(crate) fn run(args: &Table) -> anyhow::Result<()> {
    let place = Place::new(args)?;
    let wanted = |row: &Row| args.only.as_ref().is_none_or(|only| row.name.contains(only));
    let rows: Vec<Row> = rows(args.postgres.is_some()).into_iter().filter(wanted).collect();
    let mut samples: BTreeMap<usize, Vec<Sample>> = BTreeMap::new();
    let mut signatures = Vec::new();
    for round in 1..=args.runs {
        for (number, row) in rows.iter().enumerate() {
            let sample = (row.measure)(&place)?;
            eprintln!("{round}/{}  {}: {sample:?}", args.runs, row.name);
            samples.entry(number).or_default().push(sample);
        }
        signatures.push(openssl_signatures()?);
    }
    println!(
        "{}; {} mails of {} bytes, {} rounds, medians; `openssl speed rsa2048` on {} cores: {:.0} signatures a second\n",
        machine(),
        place.mails,
        place.message_bytes,
        args.runs,
        cores(),
        median(signatures)
    );
    println!("| what | messages/s | sender, us CPU/message | sink, us CPU/message | |");
    println!("|---|--:|--:|--:|---|");
    for (number, row) in rows.iter().enumerate() {
        print(row, samples.get(&number).map_or(&[], Vec::as_slice));
    }
    if args.large > 0 && args.only.is_none() {
        large(args.large)?;
    }
    Ok(())
}

fn print(row: &Row, samples: &[Sample]) {
    let middle = |get: fn(&Sample) -> f64| median(samples.iter().map(get).collect());
    let figures: Vec<f64> = samples.iter().filter_map(|sample| sample.figure).collect();
    let figure = if figures.is_empty() || row.note.is_empty() {
        String::new()
    } else {
        format!("{:.2} {}", median(figures), row.note)
    };
    println!(
        "| {} | {:.0} | {:.1} | {:.1} | {figure} |",
        row.name,
        middle(|sample| sample.rate),
        middle(|sample| sample.sender),
        middle(|sample| sample.sink),
    );
}

/// How an edition grows: what it takes with ten thousand readers, and with many more.
fn large(readers: u64) -> anyhow::Result<()> {
    println!(
        "\n| SQLite, 20 connections | first mail after, s | messages/s | sender, us CPU/message | peak memory, MB above idle |"
    );
    println!("|---|--:|--:|--:|--:|");
    for readers in [10_000, readers] {
        let mut newsletter = Newsletter::new(None, readers)?;
        let idle = newsletter.idle()?.resident_kib;
        let sent = newsletter.send(&Edition::over(20))?;
        println!(
            "| {readers} readers | {:.2} | {:.0} | {:.1} | {:.1} |",
            sent.first_after,
            as_f64(sent.took.messages) / sent.took.seconds,
            sent.cpu_seconds * 1e6 / as_f64(sent.took.messages),
            (as_f64(sent.peak_kib) - as_f64(idle)) / 1024.0,
        );
    }
    Ok(())
}
