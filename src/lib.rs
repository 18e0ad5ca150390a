//! Postrider: a folder of Markdown posts becomes feeds, newsletters and cross-posts.

pub mod clock;
pub mod config;
pub mod content;
pub mod courier;
pub mod domain;
