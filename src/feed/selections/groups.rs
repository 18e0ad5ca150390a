//! Which posts are in which feed, kept up by what changed.

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeMap;
use std::sync::Arc;

use hashbrown::{HashMap, HashSet};
use jiff::Timestamp;

use super::Key;
use super::selection::{Selection, topic_slug};
use crate::domain::{FeedTopic, LivePost, Post, PostId, unlike};
use crate::feed::archive::Places;
use crate::feed::{Publication, media};

pub(super) type Groups = BTreeMap<Key, Arc<Selection>>;

/// The posts before and after a change, each newest first.
pub(super) struct Change<'a> {
    pub(super) before: &'a [LivePost],
    pub(super) after: &'a [LivePost],
    /// So many documents of the archive were complete before, and so many are.
    pub(super) complete: (u32, u32),
    /// Those before that had no place.
    pub(super) unplaced: &'a [LivePost],
    pub(super) places: &'a Places,
}

/// What a feed loses and gets, in its order.
#[derive(Default)]
struct Edit<'a> {
    gone: Vec<&'a LivePost>,
    come: Vec<&'a LivePost>,
}

impl Change<'_> {
    /// The feeds after the change, and the posts that have no place yet. Feeds that it does not touch are the same ones.
    pub(super) fn apply(
        &self,
        publication: &Publication,
        groups: &Groups,
    ) -> (Groups, Vec<LivePost>) {
        let mut edited: HashMap<Key, Edit<'_>> = HashMap::new();
        let mut sorter = Sorter::new(publication);
        let mut unplaced: BTreeMap<_, &LivePost> =
            self.unplaced.iter().map(|it| (key(&it.post), it)).collect();
        let mut came_without = Vec::new();
        self.walk(|step| match step {
            Step::Gone(it) => {
                let had_place = unplaced.remove(&key(&it.post)).is_none();
                let document = self.places.of(&it.post.id).filter(|_| had_place);
                for key in sorter.keys(&it.post, document) {
                    edited.entry(key).or_default().gone.push(it);
                }
            }
            Step::Come(it) => {
                let document = self.places.of(&it.post.id);
                if document.is_none() {
                    came_without.push(it);
                }
                for key in sorter.keys(&it.post, document) {
                    edited.entry(key).or_default().come.push(it);
                }
            }
        });
        // What stayed and has a place by now.
        unplaced.retain(|_, it| {
            let document = self.places.of(&it.post.id);
            if let Some(document) = document {
                edited.entry(Key::Archive(document)).or_default().come.push(it);
            }
            document.is_none()
        });
        unplaced.extend(came_without.into_iter().map(|it| (key(&it.post), it)));
        let unplaced = unplaced.into_values().cloned().collect();
        let (complete_before, complete) = self.complete;
        let mut groups = groups.clone();
        for (key, mut edit) in edited {
            edit.come.sort_by(|a, b| Post::newest_first(&a.post, &b.post));
            let before = groups.get(&key).map(|selection| &*selection.posts).unwrap_or_default();
            let posts = merged(before, &edit);
            // A document of the archive has its place even when all of it was deleted: others lead to it.
            let is_led_to = matches!(key, Key::Archive(document) if document < complete);
            if posts.is_empty() && !is_led_to {
                groups.remove(&key);
            } else {
                let selection = Selection::new(publication, &key, posts);
                groups.insert(key, Arc::new(selection));
            }
        }
        for document in complete_before..complete {
            let key = Key::Archive(document);
            groups
                .entry(key.clone())
                .or_insert_with(|| Arc::new(Selection::new(publication, &key, Vec::new())));
        }
        (groups, unplaced)
    }

    /// One step for each post that went or came, in their common order.
    fn walk<'a>(&'a self, mut step: impl FnMut(Step<'a>)) {
        let (before, after) = unlike(self.before, self.after, LivePost::is);
        let (mut before, mut after) = (before.into_iter(), after.into_iter());
        let (mut old, mut new) = (before.next(), after.next());
        loop {
            let order = match (old, new) {
                (None, None) => return,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(old), Some(new)) => Post::newest_first(&old.post, &new.post),
            };
            match (old, new) {
                (Some(old), Some(new)) if order == Ordering::Equal => {
                    if !is_same(old, new) {
                        step(Step::Gone(old));
                        step(Step::Come(new));
                    }
                }
                (Some(old), _) if order == Ordering::Less => step(Step::Gone(old)),
                (_, Some(new)) => step(Step::Come(new)),
                _ => return,
            }
            if order != Ordering::Greater {
                old = before.next();
            }
            if order != Ordering::Less {
                new = after.next();
            }
        }
    }
}

