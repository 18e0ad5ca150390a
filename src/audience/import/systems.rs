//! Whose file it is, by the names of its columns, and what each column means there.

use std::collections::BTreeMap;

use crate::domain::EmailAddress;

/// What a file was exported from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    Postrider,
    Listmonk,
    Ghost,
    Substack,
    Mailchimp(MailchimpList),
    Buttondown,
    Keila,
    Beehiiv,
    /// Somebody's own table.
    Table,
}

/// Mailchimp exports a file for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailchimpList {
    Subscribed,
    Unsubscribed,
    Cleaned,
    NonSubscribed,
}

/// What a column means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Field {
    Name,
    FirstName,
    LastName,
    Newsletter,
    Cadence,
    Topics,
    Language,
    Timezone,
    SendTime,
    Status,
    /// When they came.
    Created,
    /// When they said yes.
    Consented,
    /// The same, where `Consented` is empty.
    Asked,
    /// Where that came from.
    Ip,
    AskedIp,
    Ended,
    EndReason,
    Attributes,
    Tags,
    Source,
    Consents,
    PausedUntil,
    SuppressionReason,
}

type Names = &'static [(Field, &'static [&'static str])];

/// The columns of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) system: System,
    pub(super) address: usize,
    pub(super) fields: BTreeMap<Field, usize>,
    /// All that has no other meaning: the column, and the attribute that it becomes.
    pub(super) attributes: Vec<(usize, String)>,
}

const POSTRIDER: Names = &[
    (Field::Name, &["name"]),
    (Field::Newsletter, &["newsletter"]),
    (Field::Cadence, &["cadence"]),
    (Field::Topics, &["topics"]),
    (Field::Language, &["language"]),
    (Field::Timezone, &["timezone"]),
    (Field::SendTime, &["send_time"]),
    (Field::Status, &["status"]),
    (Field::Created, &["created_at"]),
    (Field::Consented, &["confirmed_at"]),
    (Field::Ended, &["ended_at"]),
    (Field::EndReason, &["end_reason"]),
    (Field::Attributes, &["attributes"]),
    (Field::Tags, &["tags"]),
    (Field::Source, &["source"]),
    (Field::Consents, &["consents"]),
    (Field::PausedUntil, &["paused_until"]),
    (Field::SuppressionReason, &["suppression_reason"]),
];
const LISTMONK: Names = &[
    (Field::Name, &["name"]),
    (Field::Attributes, &["attributes", "attribs"]),
    (Field::Status, &["status"]),
    (Field::Created, &["created_at"]),
];
const GHOST: Names = &[
    (Field::Name, &["name"]),
    (Field::Status, &["subscribed_to_emails"]),
    (Field::Created, &["created_at"]),
    (Field::Ended, &["deleted_at"]),
    (Field::Tags, &["labels"]),
];
const SUBSTACK: Names = &[
    (Field::Name, &["name"]),
    (Field::Status, &["email_disabled"]),
    (Field::Created, &["created_at"]),
];
const MAILCHIMP: Names = &[
    (Field::FirstName, FIRST_NAMES),
    (Field::LastName, LAST_NAMES),
    (Field::Consented, &["confirm_time"]),
    (Field::Asked, &["optin_time"]),
    (Field::Ip, &["confirm_ip"]),
    (Field::AskedIp, &["optin_ip"]),
    (Field::Timezone, &["timezone"]),
    (Field::Ended, &["unsub_time", "clean_time"]),
    (Field::EndReason, &["unsub_reason"]),
    (Field::Tags, &["tags"]),
];
const BUTTONDOWN: Names = &[
    (Field::Status, &["subscriber_type"]),
    (Field::Created, &["creation_date"]),
    (Field::Consented, &["subscription_date"]),
    (Field::Ended, &["unsubscription_date"]),
    (Field::Ip, &["ip_address"]),
    (Field::Tags, &["tags"]),
    (Field::Attributes, &["metadata"]),
];
const KEILA: Names = &[
    (Field::FirstName, &["first name"]),
    (Field::LastName, &["last name"]),
    (Field::Attributes, &["data"]),
    (Field::Status, &["status"]),
];
const BEEHIIV: Names = &[
    (Field::FirstName, &["first name"]),
    (Field::LastName, &["last name"]),
    (Field::Status, &["status"]),
    (Field::Created, &["created_at"]),
    (Field::Ended, &["unsubscribed_at"]),
];
const TABLE: Names = &[
    (Field::Name, &["name", "full name", "full_name"]),
    (Field::FirstName, FIRST_NAMES),
    (Field::LastName, LAST_NAMES),
    (Field::Newsletter, &["newsletter"]),
    (Field::Cadence, &["cadence"]),
    (Field::Topics, &["topics"]),
    (Field::Language, &["language"]),
    (Field::Timezone, &["timezone", "time zone", "time_zone"]),
    (Field::SendTime, &["send_time"]),
    (Field::Status, &["status", "state"]),
    (Field::Created, &["created_at", "subscribed_at", "signup_date", "date"]),
    (Field::Consented, &["confirmed_at", "consented_at", "optin_time"]),
    (Field::Ip, &["ip", "ip_address", "optin_ip"]),
    (Field::Ended, &["ended_at", "unsubscribed_at"]),
    (Field::EndReason, &["end_reason"]),
    (Field::Attributes, &["attributes"]),
    (Field::Tags, &["tags"]),
];
const FIRST_NAMES: &[&str] =
    &["first name", "first_name", "firstname", "fname", "vorname", "prénom", "nombre"];
