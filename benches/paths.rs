//! The paths that people wait for, each at 10,000: `cargo bench`. Quote medians and ratios of one run.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

use arc_swap::ArcSwap;
use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use jiff::Timestamp;
use postrider::clock::{ManualClock, SharedClock};
use postrider::config::{self, Config, DkimKey, Environment, MailEncoding, Mailbox};
use postrider::domain::{Cadence, CatalogPost, EmailAddress, SigningKey};
use postrider::feed::{Places, Shelf};
use postrider::ingest::{Ingest, Press, open_cache, publish_feeds};
use postrider::mail::{self, Blueprint, EditionInput, Envelope, ListHeaders, Recipient};
use postrider::store::{PostCache, Store};
use postrider::template::Templates;
use postrider::web::{self, WebState};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

const POSTS: usize = 10_000;
const RECIPIENTS: u64 = 10_000;

const CONFIG: &str = r#"
[site]
title = "Bench"
url = "https://example.org"
language = "en"
timezone = "Europe/Berlin"
[server]
listen = "127.0.0.1:8080"
public_url = "http://127.0.0.1:8080"
[store]
url = "sqlite:var/postrider.db"
[[posts]]
path = "posts"
permalink = "/posts/{slug}/"
settle = "2m"
[mail]
from = "Bench <news@example.org>"
address = "1 Bench Road"
[mail.servers.main]
url = "outbox:var/outbox"
[newsletters.weekly]
title = "Bench weekly"
cadences = { instant = true, weekly = "0 7 * * MON" }
default_cadence = "weekly"
"#;

fn now() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().expect("a date")
}

/// About 1 kB of Markdown with a list, a link, an image and some tags.
fn post(number: usize) -> String {
    let (year, day, hour) = (2000 + number % 26, number % 28 + 1, number % 24);
    let mut text = format!(
        "---\ntitle: Post number {number}\ndate: {year}-{:02}-{day:02}T{hour:02}:00:00Z\ntags: [bench, t{}, u{}]\n---\n\n",
        number % 12 + 1,
        number % 40,
        number % 7,
    );
    for paragraph in 0..4 {
        writeln!(
            text,
            "Paragraph {paragraph} of *{number}* says what posts say, with a [link](/posts/post-{}/) and enough words \
             to be a paragraph that somebody could have written on a quiet evening.\n",
            number / 2
        )
        .expect("a string takes every character");
    }
    text.push_str("- one\n- two\n\n![a picture](/images/picture.jpg)\n");
    text
}

fn project(posts: usize) -> TempDir {
    let folder = TempDir::new().expect("a temporary folder");
    std::fs::create_dir_all(folder.path().join("config")).expect("write");
    std::fs::create_dir_all(folder.path().join("posts")).expect("write");
    std::fs::write(folder.path().join("config/postrider.toml"), CONFIG).expect("write");
    for number in 0..posts {
        let path = folder.path().join(format!("posts/post-{number}.md"));
        std::fs::write(path, post(number)).expect("write");
    }
    folder
}

fn config(folder: &Path) -> Arc<Config> {
    let file = folder.join("config/postrider.toml");
    let loaded = config::load(&file, &Environment::default()).expect("the bench's config is good");
    Arc::new(loaded.config)
}

async fn ingested(config: &Arc<Config>) -> (Store, PostCache, Ingest) {
    let store = Store::open(&config.store, now()).await.expect("open");
    let cache = open_cache(config, &store).expect("open");
    let mut ingest =
        Ingest::open(Arc::clone(config), store.clone(), cache.clone()).await.expect("open");
    ingest.rescan(now()).await.expect("scan");
    (store, cache, ingest)
}

fn shelf((config, cache): (&Config, &PostCache), ingest: &Ingest, previous: &Shelf) -> Shelf {
    let with = Press { config, cache, places: &Places::default(), ids: &Arc::default() };
    let published = publish_feeds(with, &ingest.catalog(), &HashMap::new(), previous, now());
    published.shelf
}

