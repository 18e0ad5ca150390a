//! The committer: groups, refusals, and what cannot be written.

use super::*;
use DeliveryState::{Accepted, Planned, Sending};

#[tokio::test]
async fn many_connections_share_commits_and_lose_nothing() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let store = database.open(NOW).await;
        for number in 0..60 {
            subscribe(&store, &format!("reader{number}")).await;
        }
        assert_eq!(seal(&store, "urn:1").await, 60);
        let claimed = claim(&store, "one", NOW).await.unwrap();
        let ids = due(&store, &claimed, NOW).await;
        let (ledger, entries) = Ledger::new();
        let committer =
            tokio::spawn(run_committer(store.clone(), entries, CancellationToken::new()));
        let mut tasks = tokio::task::JoinSet::new();
        for id in ids {
            let (ledger, claimed) = (ledger.clone(), claimed.clone());
            tasks.spawn(async move {
                let intent = vec![intent(&claimed, id)];
                let answers = ledger.step(vec![], intent.clone(), NOW).await;
                assert_eq!(answers, Ok(vec![(id, Ok(()))]));
                let accepted = Outcome::Accepted(reply(250));
                let done = Next::Final(DeliveryState::Accepted);
                let outcome = vec![recorded(&claimed, id, accepted, done)];
                assert_eq!(ledger.step(outcome, vec![], NOW).await, Ok(vec![]));
                let refused = Err(IntentRefusal::NotWaiting);
                assert_eq!(ledger.step(vec![], intent, NOW).await, Ok(vec![(id, refused)]));
            });
        }
        while let Some(done) = tasks.join_next().await {
            done.unwrap();
        }
        drop(ledger);
        committer.await.unwrap();
        assert_eq!(states(&store).await, [DeliveryState::Accepted; 60], "{engine:?}");
    }
}

/// A committer at work on `store`, and the deliveries of one batch.
struct Desk {
    ledger: Ledger,
    committer: tokio::task::JoinHandle<()>,
    claimed: Claimed,
    ids: Vec<DeliveryId>,
}

async fn desk(store: &Store, readers: usize) -> Desk {
    for number in 0..readers {
        subscribe(store, &format!("reader{number}")).await;
    }
    seal(store, "urn:1").await;
    let claimed = claim(store, "one", NOW).await.unwrap();
    let ids = due(store, &claimed, NOW).await;
    let (ledger, entries) = Ledger::new();
    let committer = tokio::spawn(run_committer(store.clone(), entries, CancellationToken::new()));
    Desk { ledger, committer, claimed, ids }
}

impl Desk {
    fn intent(&self, index: usize) -> IntentRequest {
        let delivery = self.ids[index];
        IntentRequest { lease: self.claimed.lease, delivery, content_version: Some(1) }
    }

    fn accepted(&self, index: usize, text: &str) -> Recorded {
        let reply = Reply { text: text.to_owned(), ..reply(250) };
        let done = Next::Final(DeliveryState::Accepted);
        recorded(&self.claimed, self.ids[index], Outcome::Accepted(reply), done)
    }

    async fn close(self) {
        drop(self.ledger);
        self.committer.await.unwrap();
    }
}

#[tokio::test]
async fn one_step_notes_the_last_outcome_and_the_next_intent() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let store = database.open(NOW).await;
        let desk = desk(&store, 3).await;
        let answers = desk.ledger.step(vec![], vec![desk.intent(0)], NOW).await.unwrap();
        assert_eq!(answers, [(desk.ids[0], Ok(()))], "{engine:?}");
        let intents = vec![desk.intent(1), desk.intent(0), desk.intent(1)];
        let answers = desk.ledger.step(vec![desk.accepted(0, "fine")], intents, NOW).await.unwrap();
        let refused = Err(IntentRefusal::NotWaiting);
        assert_eq!(
            answers,
            [(desk.ids[1], Ok(())), (desk.ids[0], refused), (desk.ids[1], refused)],
            "nothing goes out twice"
        );
        assert_eq!(states(&store).await, [Accepted, Sending, Planned]);
        let attempts = store.read().await.unwrap().attempts_of(desk.ids[0]).await.unwrap();
        assert_eq!((attempts.len(), attempts[0].reply.as_str()), (1, "fine"));
        desk.close().await;
    }
}

#[tokio::test]
async fn what_cannot_be_written_holds_nobody_up() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let store = database.open(NOW).await;
        let desk = desk(&store, 8).await;
        let intents = (0..8).map(|index| desk.intent(index)).collect();
        desk.ledger.step(vec![], intents, NOW).await.unwrap();
        let mut raw = Raw::open(&database).await;
        let poison = match engine {
            Engine::Sqlite => {
                "CREATE TRIGGER poison BEFORE INSERT ON attempts WHEN NEW.reply = 'poison' \
                 BEGIN SELECT RAISE(ABORT, 'poison'); END"
            }
            Engine::Postgres => "ALTER TABLE attempts ADD CHECK (reply <> 'poison')",
        };
        raw.run(poison).await.unwrap();
        let outcomes = (0..8).map(|index| {
            let text = if index == 3 { "poison" } else { "fine" };
            desk.ledger.step(vec![desk.accepted(index, text)], vec![], NOW)
        });
        for done in futures_util::future::join_all(outcomes).await {
            done.unwrap();
        }
        let mut expected = [DeliveryState::Accepted; 8];
        expected[3] = DeliveryState::Sending;
        assert_eq!(states(&store).await, expected, "{engine:?}");
        desk.close().await;
    }
}

#[tokio::test]
async fn while_the_database_is_away_intents_are_refused_and_outcomes_are_kept() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let store = database.open(NOW).await;
        let desk = desk(&store, 3).await;
        desk.ledger.step(vec![], vec![desk.intent(0)], NOW).await.unwrap();
        let mut raw = Raw::open(&database).await;
        raw.run("ALTER TABLE attempts RENAME TO attempts_away").await.unwrap();
        let kept = desk.ledger.step(vec![desk.accepted(0, "fine")], vec![desk.intent(1)], NOW);
        let refused = async {
            loop {
                // Until the committer has noticed, intents alone can be written.
                let answers = desk.ledger.step(vec![], vec![desk.intent(2)], NOW).await.unwrap();
                if answers == [(desk.ids[2], Err(IntentRefusal::Unavailable))] {
                    break;
                }
            }
            raw.run("ALTER TABLE attempts_away RENAME TO attempts").await.unwrap();
        };
        let (kept, ()) = tokio::join!(kept, refused);
        let refused = Err(IntentRefusal::Unavailable);
        assert_eq!(kept.unwrap(), [(desk.ids[1], refused)], "{engine:?}: it came too late");
        assert_eq!(states(&store).await[..2], [DeliveryState::Accepted, DeliveryState::Planned]);
        desk.close().await;
    }
}
