//! Blanks secrets in lines that are shown to people, whether the file around them is well-formed or not.

use std::ops::Range;

/// Blanks what lies in `spans`, and whatever else looks like a secret: a mistyped `pasword = "…"` is one too.
///
/// Lines keep their numbers, and columns before a secret stay where they were.
pub(super) fn masked(text: &str, spans: &[Range<usize>]) -> Vec<String> {
    let mut blanked = text.to_owned();
    let mut spans = spans.to_vec();
    spans.sort_by_key(|span| std::cmp::Reverse(span.start));
    for span in spans {
        blank(&mut blanked, span);
    }
    blanked
        .split('\n')
        .map(|line| line_without_secrets(line.trim_end_matches('\r')).trim_end().to_owned())
        .collect()
}

/// Blanks one line by its looks alone.
fn line_without_secrets(line: &str) -> String {
    let mut line = line.to_owned();
    let equals: Vec<usize> = line.match_indices('=').map(|(at, _)| at).collect();
    // From the right, so that what is blanked does not move what is still to come.
    for at in equals.into_iter().rev() {
        let (key, value) = line.split_at(at);
        if names_a_secret(last_word(key)) {
            let start = line.len() - value[1..].trim_start().len();
            let span = start..start + value_length(&line[start..]);
            blank(&mut line, span);
        }
    }
    without_passwords_in_urls(&without_keys(&line))
}

/// Puts `"…"` in the place of `span`, then spaces up to its old width, so that what follows stays in its column.
fn blank(text: &mut String, span: Range<usize>) {
    let Some(secret) = text.get(span.clone()) else { return };
    let mut filler = "\"…\"".chars();
    let cover: String =
        secret.chars().map(|c| if c == '\n' { c } else { filler.next().unwrap_or(' ') }).collect();
    text.replace_range(span, &cover);
}

fn last_word(key: &str) -> &str {
    let key = key.trim().trim_end_matches(['"', '\'']);
    key.rsplit(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-')).next().unwrap_or(key)
}

/// Whether a key called `name` holds a secret, as far as its name tells. `password_file` holds a path.
pub(super) fn names_a_secret(name: &str) -> bool {
    let name = name.to_lowercase();
    if name.ends_with("_file") || name.is_empty() {
        return false;
    }
    let telling = ["passw", "pwd", "secret", "token", "api_key", "apikey", "authorization"];
    telling.iter().any(|part| name.contains(part))
        || ["password", "secret", "secrets"]
            .iter()
            .any(|known| strsim::damerau_levenshtein(&name, known) <= 2)
}

/// How many bytes the value at the start of `rest` has: to its closing quote, or to the next comma, brace or space.
fn value_length(rest: &str) -> usize {
    match rest.chars().next() {
        Some(quote @ ('"' | '\'')) => {
            rest[1..].find(quote).map_or(rest.len(), |closing| closing + 2)
        }
        _ => rest.find([',', '}', ' ', '\t', '#']).unwrap_or(rest.len()),
    }
}

/// Cuts every Standard Webhooks key short.
fn without_keys(line: &str) -> String {
    let mut parts = line.split("whsec_");
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let key = |c: char| c.is_ascii_alphanumeric() || "+/=_-".contains(c);
        shown.push_str("whsec_…");
        shown.push_str(part.trim_start_matches(key));
    }
    shown
}

/// `smtp://user:secret@host` becomes `smtp://user:…@host`.
fn without_passwords_in_urls(line: &str) -> String {
    let mut parts = line.split("://");
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        shown.push_str("://");
        let end = part.find(['"', '\'']).unwrap_or(part.len());
        let colon = part.find(':');
        match (colon, part[..end].rfind('@')) {
            (Some(colon), Some(at)) if colon < at => {
                shown.push_str(&part[..=colon]);
                shown.push('…');
                shown.push_str(&part[at..]);
            }
            _ => shown.push_str(part),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> String {
        masked(text, &[]).join("\n")
    }

    #[test]
    fn a_password_is_blanked_even_when_its_key_or_its_quotes_are_wrong() {
        assert_eq!(line("password = \"hunter2\""), "password = \"…\"");
        assert_eq!(line("pasword = 'hunter2' # mine"), "pasword = \"…\"       # mine");
        assert_eq!(line("password = \"hunter2, tls = 3"), "password = \"…\"");
        assert_eq!(
            line("m = { password = \"hunter2\", tls = 3 }"),
            "m = { password = \"…\"      , tls = 3 }"
        );
    }

    #[test]
    fn passwords_in_addresses_and_webhook_keys_are_blanked() {
        assert_eq!(
            line("url = \"smtp://ann:hunter2@mx.example\""),
            "url = \"smtp://ann:…@mx.example\""
        );
        assert_eq!(line("url = \"https://a.example:80/b\""), "url = \"https://a.example:80/b\"");
        assert_eq!(line("x = [\"whsec_abc+/=\", 1]"), "x = [\"whsec_…\", 1]");
    }

    #[test]
    fn paths_of_secret_files_stay_readable() {
        assert_eq!(line("password_file = \"secrets/mail\""), "password_file = \"secrets/mail\"");
    }

    #[test]
    fn a_secret_over_several_lines_keeps_the_line_numbers() {
        let text = "a = \"\"\"\nhunter\n2\"\"\"\nb = 1";
        let lines = masked(text, std::slice::from_ref(&(4..18)));
        assert_eq!(lines.len(), 4);
        assert_eq!(lines[3], "b = 1");
        assert!(!lines.concat().contains("hunter"));
    }

    proptest::proptest! {
        #[test]
        fn no_line_makes_it_panic(text in "[ -~\\n=é\"'/:@]{0,80}", start in 0_usize..80, length in 0_usize..40) {
            masked(&text, std::slice::from_ref(&(start..start + length)));
        }
    }
}
