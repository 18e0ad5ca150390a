//! Reading a public text of another domain, through the same guard as calls: for `doctor`.

use std::time::Duration;

use url::Url;

use super::guard::Guard;
use super::webhook::{client, read, told};
use crate::deliverability::Lookup;
use crate::tls;

/// The whole exchange.
const PATIENCE: Duration = Duration::from_secs(10);

/// The text at `url`. Missing: the server says that there is none. Redirects are not followed (RFC 8461 section 3.3).
pub async fn fetch(url: &Url) -> Lookup<String> {
    let guard = Guard::default();
    if let Err(refusal) = guard.judge(url) {
        return Lookup::Unanswered(refusal.to_string());
    }
    let client = match tls::client_config(None).map(|tls| client(&guard, url, PATIENCE, &tls)) {
        Ok(Ok(client)) => client,
        Ok(Err(error)) => return Lookup::Unanswered(told(&error)),
        Err(error) => return Lookup::Unanswered(told(&error)),
    };
    match client.get(url.clone()).send().await {
        Ok(mut response) => match response.status().as_u16() {
            200 => Lookup::Found(read(&mut response).await),
            404 | 410 => Lookup::Missing,
            status => Lookup::Unanswered(format!("the server answers {status}")),
        },
        Err(error) => Lookup::Unanswered(told(&error.without_url())),
    }
}
