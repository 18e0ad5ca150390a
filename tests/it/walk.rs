//! A random walk of creates, edits, renames, deletes and restarts: its end is what a fresh scan finds, and each post was
//! announced once.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;

use postrider::ingest::{Ingest, open_cache};
use postrider::store::Store;

use crate::harness::engine::Engine;
use crate::harness::world::{Setting, World};

const CHAT: &str = "[destinations.chat]\nkind = \"webhook\"\nurl = \"outbox:var/outbox\"\n\n[guard]\nnew_posts = 0";
const STEPS: usize = 40;

/// A sequence of numbers that a seed makes (`SplitMix64`).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((x ^ (x >> 31)) % u64::try_from(sides).expect("few"))
            .expect("less than sides")
    }
}

/// What the author has in mind of one file.
#[derive(Clone)]
struct File {
    number: usize,
    words: Vec<String>,
    edits: usize,
    is_draft: bool,
    is_broken: bool,
    /// The title of the last version that was good, of those that the daemon saw.
    live: Option<String>,
}

impl File {
    fn title(&self) -> String {
        format!("Post {} v{}", self.number, self.edits)
    }

    fn text(&self) -> String {
        let draft = if self.is_draft { "draft: true\n" } else { "" };
        let broken = if self.is_broken { "tags: [unclosed\n" } else { "" };
        let (title, words) = (self.title(), self.words.join(" "));
        format!("---\ntitle: {title}\ndate: 2026-03-09\n{draft}{broken}---\n\n{words}\n")
    }

    /// The daemon looks at it.
    fn is_seen(&mut self) {
        if !self.is_broken {
            self.live = (!self.is_draft).then(|| self.title());
        }
    }
}

struct Walk {
    world: World,
    dice: Dice,
    files: BTreeMap<String, File>,
    /// Posts that stood still long enough, once.
    settled: BTreeSet<usize>,
    created: usize,
}

impl Walk {
    fn pick(&mut self) -> Option<String> {
        let count = self.files.len();
        (count > 0).then(|| self.files.keys().nth(self.dice.roll(count)).expect("one").clone())
    }

    fn name(&mut self) -> String {
        let folder = ["", "notes/", "2026/"][self.dice.roll(3)];
        format!("{folder}file-{}.md", self.dice.roll(1_000_000))
    }

    fn save(&mut self, name: &str) {
        let file = &self.files[name];
        let path = self.world.path("posts").join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder can be made");
        fs::write(path, file.text()).expect("written");
    }

    fn create(&mut self) {
        let number = self.created;
        self.created += 1;
        let words = (0..80).map(|_| format!("w{}", self.dice.roll(40_000))).collect();
        let (is_draft, is_broken) = (false, false);
        let name = self.name();
        let file = File { number, words, edits: 0, is_draft, is_broken, live: None };
        self.files.insert(name.clone(), file);
        self.save(&name);
    }

    fn change(&mut self, how: impl FnOnce(&mut File, usize)) {
        let Some(name) = self.pick() else { return };
        let roll = self.dice.roll(70);
        how(self.files.get_mut(&name).expect("it is there"), roll);
        self.save(&name);
    }

    fn rename(&mut self) {
        let (Some(from), to) = (self.pick(), self.name()) else { return };
        let file = self.files.remove(&from).expect("it is there");
        let (before, after) =
            (self.world.path("posts").join(&from), self.world.path("posts").join(&to));
        fs::create_dir_all(after.parent().expect("a folder")).expect("a folder can be made");
        fs::rename(before, after).expect("renamed");
        // A broken file under a new name is one that nobody knows.
        let live = file.live.clone().filter(|_| !file.is_broken);
        self.files.insert(to, File { live, ..file });
    }

    fn delete(&mut self) {
        let Some(name) = self.pick() else { return };
        self.files.remove(&name);
        fs::remove_file(self.world.path("posts").join(&name)).expect("deleted");
    }

