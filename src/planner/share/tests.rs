//! Nobody gets a post twice or misses one, whatever happens between.

use proptest::prelude::*;

use super::*;
use crate::domain::{Post, Topics};

const NOW: Timestamp = Timestamp::constant(1_795_000_000, 0);
const TOPICS: [&str; 3] = ["making", "looking", "walking"];

fn piece(seq: i64, topic: &str) -> Piece {
    Piece {
        seq,
        known: CatalogPost::bare(Post::bare(&format!("post-{seq}"), NOW)),
        ready_at: Some(NOW),
        topics: vec![topic.to_owned()],
        by_language: [("en".to_owned(), Some(Vec::new()))].into(),
    }
}

fn id(seq: i64) -> PostId {
    piece(seq, TOPICS[0]).known.post.id.clone()
}

fn at(second: i64) -> Timestamp {
    NOW + SignedDuration::from_secs(second)
}

/// News that came in the second of its number.
fn row(seq: i64, alone: bool) -> NewsRow {
    NewsRow { seq, post: id(seq), noted_at: at(seq), alone_at: alone.then_some(at(seq)) }
}

fn table(pieces: Vec<Piece>, missing: Vec<i64>, latest: i64) -> Table {
    Table {
        pieces,
        missing: missing.into_iter().map(|seq| (seq, id(seq))).collect(),
        latest,
        offered: TOPICS.map(str::to_owned).into(),
        language: "en".to_owned(),
    }
}

fn profile(had_through: i64) -> Profile {
    Profile {
        topics: Topics::default(),
        language: None,
        had_through,
        owed: Vec::new(),
        is_reachable: true,
        people: 1,
    }
}

fn gets(table: &Table, profile: Profile) -> Vec<Vec<i64>> {
    let (_, shares) = deal(table, &[profile], Of::Everything, NOW);
    shares.into_iter().map(|share| share.news).collect()
}

#[test]
fn those_who_get_the_same_share_it() {
    let table = table(vec![piece(1, "making"), piece(2, "looking")], vec![], 2);
    let wants = |topic: &str| Profile { topics: [topic].into_iter().collect(), ..profile(0) };
    let german = Profile { language: Some("de".to_owned()), ..profile(0) };
    let profiles =
        [profile(0), wants("making"), wants("looking"), profile(1), german, wants("gone")];
    let (dealt, shares) = deal(&table, &profiles, Of::Everything, NOW);
    let shares: Vec<_> = shares.into_iter().map(|share| (share.news, share.people)).collect();
    // What is not offered any more is no choice; nothing is there in German.
    assert_eq!(shares, [(vec![1], 1), (vec![1, 2], 2), (vec![2], 2)]);
    assert!(dealt.iter().all(|dealt| dealt.had_through == 2 && dealt.owed.is_empty()));
}

#[test]
fn what_comes_in_a_pause_is_not_made_up_for() {
    let table = table(vec![piece(1, "making")], vec![], 1);
    let paused = [Profile { is_reachable: false, ..profile(0) }];
    let (dealt, shares) = deal(&table, &paused, Of::Everything, NOW);
    assert_eq!((dealt[0].had_through, shares), (1, vec![]));
}

#[test]
fn a_version_in_another_language_is_no_news_to_who_had_one() {
    let english = Piece {
        by_language: [("en".to_owned(), Some(vec![2])), ("de".to_owned(), None)].into(),
        ..piece(1, "making")
    };
    let german = Piece {
        by_language: [("en".to_owned(), None), ("de".to_owned(), Some(vec![1]))].into(),
        ..piece(2, "making")
    };
    let table = table(vec![english, german], vec![], 2);
    let reads =
        |language: &str, had| Profile { language: Some(language.to_owned()), ..profile(had) };
    assert_eq!(gets(&table, reads("en", 0)), [[1]]);
    assert_eq!(gets(&table, reads("de", 0)), [[2]], "each the one in their language");
    assert!(gets(&table, reads("de", 1)).is_empty(), "they had it in English");
}

#[test]
fn whoever_catches_up_is_owed_what_is_not_there_just_then() {
    let table = table(vec![], vec![1], 1);
    let before = HashSet::from([id(1)]);
    let profiles = [profile(0)];
    let (dealt, shares) = deal(&table, &profiles, Of::Only(&before), NOW);
    assert_eq!((dealt[0].had_through, &dealt[0].owed[..]), (1, &[1][..]));
    assert!(shares.is_empty());
}

#[derive(Clone, Debug)]
enum Step {
    Publish(usize),
    /// A post is edited and has not settled, or has.
    Unsettle(usize, bool),
    /// A post is gone, or back.
    Hide(usize, bool),
    Alone,
    Digest,
    Switch(usize),
    Join(Option<usize>),
    /// From now on posts are offered by themselves. Nobody has them so yet.
    Offer,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..TOPICS.len()).prop_map(Step::Publish),
        2 => (0_usize..20, any::<bool>()).prop_map(|(post, so)| Step::Unsettle(post, so)),
        1 => (0_usize..20, any::<bool>()).prop_map(|(post, so)| Step::Hide(post, so)),
        2 => Just(Step::Alone),
        2 => Just(Step::Digest),
        2 => (0_usize..8).prop_map(Step::Switch),
        1 => proptest::option::of(0..TOPICS.len()).prop_map(Step::Join),
        1 => Just(Step::Offer),
    ]
}

