//! Servers that misbehave on request.

pub(crate) mod browser;
pub(crate) mod daemon;
pub(crate) mod dns;
pub(crate) mod engine;
pub(crate) mod http;
pub(crate) mod people;
pub(crate) mod program;
pub(crate) mod sealing;
#[expect(dead_code, reason = "the speed measurements ask more of it")]
#[path = "../../../benches/send/sink.rs"]
pub(crate) mod sink;
pub(crate) mod smtp;
pub(crate) mod tls;
pub(crate) mod world;
