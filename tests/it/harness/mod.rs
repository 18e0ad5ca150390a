//! Servers that misbehave on request.

pub(crate) mod http;
pub(crate) mod smtp;
pub(crate) mod tls;
