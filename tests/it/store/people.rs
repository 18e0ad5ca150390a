//! People in numbers, by expression, and forgotten: the same on both engines.

use postrider::domain::{LetterId, Segment, Segments, SubscriptionId};
use postrider::store::{
    Dust, Ending, Evidence, Houses, NewPerson, NewSubscription, NewSuppression, PersonProfile, Whom,
};
use serde_json::{Value, json};

use super::*;

const DAY: SignedDuration = SignedDuration::from_hours(24);

struct Somebody {
    name: &'static str,
    attributes: Value,
    tags: &'static [&'static str],
    choice: Choice,
    days: i64,
}

fn choice(cadence: Cadence, topics: &[&str], language: Option<&str>) -> Choice {
    Choice {
        topics: topics.iter().copied().collect(),
        language: language.map(str::to_owned),
        ..Choice::of(cadence)
    }
}

fn people() -> Vec<Somebody> {
    vec![
        Somebody {
            name: "ann",
            attributes: json!({"city": "Kiel", "age": 42, "vip": true, "likes": ["tea", "code"], "home": {"zip": "24103"}}),
            tags: &["vip", "it's"],
            choice: choice(Cadence::Daily, &["making"], Some("de")),
            days: 5,
        },
        Somebody {
            name: "bob",
            attributes: json!({"city": "Lübeck", "age": "17", "vip": "false", "likes": "tea", "zip": "01234"}),
            tags: &[],
            choice: choice(Cadence::Weekly, &["looking", "making"], None),
            days: 50,
        },
        Somebody {
            name: "cy",
            attributes: json!({}),
            tags: &["early"],
            choice: choice(Cadence::Daily, &[], None),
            days: 500,
        },
        Somebody {
            name: "di",
            attributes: json!({"age": 18.5, "city": "'; DROP TABLE subscribers; --", "vip": null, "n": "1e999"}),
            tags: &["vip"],
            choice: choice(Cadence::Instant, &["looking"], Some("fr")),
            days: 0,
        },
    ]
}

/// As an import writes them.
async fn write(store: &Store, people: &[Somebody]) {
    let profiles: Vec<PersonProfile> = people
        .iter()
        .map(|it| PersonProfile {
            name: it.name.to_uppercase(),
            attributes: it.attributes.as_object().unwrap().clone(),
            tags: it.tags.iter().map(|&tag| tag.to_owned()).collect(),
        })
        .collect();
    let addresses: Vec<_> = people.iter().map(|it| address(it.name)).collect();
    let keys: Vec<_> = addresses.iter().map(EmailAddress::key).collect();
    let consents: Vec<_> = people
        .iter()
        .map(|it| Evidence {
            kind: "imported".to_owned(),
            at: NOW - DAY * i32::try_from(it.days).unwrap(),
            address: "192.0.2.1".to_owned(),
            form: "x.csv".to_owned(),
            statement: "They said \"yes\"".to_owned(),
        })
        .collect();
    let rows: Vec<_> = (0..people.len())
        .map(|at| NewPerson {
            address: addresses[at].as_str(),
            key: &keys[at],
            profile: &profiles[at],
            created_at: consents[at].at,
        })
        .collect();
    let subscriptions: Vec<_> = (0..people.len())
        .map(|at| NewSubscription {
            key: &keys[at],
            newsletter: "weekly",
            choice: &people[at].choice,
            state: SubscriptionState::Active,
            source: "import:x.csv",
            created_at: consents[at].at,
            confirmed_at: Some(consents[at].at).filter(|_| at != 2),
            ended_at: None,
            end_reason: "",
            paused_until: None,
            consents: std::slice::from_ref(&consents[at]),
        })
        .collect();
    let mut tx = store.write().await.unwrap();
    tx.write_people(&rows).await.unwrap();
    tx.write_subscriptions(&subscriptions, "import:x.csv", NOW).await.unwrap();
    tx.commit().await.unwrap();
}

async fn meant(store: &Store, expression: &str) -> String {
    let segment = Segment::parse(expression, &Segments::new()).unwrap();
    let houses = Houses::from([("weekly".to_owned(), "en".to_owned())]);
    let segments = [&segment];
    let whom = Whom { newsletter: Some("weekly"), segments: &segments, houses: &houses, now: NOW };
    let mut tx = store.read().await.unwrap();
    let rows = tx.subscribers_page(whom, ("", ""), 100).await.unwrap();
    let counted: i64 =
        tx.count_subscribers(whom).await.unwrap().iter().map(|count| count.subscriptions).sum();
    assert_eq!(usize::try_from(counted).unwrap(), rows.len());
    let names: Vec<_> = rows.iter().map(|row| row.address.split('@').next().unwrap()).collect();
    names.join(" ")
}

