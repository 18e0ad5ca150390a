//! Who is meant, and for how long things are kept.

use super::*;
use crate::domain::Condition;

#[test]
fn a_newsletter_is_for_whom_an_expression_means() {
    let sections = "audience = 'vips and days > 30'\n[segments]\nvips = '\"vip\" in tags'\n[privacy]\nkeep_events = \"90d\"\n";
    let config = Project::new(&format!("{WITH_MAIL}{sections}")).loaded().config;
    let audience = config.newsletters["weekly"].audience.as_ref().unwrap();
    let Condition::All(parts) = audience.condition() else { panic!("{audience:?}") };
    assert_eq!(parts[0], *config.segments["vips"].condition());
    assert_eq!(config.privacy.keep_events, jiff::SignedDuration::from_hours(90 * 24));
    assert_eq!(config.privacy.keep_consents, Privacy::default().keep_consents);
    assert!(config.segment("not vips").is_ok());
}

#[test]
fn what_means_nobody_is_pointed_at() {
    let sections = "audience = \"cadence == 'weekly' and cty == 'Kiel'\"\n[segments]\nfine = 'days > 3'\nsome-people = 'days > 3'\n\
                    tags = 'days > 3'\nbroken = '\"vip\" in'\nother = 'fine and days < 9'\n[privacy]\nkeep_attempts = \"1h\"\nkeep_pending = \"900d\"\n";
    insta::assert_snapshot!(Project::new(&format!("{WITH_MAIL}{sections}")).errors(&[]));
    let sections =
        "audience = \"cadence == 'weekly' and cty == 'Kiel'\"\n[segments]\nfine = 'days > 3'\n";
    insta::assert_snapshot!(Project::new(&format!("{WITH_MAIL}{sections}")).errors(&[]));
    let sections = "audience = 'none'\n[privacy]\nkeep_pending = \"900d\"\n";
    insta::assert_snapshot!(Project::new(&format!("{WITH_MAIL}{sections}")).errors(&[]));
}
