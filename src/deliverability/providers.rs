//! Relays that many people use, and domains that belong to mailbox providers.

/// A service that takes mail by SMTP and sends it on from addresses of its own.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Provider {
    pub(super) name: &'static str,
    /// What SPF includes to cover its addresses.
    pub(super) include: &'static str,
    /// Ends of its servers' names.
    hosts: &'static [&'static str],
}

const PROVIDERS: [Provider; 8] = [
    Provider { name: "Amazon SES", include: "amazonses.com", hosts: &["amazonaws.com"] },
    Provider { name: "Postmark", include: "spf.mtasv.net", hosts: &["postmarkapp.com"] },
    Provider { name: "Mailgun", include: "mailgun.org", hosts: &["mailgun.org"] },
    Provider { name: "SendGrid", include: "sendgrid.net", hosts: &["sendgrid.net"] },
    Provider { name: "Brevo", include: "spf.brevo.com", hosts: &["brevo.com", "sendinblue.com"] },
    Provider { name: "Mailjet", include: "spf.mailjet.com", hosts: &["mailjet.com"] },
    Provider {
        name: "Google",
        include: "_spf.google.com",
        hosts: &["gmail.com", "google.com", "googlemail.com"],
    },
    Provider {
        name: "Microsoft",
        include: "spf.protection.outlook.com",
        hosts: &["office365.com", "outlook.com"],
    },
];

impl Provider {
    /// Whose server `host` is.
    pub(super) fn of(host: &str) -> Option<&'static Self> {
        PROVIDERS.iter().find(|provider| provider.hosts.iter().any(|end| is_within(host, end)))
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
        assert_eq!(name("notmailgun.org"), None);
        assert_eq!(name("mail.example.org"), None);
    }
}
