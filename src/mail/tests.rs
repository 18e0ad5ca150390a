use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use mail_parser::{Message, MessageParser, MimeHeaders};
use proptest::prelude::*;
use url::Url;

use super::*;
use crate::config::{Mailbox, Newsletter, Site};
use crate::domain::{
    Author, Cadence, EmailAddress, MissedRuns, Post, PostId, RetryPolicy, Revision,
};
use crate::template::Templates;

const TOKEN: &str = "c2FtcGxlLXRva2VuLW9mLWZvcnR5LXRocmVlLWxldHR";
const MESSAGE_ID: &str = "4f9c2b7a@example.org";

static TEMPLATES: LazyLock<Templates> = LazyLock::new(|| Templates::load(None).unwrap());

fn url(text: &str) -> Url {
    text.parse().unwrap()
}

fn site() -> Site {
    Site {
        title: "Field Notes".to_owned(),
        description: "Walks and tools".to_owned(),
        url: url("https://example.org/"),
        language: "en".to_owned(),
        time_zone: TimeZone::get("Europe/Berlin").unwrap(),
        author: None,
    }
}

fn newsletter() -> Newsletter {
    Newsletter {
        name: "weekly".to_owned(),
        title: "Field Notes weekly".to_owned(),
        description: "The week's posts in one mail.".to_owned(),
        cadences: BTreeMap::new(),
        default_cadence: Cadence::Weekly,
        missed_runs: MissedRuns::Once { within: SignedDuration::from_hours(6) },
        from: None,
        servers: vec!["main".to_owned()],
        send_window: None,
        retry: RetryPolicy {
            first_delay: SignedDuration::from_mins(5),
            max_delay: SignedDuration::from_hours(4),
            max_attempts: 10,
            give_up_after: SignedDuration::from_hours(48),
            resend_uncertain: true,
        },
    }
}

fn post(slug: &str, title: &str) -> Post {
    let link = url(&format!("https://example.org/posts/{slug}/"));
    Post {
        id: PostId::mint(&link),
        revision: Revision::of([slug, title]),
        source: format!("posts/{slug}.md"),
        slug: slug.to_owned(),
        link,
        canonical: None,
        title: title.to_owned(),
        published_at: "2026-11-19T17:15:00Z".parse().unwrap(),
        updated_at: None,
        summary: format!("What there is to say about {slug}, in one sentence."),
        html: "<p>Hold the angle. That is all.</p>".to_owned(),
        text: "Hold the angle. That is all.".to_owned(),
        authors: vec![Author { name: "Ann Meadow".to_owned(), email: None, url: None }],
        tags: Vec::new(),
        categories: Vec::new(),
        language: "en".to_owned(),
        image: None,
    }
}

fn river() -> Post {
    Post {
        html: include_str!("../template/context/samples/post.html").to_owned(),
        text: include_str!("../template/context/samples/post.txt").to_owned(),
        image: Some(url("https://example.org/images/river.jpg")),
        ..post("river", "A walk along the river")
    }
}

fn odd() -> Post {
    Post {
        summary: String::new(),
        html: "<p>שורה אחת.</p>".to_owned(),
        text: "שורה אחת.".to_owned(),
        authors: Vec::new(),
        language: "he".to_owned(),
        ..post("odd", "שלום 👩‍🚀 & <b>\"עולם\"</b>")
    }
}

fn compose(cadence: Cadence, posts: Vec<Post>) -> Composed {
    let posts: Vec<_> = posts.into_iter().map(Arc::new).collect();
    let input = EditionInput {
        site: &site(),
        newsletter: &newsletter(),
        cadence,
        posts: &posts,
        public_url: &url("https://news.example.org/"),
        postal_address: "Field Notes, 1 River Lane, 10115 Berlin",
        sealed_at: "2026-11-23T06:00:00Z".parse().unwrap(),
    };
    compose_edition(&TEMPLATES, &input).unwrap()
}

fn digest() -> Composed {
    let posts = vec![river(), post("knife", "Sharpening a kitchen knife"), odd()];
    compose(Cadence::Weekly, [posts, vec![post("tea", "Three kinds of tea")]].concat())
}

fn confirmation() -> Composed {
    let input = ConfirmationInput {
        site: &site(),
        newsletter: &newsletter(),
        confirm_url: &format!("https://news.example.org/confirm/{TOKEN}"),
        postal_address: "Field Notes, 1 River Lane, 10115 Berlin",
    };
    compose_confirmation(&TEMPLATES, &input).unwrap()
}

