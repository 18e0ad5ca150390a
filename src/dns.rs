//! Questions to the name servers, for `doctor` and for sign-ups. It keeps "there is no such record" and "nobody answered" apart.
//!
//! Names are asked as they are: no search list, no hosts file. What counts is what receivers of mail see.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use hickory_resolver::{ResolverBuilder, TokioResolver};

use crate::deliverability::{Exchange, Lookup};

/// For one try at one server.
const PATIENCE: Duration = Duration::from_secs(3);
/// After the first.
const MORE_TRIES: usize = 1;

/// Why nobody can be asked.
#[derive(Debug, thiserror::Error)]
#[error("cannot find out which name servers to ask")]
pub struct ResolverSetupError(#[source] NetError);

/// Asks the name servers of this machine, or one that was named.
pub struct Resolver(TokioResolver);

impl std::fmt::Debug for Resolver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Resolver").finish_non_exhaustive()
    }
}

impl Resolver {
    /// With the name servers that the system is set up for.
    pub fn of_system() -> Result<Self, ResolverSetupError> {
        TokioResolver::builder_tokio().and_then(built).map(Self).map_err(ResolverSetupError)
    }

    pub fn at(server: SocketAddr) -> Result<Self, ResolverSetupError> {
        let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()];
        let connections = connections.map(|mut connection| {
            connection.port = server.port();
            connection
        });
        let server = NameServerConfig::new(server.ip(), true, connections.into());
        let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
        let builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
        built(builder).map(Self).map_err(ResolverSetupError)
    }

    /// TXT records, the strings of each put together.
    pub async fn txt(&self, name: &str) -> Lookup<Vec<String>> {
        self.ask(name, RecordType::TXT, |data| match data {
            RData::TXT(txt) => Some(String::from_utf8_lossy(&txt.txt_data.concat()).into_owned()),
            _ => None,
        })
        .await
    }

    /// The best first.
    pub async fn mx(&self, name: &str) -> Lookup<Vec<Exchange>> {
        let found = self
            .ask(name, RecordType::MX, |data| match data {
                RData::MX(mx) => {
                    Some(Exchange { preference: mx.preference, host: plain(&mx.exchange) })
                }
                _ => None,
            })
            .await;
        match found {
            Lookup::Found(mut exchanges) => {
                exchanges.sort_by_key(|exchange| exchange.preference);
                Lookup::Found(exchanges)
            }
            other => other,
        }
    }

    /// Whether `domain` takes mail at all: it has a mail server that is more than a refusal (RFC 7505), or else an address of its own
    /// (RFC 5321, section 5.1). Never `Missing`; `Unanswered` is no reason to refuse anybody.
    pub async fn takes_mail(&self, domain: &str) -> Lookup<bool> {
        match self.mx(domain).await {
            Lookup::Found(exchanges) => {
                Lookup::Found(exchanges.iter().any(|exchange| !matches!(&*exchange.host, "" | ".")))
            }
            Lookup::Unanswered(why) => Lookup::Unanswered(why),
            Lookup::Missing => match self.addresses(domain).await {
                Lookup::Found(_) => Lookup::Found(true),
                Lookup::Missing => Lookup::Found(false),
                Lookup::Unanswered(why) => Lookup::Unanswered(why),
            },
        }
    }

    /// A and AAAA.
    pub async fn addresses(&self, name: &str) -> Lookup<Vec<IpAddr>> {
        let (v4, v6) = tokio::join!(
            self.ask(name, RecordType::A, RData::ip_addr),
            self.ask(name, RecordType::AAAA, RData::ip_addr),
        );
        match (v4, v6) {
            (Lookup::Found(mut v4), Lookup::Found(v6)) => {
                v4.extend(v6);
                Lookup::Found(v4)
            }
            (Lookup::Found(found), _) | (_, Lookup::Found(found)) => Lookup::Found(found),
            (Lookup::Unanswered(why), _) | (_, Lookup::Unanswered(why)) => Lookup::Unanswered(why),
            (Lookup::Missing, Lookup::Missing) => Lookup::Missing,
        }
    }

    /// PTR.
    pub async fn names(&self, address: IpAddr) -> Lookup<Vec<String>> {
        self.ask(&Name::from(address).to_ascii(), RecordType::PTR, |data| match data {
            RData::PTR(name) => Some(plain(name)),
            _ => None,
        })
        .await
    }

    async fn ask<T>(
        &self,
        name: &str,
        kind: RecordType,
        pick: impl Fn(&RData) -> Option<T>,
    ) -> Lookup<Vec<T>> {
        // What is no name cannot have records. Records of others name what they like.
        let Ok(mut name) = Name::from_ascii(name) else { return Lookup::Missing };
        name.set_fqdn(true);
        match self.0.lookup(name, kind).await {
            // An alias leads through several records; only those of the kind that was asked for count.
            Ok(found) => {
                let values: Vec<_> =
                    found.answers().iter().filter_map(|record| pick(&record.data)).collect();
                if values.is_empty() { Lookup::Missing } else { Lookup::Found(values) }
            }
            Err(error) => unanswered(&error),
        }
    }
}

fn built(builder: ResolverBuilder<TokioRuntimeProvider>) -> Result<TokioResolver, NetError> {
    let mut builder = builder;
    let options: &mut ResolverOpts = builder.options_mut();
    options.timeout = PATIENCE;
    options.attempts = MORE_TRIES;
    options.use_hosts_file = ResolveHosts::Never;
    // A key of 2048 bits does not fit into 512 bytes with its neighbours.
    options.edns0 = true;
    builder.build()
}

/// Whether the error is an answer, too: that there is nothing.
fn unanswered<T>(error: &NetError) -> Lookup<T> {
    match error {
        NetError::Dns(DnsError::NoRecordsFound(none)) => match none.response_code {
            ResponseCode::NoError | ResponseCode::NXDomain => Lookup::Missing,
            code => Lookup::Unanswered(refusal(code)),
        },
        NetError::Dns(DnsError::ResponseCode(code)) => Lookup::Unanswered(refusal(*code)),
        NetError::Timeout => Lookup::Unanswered("the name server did not answer in time".into()),
        NetError::NoConnections | NetError::Io(_) => {
            Lookup::Unanswered("the name server cannot be reached".into())
        }
        other => Lookup::Unanswered(other.to_string()),
    }
}

fn refusal(code: ResponseCode) -> String {
    match code {
        ResponseCode::ServFail => "the name server failed (SERVFAIL)".to_owned(),
        ResponseCode::Refused => "the name server refuses to say".to_owned(),
        other => format!("the name server says: {other}"),
    }
}

/// As `Notes` spell it.
fn plain(name: &Name) -> String {
    name.to_ascii().trim_end_matches('.').to_ascii_lowercase()
}
