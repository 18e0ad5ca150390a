//! One mail taken apart for people to look at.

use mail_parser::{Message, MessageParser, PartType};

use crate::template::Header;

/// A mail, or whatever lies in a file that should be one.
pub(super) struct Letter<'a>(Option<Message<'a>>);

impl<'a> Letter<'a> {
    pub(super) fn parse(raw: &'a [u8]) -> Self {
        Self(MessageParser::default().parse(raw))
    }

    pub(super) fn subject(&self) -> Option<String> {
        self.0.as_ref()?.subject().map(str::to_owned)
    }

    /// The first recipient's address.
    pub(super) fn to(&self) -> Option<String> {
        self.0.as_ref()?.to()?.first()?.address().map(str::to_owned)
    }

    /// Every header as it was written, unfolded, in the order of the file; encoded words are decoded in the subject only.
    pub(super) fn headers(&self) -> Vec<Header> {
        let Some(message) = &self.0 else { return Vec::new() };
        let unfolded = |value: &str| value.split_whitespace().collect::<Vec<_>>().join(" ");
        message
            .headers_raw()
            .map(|(name, value)| Header { name: name.to_owned(), value: unfolded(value) })
            .collect()
    }

    pub(super) fn html(&self) -> Option<String> {
        self.0.as_ref()?.html_bodies().find_map(|part| match &part.body {
            PartType::Html(html) => Some(html.to_string()),
            _ => None,
        })
    }

    pub(super) fn text(&self) -> Option<String> {
        self.0.as_ref()?.text_bodies().find_map(|part| match &part.body {
            PartType::Text(text) => Some(text.to_string()),
            _ => None,
        })
    }
}