fn cold_start(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let folder = project(POSTS);
    let config = config(folder.path());
    let mut group = criterion.benchmark_group("10,000 posts");
    group.sample_size(10);
    group.bench_function("cold start to feeds", |bencher| {
        bencher.iter_batched(
            || {
                let _ = std::fs::remove_dir_all(folder.path().join("var"));
            },
            |()| {
                runtime.block_on(async {
                    let (store, cache, ingest) = ingested(&config).await;
                    let shelf = shelf((&config, &cache), &ingest, &Shelf::default());
                    store.close().await;
                    shelf
                })
            },
            BatchSize::PerIteration,
        );
    });
    let (_store, cache, mut ingest) = runtime.block_on(ingested(&config));
    let before = shelf((&config, &cache), &ingest, &Shelf::default());
    let changed = folder.path().join("posts/post-25.md");
    let mut edits = 0;
    group.bench_function("one saved file to the changed feeds", |bencher| {
        bencher.iter(|| {
            edits += 1;
            std::fs::write(&changed, format!("{}\n\nEdit {edits}\n", post(25))).expect("write");
            runtime
                .block_on(ingest.refresh(std::slice::from_ref(&changed), now()))
                .expect("refresh");
            black_box(shelf((&config, &cache), &ingest, &before))
        });
    });
    group.finish();
}

fn edition(criterion: &mut Criterion) {
    let (runtime, folder) = (Runtime::new().expect("a runtime"), project(8));
    let config = config(folder.path());
    let (_store, cache, ingest) = runtime.block_on(ingested(&config));
    let catalog = ingest.catalog();
    let written =
        |known: &Arc<CatalogPost>| cache.written(&known.post, known.body).expect("a text");
    let posts: Vec<_> = catalog.posts.iter().map(written).collect();
    let templates = Templates::load(None).expect("the shipped templates are good");
    let input = EditionInput {
        language: None,
        site: &config.site,
        newsletter: &config.newsletters["weekly"],
        cadence: Cadence::Weekly,
        posts: &posts,
        public_url: &config.server.public_url,
        postal_address: &config.mail.address,
        page_url: None,
        sealed_at: now(),
    };
    let composed = mail::compose_edition(&templates, &input).expect("composes");
    let unsubscribe_base = mail::unsubscribe_base(&config.server.public_url);
    let envelope = Envelope {
        from: &config.mail.from,
        reply_to: None,
        list: Some(ListHeaders {
            id: "weekly.example.org",
            title: "Bench weekly",
            unsubscribe_base: &unsubscribe_base,
            unsubscribe_mailto: None,
            subscribe: None,
            archive: None,
            owner: None,
        }),
        feedback: None,
        date: now(),
        dkim: &[],
        encoding: MailEncoding::QuotedPrintable,
    };
    let mut group = criterion.benchmark_group("an edition of 8 posts");
    group.bench_function("compose", |bencher| {
        bencher.iter(|| mail::compose_edition(&templates, black_box(&input)).expect("composes"));
    });
    group.throughput(Throughput::Elements(RECIPIENTS));
    let address: EmailAddress = "ann@example.org".parse().expect("an address");
    let token = "t".repeat(postrider::domain::TOKEN_LENGTH);
    group.bench_function("encode and fill for 10,000 recipients", |bencher| {
        bencher.iter(|| {
            let blueprint = Blueprint::new(&composed, &envelope).expect("builds");
            for _ in 0..RECIPIENTS {
                black_box(blueprint.fill(&Recipient {
                    to: &address,
                    message_id: "d1-0123456789abcdef@example.org",
                    unsubscribe_token: Some(&token),
                    signed_at: None,
                    eight_bit: false,
                }));
            }
        });
    });
    group.finish();
}

