//! Postrider: a folder of Markdown posts becomes feeds, newsletters and cross-posts.
//!
//! # The walk of one post
//!
//! 1. `posts/hello.md` is saved. [`watch`] names the path; a periodic rescan would have found it anyway.
//! 2. [`ingest`] reads it; [`content`] returns a post, or all its problems with line and column. A broken file keeps its
//!    last good revision live.
//! 3. [`feed`] renders the feeds to bytes once, with their validators; [`web`] only hands bytes out.
//! 4. The post settles: nothing irreversible happens until it has been left alone for a while.
//! 5. It falls due. [`planner`] claims the tick, selects the posts that a cadence has not carried yet, has [`mail`] compose
//!    the edition from its [`template`], and inserts a delivery per subscription, all in one transaction of the [`store`].
//! 6. [`dispatch`] leases a batch and hands each delivery to a [`courier`] ([`smtp`], [`crosspost`] or the [`outbox`]). The
//!    intent is durable before the last byte leaves, the outcome before the connection takes its next delivery.
//! 7. The answer becomes an outcome, the retry policy of [`domain`] decides, the dispatcher obeys. What a crash leaves
//!    between intent and outcome is *uncertain*: known by name, and sent again or held.
//!
//! [`app`] builds all of this from the [`config`] and stops it in order; [`cli`] is the way in.
//!
//! A module uses lower layers and its own folder only; `tests/layers.rs` holds it to that.

// Layer 0: words, time, telemetry.
pub mod clock;
pub mod domain;
pub mod telemetry;

// Layer 1: pure parts and what is decided in files.
pub mod config;
pub mod content;
pub mod courier;
pub mod deliverability;
pub mod signature;
pub mod template;
pub mod tls;

// Layer 2: the edges, one to each kind of outside world.
pub mod crosspost;
pub mod dns;
pub mod feed;
pub mod mail;
pub mod outbox;
pub mod smtp;
pub mod store;
pub mod watch;

// Layer 3: what happens to posts and people.
pub mod audience;
pub mod dispatch;
pub mod ingest;
pub mod planner;

// Layer 4: pages.
pub mod web;

// Layer 5 and 6: the daemon and the command line.
pub mod app;
pub mod cli;
