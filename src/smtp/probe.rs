//! Opening a connection as if to send mail, and hanging up: for `doctor`.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::time::timeout;

use super::Deadlines;
use super::connect::{ConnectError, Opener, hello};
use crate::config::{Credentials, SmtpTransport};
use crate::deliverability::{Contact, Trouble};
use crate::tls;

/// A person waits for it, so it is less patient than a courier.
fn deadlines() -> Deadlines {
    Deadlines {
        connect: Duration::from_secs(10),
        greeting: Duration::from_secs(30),
        command: Duration::from_secs(15),
        ..Deadlines::default()
    }
}

/// Connects to `server`, encrypts and logs in as mail would need it, and quits before any mail.
pub async fn probe(server: &SmtpTransport, hello_name: &str) -> Contact {
    let tls = match tls::client_config(server.ca_file.as_deref()) {
        Ok(tls) => tls,
        Err(error) => {
            return Contact::Failed { trouble: Trouble::Handshake, text: error.to_string() };
        }
    };
    let (server, hello) = (server.clone(), hello(hello_name));
    let opener = Opener { server, hello, tls, deadlines: deadlines() };
    match opener.open().await {
        Ok(mut connection) => {
            // Nothing depends on the answer.
            let _ = timeout(opener.deadlines.quit, connection.smtp.quit()).await;
            Contact::Ready
        }
        Err(error) => {
            let text = hidden(error.to_string(), opener.server.credentials.as_ref());
            Contact::Failed { trouble: trouble(&error), text }
        }
    }
}

/// A server may repeat what it was told.
fn hidden(text: String, credentials: Option<&Credentials>) -> String {
    let Some(Credentials { user, password }) = credentials else { return text };
    let password = password.expose();
    let plain = STANDARD.encode(format!("\0{user}\0{password}"));
    [plain, STANDARD.encode(password), password.to_owned()]
        .iter()
        .filter(|secret| !secret.is_empty())
        .fold(text, |text, secret| text.replace(secret.as_str(), "…"))
}

fn trouble(error: &ConnectError) -> Trouble {
    match error {
        ConnectError::Deadline { .. }
        | ConnectError::Connect(_)
        | ConnectError::Broken { .. }
        | ConnectError::Refused { .. }
        | ConnectError::OutOfTurn => Trouble::Reach,
        ConnectError::NoStartTls | ConnectError::Injected => Trouble::NoTls,
        ConnectError::Handshake(_) | ConnectError::Name(_) => Trouble::Handshake,
        ConnectError::PlainCredentials | ConnectError::NoAuth | ConnectError::Auth(..) => {
            Trouble::Login
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Secret;

    #[test]
    fn a_server_that_repeats_the_password_is_not_quoted() {
        let credentials =
            Credentials { user: "news".to_owned(), password: Secret::new("hunter2".to_owned()) };
        for told in ["hunter2", &STANDARD.encode("hunter2"), &STANDARD.encode("\0news\0hunter2")] {
            let text = hidden(format!("535 no: {told}"), Some(&credentials));
            assert_eq!(text, "535 no: …");
        }
    }
}