const LAST_NAMES: &[&str] =
    &["last name", "last_name", "lastname", "lname", "nachname", "nom", "apellido", "apellidos"];
const ADDRESSES: &[&str] =
    &["email", "address", "email address", "e-mail", "email_address", "e-mail address"];

impl System {
    /// What it is called.
    pub fn title(self) -> &'static str {
        match self {
            Self::Postrider => "Postrider",
            Self::Listmonk => "listmonk",
            Self::Ghost => "Ghost",
            Self::Substack => "Substack",
            Self::Mailchimp(MailchimpList::Subscribed) => "Mailchimp (subscribed)",
            Self::Mailchimp(MailchimpList::Unsubscribed) => "Mailchimp (unsubscribed)",
            Self::Mailchimp(MailchimpList::Cleaned) => "Mailchimp (cleaned)",
            Self::Mailchimp(MailchimpList::NonSubscribed) => "Mailchimp (non-subscribed)",
            Self::Buttondown => "Buttondown",
            Self::Keila => "Keila",
            Self::Beehiiv => "beehiiv",
            Self::Table => "a table",
        }
    }

    /// By the sets of names that only it has. `file` is asked only where Mailchimp's columns don't tell.
    fn of(names: &[String], file: &str) -> Self {
        let has = |name: &str| names.iter().any(|known| known == name);
        if has("leid") && has("euid") {
            let file = file.to_ascii_lowercase();
            return Self::Mailchimp(if has("unsub_time") {
                MailchimpList::Unsubscribed
            } else if has("clean_time") {
                MailchimpList::Cleaned
            } else if file.contains("nonsubscribed") || file.contains("non-subscribed") {
                MailchimpList::NonSubscribed
            } else {
                MailchimpList::Subscribed
            });
        }
        if !has("email") {
            return Self::Table;
        }
        if has("newsletter") && has("cadence") && has("suppressed_at") {
            Self::Postrider
        } else if has("subscribed_to_emails") {
            Self::Ghost
        } else if has("subscriber_type") && (has("creation_date") || has("metadata")) {
            Self::Buttondown
        } else if has("uuid") && has("status") && (has("attributes") || has("attribs")) {
            Self::Listmonk
        } else if has("email_disabled") || has("active_subscription") {
            Self::Substack
        } else if has("data") && has("status") && has("external id") {
            Self::Keila
        } else if has("subscription date (substack)") || (has("unsubscribed_at") && has("tier")) {
            Self::Beehiiv
        } else {
            Self::Table
        }
    }

    fn names(self) -> Names {
        match self {
            Self::Postrider => POSTRIDER,
            Self::Listmonk => LISTMONK,
            Self::Ghost => GHOST,
            Self::Substack => SUBSTACK,
            Self::Mailchimp(_) => MAILCHIMP,
            Self::Buttondown => BUTTONDOWN,
            Self::Keila => KEILA,
            Self::Beehiiv => BEEHIIV,
            Self::Table => TABLE,
        }
    }

    /// Columns that mean something to the other system only, or more than we want to know.
    fn drops(self, name: &str) -> bool {
        let dropped: &[&str] = match self {
            Self::Postrider => &["suppressed_at"],
            Self::Listmonk => &["uuid", "id", "updated_at"],
            Self::Ghost => &[
                "id",
                "stripe_customer_id",
                "gift_id",
                "complimentary_plan",
                "error",
                "import_tier",
            ],
            Self::Substack => &["stripe_connected_customer_id", "expiry"],
            Self::Mailchimp(_) => &[
                "member_rating",
                "latitude",
                "longitude",
                "gmtoff",
                "dstoff",
                "cc",
                "region",
                "last_changed",
                "leid",
                "euid",
                "unsub_campaign_title",
                "unsub_campaign_id",
                "unsub_reason_other",
                "clean_campaign_title",
                "clean_campaign_id",
            ],
            Self::Buttondown => {
                &["id", "secondary_id", "referrer_url", "utm_source", "utm_medium", "utm_campaign"]
            }
            Self::Keila => &["external id"],
            Self::Beehiiv => &["stripe_customer_id", "subscription date (substack)"],
            Self::Table => &[],
        };
        dropped.contains(&name)
    }

    /// Between the tags in one cell.
    pub(super) fn tag_separators(self) -> &'static [char] {
        match self {
            Self::Buttondown => &[';'],
            Self::Ghost | Self::Mailchimp(_) => &[','],
            _ => &[',', ';', '|'],
        }
    }
}