#[tokio::test]
async fn a_segment_means_the_same_people_on_either_engine() {
    let table = [
        ("true", "ann bob cy di"),
        ("false", ""),
        ("'vip' in tags", "ann di"),
        ("\"it's\" in tags", "ann"),
        ("'vip' not in tags", "bob cy"),
        ("attributes.city == 'Kiel'", "ann"),
        ("attributes.city != 'Kiel'", "bob cy di"),
        ("attributes.city in ['Kiel', 'Lübeck']", "ann bob"),
        ("attributes.city is defined", "ann bob di"),
        ("attributes.city is undefined", "cy"),
        ("attributes.city == \"'; DROP TABLE subscribers; --\"", "di"),
        ("attributes.age >= 18", "ann di"),
        ("attributes.age < 18", "bob"),
        ("attributes.age == 42", "ann"),
        ("not attributes.age >= 18", "bob cy"),
        ("18 < attributes.age < 40", "di"),
        ("attributes.n > 1", ""),
        ("attributes.zip == '01234'", "bob"),
        ("attributes.zip > 1", ""),
        ("attributes.home.zip == '24103'", "ann"),
        ("attributes.vip", "ann"),
        ("attributes.vip == false", "bob"),
        ("attributes.vip is defined", "ann bob"),
        ("'tea' in attributes.likes", "ann bob"),
        ("'code' in attributes.likes", "ann"),
        ("attributes.city > 'L'", "bob"),
        ("'making' in topics", "ann bob cy"),
        ("'looking' in topics and 'making' in topics", "bob cy"),
        ("language == 'en'", "bob cy"),
        ("language in ['de', 'fr']", "ann di"),
        ("cadence == 'daily'", "ann cy"),
        ("cadence == 'daily' or cadence == 'instant'", "ann cy di"),
        ("days < 30", "ann di"),
        ("days >= 50", "bob cy"),
        ("signed_up > '2026-11-01'", "ann di"),
        ("confirmed < '2030-01-01'", "ann bob di"),
        (
            "source == 'import:x.csv' and state == 'active' and newsletter == 'weekly'",
            "ann bob cy di",
        ),
        ("'@EXAMPLE.org' in email", "ann bob cy di"),
        ("email == 'ANN@example.org'", "ann"),
        ("name == 'ANN' or 'b' in name", "ann bob"),
        ("timezone == ''", "ann bob cy di"),
    ];
    for engine in Engine::all() {
        let database = engine.database().await;
        let store = database.open(NOW).await;
        write(&store, &people()).await;
        for (expression, names) in table {
            assert_eq!(meant(&store, expression).await, names, "{expression} on {engine:?}");
        }
        let long = vec!["attributes.age > 1"; 90].join(" or ");
        assert_eq!(meant(&store, &long).await, "ann bob di", "{engine:?}");
        let deep = format!("{}days > 1", "not ".repeat(90));
        assert_eq!(meant(&store, &deep).await, "ann bob cy", "{engine:?}");
    }
}

#[tokio::test]
async fn what_was_written_at_once_is_read_back() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let store = database.open(NOW).await;
        write(&store, &people()).await;
        let mut tx = store.write().await.unwrap();
        let ann = address("ann");
        let found = tx.dossier(&ann, store.keyring(), NOW).await.unwrap();
        assert_eq!(found.person.unwrap().attributes["likes"], json!(["tea", "code"]), "{engine:?}");
        assert_eq!(found.subscriptions[0].consents[0].statement, "They said \"yes\"");
        assert_eq!(found.subscriptions[0].consents[0].at, NOW - DAY * 5);
        assert_eq!(found.events[0].kind, "subscription.added");
        let id = tx.subscriptions_of(&ann, None).await.unwrap()[0].id;
        tx.end_all(
            &[Ending { id: id.0, at: NOW.as_microsecond(), reason: "too much" }],
            ("import:y.csv", NOW),
        )
        .await
        .unwrap();
        let hash = store.keyring().address_hash(&address("bob"));
        let gone =
            NewSuppression { key: "bob@example.org", hash: &hash, reason: "import: bounced" };
        tx.suppress_all(&[gone.clone(), gone], NOW).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(subscribe(&store, "bob").await, Added::Suppressed);
        assert!(matches!(subscribe(&store, "ann").await, Added::HasLeft(_)));
    }
}