fn sender() -> Mailbox {
    Mailbox { name: Some("Field Notes".to_owned()), address: "news@example.org".parse().unwrap() }
}

fn blueprint(composed: &Composed) -> Blueprint {
    let list = ListHeaders {
        id: "weekly.example.org",
        unsubscribe_base: "https://news.example.org/unsubscribe/",
        archive: Some("https://example.org/"),
    };
    let envelope = Envelope {
        from: &sender(),
        reply_to: None,
        list: composed.hole.is_some().then_some(list),
        date: "2026-11-23T06:00:00Z".parse().unwrap(),
    };
    Blueprint::new(composed, &envelope).unwrap()
}

fn fill(composed: &Composed) -> Vec<u8> {
    let to: EmailAddress = "ann@example.net".parse().unwrap();
    let token = composed.hole.is_some().then_some(TOKEN);
    blueprint(composed).fill(&Recipient {
        to: &to,
        message_id: MESSAGE_ID,
        unsubscribe_token: token,
    })
}

fn parse(eml: &[u8]) -> Message<'_> {
    MessageParser::default().parse(eml).unwrap()
}

/// Both parts as a mail reader decodes them, with `\n`.
fn bodies(eml: &[u8]) -> (String, String) {
    let message = parse(eml);
    let text = message.body_text(0).unwrap().replace("\r\n", "\n");
    (text, message.body_html(0).unwrap().replace("\r\n", "\n"))
}

fn with_token(composed: &Composed) -> (String, String) {
    let hole = composed.hole.as_deref().unwrap_or("no hole");
    (composed.text.replace(hole, TOKEN), composed.html.replace(hole, TOKEN))
}

fn assert_is_clean_smtp(eml: &[u8]) {
    assert!(eml.is_ascii());
    let text = std::str::from_utf8(eml).unwrap();
    let bare = text.replace("\r\n", "");
    assert!(!bare.contains(['\r', '\n', '\0']), "a bare CR, LF or NUL");
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.split("\r\n").all(|line| line.len() <= 998));
    assert!(body.split("\r\n").all(|line| line.len() <= 76));
    assert!(!body.contains("\r\n.\r\n"));
}

#[test]
fn every_mail_looks_as_it_should() {
    let single = compose(Cadence::Instant, vec![river()]);
    for (name, composed) in [("digest", digest()), ("single", single), ("confirm", confirmation())]
    {
        assert_eq!(composed.warnings, []);
        let hole = composed.hole.as_deref().unwrap_or("no hole");
        let shown = |text: &str| text.replace(hole, "<TOKEN>");
        insta::assert_snapshot!(format!("{name}-subject"), composed.subject);
        insta::assert_snapshot!(format!("{name}-text"), shown(&composed.text));
        insta::assert_snapshot!(format!("{name}-html"), shown(&composed.html));
        let eml = String::from_utf8(fill(&composed)).unwrap();
        insta::assert_snapshot!(format!("{name}-eml"), eml.replace("\r\n", "\n"));
    }
}

#[test]
fn a_mail_reader_finds_text_first_and_html_last_just_as_composed() {
    for composed in [digest(), compose(Cadence::Instant, vec![odd()]), confirmation()] {
        let eml = fill(&composed);
        assert_is_clean_smtp(&eml);
        assert_eq!(bodies(&eml), with_token(&composed));
        let message = parse(&eml);
        let kinds: Vec<_> = message
            .parts
            .iter()
            .map(|part| part.content_type().unwrap().subtype().unwrap().to_owned())
            .collect();
        assert_eq!(kinds, ["alternative", "plain", "html"]);
        assert_eq!(message.subject(), Some(composed.subject.as_str()));
    }
}