/// One mail of about 20 kB with its own token in four places, made ready for one recipient.
fn one_message(criterion: &mut Criterion) {
    let rsa = dkim_key("rsa", include_str!("../tests/fixtures/dkim/rsa.pem"));
    let ed25519 = dkim_key("ed25519", include_str!("../tests/fixtures/dkim/ed25519.pem"));
    let hole = format!("postrider-{}_", "0".repeat(32));
    let paragraph = "A paragraph says what posts say, in enough words to fill a line or two.\n";
    let link = format!("https://news.example.org/unsubscribe/{hole}\n");
    let composed: mail::Composed = serde_json::from_value(serde_json::json!({
        "subject": "What there was to see by the river this week",
        "text": format!("{link}{}{link}", paragraph.repeat(90)),
        "html": format!("<p>{link}</p>{}<p>{link}</p>", format!("<p>{paragraph}</p>").repeat(150)),
        "hole": hole,
    }))
    .expect("a composed mail");
    let from = Mailbox {
        name: Some("Bench".to_owned()),
        address: "news@example.org".parse().expect("an address"),
    };
    let address: EmailAddress = "ann@example.net".parse().expect("an address");
    let token = "t".repeat(postrider::domain::TOKEN_LENGTH);
    let mut group = criterion.benchmark_group("one mail of 20 kB");
    group.throughput(Throughput::Elements(1));
    for (name, keys) in [
        ("fill", &[][..]),
        ("fill and sign with RSA-2048", std::slice::from_ref(&rsa)),
        ("fill and sign with Ed25519", std::slice::from_ref(&ed25519)),
        ("fill and sign with both", &[rsa.clone(), ed25519.clone()]),
    ] {
        let blueprint = Blueprint::new(&composed, &signed_envelope(&from, keys)).expect("builds");
        let recipient = Recipient {
            to: &address,
            message_id: "d1-0123456789abcdef@example.org",
            unsubscribe_token: Some(&token),
            signed_at: Some(now()),
            eight_bit: false,
        };
        let bytes = blueprint.fill(&recipient).len();
        assert!((18_000..24_000).contains(&bytes), "{bytes}");
        group.bench_function(name, |bencher| {
            bencher.iter(|| black_box(blueprint.fill(black_box(&recipient))));
        });
    }
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, b"anything");
    group.bench_function("the RSA-2048 signature alone", |bencher| {
        bencher.iter(|| black_box(rsa.key.sign(black_box(&digest))));
    });
    group.finish();
}

fn dkim_key(selector: &str, pem: &str) -> DkimKey {
    DkimKey {
        domain: "example.org".to_owned(),
        selector: selector.to_owned(),
        key: Arc::new(SigningKey::from_pem(pem).expect("a key")),
        from: None,
    }
}

fn signed_envelope<'a>(from: &'a Mailbox, dkim: &'a [DkimKey]) -> Envelope<'a> {
    Envelope {
        from,
        reply_to: None,
        list: Some(ListHeaders {
            id: "weekly.example.org",
            title: "Bench weekly",
            unsubscribe_base: "https://news.example.org/unsubscribe/",
            unsubscribe_mailto: None,
            subscribe: Some("https://news.example.org/subscribe/weekly"),
            archive: Some("https://example.org/"),
            owner: None,
        }),
        feedback: None,
        date: now(),
        dkim,
        encoding: MailEncoding::QuotedPrintable,
    }
}

fn feed_requests(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let folder = project(100);
    let config = config(folder.path());
    let (store, cache, ingest) = runtime.block_on(ingested(&config));
    let clock: SharedClock = Arc::new(ManualClock::at(now()));
    let state = WebState::new(
        Arc::new(ArcSwap::from(Arc::clone(&config))),
        Arc::new(ArcSwap::from_pointee(Templates::load(None).expect("good templates"))),
        store,
        clock,
        Arc::new(ArcSwap::from_pointee(shelf((&config, &cache), &ingest, &Shelf::default()))),
    );
    let router = web::router(state);
    let request = |etag: Option<&str>| {
        let builder = Request::get("/feed.xml").header(header::ACCEPT_ENCODING, "gzip");
        let builder = match etag {
            Some(etag) => builder.header(header::IF_NONE_MATCH, etag),
            None => builder,
        };
        builder.body(Body::empty()).expect("a request")
    };
    let first = runtime.block_on(router.clone().oneshot(request(None))).expect("an answer");
    let etag = first.headers()[header::ETAG].to_str().expect("ASCII").to_owned();
    let mut group = criterion.benchmark_group("feed requests");
    group.throughput(Throughput::Elements(1));
    for (name, etag) in [("200", None), ("304", Some(etag.as_str()))] {
        group.bench_function(name, |bencher| {
            bencher.to_async(&runtime).iter(|| async {
                let answer = router.clone().oneshot(request(etag)).await.expect("an answer");
                assert_eq!(answer.status().as_str(), name);
                to_bytes(answer.into_body(), usize::MAX).await.expect("a body")
            });
        });
    }
    group.finish();
}

criterion_group!(benches, cold_start, edition, one_message, feed_requests);
criterion_main!(benches);