async fn erase(store: &Store, name: &str) -> bool {
    let mut tx = store.write().await.unwrap();
    let known = tx.erase(&address(name), store.keyring(), ("test", NOW)).await.unwrap();
    tx.commit().await.unwrap();
    known
}

#[tokio::test]
async fn what_went_to_a_former_address_is_forgotten_with_its_owner_and_nothing_else_is() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let store = database.open(NOW).await;
        let Added::Subscribed(id) = subscribe(&store, "here").await else { panic!() };
        let mut tx = store.write().await.unwrap();
        let own = tx.subscription(id).await.unwrap().unwrap().subscriber;
        let (here, there, elsewhere) = (address("here"), address("there"), address("elsewhere"));
        let letter = |to, owner| NewLetter {
            kind: "address",
            owner,
            address: to,
            newsletter: "weekly",
            content: "{}",
            channel: "mail:weekly",
        };
        // A confirmation, and the mail that asks the new address.
        tx.plan_letter(&letter(&here, None), NOW).await.unwrap();
        tx.plan_letter(&letter(&there, Some(own)), NOW).await.unwrap();
        tx.move_to_address(own, &there, NOW).await.unwrap();
        // What the old one is told; and somebody else, whom they asked once, has a mail of their own.
        tx.plan_letter(&letter(&here, Some(own)), NOW).await.unwrap();
        tx.ask_address((own, &elsewhere), "a token", (NOW, NOW + DAY)).await.unwrap();
        tx.plan_letter(&letter(&elsewhere, None), NOW).await.unwrap();
        tx.commit().await.unwrap();
        erase(&store, "there").await;
        let filter = DeliveryFilter { limit: 10, ..DeliveryFilter::default() };
        let mut tx = store.read().await.unwrap();
        let mut found = tx.deliveries(filter).await.unwrap();
        found.sort_by_key(|row| row.id.0);
        let states: Vec<_> = found.iter().map(|row| row.state).collect();
        let (gone, stays) = (DeliveryState::Cancelled, DeliveryState::Planned);
        assert_eq!(states, [gone, gone, gone, stays], "{engine:?}");
        for letter in 1..=3 {
            assert_eq!(tx.letter_content(LetterId(letter)).await.unwrap(), None, "{engine:?}");
        }
        assert!(tx.letter_content(LetterId(4)).await.unwrap().is_some(), "{engine:?}");
    }
}

#[tokio::test]
async fn who_is_erased_leaves_a_hash_and_no_number_to_anybody() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let store = database.open(NOW).await;
        subscribe(&store, "ann").await;
        let Added::Subscribed(bob) = subscribe(&store, "bob").await else { panic!() };
        wants_to_move(&store, "ann", "bob2").await;
        seal(&store, "urn:1").await;
        let claimed = claim(&store, "one", NOW).await.unwrap();
        let ids = due(&store, &claimed, NOW).await;
        assert!(erase(&store, "bob").await, "{engine:?}");
        let still_asked = async |name: &str| {
            let mut tx = store.read().await.unwrap();
            tx.address_change(&format!("ann to {name}"), NOW).await.unwrap().is_some()
        };
        assert!(still_asked("bob2").await);
        erase(&store, "bob2").await;
        assert!(!still_asked("bob2").await, "{engine:?}: the address is kept in a wish");
        assert!(!erase(&store, "nobody").await);
        let refused = intend(&store, &claimed, ids[1]).await;
        assert_eq!(refused, Err(IntentRefusal::RecipientLeft), "what was planned does not go out");
        let mut tx = store.read().await.unwrap();
        let known = tx.dossier(&address("bob"), store.keyring(), NOW).await.unwrap();
        assert_eq!(known.suppression.as_deref(), Some("erased"));
        assert!(
            known.person.is_none() && known.subscriptions.is_empty() && known.events.is_empty()
        );
        drop(tx);
        assert_eq!(subscribe(&store, "bob").await, Added::Suppressed);
        // The links in old mails name the subscription.
        let Added::Subscribed(cy) = subscribe(&store, "cy").await else { panic!() };
        assert!(cy.0 > bob.0, "{engine:?}: the number of somebody erased is given away");
        erase(&store, "dan").await;
        erase(&store, "cy").await;
        let Added::Subscribed(eve) = subscribe(&store, "eve").await else { panic!() };
        assert!(eve.0 > cy.0);
        assert_eq!(meant(&store, "true").await, "ann eve");
    }
}

