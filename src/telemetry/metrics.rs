//! Metrics: one registry for the process, a function for each fact.
//!
//! Names follow the Prometheus rules: base units, `_total` for what only grows. Alert on ages, not on counts.

use std::sync::LazyLock;
use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

/// The media type of `metrics_text`.
pub const METRICS_CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

type Seconds = Gauge<f64, AtomicU64>;
type Histograms<Labels> = Family<Labels, Histogram, fn() -> Histogram>;

macro_rules! labels {
    ($($(#[$doc:meta])* $name:ident { $($label:ident: $kind:ty),+ })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
        struct $name {
            $($label: $kind,)+
        }
    )+};
}

labels! {
    /// `mail:NEWSLETTER` or `destination:NAME`.
    Channel { channel: String }
    Delivered { channel: String, server: String, outcome: String }
    /// A mail server or a destination.
    Server { server: String }
    Sealed { newsletter: String, cadence: String }
    Destination { destination: String }
    /// `live` or `broken`.
    PostState { state: &'static str }
    /// `taken` or `refused`.
    Reload { result: &'static str }
    Feed { feed: String }
    FeedAnswer { feed: String, status: u16 }
    /// The pattern that the request matched, such as `/confirm/{token}`: never the path itself.
    Answer { route: String, status: u16 }
    Route { route: String }
    /// `ping`, `feed`, `verification` or `index`; `accepted`, `deferred` or `rejected`.
    Pushed { kind: &'static str, outcome: &'static str }
    Tick { schedule: String, note: String }
    Build { version: &'static str }
}

struct Metrics {
    registry: Registry,
    deliveries: Family<Delivered, Counter>,
    delivery_duration: Histograms<Channel>,
    server_reachable: Family<Server, Gauge>,
    editions: Family<Sealed, Counter>,
    announcements: Family<Destination, Counter>,
    posts: Family<PostState, Gauge>,
    watching: Gauge,
    feeds_held: Gauge,
    reloads: Family<Reload, Counter>,
    last_reload: Gauge,
    queue_depth: Family<Channel, Gauge>,
    queue_held: Family<Channel, Gauge>,
    queue_age: Family<Channel, Seconds>,
    fenced: Gauge,
    feeds: Family<FeedAnswer, Counter>,
    feed_pollers: Family<Feed, Gauge>,
    feed_subscribers: Family<Feed, Gauge>,
    requests: Family<Answer, Counter>,
    request_duration: Histograms<Route>,
    pushes: Family<Pushed, Counter>,
    ticks: Family<Tick, Counter>,
}

static METRICS: LazyLock<Metrics> = LazyLock::new(Metrics::new);

impl Metrics {
    fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("postrider"),
            deliveries: Family::default(),
            delivery_duration: Family::new_with_constructor(delivery_buckets),
            server_reachable: Family::default(),
            editions: Family::default(),
            announcements: Family::default(),
            posts: Family::default(),
            watching: Gauge::default(),
            feeds_held: Gauge::default(),
            reloads: Family::default(),
            last_reload: Gauge::default(),
            queue_depth: Family::default(),
            queue_held: Family::default(),
            queue_age: Family::default(),
            fenced: Gauge::default(),
            feeds: Family::default(),
            feed_pollers: Family::default(),
            feed_subscribers: Family::default(),
            requests: Family::default(),
            request_duration: Family::new_with_constructor(request_buckets),
            pushes: Family::default(),
            ticks: Family::default(),
        };
        // Started means that a configuration was taken.
        metrics.last_reload.set(1);
        metrics.register_sending();
        metrics.register_serving();
        metrics
    }

    fn register_sending(&mut self) {
        let registry = &mut self.registry;
        registry.register(
            "deliveries",
            "Attempts at deliveries, by what the other side answered",
            self.deliveries.clone(),
        );
        registry.register(
            "delivery_duration_seconds",
            "How long an attempt took, from its start until the answer",
            self.delivery_duration.clone(),
        );
        registry.register(
            "server_reachable",
            "0 while a server could not be reached so often that it is left alone",
            self.server_reachable.clone(),
        );
        registry.register("editions_sealed", "Editions sealed", self.editions.clone());
        registry.register(
            "announcements_planned",
            "Posts that a destination is to be told of",
            self.announcements.clone(),
        );
        registry.register(
            "queue_depth",
            "Deliveries that are not finished",
            self.queue_depth.clone(),
        );
        registry.register(
            "queue_held",
            "Deliveries that wait for a person's decision",
            self.queue_held.clone(),
        );
        registry.register(
            "queue_oldest_age_seconds",
            "Since when the oldest unfinished delivery waits",
            self.queue_age.clone(),
        );
        registry.register(
            "fenced",
            "1 while nothing goes out because the database may have been restored or copied",
            self.fenced.clone(),
        );
        registry.register("ticks", "Runs of schedules, by what became of them", self.ticks.clone());
    }

    fn register_serving(&mut self) {
        let registry = &mut self.registry;
        registry.register("posts", "Posts in the catalog", self.posts.clone());
        registry.register(
            "watch_events",
            "1 while changed posts send file events, 0 while only the rescan finds them",
            self.watching.clone(),
        );
        registry.register(
            "feeds_held",
            "1 while a change of the feeds is held that would flood readers",
            self.feeds_held.clone(),
        );
        registry.register(
            "config_reloads",
            "Changed configurations that were taken or refused",
            self.reloads.clone(),
        );
        registry.register(
            "config_last_reload_successful",
            "1 unless the configuration on disk was refused",
            self.last_reload.clone(),
        );
        registry.register("feed_requests", "Requests for feeds", self.feeds.clone());
        registry.register(
            "feed_pollers",
            "Clients that came for a feed today, at least",
            self.feed_pollers.clone(),
        );
        registry.register(
            "feed_subscribers",
            "Readers of a feed that feed services told of",
            self.feed_subscribers.clone(),
        );
        registry.register(
            "pushes",
            "Calls that told others of a change, by what they answered",
            self.pushes.clone(),
        );
        registry.register("http_requests", "Requests answered", self.requests.clone());
        registry.register(
            "http_request_duration_seconds",
            "How long an answer took",
            self.request_duration.clone(),
        );
        registry.register(
            "build",
            "The version that runs",
            Info::new(Build { version: env!("CARGO_PKG_VERSION") }),
        );
    }
}

/// From a local server's few milliseconds to a server that makes us wait for minutes (RFC 5321 section 4.5.3.2).
fn delivery_buckets() -> Histogram {
    Histogram::new([0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0])
}

fn request_buckets() -> Histogram {
    Histogram::new([0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0])
}

/// An attempt at a delivery of `channel` through `server` ended after `seconds` with the word of its outcome.
pub fn delivery(channel: &str, server: &str, outcome: &str, seconds: f64) {
    let labels = Delivered {
        channel: channel.to_owned(),
        server: server.to_owned(),
        outcome: outcome.to_owned(),
    };
    METRICS.deliveries.get_or_create(&labels).inc();
    let labels = Channel { channel: channel.to_owned() };
    METRICS.delivery_duration.get_or_create(&labels).observe(seconds);
}

/// `server` answers, or it is left alone for a while because it does not.
pub fn server_reachable(server: &str, is_reachable: bool) {
    let labels = Server { server: server.to_owned() };
    METRICS.server_reachable.get_or_create(&labels).set(i64::from(is_reachable));
}

/// An edition was sealed.
pub fn edition_sealed(newsletter: &str, cadence: &str) {
    let labels = Sealed { newsletter: newsletter.to_owned(), cadence: cadence.to_owned() };
    METRICS.editions.get_or_create(&labels).inc();
}

/// `destination` is to be told of a post.
pub fn announcement_planned(destination: &str) {
    let labels = Destination { destination: destination.to_owned() };
    METRICS.announcements.get_or_create(&labels).inc();
}

/// How many posts are live, and how many files cannot be read as posts.
pub fn posts(live: usize, broken: usize) {
    for (state, count) in [("live", live), ("broken", broken)] {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        METRICS.posts.get_or_create(&PostState { state }).set(count);
    }
}

/// Whether changed posts send events.
pub fn watching(has_events: bool) {
    METRICS.watching.set(i64::from(has_events));
}

/// Whether a change of the feeds is held.
pub fn feeds_held(are_held: bool) {
    METRICS.feeds_held.set(i64::from(are_held));
}

/// A changed configuration was taken, or refused.
pub fn config_reload(ok: bool) {
    let result = if ok { "taken" } else { "refused" };
    METRICS.reloads.get_or_create(&Reload { result }).inc();
    METRICS.last_reload.set(i64::from(ok));
}

/// How a channel's queue stands. A channel with nothing in it must be told so, or its last numbers stay.
pub fn queue(channel: &str, waiting: i64, held: i64, oldest_age_seconds: f64) {
    let labels = Channel { channel: channel.to_owned() };
    METRICS.queue_depth.get_or_create(&labels).set(waiting);
    METRICS.queue_held.get_or_create(&labels).set(held);
    METRICS.queue_age.get_or_create(&labels).set(oldest_age_seconds);
}

/// Whether nothing goes out because the database may have been restored or copied.
pub fn fenced(is_fenced: bool) {
    METRICS.fenced.set(i64::from(is_fenced));
}

/// The feed at the path `feed` was asked for.
pub fn feed_request(feed: &str, status: u16) {
    METRICS.feeds.get_or_create(&FeedAnswer { feed: feed.to_owned(), status }).inc();
}

/// Somebody was told of a change: `kind` and `outcome` as the label's doc has them.
pub fn pushed(kind: &'static str, outcome: &'static str) {
    METRICS.pushes.get_or_create(&Pushed { kind, outcome }).inc();
}

/// How many read the feed at the path `feed` today, at least.
pub fn feed_readers(feed: &str, pollers: i64, subscribers: i64) {
    let labels = Feed { feed: feed.to_owned() };
    METRICS.feed_pollers.get_or_create(&labels).set(pollers);
    METRICS.feed_subscribers.get_or_create(&labels).set(subscribers);
}

/// A request was answered. `route` is the pattern it matched, never its path: paths hold tokens.
pub fn http_request(route: &str, status: u16, seconds: f64) {
    METRICS.requests.get_or_create(&Answer { route: route.to_owned(), status }).inc();
    METRICS.request_duration.get_or_create(&Route { route: route.to_owned() }).observe(seconds);
}

/// A run of `schedule` was dealt with. `note` is one of the planner's few words for what became of it.
pub fn tick(schedule: &str, note: &str) {
    let labels = Tick { schedule: schedule.to_owned(), note: note.to_owned() };
    METRICS.ticks.get_or_create(&labels).inc();
}

/// All metrics, as `/metrics` hands them out.
pub fn metrics_text() -> String {
    let mut out = String::new();
    text::encode(&mut out, &METRICS.registry).expect("a string takes every character");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fact_has_a_line_with_its_labels() {
        delivery("mail:metrics-test", "main", "accepted", 0.3);
        server_reachable("metrics-test", false);
        edition_sealed("metrics-test", "weekly");
        announcement_planned("metrics-test");
        posts(12, 1);
        config_reload(false);
        queue("mail:metrics-test", 3, 1, 61.5);
        feed_request("/metrics-test.xml", 304);
        feed_readers("/metrics-test.xml", 3, 17);
        http_request("/metrics-test/{token}", 200, 0.002);
        tick("metrics-test", "sealed");
        fenced(true);
        let text = metrics_text();
        for line in [
            "postrider_deliveries_total{channel=\"mail:metrics-test\",server=\"main\",outcome=\"accepted\"} 1",
            "postrider_delivery_duration_seconds_count{channel=\"mail:metrics-test\"} 1",
            "postrider_delivery_duration_seconds_bucket{le=\"0.5\",channel=\"mail:metrics-test\"} 1",
            "postrider_server_reachable{server=\"metrics-test\"} 0",
            "postrider_editions_sealed_total{newsletter=\"metrics-test\",cadence=\"weekly\"} 1",
            "postrider_announcements_planned_total{destination=\"metrics-test\"} 1",
            "postrider_config_reloads_total{result=\"refused\"} 1",
            "postrider_queue_depth{channel=\"mail:metrics-test\"} 3",
            "postrider_queue_held{channel=\"mail:metrics-test\"} 1",
            "postrider_fenced 1",
            "postrider_queue_oldest_age_seconds{channel=\"mail:metrics-test\"} 61.5",
            "postrider_feed_requests_total{feed=\"/metrics-test.xml\",status=\"304\"} 1",
            "postrider_feed_pollers{feed=\"/metrics-test.xml\"} 3",
            "postrider_feed_subscribers{feed=\"/metrics-test.xml\"} 17",
            "postrider_http_requests_total{route=\"/metrics-test/{token}\",status=\"200\"} 1",
            "postrider_ticks_total{schedule=\"metrics-test\",note=\"sealed\"} 1",
            concat!("postrider_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"} 1"),
        ] {
            assert!(text.contains(line), "no `{line}` in:\n{text}");
        }
        assert!(text.contains("postrider_posts{state="));
        assert!(text.ends_with("# EOF\n"));
    }

    #[test]
    fn every_metric_says_what_it_is() {
        posts(0, 0);
        for line in metrics_text().lines().filter(|line| line.starts_with("# TYPE")) {
            let name = line.split(' ').nth(2).unwrap();
            assert!(metrics_text().contains(&format!("# HELP {name} ")), "{name}");
        }
    }
}
