//! What every mail of ours must look like, read from its bytes (RFC 5322, 2045, 2369, 8058).

use mail_parser::{MessageParser, MimeHeaders as _};

/// Everything that is wrong with a mail.
pub(super) fn lint(eml: &[u8]) -> Vec<String> {
    let mut problems = Vec::new();
    lint_bytes(eml, &mut problems);
    lint_fields(eml, &mut problems);
    lint_parts(eml, &mut problems);
    problems
}

fn lint_bytes(eml: &[u8], problems: &mut Vec<String>) {
    for (number, line) in eml.split(|&byte| byte == b'\n').enumerate() {
        let number = number + 1;
        let Some(line) = line.strip_suffix(b"\r") else {
            if !line.is_empty() {
                problems.push(format!("line {number} does not end with CRLF"));
            }
            continue;
        };
        if line.contains(&b'\r') || line.contains(&0) {
            problems.push(format!("line {number} has a bare CR or a NUL"));
        }
        if line.len() > 998 {
            problems.push(format!("line {number} has {} octets", line.len()));
        }
        if line.ends_with(b" ") || line.ends_with(b"\t") {
            problems.push(format!("line {number} ends with a blank"));
        }
    }
    if !eml.ends_with(b"\r\n") {
        problems.push("it does not end with a line end".to_owned());
    }
}

fn lint_fields(eml: &[u8], problems: &mut Vec<String>) {
    let end = eml.windows(4).position(|window| window == b"\r\n\r\n").unwrap_or(eml.len());
    if !eml[..end].is_ascii() {
        problems.push("a field is not ASCII".to_owned());
    }
    let text = String::from_utf8_lossy(&eml[..end]);
    let unfolded = text.replace("\r\n ", " ").replace("\r\n\t", " ");
    let fields: Vec<(&str, &str)> =
        unfolded.split("\r\n").map(|line| line.split_once(": ").unwrap_or((line, ""))).collect();
    let values = |wanted: &str| -> Vec<&str> {
        let of_name = fields.iter().filter(|(name, _)| name.eq_ignore_ascii_case(wanted));
        of_name.map(|(_, value)| *value).collect()
    };
    for once in ["Date", "From", "To", "Subject", "Message-ID", "MIME-Version", "Content-Type"] {
        if values(once).len() != 1 {
            problems.push(format!("`{once}` is there {} times", values(once).len()));
        }
    }
    for (name, _) in &fields {
        if *name != "DKIM-Signature" && values(name).len() > 1 {
            problems.push(format!("`{name}` is there {} times", values(name).len()));
        }
    }
    for line in text.split("\r\n") {
        if line.contains("=?utf-8?") && line.len() > 76 {
            problems.push(format!("a line with encoded words has {} characters", line.len()));
        }
    }
    for word in text.split_whitespace().filter(|word| word.starts_with("=?") && word.len() > 75) {
        problems.push(format!("an encoded word has {} characters", word.len()));
    }
    lint_unsubscribing(&values("List-Unsubscribe"), &values("List-Unsubscribe-Post"), problems);
    let is_list = !values("List-Id").is_empty();
    if is_list == values("List-Unsubscribe").is_empty() {
        problems.push("a list one cannot leave, or a way to leave no list".to_owned());
    }
}

fn lint_unsubscribing(ways: &[&str], post: &[&str], problems: &mut Vec<String>) {
    let Some(ways) = ways.first() else {
        if !post.is_empty() {
            problems.push("one-click without a URI to click".to_owned());
        }
        return;
    };
    if post != ["List-Unsubscribe=One-Click"] {
        problems.push(format!("`List-Unsubscribe-Post` is {post:?}"));
    }
    let ways: Vec<_> = ways.split(", ").collect();
    let of_scheme = |scheme: &str| ways.iter().filter(|way| way.starts_with(scheme)).count();
    let framed = ways.iter().all(|way| way.starts_with('<') && way.ends_with('>'));
    if of_scheme("<http") != 1 || of_scheme("<mailto:") != ways.len() - 1 || !framed {
        problems.push(format!("`List-Unsubscribe` is {ways:?}"));
    }
}

fn lint_parts(eml: &[u8], problems: &mut Vec<String>) {
    let Some(message) = MessageParser::default().parse(eml) else {
        problems.push("it cannot be parsed".to_owned());
        return;
    };
    let kinds: Vec<_> = message
        .parts
        .iter()
        .filter_map(|part| part.content_type())
        .map(|kind| format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or_default()))
        .collect();
    if kinds != ["multipart/alternative", "text/plain", "text/html"] {
        problems.push(format!("its parts are {kinds:?}"));
    }
    let html = message.body_html(0).unwrap_or_default();
    if html.len() > 100_000 {
        problems.push(format!("its HTML has {} bytes; Gmail cuts it", html.len()));
    }
    if !html.contains("lang=\"") {
        problems.push("its HTML names no language".to_owned());
    }
    if html.contains("data:image") {
        problems.push("its HTML has an image that Gmail does not show".to_owned());
    }
    if message.body_text(0).is_none_or(|text| text.trim().is_empty()) {
        problems.push("its text is empty".to_owned());
    }
}

#[test]
fn the_lint_sees_what_is_wrong() {
    let good = "From: a@example.org\r\nTo: b@example.org\r\nSubject: x\r\nDate: Mon, 23 Nov 2026 06:00:00 +0000\r\n\
                Message-ID: <1@example.org>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n\
                --b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b\r\nContent-Type: text/html\r\n\r\n<p lang=\"en\">x\r\n--b--\r\n";
    assert_eq!(lint(good.as_bytes()), [""; 0]);
    for (old, new) in [
        ("\r\nTo: b@example.org", ""),
        ("Subject: x", "Subject: x\r\nSubject: y"),
        ("Subject: x", "Subject: \u{fc}"),
        ("Subject: x", "Subject: x\r\nList-Id: <a.example.org>"),
        ("Subject: x", "Subject: x\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click"),
        ("\r\n\r\nx\r\n", "\r\n\r\nx\n"),
        ("\r\n\r\nx\r\n", "\r\n\r\nx\r\r\n"),
        ("\r\n\r\nx\r\n", "\r\n\r\nx \r\n"),
        ("text/plain", "text/html"),
        ("\r\n\r\nx\r\n", "\r\n\r\n\r\n"),
        (" lang=\"en\"", ""),
    ] {
        let bad = good.replacen(old, new, 1);
        assert_ne!(bad, good, "{old:?}");
        assert_ne!(lint(bad.as_bytes()), [""; 0], "{new:?}");
    }
    let long = good.replacen("Subject: x", &format!("Subject: {}", "x".repeat(990)), 1);
    assert_ne!(lint(long.as_bytes()), [""; 0]);
}
