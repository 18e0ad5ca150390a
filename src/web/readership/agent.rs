//! What feed services say in `User-Agent` of those for whom they poll.

/// More than any feed has: whoever says so is not believed.
const BELIEVABLE: u64 = 10_000_000;
/// Characters of a name or an id that are kept.
const LONGEST: usize = 40;

/// Readers behind one feed service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    /// Which service, and which of its feeds where it says: one service may poll for two lists of readers.
    pub(super) service: String,
    pub(super) readers: u64,
}

/// What `agent` tells, if it does: `Feedbin feed-id:7 - 102 subscribers` and its many kin.
pub(super) fn told(agent: &str) -> Option<Told> {
    let agent = agent.to_ascii_lowercase();
    if !agent.contains("subscriber") && !agent.contains("reader") {
        return None;
    }
    let words: Vec<&str> = agent
        .split(|it: char| it.is_whitespace() || matches!(it, ';' | ',' | '(' | ')'))
        .filter(|word| !word.is_empty())
        .collect();
    let number = |word: Option<&&str>| word.and_then(|word| word.parse::<u64>().ok());
    let readers = words.iter().enumerate().find_map(|(index, word)| {
        let is_count = matches!(*word, "subscriber" | "subscribers" | "reader" | "readers");
        match *word {
            "subscriber" if words.get(index + 1) == Some(&"count:") => number(words.get(index + 2)),
            _ if is_count => number(index.checked_sub(1).and_then(|before| words.get(before))),
            _ => None,
        }
    })?;
    let id = id(&words).unwrap_or_default();
    let service = format!("{} {id}", name(&words));
    (readers <= BELIEVABLE).then_some(Told { service, readers })
}

/// The first word that names a program: `Mozilla/5.0 (compatible; …)` names nobody.
fn name<'a>(words: &[&'a str]) -> &'a str {
    let of_word = |word: &'a str| short(word.split('/').next().unwrap_or(word));
    let mut names = words.iter().map(|word| of_word(word));
    names.find(|name| !matches!(*name, "mozilla" | "compatible" | "")).unwrap_or_default()
}

/// `feed-id:7`, `feed-id=7`, `feedID: 7`; `NewsBlur` has it in an address.
fn id<'a>(words: &[&'a str]) -> Option<&'a str> {
    words.iter().enumerate().find_map(|(index, word)| {
        let keyed = word.strip_prefix("feed-id").or_else(|| word.strip_prefix("feedid"));
        if let Some(rest) = keyed {
            let rest = rest.trim_start_matches([':', '=']);
            let next = || words.get(index + 1).copied();
            return Some(rest).filter(|rest| !rest.is_empty()).or_else(next).map(short);
        }
        let (_, rest) = word.split_once("newsblur.com/site/")?;
        rest.split('/').next().map(short)
    })
}

fn short(text: &str) -> &str {
    text.char_indices().nth(LONGEST).map_or(text, |(end, _)| &text[..end])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Statement 41.
    #[test]
    fn every_form_in_which_services_count_is_understood() {
        let cases = [
            ("Feedbin feed-id:1373711 - 142 subscribers", "feedbin 1373711", 142),
            (
                "Feedly/1.0 (+http://www.feedly.com/fetcher.html; 462 subscribers; like FeedFetcher-Google)",
                "feedly ",
                462,
            ),
            (
                "NewsBlur Feed Fetcher - 27 subscribers - http://www.newsblur.com/site/5982259/a (Mozilla/5.0)",
                "newsblur 5982259",
                27,
            ),
            (
                "Inoreader/1.0 (+http://www.inoreader.com/feed-fetcher; 12 subscribers; )",
                "inoreader ",
                12,
            ),
            (
                "Mozilla/5.0 (compatible; theoldreader.com; 3 subscribers; feed-id=55ab)",
                "theoldreader.com 55ab",
                3,
            ),
            (
                "Mozilla/5.0 (compatible; BazQux/2.4; +https://bazqux.com/fetcher; 1 subscribers)",
                "bazqux ",
                1,
            ),
            (
                "LiveJournal.com (webmaster@livejournal.com; for http://lj/users/a/; 4 readers)",
                "livejournal.com ",
                4,
            ),
            ("Dreamwidth Studios; feed; 1 reader", "dreamwidth ", 1),
            ("Netvibes (http://www.netvibes.com; 6 subscribers; feedID: 123)", "netvibes 123", 6),
            ("SomeReader/2 Subscriber Count: 9", "somereader ", 9),
        ];
        for (agent, service, readers) in cases {
            let expected = Told { service: service.to_owned(), readers };
            assert_eq!(told(agent), Some(expected), "{agent}");
        }
    }

    #[test]
    fn a_reader_of_one_person_tells_nothing() {
        for agent in [
            "newsboat/2.21.0 (Linux x86_64)",
            "FreshRSS/1.24 (Linux; https://freshrss.org) the reader",
            "many subscribers",
            "Liar/1 (99999999999 subscribers)",
            "99999999999999999999999 subscribers",
            "subscribers",
            "",
        ] {
            assert_eq!(told(agent), None, "{agent}");
        }
    }

    proptest! {
        #[test]
        fn nothing_that_clients_call_themselves_makes_it_panic(
            agent in "((feed-?id[:= ])|subscribers?|readers?|count:|[0-9 ;()/é]|newsblur.com/site/|\\PC){0,30}"
        ) {
            let told = told(&agent);
            prop_assert!(told.is_none_or(|told| told.service.chars().count() <= 2 * LONGEST + 1));
        }
    }
}