async fn wants_to_move(store: &Store, name: &str, to: &str) {
    let mut tx = store.write().await.unwrap();
    let own = tx.subscriptions_of(&address(name), None).await.unwrap()[0].subscriber;
    tx.ask_address((own, &address(to)), &format!("{name} to {to}"), (NOW, NOW + DAY * 2))
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

async fn ask(store: &Store, name: &str, at: Timestamp) -> SubscriptionId {
    let wish = AddSubscriber {
        address: &address(name),
        newsletter: "weekly",
        choice: &Choice::of(Cadence::Daily),
        state: SubscriptionState::Pending,
        source: "form",
    };
    let mut tx = store.write().await.unwrap();
    let Added::Subscribed(id) = tx.add_subscriber(&wish, store.keyring(), at).await.unwrap() else {
        panic!()
    };
    tx.add_confirmation(id, name, at, at + DAY).await.unwrap();
    tx.commit().await.unwrap();
    id
}

async fn sweep(store: &Store, dust: Dust, before: Timestamp) -> u64 {
    let mut all = 0;
    loop {
        let mut tx = store.write().await.unwrap();
        let swept = tx.sweep(dust, before).await.unwrap();
        tx.commit().await.unwrap();
        if swept == 0 {
            return all;
        }
        all += swept;
    }
}

#[tokio::test]
async fn what_nobody_confirmed_is_forgotten_and_a_no_is_not() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let store = database.open(NOW).await;
        let Added::Subscribed(left) = subscribe(&store, "left").await else { panic!() };
        let mut tx = store.write().await.unwrap();
        tx.unsubscribe(left, "link", NOW).await.unwrap();
        tx.commit().await.unwrap();
        ask(&store, "left", NOW).await;
        ask(&store, "old", NOW).await;
        ask(&store, "young", NOW + DAY * 29).await;
        assert_eq!(sweep(&store, Dust::Pending, NOW + DAY).await, 2, "{engine:?}");
        let mut tx = store.read().await.unwrap();
        assert_eq!(tx.subscriptions_of(&address("old"), None).await.unwrap(), []);
        let known = tx.subscriptions_of(&address("left"), None).await.unwrap();
        assert_eq!(known[0].state, SubscriptionState::Unsubscribed);
        let known = tx.subscriptions_of(&address("young"), None).await.unwrap();
        assert_eq!(known[0].state, SubscriptionState::Pending);
        drop(tx);
        assert!(matches!(subscribe(&store, "left").await, Added::HasLeft(_)));
        assert!(matches!(subscribe(&store, "old").await, Added::Subscribed(_)), "as somebody new");
    }
}

#[tokio::test]
async fn what_is_over_is_swept_away_and_the_rest_stays() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let store = database.open(NOW).await;
        write(&store, &people()).await;
        let mut tx = store.write().await.unwrap();
        let id = tx.subscriptions_of(&address("ann"), None).await.unwrap()[0].id;
        tx.unsubscribe(id, "link", NOW).await.unwrap();
        tx.commit().await.unwrap();
        ask(&store, "eve", NOW).await;
        wants_to_move(&store, "bob", "new").await;
        for dust in [
            Dust::Events,
            Dust::Consents,
            Dust::Confirmations,
            Dust::AddressChanges,
            Dust::Attempts,
            Dust::Letters,
        ] {
            assert_eq!(sweep(&store, dust, NOW - DAY).await, 0, "{dust:?}");
        }
        assert_eq!(sweep(&store, Dust::AddressChanges, NOW + DAY).await, 0, "can be used still");
        assert_eq!(sweep(&store, Dust::AddressChanges, NOW + DAY * 3).await, 1);
        assert_eq!(
            sweep(&store, Dust::Consents, NOW + DAY).await,
            1,
            "{engine:?}: of the one who left"
        );
        assert_eq!(sweep(&store, Dust::Confirmations, NOW + DAY * 2).await, 1);
        assert_eq!(sweep(&store, Dust::Events, NOW + DAY).await, 6);
        assert_eq!(meant(&store, "true").await, "ann bob cy di eve");
    }
}
