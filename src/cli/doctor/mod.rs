//! `postrider doctor`: will mail from here arrive? With the DNS records to add.

use std::net::{IpAddr, SocketAddr};

use clap::Args;
use serde::Serialize;

use super::arguments::Format;
use super::compose;
use super::console;
use super::exit::{Code, Stop};
use super::project::{Project, now};
use super::style::examples;
use crate::deliverability::{Chapter, Grade};
use crate::dns::Resolver;

mod examine;
mod subject;
mod text;

/// Say whether mail from here will arrive, and which DNS records to add
///
/// Looks at SPF, DKIM, DMARC and MX of the domains that mail comes from, at the mail servers (connection, TLS, password,
/// PTR) and at the unsubscribe links, as Gmail, Yahoo and Microsoft do. Nothing is sent and nothing is written. The exit
/// code is 3 if mail would be refused, and 75 if nothing is wrong as far as somebody could be asked.
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "postrider doctor
  postrider doctor weekly --outgoing 192.0.2.10        mail leaves from there
  postrider doctor --format json | jq -r '.records[].zone'"
))]
pub(super) struct DoctorArgs {
    /// Look at this newsletter only
    newsletter: Option<String>,
    /// An address that mail leaves from, when it is not the mail server's; may be repeated
    #[arg(long, value_name = "ADDRESS")]
    outgoing: Vec<IpAddr>,
    /// Ask this name server, such as 9.9.9.9:53 [default: as the system is set up]
    #[arg(long, value_name = "ADDRESS:PORT")]
    resolver: Option<SocketAddr>,
    /// For people or for programs
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// What `--format json` prints.
#[derive(Serialize)]
struct Json<'a> {
    schema: u32,
    chapters: &'a [Chapter],
    records: Vec<JsonRecord<'a>>,
}

#[derive(Serialize)]
struct JsonRecord<'a> {
    /// Nobody refuses mail without it.
    optional: bool,
    #[serde(flatten)]
    record: &'a crate::deliverability::Record,
    /// As a line of a zone file.
    zone: String,
}

pub(super) async fn run(project: &Project, args: &DoctorArgs) -> anyhow::Result<()> {
    let config = &project.config;
    if config.newsletters.is_empty() && args.newsletter.is_none() {
        console::note("No newsletter is configured, so there is no sender to look at.");
        return Ok(());
    }
    let chosen = match args.newsletter.as_deref() {
        Some(name) => vec![compose::newsletter(config, Some(name))?],
        None => config.newsletters.values().collect(),
    };
    let resolver = match args.resolver {
        Some(server) => Resolver::at(server)?,
        None => Resolver::of_system()?,
    };
    let subject = subject::of(config, &chosen, &args.outgoing, now());
    let chapters = examine::everything(config, &subject, &resolver).await;
    match args.format {
        Format::Human => console::print(&text::text(&chapters))?,
        Format::Json => console::print_json(&Json {
            schema: 1,
            chapters: &chapters,
            records: records(&chapters),
        })?,
    }
    let grades = || chapters.iter().flat_map(|chapter| &chapter.findings).map(|it| it.grade);
    if grades().any(|grade| grade == Grade::Error) {
        return Err(Stop::silently(Code::Problems).into());
    }
    if grades().any(|grade| grade == Grade::Unknown) {
        return Err(Stop::silently(Code::TryAgain).into());
    }
    Ok(())
}

fn records(chapters: &[Chapter]) -> Vec<JsonRecord<'_>> {
    text::records(chapters)
        .into_iter()
        .map(|(grade, record)| JsonRecord {
            optional: grade == Grade::Advice,
            record,
            zone: record.zone_line(),
        })
        .collect()
}