    async fn step(&mut self) -> String {
        let what = self.dice.roll(10);
        let before = self.files.clone();
        match what {
            0..=2 => self.create(),
            3 | 4 => self.change(|file, at| {
                file.edits += 1;
                file.words.splice(at..at + 3, ["edited".to_owned(), format!("e{at}")]);
            }),
            5 | 6 => self.rename(),
            7 => self.delete(),
            8 => self.change(|file, roll| file.is_broken = roll % 3 == 0),
            _ => self.change(|file, roll| file.is_draft = roll % 3 == 0),
        }
        match self.dice.roll(6) {
            0 => {
                self.world.restarts().await;
                self.is_seen();
            }
            1 => {
                self.world.passes(4).await;
                self.is_seen();
                let live =
                    self.files.values().filter(|file| file.live.is_some() && !file.is_broken);
                self.settled.extend(live.map(|file| file.number));
            }
            // Several changes become one.
            2 => {}
            _ => {
                self.world.rescans().await;
                self.is_seen();
            }
        }
        let changed = self.files.iter().filter(|(name, file)| {
            before.get(*name).is_none_or(|before| before.text() != file.text())
        });
        let changed: Vec<_> =
            changed.map(|(name, file)| format!("{} in {name}", file.title())).collect();
        format!("{what}: {}\n", changed.join(", "))
    }

    fn is_seen(&mut self) {
        self.files.values_mut().for_each(File::is_seen);
    }

    fn live_titles(&self) -> Vec<String> {
        let mut titles: Vec<_> = self.files.values().filter_map(|file| file.live.clone()).collect();
        titles.sort();
        titles
    }

    /// How often each post was announced.
    fn announced(&self) -> BTreeMap<usize, usize> {
        let mut counts = BTreeMap::new();
        for call in self.world.outbox_calls() {
            let body = call["body"].as_str().expect("a body").to_owned();
            let title = body.split("Post ").nth(1).expect("a title");
            let number = title.split(' ').next().and_then(|it| it.parse().ok()).expect("a number");
            *counts.entry(number).or_insert(0) += 1;
        }
        counts
    }
}

/// What a daemon finds that knows nothing.
async fn fresh_titles(world: &World) -> Vec<String> {
    let mut config = postrider::config::Config::clone(&world.state.config.load());
    config.store = postrider::config::StoreUrl::Sqlite(world.path("var/fresh.db"));
    let now = postrider::clock::Clock::now(&world.clock);
    let store = Store::open(&config.store, now).await.expect("the database opens");
    let config = std::sync::Arc::new(config);
    let cache = open_cache(&config, &store).expect("a cache");
    let mut ingest =
        Ingest::open(config, store.clone(), cache).await.expect("the database answers");
    ingest.rescan(now).await.expect("the database answers");
    let mut titles: Vec<_> =
        ingest.catalog().posts.iter().map(|it| it.post.title.clone()).collect();
    store.close().await;
    titles.sort();
    titles
}

async fn walk(engine: Engine, seed: u64) {
    let world = Setting::new(engine).config(CHAT).start().await;
    let (dice, files) = (Dice(seed), BTreeMap::new());
    let mut walk = Walk { world, dice, files, settled: BTreeSet::new(), created: 0 };
    let mut trace = String::new();
    for _ in 0..STEPS {
        let step = walk.step().await;
        write!(trace, "{step} ").expect("a string takes every character");
    }
    walk.world.passes(5).await;
    walk.is_seen();
    walk.world.is_quiet().await;
    let mut titles = walk.world.feed_titles().await;
    titles.sort();
    let problems = &walk.world.state.shelf.load().problems;
    assert_eq!(titles, walk.live_titles(), "seed {seed} on {engine:?}: {trace}\n{problems:#?}");
    let announced = walk.announced();
    assert!(
        announced.values().all(|count| *count == 1),
        "seed {seed}: {announced:?} after {trace}"
    );
    let live = walk.files.values().filter(|file| file.live.is_some() && !file.is_broken);
    walk.settled.extend(live.map(|file| file.number));
    for number in &walk.settled {
        assert!(announced.contains_key(number), "seed {seed}: {number} was not announced: {trace}");
    }
    for (name, file) in &mut walk.files {
        if file.is_broken {
            fs::remove_file(walk.world.path("posts").join(name)).expect("deleted");
            file.live = None;
        }
    }
    assert_eq!(fresh_titles(&walk.world).await, walk.live_titles(), "seed {seed}: {trace}");
}

#[tokio::test]
async fn whatever_an_author_does_each_post_is_announced_once() {
    for seed in 0..6 {
        walk(Engine::Sqlite, seed).await;
    }
}

#[tokio::test]
async fn whatever_an_author_does_on_postgresql_each_post_is_announced_once() {
    for engine in Engine::all().into_iter().filter(|engine| *engine != Engine::Sqlite) {
        walk(engine, 42).await;
    }
}
