//! Opening a connection: our socket, our TLS, our greeting; then AUTH, and lettre has it.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::extension::ClientId;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::connection::{Connection, cause};
use super::deadlines::Deadlines;
use super::dialogue::{Dialogue, Offers, Socket};
use super::reply::Said;
use super::wire::Wire;
use crate::config::{SmtpTransport, Tls};

/// Why there is no connection. None of these says anything about a recipient.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectError {
    #[error("no answer to {stage} within {seconds} s")]
    Deadline { stage: &'static str, seconds: u64 },
    #[error("cannot connect: {0}")]
    Connect(io::Error),
    #[error("the connection broke at {stage}: {source}")]
    Broken { stage: &'static str, source: io::Error },
    #[error("{stage} was refused: {} {}", .said.code, .said.text)]
    Refused { stage: &'static str, said: Said },
    #[error("the TLS handshake failed: {0}")]
    Handshake(io::Error),
    #[error("`{0}` is not a name that a certificate can be checked for")]
    Name(String),
    #[error(
        "the server does not offer STARTTLS; use `smtps://` if it speaks TLS from the first byte"
    )]
    NoStartTls,
    #[error("something was sent in plain text between STARTTLS and TLS: refused as an injection")]
    Injected,
    #[error("the server replied without being asked")]
    OutOfTurn,
    #[error("a user name and password are only sent over verified TLS or to this machine itself")]
    PlainCredentials,
    #[error("the server takes neither AUTH PLAIN nor AUTH LOGIN")]
    NoAuth,
    #[error("the server does not take our user name and password: {0}")]
    Auth(String, Option<u16>),
}

impl ConnectError {
    /// The reply code, when the server had one.
    pub(super) fn code(&self) -> Option<u16> {
        match self {
            Self::Refused { said, .. } => Some(said.code),
            Self::Auth(_, code) => *code,
            Self::Deadline { .. }
            | Self::Connect(_)
            | Self::Broken { .. }
            | Self::Handshake(_)
            | Self::Name(_)
            | Self::NoStartTls
            | Self::Injected
            | Self::OutOfTurn
            | Self::PlainCredentials
            | Self::NoAuth => None,
        }
    }
}

/// What opening needs besides the server's address; the same for every connection of a courier.
pub(super) struct Opener {
    pub(super) server: SmtpTransport,
    /// What follows EHLO.
    pub(super) hello: String,
    pub(super) tls: Arc<ClientConfig>,
    pub(super) deadlines: Deadlines,
}

/// Who else can read the connection.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Privacy {
    Plain,
    /// For somebody who may be anybody.
    Encrypted,
    /// For the server that was meant.
    Verified,
}

/// A connection whose greeting and EHLO are done.
struct Introduced {
    dialogue: Dialogue,
    offers: Offers,
    peer: SocketAddr,
    privacy: Privacy,
}

impl Opener {
    /// Connects, greets, encrypts and logs in.
    pub(super) async fn open(&self) -> Result<Connection, ConnectError> {
        let Introduced { dialogue, offers, peer, privacy } = self.introduce().await?;
        if dialogue.has_leftovers() {
            return Err(ConnectError::OutOfTurn);
        }
        if self.server.credentials.is_some() {
            if !may_log_in(privacy == Privacy::Verified, peer.ip()) {
                return Err(ConnectError::PlainCredentials);
            }
            if offers.auth.is_empty() {
                return Err(ConnectError::NoAuth);
            }
        }
        let wire = Wire::new(dialogue, peer, privacy != Privacy::Plain, &offers.auth);
        let outbound = wire.outbound();
        // Its EHLO goes no further than `wire`, which says it again in our name.
        let nobody = ClientId::Domain("nobody".to_owned());
        let smtp = AsyncSmtpConnection::connect_with_transport(Box::new(wire), &nobody)
            .await
            .map_err(|error| broken("EHLO", io::Error::other(error)))?;
        let mut connection = Connection::new(smtp, offers, outbound, self.deadlines);
        self.log_in(&mut connection).await?;
        Ok(connection)
    }

    /// As far as the last EHLO.
    async fn introduce(&self) -> Result<Introduced, ConnectError> {
        let host = self.server.host.trim_start_matches('[').trim_end_matches(']');
        let connect = TcpStream::connect((host, self.server.port));
        let tcp = within("connecting", self.deadlines.connect, connect)
            .await?
            .map_err(ConnectError::Connect)?;
        // Else the dot of each mail waits 40 ms for the acknowledgement of its body.
        tcp.set_nodelay(true).map_err(ConnectError::Connect)?;
        let peer = tcp.peer_addr().map_err(ConnectError::Connect)?;
        if self.server.tls == Tls::Implicit {
            let mut dialogue = self.encrypt(host, tcp, &self.tls).await?;
            self.greeting(&mut dialogue).await?;
            let offers = self.ehlo(&mut dialogue).await?;
            return Ok(Introduced { dialogue, offers, peer, privacy: Privacy::Verified });
        }
        let mut dialogue = Dialogue::new(tcp);
        self.greeting(&mut dialogue).await?;
        let offers = self.ehlo(&mut dialogue).await?;
        let config = match self.server.tls {
            Tls::StartTls if !offers.starttls => return Err(ConnectError::NoStartTls),
            Tls::StartTls | Tls::Implicit => Arc::clone(&self.tls),
            Tls::Opportunistic if offers.starttls => crate::tls::unauthenticated_client_config(),
            Tls::Opportunistic | Tls::None => {
                return Ok(Introduced { dialogue, offers, peer, privacy: Privacy::Plain });
            }
        };
        let said = self.ask(&mut dialogue, "STARTTLS").await?.0;
        if said.code != 220 {
            return Err(ConnectError::Refused { stage: "STARTTLS", said });
        }
        // Whatever came along with the 220 was written by whoever sits in between, to be taken for a reply under TLS.
        if dialogue.has_leftovers() {
            return Err(ConnectError::Injected);
        }
        let mut dialogue = self.encrypt(host, dialogue.into_socket(), &config).await?;
        let offers = self.ehlo(&mut dialogue).await?;
        let privacy = match self.server.tls {
            Tls::StartTls | Tls::Implicit => Privacy::Verified,
            Tls::Opportunistic | Tls::None => Privacy::Encrypted,
        };
        Ok(Introduced { dialogue, offers, peer, privacy })
    }

