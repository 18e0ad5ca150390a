//! A house for tests: a configuration with an outbox, a database in a folder of its own, a clock that stands still.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;

use super::Audience;
use crate::clock::ManualClock;
use crate::config::{
    Config, Destination, DestinationKind, Endpoint, Feeds, FieldKind, FormField, Log, LogFormat,
    Mail, MailEncoding, MailServer, Mailbox, Newsletter, Server, SignupQuestions, Site, StoreUrl,
    Topic, Transport, Watch, WatchMode, Webhook,
};
use crate::domain::{
    Cadence, Canary, DomainLimits, EmailAddress, FeedWindow, LetterId, MissedRuns, Releases,
    RetryPolicy, Schedule,
};
use crate::mail::Composed;
use crate::store::{Store, SubscriptionRow};
use crate::template::Templates;

pub(crate) struct House {
    pub(crate) dir: TempDir,
    pub(crate) clock: ManualClock,
    pub(crate) config: Config,
    pub(crate) templates: Templates,
    pub(crate) store: Store,
}

/// The newsletter asks whatever can be asked: there are two topics, another language, and a question of each type.
pub(crate) fn asks_everything(newsletter: &mut Newsletter) {
    let topic = |title: &str| Topic { title: title.to_owned(), terms: Vec::new() };
    newsletter.topics = [("making", "Making"), ("tea", "Tea")]
        .map(|(name, title)| (name.to_owned(), topic(title)))
        .into();
    newsletter.languages = vec!["de".to_owned()];
    let field = |name: &str, kind, required| FormField {
        name: name.to_owned(),
        title: name.to_owned(),
        kind,
        required,
    };
    let drinks = FieldKind::Choice(vec!["tea".to_owned(), "coffee".to_owned()]);
    newsletter.questions = SignupQuestions {
        ask_name: true,
        fields: vec![
            field("born", FieldKind::Date, false),
            field("cats", FieldKind::Number, true),
            field("drink", drinks, false),
            field("rules", FieldKind::Checkbox, true),
            field("town", FieldKind::Text, false),
        ],
        ..SignupQuestions::default()
    };
}

impl House {
    pub(crate) async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = ManualClock::at("2026-11-22T08:00:00Z".parse().unwrap());
        let config = config(dir.path());
        let store = Store::open(&config.store, now(&clock)).await.unwrap();
        Self { clock, config, templates: Templates::load(None).unwrap(), store, dir }
    }

    pub(crate) fn audience(&self) -> Audience<'_> {
        let Self { clock, config, templates, store, .. } = self;
        Audience { config, templates, store, clock }
    }

    /// Every letter planned so far, oldest first.
    pub(crate) async fn letters(&self) -> Vec<Composed> {
        let mut tx = self.store.read().await.unwrap();
        let mut letters = Vec::new();
        for id in 1.. {
            let Some((_, _, content)) = tx.letter_content(LetterId(id)).await.unwrap() else {
                break;
            };
            letters.push(serde_json::from_str(&content).unwrap());
        }
        letters
    }

    /// The token in the newest confirmation letter.
    pub(crate) async fn newest_token(&self) -> String {
        let letter = self.letters().await.pop().unwrap();
        let (_, rest) = letter.text.split_once("/confirm/").unwrap();
        rest.split_whitespace().next().unwrap().to_owned()
    }

    /// The one subscription of `address`.
    pub(crate) async fn subscription(&self, address: &str) -> SubscriptionRow {
        let address: EmailAddress = address.parse().unwrap();
        let mut tx = self.store.read().await.unwrap();
        tx.subscriptions_of(&address, None).await.unwrap().pop().unwrap()
    }

    /// The path of the unsubscribe link of `address`.
    pub(crate) async fn unsubscribe_token(&self, address: &str) -> String {
        self.store.keyring().unsubscribe_token(self.subscription(address).await.id)
    }
}

impl Audience<'_> {
    /// What the link in a mail does.
    pub(crate) async fn unsubscribe(&self, token: &str) -> Result<bool, crate::store::StoreError> {
        self.leave_by(token, "link").await
    }
}

pub(crate) fn now(clock: &ManualClock) -> Timestamp {
    crate::clock::Clock::now(clock)
}

