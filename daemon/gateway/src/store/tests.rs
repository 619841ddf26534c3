//! The store against the one in memory, over kills, old files, full disks and damaged files.

use proptest::prelude::*;
use rusqlite::Connection;
use vedette_delivery::memory::MemoryStore;
use vedette_delivery::store::{Changes, JournalEntry, OutboxRow, Restart, RowHead, Store, StoreError, Window};
use vedette_delivery::{Epoch, Ranges, VoidReason, audit};
use vedette_engine::{AuditRecord, Severity, Timestamp};

use super::{SqliteStore, StoreLimits, read_audit, schema};

fn limits() -> StoreLimits {
    StoreLimits { reserve_bytes: 8192, ..StoreLimits::default() }
}

fn row(seq: u64, length: usize) -> OutboxRow {
    let severities = [Severity::Info, Severity::Low, Severity::Medium, Severity::High, Severity::Critical];
    let head = RowHead {
        seq,
        priority: severities[usize::try_from(seq % 5).unwrap()],
        place: seq.saturating_sub(seq % 3).max(1),
        alert: format!("alert-{}", seq % 7),
        rev: 1 + u32::try_from(seq % 4).unwrap(),
        reserved: seq.is_multiple_of(11),
        length: u32::try_from(length).unwrap(),
    };
    OutboxRow { head, bytes: vec![u8::try_from(seq % 251).unwrap(); length] }
}

fn ranges(pairs: &[(u64, u64)]) -> Ranges {
    let mut ranges = Ranges::new();
    for &(first, length) in pairs {
        ranges.insert_range(first, first + length);
    }
    ranges
}

fn same(left: &Restart, right: &Restart) -> Result<(), TestCaseError> {
    let voids = |restart: &Restart| -> Vec<_> {
        restart.void.iter().filter(|(_, ranges)| !ranges.is_empty()).cloned().collect()
    };
    prop_assert_eq!(voids(left), voids(right));
    prop_assert_eq!(
        Restart { epoch: Epoch(String::new()), void: vec![], ..left.clone() },
        Restart { epoch: Epoch(String::new()), void: vec![], ..right.clone() }
    );
    Ok(())
}

#[derive(Clone, Debug)]
enum Step {
    Insert {
        rows: u64,
        length: usize,
        void: u64,
    },
    Remove(Vec<(u64, u64)>),
    Acked {
        at: i64,
        pairs: Vec<(u64, u64)>,
    },
    Unacked(Vec<(u64, u64)>),
    Erase {
        before: i64,
    },
    Journal {
        node: u32,
        snapshot: bool,
    },
    Audit,
    /// The process dies: the handle goes without being closed properly.
    Kill,
}

fn step() -> impl Strategy<Value = Step> {
    let pairs = || prop::collection::vec((1_u64..40, 0_u64..6), 1..3);
    prop_oneof![
        4 => (1_u64..5, 1_usize..300, 0_u64..3).prop_map(|(rows, length, void)| Step::Insert { rows, length, void }),
        1 => pairs().prop_map(Step::Remove),
        3 => (0_i64..100, pairs()).prop_map(|(at, pairs)| Step::Acked { at, pairs }),
        1 => pairs().prop_map(Step::Unacked),
        1 => (0_i64..100).prop_map(|before| Step::Erase { before }),
        2 => (0_u32..3, any::<bool>()).prop_map(|(node, snapshot)| Step::Journal { node, snapshot }),
        1 => Just(Step::Audit),
        2 => Just(Step::Kill),
    ]
}