enum Step<'a> {
    Gone(&'a LivePost),
    Come(&'a LivePost),
}

/// By what posts are in order, newest first.
fn key(post: &Post) -> (Reverse<Timestamp>, &PostId) {
    (Reverse(post.published_at), &post.id)
}

fn is_same(a: &LivePost, b: &LivePost) -> bool {
    a.body == b.body && (Arc::ptr_eq(&a.post, &b.post) || a.post == b.post)
}

fn merged(before: &[LivePost], edit: &Edit<'_>) -> Vec<LivePost> {
    let (mut gone, mut come) = (edit.gone.iter().peekable(), edit.come.iter().peekable());
    let mut posts = Vec::with_capacity(before.len() + edit.come.len());
    for it in before {
        let is_before = |new: &LivePost| Post::newest_first(&new.post, &it.post).is_lt();
        while let Some(new) = come.next_if(|new| is_before(new)) {
            posts.push((*new).clone());
        }
        if gone.next_if(|old| Post::newest_first(&old.post, &it.post).is_eq()).is_none() {
            posts.push(it.clone());
        }
    }
    posts.extend(come.map(|new| (*new).clone()));
    posts
}

/// A selection of the configuration, and the slugs that each list of it asks for.
struct Chosen {
    name: Arc<str>,
    lists: Vec<(FeedTopic, HashSet<Arc<str>>)>,
}

/// Says which feeds a post is in.
struct Sorter<'a> {
    publication: &'a Publication,
    site_author: Option<&'a str>,
    chosen: Vec<Chosen>,
    /// Each name is written as part of an address once.
    slugs: HashMap<FeedTopic, HashMap<String, Arc<str>>>,
}

impl<'a> Sorter<'a> {
    fn new(publication: &'a Publication) -> Self {
        let list = |(topic, names): (&FeedTopic, &Vec<String>)| {
            let slugs = names.iter().map(|name| topic_slug(*topic, name).into());
            (*topic, slugs.collect())
        };
        let chosen = publication.feeds.selections.iter().map(|(name, selection)| Chosen {
            name: name.as_str().into(),
            lists: selection.wanted.iter().map(list).collect(),
        });
        Self {
            publication,
            site_author: publication.site.author.as_ref().map(|author| author.name.as_str()),
            chosen: chosen.collect(),
            slugs: HashMap::new(),
        }
    }

    /// `document`: where it is in the archive.
    fn keys(&mut self, post: &Post, document: Option<u32>) -> Vec<Key> {
        let mut keys: Vec<Key> = document.map(Key::Archive).into_iter().collect();
        for &topic in &self.publication.feeds.per {
            for slug in self.slugs(topic, post) {
                let key = Key::Topic(topic, slug);
                if !keys.contains(&key) {
                    keys.push(key);
                }
            }
        }
        for index in 0..self.chosen.len() {
            if self.is_chosen(index, post) {
                keys.push(Key::Named(Arc::clone(&self.chosen[index].name)));
            }
        }
        if self.publication.feeds.podcast.is_some() && media::is_episode(post) {
            keys.push(Key::Podcast);
        }
        keys
    }

    fn is_chosen(&mut self, index: usize, post: &Post) -> bool {
        let lists = self.chosen[index].lists.len();
        (0..lists).all(|list| {
            let topic = self.chosen[index].lists[list].0;
            let slugs = self.slugs(topic, post);
            let wanted = &self.chosen[index].lists[list].1;
            slugs.iter().any(|slug| match topic {
                // `en` is `en-GB` too.
                FeedTopic::Language => slug
                    .match_indices('-')
                    .map(|(at, _)| &slug[..at])
                    .chain([&**slug])
                    .any(|tag| wanted.contains(tag)),
                _ => wanted.contains(slug),
            })
        })
    }

    fn slugs(&mut self, topic: FeedTopic, post: &Post) -> Vec<Arc<str>> {
        let mut names = topic.names_in(post);
        if topic == FeedTopic::Author && names.is_empty() {
            names.extend(self.site_author);
        }
        let slugs = self.slugs.entry(topic).or_default();
        let mut slug = |name: &str| {
            if let Some(slug) = slugs.get(name) {
                return Arc::clone(slug);
            }
            let slug: Arc<str> = topic_slug(topic, name).into();
            slugs.insert(name.to_owned(), Arc::clone(&slug));
            slug
        };
        names.into_iter().map(&mut slug).collect()
    }
}
