//! What posts tell only when all of them, the files beside them, or their mails are looked at.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use super::links::{Places, Verdict, comparable};
use crate::cli::words;
use crate::config::Config;
use crate::content::{MOST_OF_A_KIND, Page, SourceFile, excerpt};
use crate::domain::{Cadence, Catalog, CatalogPost, Diagnostic};
use crate::ingest::SIZE_LIMIT;
use crate::planner;
use crate::store::PostCache;
use crate::template::Templates;

/// Posts with less HTML fit into any mail, whatever the templates make of them.
const SURELY_FITS: usize = 30_000;

/// More links of one post to headings of others, or to former addresses, than are kept until all posts have been looked at.
const MOST_TO_JUDGE: usize = 10 * MOST_OF_A_KIND;

const BROKEN: &str = "post-link-broken";
const UNDESCRIBED: &str = "post-description-missing";

/// What all posts are held against.
pub(super) struct Desk {
    config: Arc<Config>,
    templates: Option<Templates>,
    catalog: Arc<Catalog>,
    cache: PostCache,
    places: Places,
    /// By index into the posts: the source of the first post with the same.
    twins: HashMap<usize, Twins>,
    /// Names of posts that a release or a queue has.
    released: HashSet<String>,
    now: Timestamp,
}

#[derive(Default)]
struct Twins {
    title: Option<String>,
    slug: Option<String>,
}

/// What was found in all of them.
#[derive(Default)]
pub(super) struct Looked {
    pub(super) findings: Vec<Diagnostic>,
    /// By source: the codes that the file does not want to hear of.
    pub(super) silenced: HashMap<String, Vec<String>>,
}

/// One post and what must wait until all have been looked at.
struct One {
    index: usize,
    findings: Vec<Diagnostic>,
    silenced: Vec<String>,
    anchors: HashSet<String>,
    aliases: Vec<String>,
    /// Another post, the heading in it that is meant, and what to say if it is not there.
    headings: Vec<(usize, String, Diagnostic)>,
    /// A site-absolute address, and what to say if it is no post's former one.
    addresses: Vec<(String, Diagnostic)>,
}

impl Desk {
    pub(super) fn new(
        config: &Arc<Config>,
        templates: Option<Templates>,
        (catalog, cache): (Catalog, PostCache),
        now: Timestamp,
    ) -> Self {
        let scheduled = config.releases.releases.iter().map(|release| release.post.clone());
        let waiting =
            config.releases.queues.iter().flat_map(|queue| queue.posts.names().iter().cloned());
        Self {
            released: scheduled.chain(waiting).collect(),
            places: Places::of(config, &catalog),
            twins: twins(config, &catalog),
            config: Arc::clone(config),
            templates,
            cache,
            catalog: Arc::new(catalog),
            now,
        }
    }

    /// Looks at all posts, a share of them per core.
    pub(super) async fn look(self) -> Looked {
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        let count = self.catalog.posts.len();
        let share = count.div_ceil(workers).max(16);
        let desk = Arc::new(self);
        let mut tasks = Vec::new();
        for start in (0..count).step_by(share) {
            let desk = Arc::clone(&desk);
            tasks.push(tokio::task::spawn_blocking(move || {
                let share = start..count.min(start + share);
                share.filter_map(|index| desk.look_at(index)).collect::<Vec<_>>()
            }));
        }
        let mut all = Vec::with_capacity(count);
        for task in tasks {
            match task.await {
                Ok(share) => all.extend(share),
                Err(error) => std::panic::resume_unwind(error.into_panic()),
            }
        }
        desk.conclude(all)
    }

