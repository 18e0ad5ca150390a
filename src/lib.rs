//! Postrider: a folder of Markdown posts becomes feeds, newsletters and cross-posts.

pub mod audience;
pub mod clock;
pub mod config;
pub mod courier;
pub mod crosspost;
pub mod domain;
pub mod feed;
pub mod mail;
pub mod outbox;
pub mod signature;
pub mod smtp;
pub mod store;
pub mod telemetry;
pub mod template;
pub mod tls;
pub mod web;