struct Person {
    profile: Profile,
    is_instant: bool,
    catches_up: bool,
    joined_at: i64,
    had: Vec<i64>,
}

#[derive(Default)]
struct Model {
    /// Topic, unsettled, hidden, mailed by itself; the number is the place.
    posts: Vec<(usize, bool, bool, bool)>,
    people: Vec<Person>,
    /// Posts by themselves are offered from this number on: what was news before is mailed to nobody so.
    since: i64,
}

impl Model {
    fn table(&self) -> Table {
        let mut table = table(vec![], vec![], i64::try_from(self.posts.len()).unwrap());
        for (seq, (topic, unsettled, hidden, _)) in (1..).zip(&self.posts) {
            if *hidden {
                table.missing.push((seq, id(seq)));
            } else {
                let ready_at = (!unsettled).then_some(NOW);
                table.pieces.push(Piece { ready_at, ..piece(seq, TOPICS[*topic]) });
            }
        }
        table
    }

    fn mail(&mut self, of: Of<'_>, whose: impl Fn(&Person) -> bool) {
        let table = self.table();
        for person in self.people.iter_mut().filter(|person| whose(person)) {
            let profiles = [person.profile.clone()];
            let (dealt, shares) = deal(&table, &profiles, of, NOW);
            if let Some(dealt) = dealt.first() {
                person.profile.had_through = dealt.had_through;
                person.profile.owed.clone_from(&dealt.owed);
            }
            person.had.extend(shares.iter().flat_map(|share| share.news.iter().copied()));
            person.catches_up &= !person.profile.owed.is_empty();
        }
    }

    fn alone(&mut self) {
        let rows: Vec<NewsRow> =
            (1..).zip(&self.posts).map(|(seq, post)| row(seq, post.3)).collect();
        let mailed = mailed_before(&rows, at(self.since));
        self.mail(Of::Only(&mailed), |person| {
            person.is_instant && (person.catches_up || !person.profile.owed.is_empty())
        });
        for at_ in 0..self.posts.len() {
            let (_, unsettled, hidden, alone) = self.posts[at_];
            let seq = i64::try_from(at_ + 1).unwrap();
            if !unsettled && !hidden && is_to_mail_alone(&row(seq, alone), at(self.since)) {
                self.posts[at_].3 = true;
                let only = HashSet::from([id(seq)]);
                self.mail(Of::Only(&only), |person| person.is_instant);
            }
        }
    }

    fn take(&mut self, step: &Step) {
        let post =
            |at: &usize, posts: &Vec<_>| (!posts.is_empty()).then(|| at % posts.len().max(1));
        match step {
            Step::Publish(topic) => self.posts.push((*topic, false, false, false)),
            Step::Unsettle(at, so) => {
                if let Some(at) = post(at, &self.posts) {
                    self.posts[at].1 = *so;
                }
            }
            Step::Hide(at, so) => {
                if let Some(at) = post(at, &self.posts) {
                    self.posts[at].2 = *so;
                }
            }
            Step::Alone => self.alone(),
            Step::Digest => self.mail(Of::Everything, |person| !person.is_instant),
            Step::Switch(at) => {
                let many = self.people.len().max(1);
                if let Some(person) = self.people.get_mut(at % many) {
                    person.is_instant = !person.is_instant;
                    person.catches_up = person.is_instant;
                }
            }
            Step::Offer => {
                if self.people.iter().all(|person| !person.is_instant) {
                    self.since = i64::try_from(self.posts.len()).unwrap() + 1;
                }
            }
            Step::Join(topic) => {
                let joined_at = i64::try_from(self.posts.len()).unwrap();
                let topics = topic.iter().map(|topic| TOPICS[*topic]).collect();
                self.people.push(Person {
                    profile: Profile { topics, ..profile(joined_at) },
                    is_instant: self.people.len() % 3 == 2,
                    catches_up: false,
                    joined_at,
                    had: Vec::new(),
                });
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn each_gets_each_post_that_is_for_them_exactly_once(
        steps in proptest::collection::vec(step(), 1..60),
    ) {
        let mut model = Model::default();
        model.take(&Step::Join(None));
        model.take(&Step::Join(Some(0)));
        for step in &steps {
            model.take(step);
        }
        for post in &mut model.posts {
            (post.1, post.2) = (false, false);
        }
        model.alone();
        model.take(&Step::Digest);
        for person in &mut model.people {
            person.had.sort_unstable();
            let wanted: Vec<i64> = (1..)
                .zip(&model.posts)
                .filter(|(seq, (topic, ..))| {
                    *seq > person.joined_at && person.profile.topics.want([TOPICS[*topic]])
                })
                .map(|(seq, _)| seq)
                .collect();
            prop_assert_eq!(&person.had, &wanted);
        }
    }
}
