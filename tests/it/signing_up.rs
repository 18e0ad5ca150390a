//! Signing up, as far as others have a say in it: name servers.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use postrider::domain::{Cadence, Choice};
use postrider::store::Added;

use crate::harness::dns::DnsServer;
use crate::harness::engine::Engine;
use crate::harness::world::Setting;

#[tokio::test]
async fn an_address_at_a_domain_that_takes_no_mail_is_told_and_one_in_doubt_passes() {
    let dns = DnsServer::serving(
        "takes.test MX 10 mail.takes.test.
        alone.test A 192.0.2.10
        refuses.test MX 0 .
        away.test FAIL",
    );
    let world = Setting::new(Engine::Sqlite).start().await;
    let mut config = postrider::config::Config::clone(&world.state.config.load());
    (config.signup.check_mx, config.signup.resolver) = (true, Some(dns.address));
    config.signup.limits.visitor.count = 100;
    world.state.config.store(Arc::new(config));
    let signs_up = async |domain: &str| {
        let form = format!("address=ann%40{domain}&cadence=weekly");
        world.posts("/subscribe/weekly", &form).await
    };
    for domain in ["refuses.test", "nowhere.test"] {
        let answer = signs_up(domain).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{domain}");
        let text = answer.text();
        let said = format!("{domain}&quot; is not a domain that mail can be sent to.");
        assert!(text.contains(&said), "{text}");
    }
    for domain in ["takes.test", "alone.test", "away.test"] {
        assert_eq!(signs_up(domain).await.status, StatusCode::SEE_OTHER, "{domain}");
        world.confirms(&format!("ann@{domain}")).await;
    }
    // Nor does anybody move there.
    let added = world.chooses("bo@takes.test", Choice::of(Cadence::Weekly)).await;
    let Added::Subscribed(bo) = added else { panic!("{added:?}") };
    let page = format!("/preferences/{}", world.store.keyring().unsubscribe_token(bo));
    let moves_to = async |domain: &str| {
        let form = format!("do=address&address=bo%40{domain}");
        let request = Request::post(&page).body(Body::from(form)).expect("a request");
        world.asks(request).await.status
    };
    assert_eq!(moves_to("nowhere.test").await, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(moves_to("takes.test").await, StatusCode::SEE_OTHER);
}
