//! The people of a story: who subscribes, chooses, changes their mind, and reads.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use postrider::clock::Clock as _;
use postrider::domain::{Cadence, Choice, EmailAddress, SubscriptionState};
use postrider::store::{AddSubscriber, Added};

use super::world::{World, files};

impl World {
    pub(crate) async fn subscriber(&self, address: &str, cadence: Cadence) -> Added {
        self.chooses(address, Choice::of(cadence)).await
    }

    /// Somebody subscribes, and chooses.
    pub(crate) async fn chooses(&self, address: &str, choice: Choice) -> Added {
        let address: EmailAddress = address.parse().expect("an address");
        let wish = AddSubscriber {
            address: &address,
            newsletter: "weekly",
            choice: &choice,
            state: SubscriptionState::Active,
            source: "story",
        };
        let mut tx = self.store.write().await.expect("the database answers");
        let added = tx
            .add_subscriber(&wish, self.store.keyring(), self.clock.now())
            .await
            .expect("the database answers");
        tx.commit().await.expect("the database answers");
        added
    }

    /// A subscriber chooses otherwise.
    pub(crate) async fn changes(&self, address: &str, choice: Choice) {
        let address: EmailAddress = address.parse().expect("an address");
        let mut tx = self.store.write().await.expect("the database answers");
        let known = tx.subscriptions_of(&address, None).await.expect("the database answers");
        let id = known.first().expect("a subscription").id;
        tx.change_choice(id, &choice, "story", self.clock.now()).await.expect("it can be changed");
        tx.commit().await.expect("the database answers");
    }

    /// A subscriber wants no mail until then.
    pub(crate) async fn pauses(&self, address: &str, until: &str) {
        let address: EmailAddress = address.parse().expect("an address");
        let until = until.parse().expect("an instant");
        let mut tx = self.store.write().await.expect("the database answers");
        let known = tx.subscriptions_of(&address, None).await.expect("the database answers");
        let id = known.first().expect("a subscription").id;
        let by = ("story", self.clock.now());
        tx.pause(id, Some(until), by).await.expect("it can be changed");
        tx.commit().await.expect("the database answers");
    }

    /// A newcomer follows the link in the mail, and presses the button.
    pub(crate) async fn confirms(&self, address: &str) {
        let path = self
            .eventually("a mail that asks", async || {
                let mails = self.outbox_texts();
                let (_, text) = mails
                    .into_iter()
                    .find(|(to, text)| to == address && text.contains("/confirm/"))?;
                let path = text.split_once("http://127.0.0.1:8080/confirm/")?.1;
                Some(format!("/confirm/{}", path.split_whitespace().next()?))
            })
            .await;
        let request = Request::post(&path).body(Body::empty()).expect("a request");
        let answer = self.asks(request).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    }

    /// Mails in the outbox: whom to, and subject and text.
    pub(crate) fn outbox_texts(&self) -> Vec<(String, String)> {
        let mails = files(&self.path("var/outbox/mail")).into_iter().map(|path| {
            let bytes = std::fs::read(path).expect("the outbox is readable");
            let mail = mail_parser::MessageParser::default().parse(&bytes).expect("a mail");
            let to = mail.to().and_then(|to| to.first()).and_then(|to| to.address());
            let text = mail.body_text(0).unwrap_or_default().into_owned();
            let said = format!("{}\n{text}", mail.subject().unwrap_or_default());
            (to.unwrap_or_default().to_owned(), said)
        });
        mails.collect()
    }
}
