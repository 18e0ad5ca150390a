//! Asking whoever runs a captcha whether a visitor has solved it.

use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use rustls::ClientConfig;
use serde::Deserialize;
use url::{Url, form_urlencoded};

use super::guard::Guard;
use super::webhook::{client, read, told};
use crate::config::{Captcha, CaptchaKind};
use crate::tls;

/// The whole exchange: a person is waiting.
const PATIENCE: Duration = Duration::from_secs(8);
/// No token is longer.
const LONGEST: usize = 8_192;

#[derive(Deserialize)]
struct Verdict {
    success: bool,
}

/// Whether `token`, which the visitor's browser got for solving it, is good. They are told nothing else of the visitor. `Err`:
/// nobody said.
pub async fn is_solved(captcha: &Captcha, token: &str) -> Result<bool, String> {
    let url = match captcha.kind {
        CaptchaKind::Hcaptcha => "https://api.hcaptcha.com/siteverify",
        CaptchaKind::Turnstile => "https://challenges.cloudflare.com/turnstile/v0/siteverify",
    };
    let url = Url::parse(url).map_err(|error| error.to_string())?;
    let tls = tls::client_config(None).map_err(|error| told(&error))?;
    ask((&url, &Guard::default(), &tls), captcha, token).await
}

async fn ask(
    (url, guard, tls): (&Url, &Guard, &ClientConfig),
    captcha: &Captcha,
    token: &str,
) -> Result<bool, String> {
    if token.is_empty() || token.len() > LONGEST {
        return Ok(false);
    }
    guard.judge(url).map_err(|refusal| refusal.to_string())?;
    let client = client(guard, url, PATIENCE, tls).map_err(|error| told(&error))?;
    let form = form_urlencoded::Serializer::new(String::new())
        .append_pair("secret", captcha.secret.expose())
        .append_pair("response", token)
        .append_pair("sitekey", &captcha.site_key)
        .finish();
    let request =
        client.post(url.clone()).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    let mut response =
        request.body(form).send().await.map_err(|error| told(&error.without_url()))?;
    let (status, body) = (response.status(), read(&mut response).await);
    if !status.is_success() {
        return Err(format!("the server answers {status}"));
    }
    let verdict: Verdict = serde_json::from_str(&body).map_err(|error| error.to_string())?;
    Ok(verdict.success)
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;
    use crate::config::Secret;

    /// What is made of `answer`, and what was asked.
    async fn asked(answer: &'static str) -> (Result<bool, String>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/siteverify", listener.local_addr().unwrap()).parse().unwrap();
        let served = tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            let (mut request, mut piece) = (Vec::new(), [0; 1024]);
            while !String::from_utf8_lossy(&request).contains("sitekey=") {
                let read = socket.read(&mut piece).await.unwrap();
                request.extend_from_slice(&piece[..read]);
            }
            socket.write_all(answer.as_bytes()).await.unwrap();
            socket.shutdown().await.unwrap();
            String::from_utf8(request).unwrap()
        });
        let captcha = Captcha {
            kind: CaptchaKind::Hcaptcha,
            site_key: "public".to_owned(),
            secret: Secret::new("hush"),
        };
        let guard = Guard::new(&["127.0.0.0/8".parse().unwrap()]);
        let tls = tls::client_config(None).unwrap();
        let answer = ask((&url, &guard, &tls), &captcha, "a&b").await;
        (answer, served.await.unwrap())
    }

    #[tokio::test]
    async fn what_they_say_counts_and_what_they_do_not_say_is_no_answer() {
        let (yes, request) =
            asked("HTTP/1.1 200 OK\r\ncontent-length: 16\r\n\r\n{\"success\":true}").await;
        assert_eq!(yes, Ok(true));
        assert!(request.ends_with("secret=hush&response=a%26b&sitekey=public"), "{request}");
        let no = "HTTP/1.1 200 OK\r\ncontent-length: 63\r\n\r\n{\"success\":false,\"error-codes\":[\"invalid-or-already-seen-rsp\"]}";
        let (no, _) = asked(no).await;
        assert_eq!(no, Ok(false));
        assert!(asked("HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n").await.0.is_err());
        assert!(asked("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nno").await.0.is_err());
    }
}
