//! Whether there is anybody to take the mail, asked before an address is mailed (`signup.check_mx`).

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::audience::{Mistake, Wrong};
use crate::config::Signup;
use crate::deliverability::Lookup;
use crate::dns::Resolver;
use crate::domain::{EmailAddress, EmailAddressError};
use crate::telemetry;

/// Somebody waits for the page.
const PATIENCE: Duration = Duration::from_secs(5);

/// Who is asked, with what they said lately.
#[derive(Debug, Default)]
pub(super) struct MailDomains(Mutex<Option<(Option<SocketAddr>, Arc<Resolver>)>>);

impl MailDomains {
    /// Fails if it is certain that no mail to `address` can arrive. Doubts are no reason to refuse anybody.
    pub(super) async fn check(
        &self,
        rules: &Signup,
        address: &EmailAddress,
    ) -> Result<(), Mistake> {
        if !rules.check_mx {
            return Ok(());
        }
        let Some(resolver) = self.resolver(rules.resolver) else { return Ok(()) };
        let domain = address.domain();
        match tokio::time::timeout(PATIENCE, resolver.takes_mail(domain)).await {
            Ok(Lookup::Found(false)) => {
                let wrong = Wrong::Address(EmailAddressError::Domain(domain.to_owned()));
                return Err(Mistake::of("address", wrong));
            }
            Ok(Lookup::Found(true) | Lookup::Missing) => {}
            Ok(Lookup::Unanswered(why)) => {
                tracing::warn!(domain, why, "nobody knows whether a domain takes mail; it passes");
            }
            Err(_) => {
                tracing::warn!(
                    domain,
                    "the name servers take long to say whether a domain takes mail; it passes"
                );
            }
        }
        Ok(())
    }

    /// A change of the configuration is a change of whom to ask.
    fn resolver(&self, server: Option<SocketAddr>) -> Option<Arc<Resolver>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((asked, resolver)) = &*known
            && *asked == server
        {
            return Some(Arc::clone(resolver));
        }
        let made = server.map_or_else(Resolver::of_system, Resolver::at);
        let made = made.inspect_err(|error| {
            tracing::error!(error = %telemetry::causes(error), "no domain is checked for whether it takes mail");
        });
        let resolver = Arc::new(made.ok()?);
        *known = Some((server, Arc::clone(&resolver)));
        Some(resolver)
    }
}