#[test]
fn every_header_is_there_exactly_once() {
    let eml = fill(&digest());
    let message = parse(&eml);
    let mut names: Vec<_> = message.headers_raw().map(|(name, _)| name.to_lowercase()).collect();
    names.sort_unstable();
    let expected = [
        "auto-submitted",
        "content-type",
        "date",
        "from",
        "list-archive",
        "list-id",
        "list-unsubscribe",
        "list-unsubscribe-post",
        "message-id",
        "mime-version",
        "precedence",
        "subject",
        "to",
        "x-auto-response-suppress",
    ];
    assert_eq!(names, expected);
    let text = String::from_utf8(eml.clone()).unwrap();
    assert!(text.contains(&format!(
        "\r\nList-Unsubscribe: <https://news.example.org/unsubscribe/{TOKEN}>\r\n\
         List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    )));
    assert_eq!(message.message_id(), Some(MESSAGE_ID));
    assert_eq!(message.to().unwrap().first().unwrap().address(), Some("ann@example.net"));
    assert_eq!(message.date().unwrap().to_rfc3339(), "2026-11-23T06:00:00Z");
}

#[test]
fn a_confirmation_is_no_list_mail() {
    let eml = String::from_utf8(fill(&confirmation())).unwrap();
    assert!(!eml.contains("List-"));
    assert!(eml.contains("Auto-Submitted: auto-generated"));
}

#[test]
fn a_specimen_has_links_that_lead_nowhere() {
    let composed = digest();
    let to: EmailAddress = "me@example.org".parse().unwrap();
    let recipient = Recipient { to: &to, message_id: MESSAGE_ID, unsubscribe_token: None };
    let eml = blueprint(&composed).fill(&recipient);
    let (text, _) = bodies(&eml);
    assert!(text.contains("https://news.example.org/unsubscribe/specimen"));
    assert!(!String::from_utf8(eml).unwrap().contains("List-Unsubscribe"));
}

#[test]
fn the_same_edition_gives_the_same_bytes_in_every_process() {
    assert_eq!(fill(&digest()), fill(&digest()));
    let frozen = serde_json::to_string(&digest()).unwrap();
    let thawed: Composed = serde_json::from_str(&frozen).unwrap();
    assert_eq!(fill(&thawed), fill(&digest()));
}

#[test]
fn a_hole_is_as_long_as_a_token_and_no_text_can_hold_it() {
    let composed = digest();
    let hole = composed.hole.unwrap();
    assert_eq!(hole.len(), TOKEN.len());
    assert!(composed.text.contains(&hole) && composed.html.contains(&hole));
    let mut thief = river();
    thief.html = format!("<a href=\"https://evil.example/{hole}\">x</a>");
    let stolen = compose(Cadence::Instant, vec![thief]);
    assert_ne!(stolen.hole.as_deref(), Some(hole.as_str()));
    assert!(!bodies(&fill(&stolen)).1.contains(&format!("evil.example/{TOKEN}")));
}

#[test]
fn a_post_too_large_for_mail_goes_out_as_its_summary_with_a_link() {
    let mut post = river();
    post.html = "<p>A long story.</p>\n".repeat(10_000);
    post.text = "A long story.\n\n".repeat(10_000);
    let composed = compose(Cadence::Instant, vec![post]);
    assert!(composed.html.len() < 20_000 && composed.text.len() < 2_000);
    assert!(composed.html.contains("What there is to say about river"));
    assert!(composed.text.contains("Read on: https://example.org/posts/river/"));
    assert_eq!(composed.warnings.len(), 1);
    assert_eq!(composed.warnings[0].code, "mail-too-large");
    assert_eq!(composed.warnings[0].file.as_deref(), Some("posts/river.md"));
}

#[test]
fn a_digest_that_gmail_would_cut_is_warned_about() {
    let composed = compose(Cadence::Weekly, vec![post("tea", "Tea"); 300]);
    assert_eq!(composed.warnings[0].code, "mail-too-large");
}

#[test]
fn an_edition_without_posts_is_refused() {
    let input = EditionInput {
        site: &site(),
        newsletter: &newsletter(),
        cadence: Cadence::Daily,
        posts: &[],
        public_url: &url("https://news.example.org/"),
        postal_address: "",
        sealed_at: Timestamp::UNIX_EPOCH,
    };
    assert_eq!(compose_edition(&TEMPLATES, &input).unwrap_err().code, "edition-empty");
}

#[test]
fn two_instant_posts_make_a_digest() {
    let composed = compose(Cadence::Instant, vec![river(), odd()]);
    assert!(composed.subject.ends_with(" and 1 more"), "{}", composed.subject);
}

#[test]
fn a_subject_is_one_line_of_bounded_length() {
    let composed =
        compose(Cadence::Instant, vec![post("x", "One\r\nBcc: all@example.org\u{0}\tTwo")]);
    assert_eq!(composed.subject, "One Bcc: all@example.org Two");
    let composed = compose(Cadence::Instant, vec![post("x", &"x".repeat(10_000))]);
    assert_eq!(composed.subject.chars().count(), 200);
    assert_is_clean_smtp(&fill(&composed));
    let composed = compose(Cadence::Instant, vec![post("x", "\u{7}")]);
    assert_eq!(composed.subject, "Field Notes weekly");
    assert_eq!(composed.warnings[0].code, "mail-no-subject");
}

#[test]
fn a_subject_that_looks_encoded_is_shown_as_it_is() {
    let title = "=?utf-8?q?Bcc?= and how =?x?= words grow long enough to be folded, ça va";
    let composed = compose(Cadence::Instant, vec![post("x", title)]);
    let eml = fill(&composed);
    assert_is_clean_smtp(&eml);
    assert_eq!(parse(&eml).subject(), Some(title));
}

#[test]
fn a_sender_with_any_name_is_one_sender() {
    for name in
        ["Müller, Jörg", "\"Quoted\" <x@y>", "日本語の長い名前日本語の長い名前日本語の長い名前"]
    {
        let from = Mailbox { name: Some(name.to_owned()), ..sender() };
        let envelope =
            Envelope { from: &from, reply_to: Some(&from), list: None, date: Timestamp::MIN };
        let to: EmailAddress = "ann@example.net".parse().unwrap();
        let recipient = Recipient { to: &to, message_id: "x", unsubscribe_token: None };
        let eml = Blueprint::new(&confirmation(), &envelope).unwrap().fill(&recipient);
        assert_is_clean_smtp(&eml);
        let message = parse(&eml);
        let from = message.from().unwrap().first().unwrap();
        assert_eq!((from.name(), from.address()), (Some(name), Some("news@example.org")));
    }
}

#[test]
fn a_value_that_would_break_its_header_is_refused() {
    let list =
        ListHeaders { id: "a>\r\nBcc: x", unsubscribe_base: "https://x.example/", archive: None };
    let envelope =
        Envelope { from: &sender(), reply_to: None, list: Some(list), date: Timestamp::UNIX_EPOCH };
    assert!(matches!(Blueprint::new(&digest(), &envelope), Err(BlueprintError::ListId(_))));
    let long = format!("https://x.example/{}", "x".repeat(1_000));
    let list = ListHeaders { id: "a.b", unsubscribe_base: &long, archive: None };
    let envelope = Envelope { list: Some(list), ..envelope };
    assert!(matches!(Blueprint::new(&digest(), &envelope), Err(BlueprintError::Header(_))));
    let archive = Some("https://x.example/\r\nBcc: x");
    let list = ListHeaders { id: "a.b", unsubscribe_base: "https://x.example/", archive };
    let envelope = Envelope { list: Some(list), ..envelope };
    assert!(matches!(Blueprint::new(&digest(), &envelope), Err(BlueprintError::Header(_))));
}

#[test]
fn an_address_outside_ascii_stands_as_it_is_in_its_own_header_only() {
    let to: EmailAddress = "jörg@example.net".parse().unwrap();
    let recipient = Recipient { to: &to, message_id: "x", unsubscribe_token: Some(TOKEN) };
    let eml = String::from_utf8(blueprint(&digest()).fill(&recipient)).unwrap();
    let (first, rest) = eml.split_once("\r\n").unwrap();
    assert_eq!(first, "To: jörg@example.net");
    assert!(rest.is_ascii());
}

#[test]
fn a_composed_mail_hides_its_words_from_logs() {
    let shown = format!("{:?}", confirmation());
    assert!(!shown.contains(TOKEN) && shown.contains("html_bytes"), "{shown}");
}

#[test]
fn filling_asks_for_memory_once() {
    let blueprint = blueprint(&digest());
    let to: EmailAddress = "ann@example.net".parse().unwrap();
    let recipient = Recipient { to: &to, message_id: MESSAGE_ID, unsubscribe_token: Some(TOKEN) };
    let eml = blueprint.fill(&recipient);
    // A second allocation would have doubled the first one.
    assert!(eml.capacity() - eml.len() < 400, "{} of {}", eml.len(), eml.capacity());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn whatever_a_post_says_arrives_as_it_was_composed(
        title in "\\PC{1,120}",
        text in "(\\PC|[\\x00-\\x20=.]){0,400}",
        slug in "[a-z]{1,8}",
    ) {
        let mut one = post(&slug, &title);
        one.html = format!("<p>{}</p>", text.replace(['<', '&'], ""));
        one.text = text;
        for cadence in [Cadence::Instant, Cadence::Daily] {
            let composed = compose(cadence, vec![one.clone()]);
            let eml = fill(&composed);
            assert_is_clean_smtp(&eml);
            prop_assert_eq!(bodies(&eml), with_token(&composed));
            let message = parse(&eml);
            let subject = message.subject().unwrap_or_default();
            prop_assert_eq!(subject, composed.subject.as_str());
            prop_assert_eq!(message.headers_raw().count(), 14);
        }
    }
}