fn changes(step: Step, batch: u64, restart: &Restart) -> Changes {
    let next = restart.next_seq;
    let base = Changes { batch: Some(batch), ..Changes::default() };
    match step {
        Step::Insert { rows, length, void } => {
            let mut void_ranges = Ranges::new();
            void_ranges.insert_range(next + rows, next + rows + void);
            let why = if void.is_multiple_of(2) { VoidReason::Dropped } else { VoidReason::Folded };
            let insert = (next..next + rows).map(|seq| row(seq, length)).collect();
            Changes { insert, void: vec![(why, void_ranges)], ..base }
        }
        Step::Remove(pairs) => Changes { remove: ranges(&pairs), ..base },
        Step::Acked { at, pairs } => Changes { acked: Some((Timestamp::from_seconds(at), ranges(&pairs))), ..base },
        Step::Unacked(pairs) => Changes { unacked: ranges(&pairs), ..base },
        Step::Erase { before } => Changes { erase_acked_before: Some(Timestamp::from_seconds(before)), ..base },
        Step::Journal { node, snapshot } => Changes {
            windows: vec![Window { node, state: batch.to_be_bytes().to_vec() }],
            journal: vec![JournalEntry {
                now: Timestamp::from_seconds(5),
                input: batch.to_be_bytes().to_vec(),
                whole: node > 0,
            }],
            snapshot: snapshot.then(|| vec![7; 100]),
            config: (snapshot && node > 0).then(|| batch.to_be_bytes().to_vec()),
            ..base
        },
        Step::Audit => {
            let at = Timestamp::from_seconds(9);
            let record = AuditRecord { at, by: "a".into(), act: "b".into(), detail: batch.to_string() };
            Changes { audit: vec![audit::append(restart.audit_head.as_ref(), &record)], ..base }
        }
        Step::Kill => base,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn behaves_like_the_store_in_memory(steps in prop::collection::vec(step(), 1..30)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let mut store = SqliteStore::new(&path, limits());
        store.restart().unwrap();
        let mut model = MemoryStore::new(Epoch("model".to_owned()));
        let mut killed = Vec::new();
        for (batch, step) in (1..).zip(steps) {
            let kill = matches!(step, Step::Kill);
            let changes = changes(step, batch, &model.restart().unwrap());
            store.commit(&changes).unwrap();
            model.commit(&changes).unwrap();
            if kill {
                killed.push(std::mem::replace(&mut store, SqliteStore::new(&path, limits())));
                same(&store.restart().unwrap(), &model.restart().unwrap())?;
            }
        }
        prop_assert_eq!(store.heads(3, 60, 10).unwrap(), model.heads(3, 60, 10).unwrap());
        for seq in 0..60 {
            prop_assert_eq!(store.read(seq).unwrap(), model.read(seq).unwrap());
        }
        same(&store.restart().unwrap(), &model.restart().unwrap())?;
        let log = read_audit(&path, 0, 10_000).unwrap();
        let mut verifier = audit::Verifier::against(model.audit().last().map(audit::Anchor::from).into_iter().collect());
        log.iter().try_for_each(|line| verifier.check(line)).unwrap();
        verifier.finish().unwrap();
        prop_assert_eq!(&log, model.audit());
    }
}

#[test]
fn a_file_of_every_older_version_migrates() {
    for version in 1..schema::VERSION {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let mut old = Connection::open(&path).unwrap();
        schema::migrate_to(&mut old, "old", version).unwrap();
        old.execute_batch(
            "INSERT INTO outbox (seq, priority, place, alert, rev, bytes) VALUES (1, 4, 1, 'a', 1, x'0102');
             INSERT INTO outbox (seq, priority, place, alert, rev, bytes, acked_at) VALUES (2, 0, 2, 'b', 1, x'03', 5);
             INSERT INTO void VALUES (3, 4, 'folded');
             UPDATE meta SET value = 5 WHERE key = 'next_seq';",
        )
        .unwrap();
        let epoch: String = old.query_row("SELECT value FROM meta WHERE key = 'epoch'", [], |row| row.get(0)).unwrap();
        drop(old);
        let mut store = SqliteStore::new(&path, limits());
        let restart = store.restart().unwrap();
        assert_eq!(restart.epoch, Epoch(epoch));
        assert_eq!(restart.next_seq, 5);
        assert_eq!(restart.waiting.len(), 1);
        assert_eq!(restart.waiting[0].priority, Severity::Critical);
        assert_eq!(restart.void, [(VoidReason::Folded, ranges(&[(3, 1)]))]);
        assert_eq!(store.read(2).unwrap(), Some(vec![3]));
        store.commit(&Changes { insert: vec![row(5, 10)], ..Changes::default() }).unwrap();
        assert_eq!(store.restart().unwrap().waiting.len(), 2);
    }
}

#[test]
fn a_file_of_a_later_version_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let later = Connection::open(&path).unwrap();
    later.pragma_update(None, "user_version", schema::VERSION + 1).unwrap();
    drop(later);
    let error = SqliteStore::new(&path, limits()).restart().unwrap_err();
    assert!(matches!(error, StoreError::Version { got, .. } if got == schema::VERSION + 1), "{error}");
}

#[test]
fn a_full_file_says_so_and_takes_what_makes_room() {
    let folder = tempfile::tempdir().unwrap();
    let small = StoreLimits { max_file_bytes: 256 << 10, ..limits() };
    let mut store = SqliteStore::new(folder.path().join("store.db"), small);
    store.restart().unwrap();
    let reserve = folder.path().join("store.db-reserve");
    assert_eq!(std::fs::metadata(&reserve).unwrap().len(), 8192);
    let mut seq = 0;
    let error = loop {
        seq += 1;
        assert!(seq < 1000, "the file has no bound");
        match store.commit(&Changes { insert: vec![row(seq, 4000)], ..Changes::default() }) {
            Ok(()) => {}
            Err(error) => break error,
        }
    };
    assert!(matches!(error, StoreError::Full { what: "commit", .. }), "{error}");
    assert!(!reserve.exists(), "the reserve is spent first");
    let making_room = Changes { remove: ranges(&[(1, 9)]), insert: vec![row(seq, 4000)], ..Changes::default() };
    store.commit(&making_room).unwrap();
    let waiting = store.restart().unwrap().waiting;
    assert_eq!(waiting.len() as u64, seq - 10);
    assert!(reserve.exists(), "the reserve is laid down again");
}

