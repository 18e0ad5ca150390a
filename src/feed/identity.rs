//! Under which id readers of a format know a post.

use std::borrow::Cow;

use url::Url;

use crate::domain::{FeedFamily, FeedIds, PostId};

/// The id that `post` carries in feeds of `family`: what it had in an earlier feed of that format, else of another, else its own.
pub fn known_as<'a>(post: &'a PostId, ids: &'a FeedIds, family: FeedFamily) -> Cow<'a, str> {
    if let Some(own) = ids.own(post, family) {
        return Cow::Borrowed(own);
    }
    let fit = ids.first(post).and_then(|id| match family {
        FeedFamily::Rss | FeedFamily::Json => Some(Cow::Borrowed(id)),
        FeedFamily::Atom => iri(id),
    });
    fit.unwrap_or_else(|| match family {
        FeedFamily::Rss => Cow::Borrowed(PostId::rss_guid(post.as_str())),
        FeedFamily::Atom | FeedFamily::Json => Cow::Borrowed(post.as_str()),
    })
}

/// `id` as Atom can carry it (RFC 4287, 4.2.6). None: it is no IRI.
fn iri(id: &str) -> Option<Cow<'_, str>> {
    if let Some(ghost) = PostId::of_ghost(id) {
        return Some(Cow::Owned(ghost.as_str().to_owned()));
    }
    let is_one = Url::parse(id).is_ok()
        && !id.contains(|c: char| c.is_whitespace() || "<>\"{}|\\^`".contains(c));
    is_one.then_some(Cow::Borrowed(id))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::AdoptedId;

    #[test]
    fn an_adopted_id_is_the_same_in_all_formats_that_can_carry_it() {
        let post = PostId::pinned("urn:uuid:1");
        let known = |family, id: &str| {
            let adopted_at = Timestamp::UNIX_EPOCH;
            let ids = FeedIds::new(vec![AdoptedId {
                post: post.clone(),
                family,
                id: id.into(),
                adopted_at,
            }]);
            [FeedFamily::Rss, FeedFamily::Atom, FeedFamily::Json]
                .map(|family| known_as(&post, &ids, family).into_owned())
        };
        let link = "https://example.org/?p=7";
        assert_eq!(known(FeedFamily::Rss, link), [link; 3]);
        assert_eq!(
            known(FeedFamily::Atom, "tag:example.org,2020:7"),
            ["tag:example.org,2020:7"; 3]
        );
        let ghost = "5f3e9b0c1d2e3f4a5b6c7d8e";
        assert_eq!(
            known(FeedFamily::Rss, ghost),
            [ghost, "urn:x-ghost:5f3e9b0c1d2e3f4a5b6c7d8e", ghost]
        );
        let drupal = "12 at https://example.org";
        assert_eq!(known(FeedFamily::Rss, drupal), [drupal, "urn:uuid:1", drupal]);
        let none = FeedIds::none();
        let imported = PostId::of_ghost(ghost).unwrap();
        assert_eq!(known_as(&imported, none, FeedFamily::Rss), ghost);
        assert_eq!(
            known_as(&imported, none, FeedFamily::Json),
            "urn:x-ghost:5f3e9b0c1d2e3f4a5b6c7d8e"
        );
    }
}