    async fn encrypt(
        &self,
        host: &str,
        socket: impl Socket + 'static,
        config: &Arc<ClientConfig>,
    ) -> Result<Dialogue, ConnectError> {
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| ConnectError::Name(host.to_owned()))?;
        let handshake = TlsConnector::from(Arc::clone(config)).connect(name, socket);
        let socket = within("the TLS handshake", self.deadlines.connect, handshake).await?;
        Ok(Dialogue::new(socket.map_err(ConnectError::Handshake)?))
    }

    async fn greeting(&self, dialogue: &mut Dialogue) -> Result<(), ConnectError> {
        let heard = within("the greeting", self.deadlines.greeting, dialogue.hear()).await?;
        let (said, _) = heard.map_err(|source| broken("the greeting", source))?;
        match said.code {
            220 => Ok(()),
            _ => Err(ConnectError::Refused { stage: "the connection", said }),
        }
    }

    async fn ehlo(&self, dialogue: &mut Dialogue) -> Result<Offers, ConnectError> {
        let (said, lines) = self.ask(dialogue, &format!("EHLO {}", self.hello)).await?;
        match said.code {
            250 => Ok(Offers::parse(&lines)),
            _ => Err(ConnectError::Refused { stage: "EHLO", said }),
        }
    }

    async fn ask(
        &self,
        dialogue: &mut Dialogue,
        line: &str,
    ) -> Result<(Said, Vec<String>), ConnectError> {
        let stage = if line == "STARTTLS" { "STARTTLS" } else { "EHLO" };
        within(stage, self.deadlines.command, dialogue.ask(line))
            .await?
            .map_err(|source| broken(stage, source))
    }

    async fn log_in(&self, connection: &mut Connection) -> Result<(), ConnectError> {
        let Some(ours) = &self.server.credentials else { return Ok(()) };
        let credentials = Credentials::new(ours.user.clone(), ours.password.expose().to_owned());
        let mechanisms = [Mechanism::Plain, Mechanism::Login];
        let auth = connection.smtp.auth(&mechanisms, &credentials);
        match within("AUTH", self.deadlines.command, auth).await? {
            Ok(response) if u16::from(response.code()) / 100 == 2 => Ok(()),
            Ok(response) => {
                let text = response.message().collect::<Vec<_>>().join(" ");
                Err(ConnectError::Auth(text, Some(response.code().into())))
            }
            Err(error) => Err(ConnectError::Auth(cause(&error), error.status().map(u16::from))),
        }
    }
}

/// Whether a password may go to `peer`: only where nobody in between can read it.
fn may_log_in(verified: bool, peer: IpAddr) -> bool {
    verified || peer.to_canonical().is_loopback()
}

/// What follows EHLO: the name as it is, an address in brackets (RFC 5321 section 4.1.3).
pub(super) fn hello(name: &str) -> String {
    match name.parse() {
        Ok(IpAddr::V4(address)) => format!("[{address}]"),
        Ok(IpAddr::V6(address)) => format!("[IPv6:{address}]"),
        Err(_) => {
            let name: String = name.chars().filter(char::is_ascii_graphic).collect();
            if name.is_empty() { "[127.0.0.1]".to_owned() } else { name }
        }
    }
}

fn broken(stage: &'static str, source: io::Error) -> ConnectError {
    ConnectError::Broken { stage, source }
}

async fn within<T>(
    stage: &'static str,
    limit: Duration,
    work: impl Future<Output = T>,
) -> Result<T, ConnectError> {
    timeout(limit, work)
        .await
        .map_err(|_| ConnectError::Deadline { stage, seconds: limit.as_secs() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_never_goes_in_the_clear_to_another_machine() {
        let elsewhere = ["192.0.2.1", "10.0.0.1", "2001:db8::1", "::ffff:192.0.2.1"];
        for peer in elsewhere.map(|peer| peer.parse().unwrap()) {
            assert!(!may_log_in(false, peer) && may_log_in(true, peer));
        }
        for here in ["127.0.0.1", "::1", "::ffff:127.0.0.1"].map(|here| here.parse().unwrap()) {
            assert!(may_log_in(false, here));
        }
    }

    #[test]
    fn what_we_call_ourselves_is_a_name_or_an_address_in_brackets() {
        assert_eq!(hello("mail.example.org"), "mail.example.org");
        assert_eq!(hello("192.0.2.1"), "[192.0.2.1]");
        assert_eq!(hello("2001:db8::1"), "[IPv6:2001:db8::1]");
        assert_eq!(hello("a\r\nMAIL FROM:<x>"), "aMAILFROM:<x>");
        assert_eq!(hello(" "), "[127.0.0.1]");
    }
}
