//! The tables of a Ghost export, as far as posts need them. Rows are read one by one: a broken one harms no other.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// A cell: text, whatever Ghost's version wrote it as. Lists and maps are nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Cell(Option<String>);

impl Cell {
    /// `None` if there is nothing to see.
    pub(super) fn text(&self) -> Option<&str> {
        self.0.as_deref().filter(|text| !text.trim().is_empty())
    }

    pub(super) fn is(&self, words: &[&str]) -> bool {
        self.text().is_some_and(|text| words.contains(&text))
    }
}

impl<'de> Deserialize<'de> for Cell {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CellVisitor)
    }
}

struct CellVisitor;

impl<'de> Visitor<'de> for CellVisitor {
    type Value = Cell;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Cell, E> {
        Ok(Cell(Some(text.to_owned())))
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<Cell, E> {
        Ok(Cell(Some(text)))
    }

    fn visit_bool<E: de::Error>(self, yes: bool) -> Result<Cell, E> {
        Ok(Cell(Some(yes.to_string())))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Cell, E> {
        Ok(Cell(Some(number.to_string())))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Cell, E> {
        Ok(Cell(Some(number.to_string())))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Cell, E> {
        Ok(Cell(Some(number.to_string())))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Cell, E> {
        Ok(Cell(None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Cell, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Cell(None))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Cell, A::Error> {
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Cell(None))
    }
}

macro_rules! row {
    ($(#[$doc:meta])* $name:ident { $($field:ident),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Default, serde::Deserialize)]
        #[serde(default)]
        pub(super) struct $name {
            $(pub(super) $field: Cell,)+
        }
    };
}

row!(Post {
    id,
    uuid,
    title,
    slug,
    html,
    plaintext,
    feature_image,
    featured,
    r#type,
    status,
    visibility,
    locale,
    author_id,
    custom_excerpt,
    canonical_url,
    created_at,
    updated_at,
    published_at,
});
row!(
    /// More of a post.
    More { post_id, meta_description, feature_image_alt, canonical_url }
);
row!(Tag { id, name, slug, visibility });
row!(User { id, name, website });
row!(
    /// Which tag or author goes with which post.
    Tie { post_id, tag_id, author_id, sort_order }
);
row!(Setting { key, value });

type Rows<'j> = Vec<&'j RawValue>;

/// One export, in any of its wrappings.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Wrapping<'j> {
    #[serde(borrow)]
    db: Option<Vec<Wrapping<'j>>>,
    #[serde(borrow)]
    data: Option<Box<Wrapping<'j>>>,
    #[serde(borrow)]
    posts: Option<Rows<'j>>,
    #[serde(borrow)]
    posts_meta: Option<Rows<'j>>,
    #[serde(borrow)]
    tags: Option<Rows<'j>>,
    #[serde(borrow)]
    posts_tags: Option<Rows<'j>>,
    #[serde(borrow)]
    users: Option<Rows<'j>>,
    #[serde(borrow)]
    posts_authors: Option<Rows<'j>>,
    #[serde(borrow)]
    settings: Option<Rows<'j>>,
}

/// The posts of an export, still as text, and what goes with them.
#[derive(Debug, Default)]
pub(super) struct Tables<'j> {
    pub(super) posts: Rows<'j>,
    metas: HashMap<String, More>,
    tags: HashMap<String, Tag>,
    users: HashMap<String, User>,
    post_tags: HashMap<String, Vec<String>>,
    post_authors: HashMap<String, Vec<String>>,
    settings: BTreeMap<String, String>,
}

impl<'j> Tables<'j> {
    /// `Ok(None)`: it is JSON, but no export.
    pub(super) fn read(json: &'j str) -> Result<Option<Self>, serde_json::Error> {
        let mut inner: Wrapping<'j> = serde_json::from_str(json)?;
        while inner.posts.is_none() {
            let next = inner.data.take().map(|data| *data);
            let next = next.or_else(|| inner.db.take()?.into_iter().next());
            match next {
                Some(next) => inner = next,
                None => return Ok(None),
            }
        }
        let tags = rows(inner.tags).filter_map(|tag: Tag| keyed(tag.id.clone(), tag));
        let users = rows(inner.users).filter_map(|user: User| keyed(user.id.clone(), user));
        let metas = rows(inner.posts_meta).filter_map(|it: More| keyed(it.post_id.clone(), it));
        let settings = rows(inner.settings)
            .filter_map(|it: Setting| Some((it.key.0?, it.value.0.unwrap_or_default())));
        Ok(Some(Self {
            posts: inner.posts.unwrap_or_default(),
            metas: metas.collect(),
            tags: tags.collect(),
            users: users.collect(),
            post_tags: ties(inner.posts_tags, |tie| tie.tag_id.0),
            post_authors: ties(inner.posts_authors, |tie| tie.author_id.0),
            settings: settings.collect(),
        }))
    }

    pub(super) fn setting(&self, key: &str) -> Option<&str> {
        self.settings.get(key).map(String::as_str).filter(|value| !value.trim().is_empty())
    }

    pub(super) fn meta(&self, post: &Post) -> Option<&More> {
        self.metas.get(post.id.text()?)
    }

    /// In the order of the post.
    pub(super) fn tags(&self, post: &Post) -> impl Iterator<Item = &Tag> {
        let ids = post.id.text().and_then(|id| self.post_tags.get(id));
        ids.into_iter().flatten().filter_map(|id| self.tags.get(id))
    }

    /// In the order of the post. Old exports name only one.
    pub(super) fn authors(&self, post: &Post) -> Vec<&User> {
        let ids = post.id.text().and_then(|id| self.post_authors.get(id));
        let several: Vec<&User> =
            ids.into_iter().flatten().filter_map(|id| self.users.get(id)).collect();
        let only = || post.author_id.text().and_then(|id| self.users.get(id));
        if several.is_empty() { only().into_iter().collect() } else { several }
    }
}

fn keyed<T>(key: Cell, row: T) -> Option<(String, T)> {
    Some((key.0?, row))
}

fn rows<'j, T: Deserialize<'j>>(rows: Option<Rows<'j>>) -> impl Iterator<Item = T> {
    rows.unwrap_or_default().into_iter().filter_map(|raw| serde_json::from_str(raw.get()).ok())
}

/// What goes with each post, in order.
fn ties(table: Option<Rows<'_>>, other: fn(Tie) -> Option<String>) -> HashMap<String, Vec<String>> {
    let mut ties: Vec<Tie> = rows(table).collect();
    ties.sort_by_key(|tie| tie.sort_order.text().and_then(|at| at.parse::<i64>().ok()));
    let mut by_post: HashMap<String, Vec<String>> = HashMap::new();
    for tie in ties {
        let Some(post) = tie.post_id.0.clone() else { continue };
        by_post.entry(post).or_default().extend(other(tie));
    }
    by_post
}