    /// `None`: the file has gone or broken since it was read.
    fn look_at(&self, index: usize) -> Option<One> {
        let known = &self.catalog.posts[index];
        let post = &known.post;
        let folder = self.config.folder_of(&post.source)?;
        let within = post.source.strip_prefix(&folder.name)?.trim_start_matches('/');
        let path = folder.path.join(within);
        // What is no post any more while its last good version is live may be a pipe by now.
        let metadata = std::fs::metadata(&path).ok()?;
        if !metadata.is_file() || metadata.len() > SIZE_LIMIT {
            return None;
        }
        let bytes = std::fs::read(&path).ok()?;
        let file = SourceFile::new(&post.source, within, &bytes);
        let mut page = Page::read(&file, &post.title, &folder.fields)?;
        let mut findings = std::mem::take(&mut page.findings);
        if findings.iter().any(|it| it.code == UNDESCRIBED) && self.is_described(known) {
            findings.retain(|it| it.code != UNDESCRIBED);
        }
        findings.extend(self.twins_of(index, &page));
        findings.extend(self.future(known, &page));
        findings.extend(self.mail(known, &page));
        let mut one = One {
            index,
            findings,
            silenced: std::mem::take(&mut page.silenced),
            anchors: std::mem::take(&mut page.anchors),
            aliases: std::mem::take(&mut page.aliases),
            headings: Vec::new(),
            addresses: Vec::new(),
        };
        self.refer(&mut one, &page, &path);
        Some(one)
    }

    /// What the page refers to: judged at once as far as that takes no other post. Pointing at a place takes its whole line,
    /// so that it is only done for what is kept.
    fn refer(&self, one: &mut One, page: &Page<'_>, path: &Path) {
        let post = &self.catalog.posts[one.index].post;
        let mut missing: HashMap<&'static str, usize> = HashMap::new();
        let mut tell = |findings: &mut Vec<Diagnostic>, code, message, span| {
            let count = missing.entry(code).or_default();
            *count += 1;
            if *count <= MOST_OF_A_KIND {
                findings.push(page.warn(code, message, span));
            }
        };
        for reference in &page.references {
            let span = &reference.span;
            let say = |message| page.warn(BROKEN, message, span);
            match self.places.judge(reference, path, post) {
                Verdict::Fine => {}
                Verdict::Missing { code, message } => {
                    tell(&mut one.findings, code, message, span);
                }
                Verdict::Address { path, message } => {
                    if one.addresses.len() < MOST_TO_JUDGE {
                        one.addresses.push((path, say(message)));
                    }
                }
                Verdict::Heading { post: Some(target), anchor, message } if target != one.index => {
                    if one.headings.len() < MOST_TO_JUDGE {
                        one.headings.push((target, anchor, say(message)));
                    }
                }
                Verdict::Heading { anchor, message, .. } => {
                    if !is_there(&one.anchors, &anchor) {
                        tell(&mut one.findings, BROKEN, message, span);
                    }
                }
            }
        }
    }

    /// Judges what takes all posts.
    fn conclude(&self, all: Vec<One>) -> Looked {
        let anchors: HashMap<usize, &HashSet<String>> =
            all.iter().map(|one| (one.index, &one.anchors)).collect();
        let former: HashSet<String> =
            all.iter().flat_map(|one| &one.aliases).map(|alias| comparable(alias)).collect();
        let mut late: HashMap<usize, Vec<Diagnostic>> = HashMap::new();
        for one in &all {
            let headings = one.headings.iter().filter(|(target, anchor, _)| {
                anchors.get(target).is_some_and(|known| !is_there(known, anchor))
            });
            let addresses = one.addresses.iter().filter(|(path, _)| !former.contains(path));
            let headings = headings.map(|(_, _, it)| it).take(MOST_OF_A_KIND);
            let missing = headings.chain(addresses.map(|(_, it)| it).take(MOST_OF_A_KIND));
            late.entry(one.index).or_default().extend(missing.cloned());
        }
        let mut looked = Looked::default();
        for mut one in all {
            one.findings.extend(late.remove(&one.index).unwrap_or_default());
            one.findings.sort_by_key(|finding| finding.position);
            if !one.silenced.is_empty() {
                let source = self.catalog.posts[one.index].post.source.clone();
                looked.silenced.insert(source, one.silenced);
            }
            looked.findings.append(&mut one.findings);
        }
        looked.findings.sort_by(|a, b| a.file.cmp(&b.file));
        looked
    }

