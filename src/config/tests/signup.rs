//! `[signup]`, and what newsletters ask.

use super::*;

#[test]
fn mistakes_in_how_people_sign_up_say_where_they_are() {
    let text = WITH_MAIL.to_owned()
        + r#"
[newsletters.weekly.fields.drink]
title = "Tea or coffee?"
type = "choice"
[newsletters.weekly.fields.Cats]
type = "number"
[newsletters.weekly.fields.town]
title = "Where?"
options = ["here", "there"]
[signup]
origins = ["example.org", "https://example.org/blog", "https://blog.example"]
fastest = "5m"
per_domain = "many"
blocked_domains = ["not a domain"]
blocked_domains_file = "config/none"
[signup.captcha]
kind = "hcaptcha"
site_key = "a key"
"#;
    insta::assert_snapshot!(Project::new(&text).errors(&[]));
}

#[test]
fn a_list_of_domains_is_read_as_people_keep_them() {
    let text = SMALL.to_owned()
        + r#"
[signup]
origins = ["HTTPS://Example.org:443/"]
blocked_domains = ["Trash.Example", "bücher.example"]
blocked_domains_file = "config/disposable"
"#;
    let list = "# a list\n\nmail.example # bad\n@at.example\r\nnot a domain\n";
    let signup = Project::new(&text).with("config/disposable", list).loaded().config.signup;
    assert_eq!(signup.origins, ["https://example.org"]);
    let blocked: Vec<_> = signup.domains.blocked.iter().map(String::as_str).collect();
    let expected = ["at.example", "mail.example", "trash.example", "xn--bcher-kva.example"];
    assert_eq!(blocked, expected);
    assert!(signup.domains.allowed.is_empty() && signup.captcha.is_none());
}