fn retry() -> RetryPolicy {
    RetryPolicy {
        first_delay: SignedDuration::from_mins(1),
        max_delay: SignedDuration::from_hours(4),
        max_attempts: 10,
        give_up_after: SignedDuration::from_hours(72),
        resend_uncertain: true,
    }
}

fn config(root: &Path) -> Config {
    let outbox = root.join("outbox");
    Config {
        root: root.to_owned(),
        files: Vec::new(),
        site: Site {
            title: "Field Notes".to_owned(),
            description: "Walks, tea and code".to_owned(),
            url: "https://example.org/".parse().unwrap(),
            language: "en".to_owned(),
            time_zone: TimeZone::get("Europe/Berlin").unwrap(),
            author: None,
        },
        server: Server {
            listen: "127.0.0.1:8080".parse().unwrap(),
            public_url: "https://news.example.org/".parse().unwrap(),
        },
        store: StoreUrl::Sqlite(root.join("postrider.db")),
        posts: Vec::new(),
        watch: Watch {
            mode: WatchMode::Poll,
            debounce: SignedDuration::from_millis(300),
            rescan: SignedDuration::from_mins(5),
        },
        guard: crate::config::Guard { new_posts: 0, within: SignedDuration::from_mins(10) },
        feeds: Feeds { window: FeedWindow { items: 20, bytes: None }, ..Feeds::default() },
        archive: crate::config::Archive { enabled: true, posts_per_page: 3, index_now: None },
        mail: mail(&outbox),
        newsletters: [newsletter("weekly"), newsletter("monthly")]
            .map(|newsletter| (newsletter.name.clone(), newsletter))
            .into(),
        segments: crate::domain::Segments::new(),
        privacy: crate::config::Privacy::default(),
        signup: crate::config::Signup::default(),
        destinations: [("chat".to_owned(), destination(&outbox))].into(),
        releases: Releases::default(),
        check: crate::config::Check::default(),
        log: Log { format: LogFormat::Auto, level: "info".to_owned() },
        sample_subscribers: Vec::new(),
    }
}

fn mail(outbox: &Path) -> Mail {
    let main = MailServer {
        name: "main".to_owned(),
        transport: Transport::Outbox(outbox.to_owned()),
        connections: 2,
        messages_per_connection: 100,
        weight: 1,
        rate: None,
        daily_quota: None,
        domains: Vec::new(),
        chunking: false,
        window: 8,
        hello_name: "news.example.org".to_owned(),
        dkim: true,
    };
    Mail {
        from: Mailbox {
            name: Some("Field Notes".to_owned()),
            address: "news@example.org".parse().unwrap(),
        },
        reply_to: None,
        address: "1 River Lane, Berlin".to_owned(),
        bounce_address: None,
        unsubscribe_mailto: None,
        feedback_id: None,
        encoding: MailEncoding::default(),
        dkim: Vec::new(),
        servers: [("main".to_owned(), main)].into(),
        domains: BTreeMap::new(),
        default_domain: DomainLimits::default(),
        warm_up: BTreeMap::new(),
        canary: Canary::default(),
        retry: retry(),
    }
}

/// Offers `instant` and `weekly`.
fn newsletter(name: &str) -> Newsletter {
    let monday = Schedule::parse("0 7 * * MON", TimeZone::UTC).unwrap();
    Newsletter {
        name: name.to_owned(),
        title: format!("Field Notes {name}"),
        description: "What was new by the river".to_owned(),
        languages: Vec::new(),
        only_in_language: false,
        topics: BTreeMap::new(),
        welcome: Vec::new(),
        audience: None,
        questions: crate::config::SignupQuestions::default(),
        cadences: [(Cadence::Instant, None), (Cadence::Weekly, Some(monday))].into(),
        default_cadence: Cadence::Weekly,
        missed_runs: MissedRuns::Skip,
        from: None,
        servers: vec!["main".to_owned()],
        send_window: None,
        retry: retry(),
        reply_to: None,
        inline_images: false,
        language: "en".to_owned(),
    }
}

fn destination(outbox: &Path) -> Destination {
    Destination {
        name: "chat".to_owned(),
        kind: DestinationKind::Webhook(Webhook {
            endpoint: Endpoint::Outbox(outbox.to_owned()),
            secrets: Vec::new(),
            headers: BTreeMap::new(),
            template: None,
            timeout: SignedDuration::from_secs(10),
        }),
        retracts: false,
        updates: false,
        retry: retry(),
    }
}
