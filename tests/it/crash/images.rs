//! The power goes: what is left is the database as it was at some moment, and of what was being written any part.
//!
//! The daemon is stopped (SIGSTOP) twice, a moment apart. What the mail server has at the first stop rests on commits that
//! were synced before it. Whatever was written to the WAL between the two stops may be cut at any byte: no disk owes us
//! those writes. A disk that loses what it called synced is not in this story.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use postrider::config::StoreUrl;
use postrider::domain::DeliveryState;
use postrider::store::{DeliveryFilter, Store};
use sqlx::{Connection as _, SqliteConnection};
use tempfile::TempDir;

use super::rig::{Dice, Rig, Setting};
use crate::harness::daemon::{Daemon, configuration, project, smtp, until};
use crate::harness::engine::Engine;
use crate::harness::sink::{Rules, Sink, Taken};

const READERS: usize = 1_000;
const STOPS: usize = 12;
/// Images of one stop, each cut elsewhere.
const CUTS: u64 = 6;
/// One stop in so many is followed to the end by a daemon of its own.
const FOLLOWED: usize = 4;
/// Bytes before the first frame of a WAL, and of a frame before its page (sqlite.org/fileformat.html, section 4).
const WAL_HEADER: usize = 32;
const FRAME_HEADER: usize = 24;

/// The files of a database.
struct Image {
    main: Vec<u8>,
    wal: Vec<u8>,
}

impl Image {
    fn of(database: &Path) -> Self {
        let wal = std::fs::read(database.with_file_name("postrider.db-wal"));
        let main = std::fs::read(database).expect("there is a database");
        Self { main, wal: wal.unwrap_or_default() }
    }

    /// Where the last whole frame of this WAL ends.
    fn wal_end(&self) -> usize {
        let word = |at: usize| {
            let bytes = self.wal.get(at..at + 4)?;
            Some(u32::from_be_bytes(bytes.try_into().expect("four bytes")))
        };
        let Some(page_size) = word(8) else { return 0 };
        let frame = FRAME_HEADER + usize::try_from(page_size).expect("pages are small");
        let salts = (word(16), word(20));
        let mut end = WAL_HEADER;
        // Behind it are frames of an earlier round, with other salts.
        while end + frame <= self.wal.len() && (word(end + 8), word(end + 12)) == salts {
            end += frame;
        }
        end
    }

    /// Whether `later` is the same round of the WAL, written on.
    fn goes_on_in(&self, later: &Self) -> bool {
        let end = self.wal_end();
        end > 0 && later.wal_end() >= end && self.wal[..end] == later.wal[..end]
    }

