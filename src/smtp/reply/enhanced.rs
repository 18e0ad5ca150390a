//! Enhanced status codes (RFC 3463), where servers really put them.

/// Subject and detail of a code such as 5.1.1. Its class is left out: the reply code decides between now and never.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Enhanced {
    pub(super) subject: u16,
    pub(super) detail: u16,
}

impl Enhanced {
    /// Finds it where RFC 2034 puts it, at the start of the text, or in the word after.
    pub(super) fn find(text: &str) -> Option<Self> {
        text.split_whitespace().take(2).find_map(Self::parse)
    }

    fn parse(word: &str) -> Option<Self> {
        // Exchange writes `#5.1.1`, others a colon or brackets around it.
        let word = word.trim_matches(|c: char| !c.is_ascii_digit());
        let mut numbers = word.split('.').map(|part| {
            let fits = (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
            fits.then(|| part.parse().ok()).flatten()
        });
        let (class, subject, detail) = (numbers.next()??, numbers.next()??, numbers.next()??);
        let whole = numbers.next().is_none() && matches!(class, 2_u16 | 4 | 5);
        whole.then_some(Self { subject, detail })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_enhanced_code_is_not_found_in_addresses_and_versions() {
        for text in
            ["192.0.2.1 is blocked", "5.1 x", "5.1.1.1 x", "6.1.1 x", "5.1.1234 x", "", "5..1"]
        {
            assert_eq!(Enhanced::find(text), None, "{text}");
        }
        let some = Some(Enhanced { subject: 1, detail: 1 });
        for text in ["5.1.1 x", "[5.1.1] x", "5.1.1: x", "Error: 5.1.1 x"] {
            assert_eq!(Enhanced::find(text), some, "{text}");
        }
    }
}
