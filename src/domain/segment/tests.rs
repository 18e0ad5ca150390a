use proptest::prelude::*;

use super::*;

fn parse(text: &str) -> Result<Condition, SegmentError> {
    Segment::parse(text, &Segments::new()).map(|segment| segment.condition)
}

fn told(text: &str) -> String {
    let error = parse(text).unwrap_err();
    format!("{}:{}: {}", error.line, error.column, error.message)
}

#[test]
fn an_expression_says_who_is_meant() {
    let city = || Subject::Attribute(vec!["city".to_owned()]);
    assert_eq!(
        parse(r#""vip" in tags and (attributes.city == "Kiel" or attributes["city"] == "Lübeck")"#),
        Ok(Condition::All(vec![
            Condition::Has(Collection::Tags, "vip".to_owned()),
            Condition::Any(vec![
                Condition::Compare(city(), Comparison::Equal, Operand::Text("Kiel".to_owned())),
                Condition::Compare(city(), Comparison::Equal, Operand::Text("Lübeck".to_owned())),
            ]),
        ]))
    );
    assert_eq!(
        parse("30 > days"),
        Ok(Condition::Compare(Subject::Days, Comparison::Less, Operand::Number(30.0)))
    );
    let since = "2026-01-31T00:00:00Z".parse().unwrap();
    assert_eq!(
        parse("signed_up >= '2026-01-31'"),
        Ok(Condition::Compare(
            Subject::SignedUp,
            Comparison::GreaterOrEqual,
            Operand::Moment(since)
        ))
    );
    assert_eq!(
        parse("language not in ['de', 'en']"),
        Ok(Condition::Not(Box::new(Condition::OneOf(
            Subject::Language,
            vec![Operand::Text("de".to_owned()), Operand::Text("en".to_owned())]
        ))))
    );
    assert_eq!(
        parse("'@Example.org' in email"),
        Ok(Condition::Contains(Subject::Email, "@Example.org".to_owned()))
    );
    assert!(parse("18 <= attributes.age < 65").is_ok());
    assert!(parse("attributes.vip and not attributes.address.zip is undefined").is_ok());
}

#[test]
fn a_segment_may_stand_for_its_expression() {
    let vips = Segment::parse("'vip' in tags", &Segments::new()).unwrap();
    let known = Segments::from([("vips".to_owned(), vips.clone())]);
    let not = Segment::parse("not vips", &known).unwrap();
    assert_eq!(*not.condition(), Condition::Not(Box::new(vips.condition)));
}

#[test]
fn what_cannot_be_understood_is_shown_with_its_place() {
    let all = [
        "",
        "tags",
        "'vip' in",
        "city == 'Kiel'",
        "attributes == 1",
        "cadence == 'hourly'",
        "days > 'many'",
        "signed_up > 'May'",
        "language == newsletter",
        "1 == 1",
        "email | upper == 'A'",
        "range(9) == 1",
        "days + 1 > 3",
        "tags == 'vip'",
        "'a' in\n  ['a']",
        "state < 'active'",
        "email is defined",
        "attributes.a is divisibleby 3",
        "language in 'de'",
        "name.first == 'Ann'",
        "attributes[0] == 1",
        "attributes['a\"b'] == 1",
        "'a\0' in tags",
        "x",
        "name == 'Ann' name",
    ];
    let told: Vec<_> = all.iter().map(|text| format!("{text:?}\n  {}", told(text))).collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn nothing_is_too_much() {
    assert!(parse(&"(".repeat(4_000)).is_err());
    assert!(parse(&"not ".repeat(1_000)).is_err());
    assert!(parse(&format!("{}days > 1", "not ".repeat(140))).is_err());
    assert!(parse(&vec!["days > 1"; 300].join(" or ")).is_err());
    assert!(parse(&vec!["days > 1"; 90].join(" or ")).is_ok());
    assert!(parse(&"x".repeat(10_000)).is_err());
}

proptest! {
    #[test]
    fn no_text_is_more_than_an_error(
        text in "([a-z.'\"()\\[\\]<>=!|{}%0-9 \n-]|and |or |not |in |tags|attributes|days){0,40}",
    ) {
        let _ = parse(&text);
    }
}
