//! Cross-posts: calls to the destinations' endpoints, through a client that does not reach into private networks.

mod captcha;
mod download;
mod fetch;
mod guard;
mod push;
mod reply;
mod webhook;

pub use captcha::is_solved;
pub use download::{Download, DownloadError, download};
pub use fetch::fetch;
pub use guard::{Guard, Refusal};
pub use push::{Content, Pusher, PusherSetupError, Question};
pub use webhook::{WebhookCourier, WebhookSetupError};
