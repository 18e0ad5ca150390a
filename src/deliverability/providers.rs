//! Relays that many people use, and domains that belong to mailbox providers.

/// A service that takes mail by SMTP and sends it on from addresses of its own.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Provider {
    pub(super) name: &'static str,
    /// What SPF includes to cover its addresses.
    pub(super) include: &'static str,
    /// What the names of its servers begin with; empty where all names below `hosts` are meant.
    begins: &'static str,
    /// Ends of its servers' names.
    hosts: &'static [&'static str],
}

/// `Provider { … }` in a line, so that the table reads as one.
const fn provider(
    name: &'static str,
    include: &'static str,
    hosts: &'static [&'static str],
) -> Provider {
    Provider { name, include, begins: "", hosts }
}

const PROVIDERS: [Provider; 8] = [
    Provider {
        // Everything else below that name is a machine that somebody rents.
        begins: "email-smtp",
        ..provider("Amazon SES", "amazonses.com", &["amazonaws.com"])
    },
    provider("Postmark", "spf.mtasv.net", &["postmarkapp.com"]),
    provider("Mailgun", "mailgun.org", &["mailgun.org"]),
    provider("SendGrid", "sendgrid.net", &["sendgrid.net"]),
    provider("Brevo", "spf.brevo.com", &["brevo.com", "sendinblue.com"]),
    provider("Mailjet", "spf.mailjet.com", &["mailjet.com"]),
    provider("Google", "_spf.google.com", &["gmail.com", "googlemail.com"]),
    provider("Microsoft", "spf.protection.outlook.com", &["office365.com", "outlook.com"]),
];

impl Provider {
    /// Whose server `host` is.
    pub(super) fn of(host: &str) -> Option<&'static Self> {
        PROVIDERS.iter().find(|provider| {
            host.starts_with(provider.begins)
                && provider.hosts.iter().any(|end| is_within(host, end))
        })
    }
}

/// Domains whose owners let nobody else send in their name.
const FREEMAIL: [&str; 40] = [
    "126.com",
    "163.com",
    "aol.com",
    "fastmail.com",
    "free.fr",
    "gmail.com",
    "gmx.at",
    "gmx.ch",
    "gmx.com",
    "gmx.de",
    "gmx.net",
    "googlemail.com",
    "hotmail.com",
    "hotmail.co.uk",
    "hotmail.de",
    "hotmail.fr",
    "icloud.com",
    "libero.it",
    "live.com",
    "mac.com",
    "mail.com",
    "mail.ru",
    "me.com",
    "msn.com",
    "orange.fr",
    "outlook.com",
    "outlook.de",
    "pm.me",
    "proton.me",
    "protonmail.com",
    "qq.com",
    "rocketmail.com",
    "t-online.de",
    "web.de",
    "yahoo.co.jp",
    "yahoo.co.uk",
    "yahoo.com",
    "yahoo.de",
    "yandex.ru",
    "ymail.com",
];

pub(super) fn is_freemail(domain: &str) -> bool {
    FREEMAIL.contains(&domain)
}

/// Whether `name` is `domain` or below it.
pub(super) fn is_within(name: &str, domain: &str) -> bool {
    name.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relay_is_known_by_the_end_of_its_name() {
        let name = |host| Provider::of(host).map(|provider| provider.name);
        assert_eq!(name("email-smtp.eu-central-1.amazonaws.com"), Some("Amazon SES"));
        assert_eq!(name("smtp.eu.mailgun.org"), Some("Mailgun"));
        assert_eq!(name("smtp-relay.gmail.com"), Some("Google"));
        assert_eq!(name("example-org.mail.protection.outlook.com"), Some("Microsoft"));
        assert_eq!(name("ec2-192-0-2-1.compute-1.amazonaws.com"), None);
        assert_eq!(name("notmailgun.org"), None);
        assert_eq!(name("mail.example.org"), None);
    }
}