impl Layout {
    /// Of a file with this header; `first` is the row under it. None: no column has addresses.
    ///
    /// Mailchimp calls its own columns the same everywhere and the others in the language of whoever exported: the addresses
    /// are found by what they look like.
    pub(super) fn of_header(header: &[String], first: &[String], file: &str) -> Option<Self> {
        let names: Vec<String> = header.iter().map(|cell| cell.trim().to_lowercase()).collect();
        let system = System::of(&names, file);
        let column = |known: &[&str]| names.iter().position(|name| known.contains(&name.as_str()));
        let by_content =
            || first.iter().position(|cell| cell.trim().parse::<EmailAddress>().is_ok());
        let address = match (column(ADDRESSES), system) {
            (Some(address), _) => address,
            (None, System::Mailchimp(_)) => by_content().or(Some(0))?,
            (None, _) => return None,
        };
        let mut fields = BTreeMap::new();
        for (field, known) in system.names() {
            if let Some(at) = column(known).filter(|at| *at != address) {
                fields.insert(*field, at);
            }
        }
        let is_other = |at: &usize| *at != address && !fields.values().any(|used| used == at);
        let attributes = (0..names.len())
            .filter(is_other)
            .filter(|at| !system.drops(&names[*at]))
            .map(|at| (at, attribute_name(&names[at])))
            .filter(|(_, name)| !name.is_empty())
            .collect();
        Some(Self { system, address, fields, attributes })
    }

    /// Of a file without one. None: its first row has no address.
    pub(super) fn of_first_row(first: &[String]) -> Option<Self> {
        let address = first.iter().position(|cell| cell.trim().parse::<EmailAddress>().is_ok())?;
        let (fields, attributes) = Default::default();
        Some(Self { system: System::Table, address, fields, attributes })
    }
}

/// A name that can stand in an expression: `custom_fields.Shoe size` is `shoe_size`.
fn attribute_name(header: &str) -> String {
    let header = header.strip_prefix("custom_fields.").unwrap_or(header);
    let words = header.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let name = words.collect::<Vec<_>>().join("_");
    name.chars().take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(header: &str, first: &str) -> Option<Layout> {
        let cells = |line: &str| line.split(',').map(str::to_owned).collect::<Vec<_>>();
        Layout::of_header(&cells(header), &cells(first), "x.csv")
    }

    #[test]
    fn a_file_is_known_by_its_columns_in_any_case_and_order() {
        let table = [
            ("uuid,email,name,attributes,status,created_at,updated_at", System::Listmonk),
            ("id,email,name,note,subscribed_to_emails,created_at,labels,tiers", System::Ghost),
            (
                "email,active_subscription,expiry,email_disabled,prefer_digests,created_at",
                System::Substack,
            ),
            (
                "email,active_subscription,expiry,plan,email_disabled,digest_enabled,created_at",
                System::Substack,
            ),
            (
                "email,expiry,email_disabled,prefer_digests,stripe_connected_customer_id,type",
                System::Substack,
            ),
            (
                "Email Address,OPTIN_TIME,LEID,EUID,TAGS",
                System::Mailchimp(MailchimpList::Subscribed),
            ),
            ("Emailadresse,UNSUB_TIME,EUID,LEID", System::Mailchimp(MailchimpList::Unsubscribed)),
            ("Email Address,CLEAN_TIME,LEID,EUID", System::Mailchimp(MailchimpList::Cleaned)),
            ("id,email,subscriber_type,creation_date,tags,metadata", System::Buttondown),
            ("Email,First name,Last name,Data,Status,External ID", System::Keila),
            ("email,First Name,Last Name,status,tier,created_at,unsubscribed_at", System::Beehiiv),
            ("email,newsletter,cadence,status,suppressed_at", System::Postrider),
            (" E-Mail,Name,STATUS,Cadence", System::Table),
        ];
        for (header, system) in table {
            assert_eq!(layout(header, "").map(|it| it.system), Some(system), "{header}");
        }
        assert_eq!(layout("name,mail", "Ann,ann@example.org"), None);
    }

    #[test]
    fn what_has_no_other_meaning_becomes_an_attribute() {
        let found = layout("Deine E-Mail,Ort,LEID,EUID,CC", "ann@example.org,Kiel,1,2,DE").unwrap();
        assert_eq!(found.address, 0);
        assert_eq!(found.attributes, [(1, "ort".to_owned())]);
        let found = layout("id,email,subscribed_to_emails,custom_fields.Shoe size!,", "").unwrap();
        assert_eq!(found.attributes, [(3, "shoe_size".to_owned())]);
    }
}
