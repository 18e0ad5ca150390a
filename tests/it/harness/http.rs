//! A web server that keeps what it is asked and answers from a script.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::Response;
use axum::serve::Listener;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::server::TlsStream;

use super::tls::Certificate;

/// An answer of the script.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
    /// The body is the value of this in the query.
    repeats: Option<&'static str>,
    ends: Ends,
}

/// How far an answer gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ends {
    Properly,
    /// The request is taken, and that is it.
    BeforeHead,
    /// Head and body go out, but the end never comes.
    Never,
}

impl Answer {
    pub(crate) fn status(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: String::new(),
            repeats: None,
            ends: Ends::Properly,
        }
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn body(mut self, body: impl Into<String>) -> Self {
        self.body = body.into();
        self
    }

    /// Answers with what the query says under `name`.
    pub(crate) fn repeats(name: &'static str) -> Self {
        Self { repeats: Some(name), ..Self::status(200) }
    }

    /// Takes the request and never answers.
    pub(crate) fn never() -> Self {
        Self { ends: Ends::BeforeHead, ..Self::status(200) }
    }

    /// Sends the head and the body, and never ends.
    pub(crate) fn without_end(mut self) -> Self {
        self.ends = Ends::Never;
        self
    }
}

/// A request that came in.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Request {
    /// The value of a header, or nothing.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("ours are ASCII"))
    }
}

#[derive(Default)]
struct Shared {
    script: Mutex<VecDeque<Answer>>,
    requests: Mutex<Vec<Request>>,
}

/// A server on a port of its own; gone when dropped. Without script it answers 204.
pub(crate) struct HttpServer {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl HttpServer {
    pub(crate) async fn plain() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        Self::serve(listener.local_addr(), listener)
    }

    pub(crate) async fn tls(certificate: &Certificate) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr();
        Self::serve(address, TlsListener { listener, acceptor: certificate.acceptor.clone() })
    }

    fn serve<L>(address: std::io::Result<SocketAddr>, listener: L) -> Self
    where
        L: Listener<Addr = SocketAddr>,
    {
        let shared = Arc::new(Shared::default());
        let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        let task = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("serving does not fail");
        });
        Self { address: address.expect("a bound socket has an address"), shared, task }
    }

    /// Answers the next request that has no answer yet with `answer`.
    pub(crate) fn will(&self, answer: Answer) {
        self.shared.script.lock().expect("no holder panics").push_back(answer);
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.shared.requests.lock().expect("no holder panics").clone()
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let body = String::from_utf8_lossy(&body).into_owned();
    let query = uri.query().unwrap_or_default().to_owned();
    let path = uri.path().to_owned();
    let request = Request { method, path, query: query.clone(), headers, body };
    shared.requests.lock().expect("no holder panics").push(request);
    let script = shared.script.lock().expect("no holder panics").pop_front();
    let mut answer = script.unwrap_or_else(|| Answer::status(204));
    if let Some(name) = answer.repeats {
        let mut pairs = url::form_urlencoded::parse(query.as_bytes());
        let found = pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        answer.body = found.unwrap_or_default();
    }
    if answer.ends == Ends::BeforeHead {
        std::future::pending::<()>().await;
    }
    let mut response = Response::builder()
        .status(StatusCode::from_u16(answer.status).expect("scripts use real statuses"));
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    response
        .body(body_of(answer.body, answer.ends == Ends::Never))
        .expect("scripts use real headers")
}

fn body_of(text: String, endless: bool) -> Body {
    use futures_util::stream::{self, StreamExt as _};

    if !endless {
        return Body::from(text);
    }
    let start = stream::once(async move { Ok::<_, std::io::Error>(Bytes::from(text)) });
    Body::from_stream(start.chain(stream::pending()))
}

struct TlsListener {
    listener: TcpListener,
    acceptor: tokio_rustls::TlsAcceptor,
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let Ok((socket, address)) = self.listener.accept().await else { continue };
            // A client that does not trust us is part of the game.
            if let Ok(socket) = self.acceptor.accept(socket).await {
                return (socket, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}
