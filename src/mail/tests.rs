use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use mail_parser::{Message, MessageParser, MimeHeaders};
use proptest::prelude::*;
use url::Url;

use super::*;
use crate::config::{MailEncoding, Mailbox, Newsletter, Site};
use crate::domain::{
    Author, Body, Cadence, EmailAddress, MissedRuns, Post, RetryPolicy, Revision, Written,
};
use crate::template::Templates;

mod corrections;
mod images;
mod looks;
mod signing;

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
        languages: Vec::new(),
        only_in_language: false,
        audience: None,
        topics: BTreeMap::new(),
        welcome: Vec::new(),
        questions: crate::config::SignupQuestions::default(),
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
        reply_to: None,
        inline_images: false,
        language: "en".to_owned(),
    }
}

fn post(slug: &str, title: &str) -> Post {
    Post {
        revision: Revision::of([slug, title]),
        title: title.to_owned(),
        summary: format!("What there is to say about {slug}, in one sentence."),
        authors: vec![Author { name: "Ann Meadow".to_owned(), email: None, url: None }],
        ..Post::bare(slug, "2026-11-19T17:15:00Z".parse().unwrap())
    }
}

fn written(post: Post, html: &str, text: &str) -> Written {
    let body = Body { html: html.to_owned(), text: text.to_owned(), ..Body::default() };
    Written { post: Arc::new(post), body: Arc::new(body) }
}

/// A post with next to nothing to say.
fn plain(slug: &str, title: &str) -> Written {
    let html = "<p>Hold the angle. That is all.</p>";
    written(post(slug, title), html, "Hold the angle. That is all.")
}

fn river_post() -> Post {
    Post {
        image: Some(Box::new(url("https://example.org/images/river.jpg"))),
        ..post("river", "A walk along the river")
    }
}

const RIVER_HTML: &str = include_str!("../template/context/samples/post.html");
const RIVER_TEXT: &str = include_str!("../template/context/samples/post.txt");

fn river() -> Written {
    written(river_post(), RIVER_HTML, RIVER_TEXT)
}

fn odd() -> Written {
    let post = Post {
        summary: String::new(),
        authors: Vec::new(),
        language: "he".to_owned(),
        ..post("odd", "שלום 👩‍🚀 & <b>\"עולם\"</b>")
    };
    written(post, "<p>שורה אחת.</p>", "שורה אחת.")
}

#[expect(clippy::needless_pass_by_value, reason = "stories read better without borrows")]
fn compose(cadence: Cadence, posts: Vec<Written>) -> Composed {
    let input = EditionInput {
        language: None,
        site: &site(),
        newsletter: &newsletter(),
        cadence,
        posts: &posts,
        public_url: &url("https://news.example.org/"),
        postal_address: "Field Notes, 1 River Lane, 10115 Berlin",
        page_url: Some("https://news.example.org/posts/-/0123456789abcdef/"),
        sealed_at: "2026-11-23T06:00:00Z".parse().unwrap(),
    };
    compose_edition(&TEMPLATES, &input).unwrap()
}

fn digest() -> Composed {
    let posts = vec![river(), plain("knife", "Sharpening a kitchen knife"), odd()];
    compose(Cadence::Weekly, [posts, vec![plain("tea", "Three kinds of tea")]].concat())
}

fn confirmation() -> Composed {
    let input = ConfirmationInput {
        language: None,
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

fn list() -> ListHeaders<'static> {
    ListHeaders {
        id: "weekly.example.org",
        title: "Field Notes weekly",
        unsubscribe_base: "https://news.example.org/unsubscribe/",
        unsubscribe_mailto: None,
        subscribe: Some("https://news.example.org/subscribe/weekly"),
        archive: Some("https://example.org/"),
        owner: None,
    }
}

/// Of a letter that nobody signs.
fn envelope(from: &Mailbox) -> Envelope<'_> {
    Envelope {
        from,
        reply_to: None,
        list: None,
        feedback: None,
        date: "2026-11-23T06:00:00Z".parse().unwrap(),
        dkim: &[],
        encoding: MailEncoding::QuotedPrintable,
    }
}

fn recipient(to: &EmailAddress) -> Recipient<'_> {
    Recipient {
        to,
        message_id: MESSAGE_ID,
        unsubscribe_token: Some(TOKEN),
        signed_at: None,
        eight_bit: false,
    }
}

fn blueprint(composed: &Composed) -> Blueprint {
    let list = composed.hole.is_some().then(list);
    Blueprint::new(composed, &Envelope { list, ..envelope(&sender()) }).unwrap()
}

