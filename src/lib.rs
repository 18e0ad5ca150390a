//! Postrider: a folder of Markdown posts becomes feeds, newsletters and cross-posts.

pub mod app;
pub mod audience;
pub mod cli;
pub mod clock;
pub mod config;
pub mod content;
pub mod courier;
pub mod crosspost;
pub mod dispatch;
pub mod domain;
pub mod feed;
pub mod ingest;
pub mod mail;
pub mod outbox;
pub mod planner;
pub mod signature;
pub mod smtp;
pub mod store;
pub mod telemetry;
pub mod template;
pub mod tls;
pub mod watch;
pub mod web;
