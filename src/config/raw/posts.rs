//! `[[posts]]`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Duration, Moment};

/// A folder of posts. Without any such section it is the folder `posts`.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct Posts {
    /// The folder.
    #[schemars(extend("x-required" = true))]
    pub path: Option<String>,
    /// Where a post lives on the site: a path with `{slug}` or `{title}`; `{section}` is the folder the post is in, `{categories}` are its
    /// categories, `{lang}` its language and `{lang?}` that only where it is not the folder's; `{year}`, `{month}` and `{day}` are its date.
    pub permalink: String,
    /// How long a post must be unchanged before it is mailed or cross-posted. Feeds don't wait.
    pub settle: Duration,
    /// `now`: posts found at the very first start are old news. A date: posts from then on are news even at the first start.
    pub baseline: Moment,
    /// Language of the posts in this folder that don't say.
    #[schemars(extend("x-default" = "`site.language`"))]
    pub language: Option<String>,
    /// Where the date of a post may come from, in this order: `front-matter`, `file-name`, `git` (the first commit of the file) and
    /// `mtime` (when the file was last written, so that each edit moves it).
    pub dates_from: Vec<DateSource>,
    /// Your own words in front matter for what Postrider understands, tried before the usual ones: `published = "veröffentlicht"`. One key
    /// or a list of them; `meta.date` is `date` within `meta`.
    pub fields: BTreeMap<String, Words>,
    pub defaults: Defaults,
    pub markdown: Markdown,
}

/// How the Markdown of a folder is read.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct Markdown {
    /// Code in a language that is named has colours in mails and on pages. In feeds it has none, and so weighs less.
    pub highlight: bool,
    /// Straight quotes, `--` and `...` become what typographers set.
    pub smart_punctuation: bool,
    /// What ends the excerpt of posts without an `excerpt_separator` of their own, beside `<!--more-->`.
    pub excerpt_separator: Option<String>,
}

impl Default for Markdown {
    fn default() -> Self {
        Self { highlight: true, smart_punctuation: false, excerpt_separator: None }
    }
}

impl Default for Posts {
    fn default() -> Self {
        Self {
            path: None,
            permalink: "/posts/{slug}/".to_owned(),
            settle: Duration::new("2m"),
            baseline: Moment("now".to_owned()),
            language: None,
            dates_from: vec![DateSource::FrontMatter, DateSource::FileName],
            fields: BTreeMap::new(),
            defaults: Defaults::default(),
            markdown: Markdown::default(),
        }
    }
}

/// Where a date may come from.
#[derive(Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum DateSource {
    FrontMatter,
    FileName,
    Git,
    Mtime,
}

/// One text or a list of them.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend("x-kind" = "words"))]
pub(in crate::config) struct Words(pub Vec<String>);

/// What holds for posts of this folder whose front matter does not say. What an engine says for a folder goes before.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct Defaults {
    /// Who wrote them: `Name` or `Name <name@example.org>`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authors: Option<Words>,
    /// What they are about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Words>,
    /// Where they belong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub categories: Option<Words>,
    /// What readers may choose by.
    #[schemars(extend("x-default" = "the tags"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topics: Option<Words>,
    /// Of posts that are in no folder of their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub section: Option<String>,
    /// The series that they are parts of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub series: Option<String>,
    /// `true`: they are drafts unless they say `draft: false`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub draft: Option<bool>,
    /// Path or address of an image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// How they are mailed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<EmailWish>,
    /// The destinations that are told of them; `["skip"]`: none.
    #[schemars(extend("x-default" = "all"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crosspost: Option<Words>,
    /// What cross-posts say, where the template uses it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub social: Option<String>,
}

/// How a post may be mailed.
#[derive(Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum EmailWish {
    /// To nobody.
    Skip,
    /// Only as a mail of its own.
    Instant,
    /// Only in digests.
    Digest,
}
