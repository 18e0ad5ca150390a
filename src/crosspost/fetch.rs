//! Reading a public text of another domain, through the same guard as calls: for `doctor`.

use std::time::Duration;

use rustls::ClientConfig;
use url::Url;

use super::guard::Guard;
use super::webhook::{client, read, told};
use crate::deliverability::Lookup;
use crate::tls;

/// The whole exchange.
const PATIENCE: Duration = Duration::from_secs(10);

/// The text at `url`. Missing: the server says that there is none. Redirects are not followed (RFC 8461 section 3.3).
pub async fn fetch(url: &Url) -> Lookup<String> {
    match tls::client_config(None) {
        Ok(tls) => fetch_from(url, &Guard::default(), &tls).await,
        Err(error) => Lookup::Unanswered(told(&error)),
    }
}

async fn fetch_from(url: &Url, guard: &Guard, tls: &ClientConfig) -> Lookup<String> {
    if let Err(refusal) = guard.judge(url) {
        return Lookup::Unanswered(refusal.to_string());
    }
    let client = match client(guard, url, PATIENCE, tls) {
        Ok(client) => client,
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::ServerConfig;
    use rustls::crypto::aws_lc_rs;
    use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;

    use super::*;

    /// What is fetched from a server that gives `answer` to whoever trusts it.
    async fn fetched(answer: &'static str) -> Lookup<String> {
        let own = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(own.signing_key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![own.cert.der().clone()], key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}/it.txt", listener.local_addr().unwrap()).parse().unwrap();
        let served = tokio::spawn(async move {
            let (socket, _) = listener.accept().await.unwrap();
            let mut tls = TlsAcceptor::from(Arc::new(config)).accept(socket).await.unwrap();
            let mut request = [0; 1024];
            let read = tls.read(&mut request).await.unwrap();
            assert!(request[..read].starts_with(b"GET /it.txt HTTP/1.1\r\n"));
            tls.write_all(answer.as_bytes()).await.unwrap();
            tls.shutdown().await.unwrap();
        });
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        std::fs::write(&file, own.cert.pem()).unwrap();
        let guard = Guard::new(&["127.0.0.0/8".parse().unwrap()]);
        let answer = fetch_from(&url, &guard, &tls::client_config(Some(&file)).unwrap()).await;
        served.await.unwrap();
        answer
    }

    #[tokio::test]
    async fn a_text_that_is_there_one_that_is_not_and_none_of_both_are_told_apart() {
        let found = fetched("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello").await;
        assert_eq!(found, Lookup::Found("hello".to_owned()));
        let missing = fetched("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n").await;
        assert_eq!(missing, Lookup::Missing);
        let moved =
            "HTTP/1.1 302 Found\r\nlocation: https://x.example/\r\ncontent-length: 0\r\n\r\n";
        let unanswered = Lookup::Unanswered("the server answers 302".to_owned());
        assert_eq!(fetched(moved).await, unanswered, "redirects are not followed");
    }

    #[tokio::test]
    async fn a_policy_is_no_way_into_a_private_network() {
        for url in
            ["https://127.0.0.1/", "https://10.0.0.1/", "https://[::1]/", "file:///etc/passwd"]
        {
            let answer = fetch(&url.parse().unwrap()).await;
            assert!(matches!(answer, Lookup::Unanswered(_)), "{url}: {answer:?}");
        }
    }
}