    /// Writes the files to `folder`, the WAL only as far as `cut`.
    fn write(&self, folder: &Path, cut: usize) -> StoreUrl {
        let path = folder.join("postrider.db");
        std::fs::write(&path, &self.main).expect("a file can be written");
        std::fs::write(path.with_file_name("postrider.db-wal"), &self.wal[..cut])
            .expect("a file can be written");
        StoreUrl::Sqlite(path)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_left_when_the_power_goes_knows_of_every_mail_that_is_out() {
    let mut dice = Dice::new(12);
    let mut rig = Rig::new(Setting { engine: Engine::Sqlite, readers: READERS, more: "" }).await;
    let daemon = rig.start();
    let mut stops = 0;
    while stops < STOPS {
        while rig.owed() < rig.done() + READERS / 2 {
            rig.publish();
        }
        rig.mails(rig.done() + 20).await;
        daemon.pause().await;
        let (early, taken) = (Image::of(file(&rig)), everything_on_its_way(&rig).await);
        daemon.signal("CONT").await;
        tokio::time::sleep(Duration::from_millis(dice.below(8))).await;
        daemon.pause().await;
        let late = Image::of(file(&rig));
        daemon.signal("CONT").await;
        if !early.goes_on_in(&late) {
            continue; // A checkpoint came in between; the next pair is as good.
        }
        stops += 1;
        let (least, most) = (early.wal_end(), late.wal_end());
        for _ in 0..CUTS {
            let cut =
                least + usize::try_from(dice.below((most - least) as u64 + 1)).expect("small");
            knows_of(&late, cut, &taken).await;
        }
        if stops.is_multiple_of(FOLLOWED) {
            goes_on(&early, least, (&taken, &rig.folder().join("posts"))).await;
        }
    }
    daemon.kill().await;
}

fn file(rig: &Rig) -> &Path {
    rig.database.file().expect("SQLite has a file")
}

/// What the mail server has, once it has read what was sent before the stop.
async fn everything_on_its_way(rig: &Rig) -> Vec<Taken> {
    let mut before = usize::MAX;
    while before != rig.done() {
        before = rig.done();
        tokio::time::sleep(Duration::from_millis(15)).await;
    }
    rig.sink.taken()
}

/// The database opens, is whole, and of each mail that is out it knows at least that it was about to go.
async fn knows_of(image: &Image, cut: usize, taken: &[Taken]) {
    let folder = TempDir::new().expect("a temporary folder");
    let url = image.write(folder.path(), cut);
    let store = Store::open(&url, Timestamp::UNIX_EPOCH).await.expect("it opens");
    let states = states(&store).await;
    for mail in taken {
        let state = states.get(&mail.message_id);
        let knows = matches!(
            state,
            Some(DeliveryState::Sending | DeliveryState::Accepted | DeliveryState::Uncertain)
        );
        assert!(knows, "cut at {cut}: {mail:?} is out, and it is {state:?}");
    }
    store.close().await;
    let path = format!("sqlite:{}", folder.path().join("postrider.db").display());
    let mut connection = SqliteConnection::connect(&path).await.expect("it opens");
    let verdict: String = sqlx::query_scalar("PRAGMA integrity_check")
        .fetch_one(&mut connection)
        .await
        .expect("it can be checked");
    assert_eq!(verdict, "ok", "cut at {cut}");
    connection.close().await.expect("it closes");
}

/// Where each delivery stands, by Message-ID.
async fn states(store: &Store) -> HashMap<String, DeliveryState> {
    let filter = DeliveryFilter { limit: 1_000_000, ..DeliveryFilter::default() };
    let mut tx = store.read().await.expect("the database answers");
    let rows = tx.deliveries(filter).await.expect("the database answers");
    let key = |id| format!("{}@example.org", store.keyring().delivery_key(id));
    rows.into_iter().map(|row| (key(row.id), row.state)).collect()
}

/// A daemon that starts on the image sends what is left, and again only what was in doubt.
async fn goes_on(image: &Image, cut: usize, (taken, posts): (&[Taken], &Path)) {
    let sink = Sink::start(Rules { keep: true, ..Rules::default() }).await;
    let folder = TempDir::new().expect("a temporary folder");
    let url = image.write(folder.path(), cut);
    let text = format!("sqlite:{}", folder.path().join("postrider.db").display());
    let project = project(&configuration(&text, &smtp(sink.address, 8)));
    // What is gone is not sent any more.
    for post in std::fs::read_dir(posts).expect("there are posts").flatten() {
        let copy = project.path().join("posts").join(post.file_name());
        std::fs::copy(post.path(), copy).expect("a file can be copied");
    }
    let before = Store::open(&url, Timestamp::UNIX_EPOCH).await.expect("it opens");
    let found = states(&before).await;
    // An image is a copy, which waits for a person; the database that it stands for would not.
    before.recognise(Timestamp::UNIX_EPOCH).await.expect("the database answers");
    let mut tx = before.write().await.expect("the database answers");
    assert!(tx.lift_fence("resume", Timestamp::UNIX_EPOCH).await.expect("the database answers"));
    tx.commit().await.expect("the database answers");
    before.close().await;
    let daemon = Daemon::start(project.path());
    let store = Store::open(&url, Timestamp::UNIX_EPOCH).await.expect("it opens");
    until("the end of what the image knows of", async || {
        states(&store).await.values().all(|state| *state == DeliveryState::Accepted)
    })
    .await;
    assert_eq!(daemon.terminate().await, Some(0));
    store.close().await;
    let went_out: Vec<String> = sink.taken().into_iter().map(|mail| mail.message_id).collect();
    for (message_id, state) in &found {
        let again = went_out.iter().filter(|id| *id == message_id).count();
        let before = taken.iter().filter(|mail| mail.message_id == *message_id).count();
        match state {
            DeliveryState::Accepted => assert_eq!((before, again), (1, 0), "{message_id}"),
            DeliveryState::Sending => assert_eq!(again, 1, "{message_id}"),
            _ => assert_eq!((before, again), (0, 1), "{message_id} was {state:?}"),
        }
    }
}
