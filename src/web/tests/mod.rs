//! The pages as visitors, feed readers and mail programs meet them: through the router, over a real database.

mod addresses;
mod archive;
mod feed_pages;
mod feeds;
mod mistakes;
mod operating;
mod preferences;
mod storming;
mod subscribing;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use jiff::Timestamp;
use tower::ServiceExt as _;

use super::*;
use crate::audience::fixture::House;
use crate::domain::{self, BodyId, Diagnostic, FeedIds, Live, LivePost, Post, Written};
use crate::feed::{
    Document, FeedSpec, FeedUrls, Format, Places, Publication, Selections, Texts, render,
};

struct World {
    house: House,
    state: WebState,
    router: Router,
}

/// An answer that has been read to its end.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl World {
    async fn new() -> Self {
        Self::with_config(|_| {}).await
    }

    async fn with_config(change: impl FnOnce(&mut Config)) -> Self {
        let mut house = House::new().await;
        change(&mut house.config);
        let state = WebState::new(
            Arc::new(ArcSwap::from_pointee(house.config.clone())),
            Arc::new(ArcSwap::from_pointee(house.templates.clone())),
            house.store.clone(),
            Arc::new(house.clock.clone()),
            Arc::default(),
        );
        let router = router(state.clone());
        Self { house, state, router }
    }

    /// Puts one post on the shelf, in all three formats.
    fn publish(&self) -> Arc<Document> {
        let html = "<p>It was cold.</p>".repeat(50);
        let body = domain::Body { html, ..domain::Body::default() };
        let posts = [Written { post: Arc::new(post()), body: Arc::new(body) }];
        let paths =
            [(Format::Rss, "/feed.xml"), (Format::Atom, "/atom.xml"), (Format::Json, "/feed.json")];
        let document = |format| Arc::new(self.rendered(format, &posts));
        let documents = paths.map(|(format, path)| (path.to_owned(), document(format)));
        let problem = Diagnostic::error("date-invalid", "`soon` is no date")
            .in_file("posts/tea.md")
            .effect("this post is live nowhere");
        let published = Shelf {
            documents: documents.into(),
            problems: vec![problem],
            live: Live::from([LivePost { post: Arc::new(post()), body: BodyId(1) }]),
            selections: self.selections(vec![LivePost { post: Arc::new(post()), body: BodyId(1) }]),
            drafts: 2,
            ..Shelf::default()
        };
        let rss = published.documents["/feed.xml"].clone();
        self.state.shelf.store(Arc::new(published));
        rss
    }

    /// The feeds of posts without a text.
    fn selections(&self, live: Vec<LivePost>) -> Arc<Selections> {
        let texts =
            Texts::new(|it| Some(Written { post: Arc::clone(&it.post), body: Arc::default() }));
        let publication = Publication::of(&self.house.config, &Arc::new(FeedIds::default()));
        let none = (Places::default(), Selections::default());
        Arc::new(Selections::of(publication, live, &none.0, texts, &none.1))
    }

    fn rendered(&self, format: Format, posts: &[Written]) -> Document {
        let config = &self.house.config;
        let spec = FeedSpec {
            title: &config.site.title,
            description: &config.site.description,
            site_url: &config.site.url,
            language: "en",
            author: None,
            urls: &FeedUrls::within(&config.server.public_url),
            full_text: true,
            about: &config.feeds.about,
            podcast: None,
            neighbours: None,
            gone: &[],
            ids: FeedIds::none(),
        };
        render(format, &spec, posts).unwrap()
    }

    /// An RSS feed of posts with these titles, after `previous`.
    fn feed_of(&self, titles: &[&str], previous: Option<&Document>) -> Document {
        let written = |title: &&str| Written {
            post: Arc::new(Post {
                title: (*title).to_owned(),
                ..Post::bare(title, at("2026-11-20T07:30:00Z"))
            }),
            body: Arc::default(),
        };
        let posts: Vec<Written> = titles.iter().map(written).collect();
        self.rendered(Format::Rss, &posts).with_history_of(previous)
    }

    /// Puts a document on the shelf.
    fn shelve(&self, path: &str, document: &Document) {
        let mut now = (**self.state.shelf.load()).clone();
        now.documents.insert(path.to_owned(), Arc::new(document.clone()));
        self.state.shelf.store(Arc::new(now));
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap().to_vec();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    async fn get(&self, path: &str) -> Answer {
        self.get_with(path, &[]).await
    }

    async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send(request(Method::GET, path, headers, "")).await
    }

    async fn post(&self, path: &str, form: &str) -> Answer {
        self.post_from("192.0.2.1:4000", path, form).await
    }

    async fn post_from(&self, peer: &str, path: &str, form: &str) -> Answer {
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let mut request = request(Method::POST, path, &headers, form);
        let peer = Peer(peer.parse::<SocketAddr>().unwrap());
        request.extensions_mut().insert(ConnectInfo(peer));
        self.send(request).await
    }

    /// What a form carries that was loaded so many seconds ago.
    fn stamp(&self, seconds: i64) -> String {
        let now = crate::audience::fixture::now(&self.house.clock);
        self.house.store.keyring().form_stamp(now - jiff::SignedDuration::from_secs(seconds))
    }

    /// A visitor loads the form, fills it in, and sends it.
    async fn signs_up(&self, form: &str) -> Answer {
        self.signs_up_from("192.0.2.1:4000", form).await
    }

    async fn signs_up_from(&self, peer: &str, form: &str) -> Answer {
        let form = format!("{form}&stamp={}", self.stamp(10));
        self.post_from(peer, "/subscribe/weekly", &form).await
    }

    /// A program signs up by JSON.
    async fn calls(&self, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut all = vec![("content-type", "application/json")];
        all.extend_from_slice(headers);
        let mut request = request(Method::POST, "/api/v1/subscribe", &all, body);
        let peer = Peer("192.0.2.1:4000".parse::<SocketAddr>().unwrap());
        request.extensions_mut().insert(ConnectInfo(peer));
        self.send(request).await
    }

    /// A visitor asks, opens the mail, presses the button. Returns the confirmation's token.
    async fn subscribes(&self, address: &str) -> String {
        let form = format!("address={address}");
        assert_eq!(self.signs_up(&form).await.status, StatusCode::SEE_OTHER);
        let token = self.house.newest_token().await;
        let answer = self.post(&format!("/confirm/{token}"), "").await;
        assert_eq!(answer.status, StatusCode::OK);
        token
    }
}

impl Answer {
    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// The body of a page, with slashes as people type them: templates write them as `&#x2f;`.
    fn page(&self) -> String {
        self.text().replace("&#x2f;", "/")
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// All headers but those of `names`.
    fn headers_without(&self, names: &[&str]) -> HashMap<String, String> {
        let told = self.headers.iter().filter(|(name, _)| !names.contains(&name.as_str()));
        told.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect()
    }
}

fn request(method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::from(body.to_owned())).unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn post() -> Post {
    Post {
        title: "A walk along the river".to_owned(),
        summary: "It was cold.".to_owned(),
        ..Post::bare("river", at("2026-11-20T07:30:00Z"))
    }
}
