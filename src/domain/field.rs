//! Our names of what front matter can say, for folders whose authors use words of their own.

/// One thing that front matter says about a post.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    Title,
    Published,
    Updated,
    Expires,
    Draft,
    Summary,
    Tags,
    Categories,
    Topics,
    Authors,
    Language,
    Section,
    Slug,
    Url,
    Canonical,
    Aliases,
    Id,
    Image,
    ImageAlt,
    Enclosure,
    Series,
    TranslationKey,
    Featured,
    External,
    Email,
    Crosspost,
    Social,
    Subject,
    Preheader,
    SendAt,
    Notify,
}

impl Field {
    pub const ALL: [Self; 31] = [
        Self::Title,
        Self::Published,
        Self::Updated,
        Self::Expires,
        Self::Draft,
        Self::Summary,
        Self::Tags,
        Self::Categories,
        Self::Topics,
        Self::Authors,
        Self::Language,
        Self::Section,
        Self::Slug,
        Self::Url,
        Self::Canonical,
        Self::Aliases,
        Self::Id,
        Self::Image,
        Self::ImageAlt,
        Self::Enclosure,
        Self::Series,
        Self::TranslationKey,
        Self::Featured,
        Self::External,
        Self::Email,
        Self::Crosspost,
        Self::Social,
        Self::Subject,
        Self::Preheader,
        Self::SendAt,
        Self::Notify,
    ];

    /// As written in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Published => "published",
            Self::Updated => "updated",
            Self::Expires => "expires",
            Self::Draft => "draft",
            Self::Summary => "summary",
            Self::Tags => "tags",
            Self::Categories => "categories",
            Self::Topics => "topics",
            Self::Authors => "authors",
            Self::Language => "language",
            Self::Section => "section",
            Self::Slug => "slug",
            Self::Url => "url",
            Self::Canonical => "canonical",
            Self::Aliases => "aliases",
            Self::Id => "id",
            Self::Image => "image",
            Self::ImageAlt => "image_alt",
            Self::Enclosure => "enclosure",
            Self::Series => "series",
            Self::TranslationKey => "translation_key",
            Self::Featured => "featured",
            Self::External => "external",
            Self::Email => "email",
            Self::Crosspost => "crosspost",
            Self::Social => "social",
            Self::Subject => "subject",
            Self::Preheader => "preheader",
            Self::SendAt => "send_at",
            Self::Notify => "notify",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name() == name)
    }
}

/// Where the date of a post may come from, where front matter has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateSource {
    FrontMatter,
    FileName,
    /// The first commit that has the file.
    Git,
    /// When the file was last written: moves with each edit.
    Mtime,
}