#[test]
fn a_damaged_file_is_reported_and_put_aside() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let mut store = SqliteStore::new(&path, limits());
    let first = store.restart().unwrap().epoch;
    drop(store);
    std::fs::write(&path, b"this is no database, it is far too short and wrong".repeat(200)).unwrap();
    let mut store = SqliteStore::new(&path, limits());
    let error = store.restart().unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
    let aside = store.set_aside().unwrap();
    assert!(aside.exists());
    assert_ne!(store.restart().unwrap().epoch, first, "a new store has a new epoch");
}

#[test]
fn after_a_failure_only_a_restart_helps() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = SqliteStore::new(folder.path().join("store.db"), limits());
    store.restart().unwrap();
    store.commit(&Changes { insert: vec![row(1, 10)], ..Changes::default() }).unwrap();
    // The same number twice violates the primary key: a failure of the transaction.
    let error = store.commit(&Changes { insert: vec![row(2, 10), row(1, 10)], ..Changes::default() }).unwrap_err();
    assert!(matches!(error, StoreError::Failed { .. }), "{error}");
    let error = store.read(1).unwrap_err();
    assert!(error.to_string().contains("restart"), "{error}");
    assert_eq!(store.restart().unwrap().waiting.len(), 1, "nothing of a failed transaction remains");
}

/// What is written to a file that has no name any more is lost with the process.
#[test]
fn a_file_that_is_taken_away_is_noticed_and_read_once_more() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let mut store = SqliteStore::new(&path, limits());
    store.restart().unwrap();
    store.commit(&Changes { insert: vec![row(1, 10)], audit: vec![line(None)], ..Changes::default() }).unwrap();
    std::fs::rename(&path, folder.path().join("elsewhere.db")).unwrap();
    let error = store.commit(&Changes { insert: vec![row(2, 10)], ..Changes::default() }).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
    let salvage = store.take_orphan().unwrap();
    assert_eq!((salvage.envelopes.len(), salvage.audit.len()), (1, 1));

    store.restart().unwrap();
    assert_eq!(store.adopt_audit(&salvage.audit).unwrap(), 1);
    store.restart().unwrap();
    store.commit(&Changes { audit: vec![line(salvage.audit.last())], ..Changes::default() }).unwrap();
    let mut verifier = audit::Verifier::new();
    let log = read_audit(&path, 0, 10).unwrap();
    log.iter().for_each(|entry| verifier.check(entry).unwrap());
    assert_eq!(log.len(), 2, "the log goes on");
}

#[test]
fn a_store_that_everybody_could_read_is_for_its_owner_alone_once_it_was_opened() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let set = |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    for (before, after) in [(0o644, 0o600), (0o666, 0o600), (0o660, 0o660), (0o600, 0o600)] {
        SqliteStore::new(&path, limits()).restart().unwrap();
        set(before);
        let mut store = SqliteStore::new(&path, limits());
        store.restart().unwrap();
        for file in std::fs::read_dir(folder.path()).unwrap().map(Result::unwrap) {
            let name = file.file_name().to_string_lossy().into_owned();
            if !name.ends_with("-reserve") {
                assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, after, "{name}, {before:o}");
            }
        }
    }
    // What is no file is left alone.
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    SqliteStore::new(folder.path(), limits()).restart().unwrap_err();
    assert_eq!(std::fs::metadata(folder.path()).unwrap().permissions().mode() & 0o777, 0o755);
}

#[test]
fn a_store_belongs_to_one_process() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let mut first = SqliteStore::new(&path, limits());
    first.lock().unwrap();
    let error = SqliteStore::new(&path, limits()).lock().unwrap_err();
    assert!(error.to_string().contains("another process works on this store"), "{error}");
    drop(first);
    SqliteStore::new(&path, limits()).lock().unwrap();
}

fn line(last: Option<&audit::AuditEntry>) -> audit::AuditEntry {
    let (by, act, detail) = ("test".to_owned(), "act".to_owned(), "detail".to_owned());
    audit::append(last, &AuditRecord { at: Timestamp::from_seconds(1), by, act, detail })
}

#[test]
fn an_alert_that_has_had_its_time_is_gone_from_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = SqliteStore::new(folder.path().join("store.db"), limits());
    store.restart().unwrap();
    let text = b"a person near the ford";
    let insert = (1..=60).map(|seq| OutboxRow { bytes: text.repeat(20), ..row(seq, 440) }).collect();
    store.commit(&Changes { insert, ..Changes::default() }).unwrap();
    store.checkpoint().unwrap();
    let on_disk = || {
        let files = std::fs::read_dir(folder.path()).unwrap();
        let bytes: Vec<u8> = files.flat_map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect();
        bytes.windows(text.len()).any(|window| window == text)
    };
    assert!(on_disk());
    let at = Timestamp::from_seconds(10);
    store.commit(&Changes { acked: Some((at, ranges(&[(1, 59)]))), ..Changes::default() }).unwrap();
    let erase_acked_before = Some(at.plus_seconds(1.0));
    store.commit(&Changes { erase_acked_before, ..Changes::default() }).unwrap();
    store.checkpoint().unwrap();
    assert!(!on_disk());
}
