//! `tag=value; tag=value`, as DKIM, DMARC, MTA-STS and TLS-RPT records are written (RFC 6376 section 3.2).

/// The tags of a record in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tags(Vec<(String, String)>);

impl Tags {
    /// Fails with the piece that is no `tag=value`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let pieces = text.split(';').map(str::trim).filter(|piece| !piece.is_empty());
        let tags = pieces.map(|piece| match piece.split_once('=') {
            Some((tag, value)) => Ok((tag.trim().to_ascii_lowercase(), value.trim().to_owned())),
            None => Err(piece.to_owned()),
        });
        tags.collect::<Result<_, _>>().map(Self)
    }

    pub(super) fn get(&self, tag: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| name == tag).map(|(_, value)| value.as_str())
    }

    /// The record with `tag` set to `value`: where it was, or after the first two tags.
    pub(super) fn with(mut self, tag: &str, value: &str) -> Self {
        match self.0.iter_mut().find(|(name, _)| name == tag) {
            Some(pair) => value.clone_into(&mut pair.1),
            None => self.0.insert(self.0.len().min(2), (tag.to_owned(), value.to_owned())),
        }
        self
    }
}

impl std::fmt::Display for Tags {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let pairs: Vec<_> = self.0.iter().map(|(tag, value)| format!("{tag}={value}")).collect();
        f.write_str(&pairs.join("; "))
    }
}

/// Whether a TXT record is of `version`, such as `DMARC1`: the first tag, and case matters (RFC 7489 section 6.3).
pub(super) fn is_version(text: &str, version: &str) -> bool {
    let first = text.split(';').next().unwrap_or_default();
    first.split_once('=').is_some_and(|(tag, value)| tag.trim() == "v" && value.trim() == version)
}
