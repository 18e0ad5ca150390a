//! Where a feed is, and where it stands in an archive (RFC 5005).

use url::Url;

use super::Format;

/// Where a feed is fetched from in each format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedUrls {
    pub rss: Url,
    pub atom: Url,
    pub json: Url,
}

impl FeedUrls {
    /// In the folder `folder`, which ends with `/`.
    pub fn within(folder: &Url) -> Self {
        let join = |format: Format| {
            folder.join(format.file_name()).expect("a plain file name joins any base")
        };
        Self { rss: join(Format::Rss), atom: join(Format::Atom), json: join(Format::Json) }
    }

    pub fn of(&self, format: Format) -> &Url {
        match format {
            Format::Rss => &self.rss,
            Format::Atom => &self.atom,
            Format::Json => &self.json,
        }
    }
}

/// What leads on from a document to the rest of its feed. The one after it is not said: a closed document would change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Neighbours {
    /// Where new posts appear, said in documents of the archive: those are closed.
    pub current: Option<FeedUrls>,
    /// The posts before these.
    pub previous: Option<FeedUrls>,
}