fn fill(composed: &Composed) -> Vec<u8> {
    let to: EmailAddress = "ann@example.net".parse().unwrap();
    blueprint(composed).fill(&recipient(&to))
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
        "list-post",
        "list-subscribe",
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
    let recipient = Recipient { unsubscribe_token: None, ..recipient(&to) };
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
    let html = format!("<a href=\"https://evil.example/{hole}\">x</a>");
    let thief = written(river_post(), &html, RIVER_TEXT);
    let stolen = compose(Cadence::Instant, vec![thief]);
    assert_ne!(stolen.hole.as_deref(), Some(hole.as_str()));
    assert!(!bodies(&fill(&stolen)).1.contains(&format!("evil.example/{TOKEN}")));
}

#[test]
fn an_edition_without_posts_is_refused() {
    let input = EditionInput {
        language: None,
        site: &site(),
        newsletter: &newsletter(),
        cadence: Cadence::Daily,
        posts: &[],
        public_url: &url("https://news.example.org/"),
        postal_address: "",
        page_url: Some("https://news.example.org/posts/-/0123456789abcdef/"),
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
        compose(Cadence::Instant, vec![plain("x", "One\r\nBcc: all@example.org\u{0}\tTwo")]);
    assert_eq!(composed.subject, "One Bcc: all@example.org Two");
    let composed = compose(Cadence::Instant, vec![plain("x", &"x".repeat(10_000))]);
    assert_eq!(composed.subject.chars().count(), 200);
    assert_is_clean_smtp(&fill(&composed));
    let composed = compose(Cadence::Instant, vec![plain("x", "\u{7}")]);
    assert_eq!(composed.subject, "Field Notes weekly");
    assert_eq!(composed.warnings[0].code, "mail-no-subject");
}

#[test]
fn a_subject_that_looks_encoded_is_shown_as_it_is() {
    let title = "=?utf-8?q?Bcc?= and how =?x?= words grow long enough to be folded, ça va";
    let composed = compose(Cadence::Instant, vec![plain("x", title)]);
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
        let envelope = Envelope { reply_to: Some(&from), date: Timestamp::MIN, ..envelope(&from) };
        let to: EmailAddress = "ann@example.net".parse().unwrap();
        let eml = Blueprint::new(&confirmation(), &envelope).unwrap().fill(&recipient(&to));
        assert_is_clean_smtp(&eml);
        let message = parse(&eml);
        let from = message.from().unwrap().first().unwrap();
        assert_eq!((from.name(), from.address()), (Some(name), Some("news@example.org")));
    }
}

#[test]
fn a_value_that_would_break_its_header_is_refused() {
    let from = sender();
    let refused = |list| {
        let envelope = Envelope { list: Some(list), ..envelope(&from) };
        Blueprint::new(&digest(), &envelope).err().unwrap()
    };
    let bad = ListHeaders { id: "a>\r\nBcc: x", ..list() };
    assert!(matches!(refused(bad), BlueprintError::ListId(_)));
    let long = format!("https://x.example/{}", "x".repeat(1_000));
    for bad in [
        ListHeaders { unsubscribe_base: &long, ..list() },
        ListHeaders { archive: Some("https://x.example/\r\nBcc: x"), ..list() },
        ListHeaders { subscribe: Some(&long), ..list() },
    ] {
        assert!(matches!(refused(bad), BlueprintError::Header(_)));
    }
    let jörg = Mailbox { address: "jörg@example.org".parse().unwrap(), ..sender() };
    let refused = Blueprint::new(&digest(), &envelope(&jörg)).err().unwrap();
    assert!(matches!(refused, BlueprintError::Sender));
}

#[test]
fn an_address_outside_ascii_stands_as_it_is_in_its_own_header_only() {
    for (address, shown) in [
        ("jörg@example.net", "To: jörg@example.net"),
        ("jörg@bücher.example", "To: jörg@bücher.example"),
        ("ann@bücher.example", "To: ann@xn--bcher-kva.example"),
    ] {
        let to: EmailAddress = address.parse().unwrap();
        let eml = String::from_utf8(blueprint(&digest()).fill(&recipient(&to))).unwrap();
        let (first, rest) = eml.split_once("\r\n").unwrap();
        assert_eq!(first, shown);
        assert!(rest.is_ascii());
    }
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
    let eml = blueprint.fill(&recipient(&to));
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
        let html = format!("<p>{}</p>", text.replace(['<', '&'], ""));
        let one = written(post(&slug, &title), &html, &text);
        for cadence in [Cadence::Instant, Cadence::Daily] {
            let composed = compose(cadence, vec![one.clone()]);
            let eml = fill(&composed);
            assert_is_clean_smtp(&eml);
            prop_assert_eq!(bodies(&eml), with_token(&composed));
            let message = parse(&eml);
            let subject = message.subject().unwrap_or_default();
            prop_assert_eq!(subject, composed.subject.as_str());
            prop_assert_eq!(message.headers_raw().count(), 16);
        }
    }
}