    /// Whether something other than the file says what the post is about: a default, a cascade, or the data of a folder.
    /// Then its summary is not the beginning of its text.
    fn is_described(&self, known: &CatalogPost) -> bool {
        let written = self.cache.written(&known.post, known.body);
        written.is_ok_and(|it| it.post.summary != excerpt(&it.body.html))
    }

    fn twins_of(&self, index: usize, page: &Page<'_>) -> Vec<Diagnostic> {
        let Some(twins) = self.twins.get(&index) else { return Vec::new() };
        let say = |code, what: &str, other: &String| {
            page.warn(code, format!("`{other}` has the same {what}"), page.title())
        };
        let title = twins.title.iter().map(|it| say("post-title-duplicate", "title", it));
        let slug = twins.slug.iter().map(|it| say("post-slug-duplicate", "slug", it));
        title.chain(slug).collect()
    }

    fn future(&self, known: &CatalogPost, page: &Page<'_>) -> Option<Diagnostic> {
        let at = known.post.published_at;
        if at <= self.now || self.released.iter().any(|name| known.post.is_called(name)) {
            return None;
        }
        let when = words::local(at, &self.config.site.time_zone);
        let message =
            format!("the post goes out by itself on {when}, {}", words::relative(at, self.now));
        let help = "nothing is wrong if that is meant; `draft: true` keeps it back";
        Some(page.warn("post-future", message, page.date()).help(help))
    }

    /// The mail that instant subscribers would get, written by what writes it then.
    fn mail(&self, known: &CatalogPost, page: &Page<'_>) -> Option<Diagnostic> {
        let templates = self.templates.as_ref().filter(|_| known.is_news)?;
        let written = self.cache.written(&known.post, known.body).ok()?;
        if written.body.html.len() < SURELY_FITS {
            return None;
        }
        let edition = self
            .config
            .newsletters
            .values()
            .find(|newsletter| newsletter.cadences.contains_key(&Cadence::Instant))?;
        let with = (&*self.config, templates);
        let composed =
            planner::compose(with, (edition, Cadence::Instant), &[written], (None, self.now))
                .ok()?;
        let warning = composed.warnings.into_iter().find(|one| one.code == "mail-too-large")?;
        let mut finding = page.warn("post-mail-large", warning.message, page.title());
        finding.effect = warning.effect;
        Some(finding.help("shorten or split it, if readers are to have all of it in the mail"))
    }
}

/// Engines differ in what they number and put in front.
fn is_there(known: &HashSet<String>, anchor: &str) -> bool {
    known.contains(anchor) || known.contains(anchor.trim_end_matches(|c: char| c.is_ascii_digit()))
}

/// Posts of one folder and language that have the same title or slug as a post before them.
fn twins(config: &Config, catalog: &Catalog) -> HashMap<usize, Twins> {
    let mut titles: HashMap<(&str, &str, String), &str> = HashMap::new();
    let mut slugs: HashMap<(&str, &str, &str), &str> = HashMap::new();
    let mut twins: HashMap<usize, Twins> = HashMap::new();
    // The oldest has it by right.
    for (index, known) in catalog.posts.iter().enumerate().rev() {
        let post = &known.post;
        let Some(folder) = config.folder_of(&post.source).map(|folder| &*folder.name) else {
            continue;
        };
        let language = post.language.as_str();
        let title = post.title.to_lowercase();
        match titles.get(&(folder, language, title.clone())) {
            Some(other) => {
                twins.entry(index).or_default().title = Some((*other).to_owned());
            }
            None => {
                titles.insert((folder, language, title), &post.source);
            }
        }
        match slugs.get(&(folder, language, post.slug.as_str())) {
            Some(other) => {
                twins.entry(index).or_default().slug = Some((*other).to_owned());
            }
            None => {
                slugs.insert((folder, language, &post.slug), &post.source);
            }
        }
    }
    twins
}
