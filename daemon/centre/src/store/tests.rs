//! The ledger's file against the ledger in memory, over kills.

use proptest::prelude::*;
use vedette_delivery::engine::Timestamp;
use vedette_delivery::ledger::{
    Entry, GatewayRecord, LedgerChanges, LedgerRestart, LedgerStore, MemoryLedger, VoidEntry,
};
use vedette_delivery::{Epoch, GatewayId, Ranges, Verdict, VoidReason};

use super::SqliteLedger;

#[derive(Clone, Debug)]
enum Step {
    Entries {
        gateway: u8,
        seqs: Vec<u64>,
        at: i64,
    },
    Void {
        gateway: u8,
        first: u64,
        length: u64,
    },
    Heard {
        gateway: u8,
        at: i64,
    },
    Announced,
    Erase {
        before: i64,
    },
    /// The process dies: the handle goes without being closed properly.
    Kill,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0_u8..3, prop::collection::vec(1_u64..50, 1..5), 0_i64..100)
            .prop_map(|(gateway, seqs, at)| Step::Entries { gateway, seqs, at }),
        1 => (0_u8..3, 1_u64..50, 0_u64..5).prop_map(|(gateway, first, length)| Step::Void { gateway, first, length }),
        1 => (0_u8..3, 0_i64..100).prop_map(|(gateway, at)| Step::Heard { gateway, at }),
        1 => Just(Step::Announced),
        1 => (0_i64..100).prop_map(|before| Step::Erase { before }),
        2 => Just(Step::Kill),
    ]
}

fn gateway(n: u8) -> GatewayId {
    GatewayId::new(format!("gate-{n}")).unwrap()
}

fn epoch(n: u8) -> Epoch {
    Epoch(format!("epoch-{}", n % 2))
}

fn changes(step: Step, restart: &LedgerRestart) -> LedgerChanges {
    match step {
        Step::Entries { gateway: n, seqs, at } => {
            let entry = |(line, seq): (u64, u64)| Entry {
                n: line,
                gateway: gateway(n),
                epoch: epoch(n),
                seq,
                received_at: Timestamp::from_seconds(at),
                verdict: Verdict::Signed { kid: format!("k{n}") },
                digest: line.to_be_bytes(),
                bytes: vec![1, 2, n],
            };
            LedgerChanges { entries: (restart.next_n..).zip(seqs).map(entry).collect(), ..LedgerChanges::default() }
        }
        Step::Void { gateway: n, first, length } => {
            let mut ranges = Ranges::new();
            ranges.insert_range(first, first + length);
            let void = VoidEntry { gateway: gateway(n), epoch: epoch(n), why: VoidReason::Folded, ranges };
            LedgerChanges { voids: vec![void], ..LedgerChanges::default() }
        }
        Step::Heard { gateway: n, at } => {
            let record = GatewayRecord {
                gateway: gateway(n),
                epoch: Some(epoch(n)),
                last: 7,
                heard_at: Timestamp::from_seconds(at),
                online: at % 2 == 0,
                silent: (at % 3 == 0).then(|| ("a".to_owned(), 2)),
                gap: None,
                audit: None,
            };
            LedgerChanges { gateways: vec![record], ..LedgerChanges::default() }
        }
        Step::Announced => LedgerChanges { announced: Some(restart.next_n - 1), ..LedgerChanges::default() },
        Step::Erase { before } => {
            LedgerChanges { erase_before: Some(Timestamp::from_seconds(before)), ..LedgerChanges::default() }
        }
        Step::Kill => LedgerChanges::default(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn behaves_like_the_ledger_in_memory(steps in prop::collection::vec(step(), 1..25)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        let mut ledger = SqliteLedger::new(&path);
        ledger.restart().unwrap();
        let mut model = MemoryLedger::new();
        let mut killed = Vec::new();
        for step in steps {
            let kill = matches!(step, Step::Kill);
            let changes = changes(step, &model.restart().unwrap());
            ledger.commit(&changes).unwrap();
            model.commit(&changes).unwrap();
            if kill {
                killed.push(std::mem::replace(&mut ledger, SqliteLedger::new(&path)));
                prop_assert_eq!(ledger.restart().unwrap(), model.restart().unwrap());
            }
        }
        for n in 0..3 {
            for seq in 1..50 {
                prop_assert_eq!(
                    ledger.digest(&gateway(n), &epoch(n), seq).unwrap(),
                    model.digest(&gateway(n), &epoch(n), seq).unwrap()
                );
            }
        }
        prop_assert_eq!(ledger.restart().unwrap(), model.restart().unwrap());
        let kept: Vec<Entry> = model.entries().iter().filter(|entry| !entry.bytes.is_empty()).cloned().collect();
        prop_assert_eq!(SqliteLedger::entries(&path, 1, 1000).unwrap(), kept);
    }
}

#[test]
fn a_ledger_of_a_later_version_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    rusqlite::Connection::open(&path).unwrap().pragma_update(None, "user_version", 9).unwrap();
    let error = SqliteLedger::new(&path).restart().unwrap_err();
    assert!(error.to_string().contains("schema version 9"), "{error}");
}

fn entries(ledger: &mut SqliteLedger, count: u64, text: &str) {
    let next = ledger.restart().unwrap().next_n;
    let entry = |n: u64| Entry {
        n,
        gateway: gateway(1),
        epoch: epoch(1),
        seq: n,
        received_at: Timestamp::from_seconds(100),
        verdict: Verdict::Unsigned,
        digest: n.to_be_bytes(),
        bytes: format!("{text} number {n} {}", "x".repeat(200)).into_bytes(),
    };
    let entries = (next..next + count).map(entry).collect();
    ledger.commit(&LedgerChanges { entries, ..LedgerChanges::default() }).unwrap();
}

/// Bytes of the file and whatever lies beside it.
fn on_disk(path: &std::path::Path) -> Vec<u8> {
    let files = std::fs::read_dir(path.parent().unwrap()).unwrap();
    files.flat_map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect()
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn what_is_erased_is_gone_from_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let mut ledger = SqliteLedger::new(&path);
    entries(&mut ledger, 200, "a person near the ford");
    assert!(holds(&on_disk(&path), "near the ford"));
    assert_eq!(ledger.received_before(Timestamp::from_seconds(101)).unwrap(), 200);
    let erase_before = Some(Timestamp::from_seconds(101));
    ledger.commit(&LedgerChanges { erase_before, ..LedgerChanges::default() }).unwrap();
    assert!(!holds(&on_disk(&path), "near the ford"));
    assert_eq!(ledger.received_before(Timestamp::from_seconds(101)).unwrap(), 0);
}

/// Files of the first version have freed pages that still hold what was erased.
#[test]
fn a_file_of_before_is_cleaned_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let old = rusqlite::Connection::open(&path).unwrap();
    old.execute_batch(super::STEPS[0]).unwrap();
    old.execute_batch("PRAGMA secure_delete = OFF; PRAGMA user_version = 1").unwrap();
    for n in 1..=200_i64 {
        let text = format!("a person near the ford {}", "x".repeat(200));
        let insert = "INSERT INTO entry VALUES (?1, 'gate-1', 'e', ?1, 0, '\"unsigned\"', x'0011223344556677', ?2)";
        old.execute(insert, rusqlite::params![n, text.into_bytes()]).unwrap();
    }
    old.execute("UPDATE entry SET bytes = NULL", []).unwrap();
    drop(old);
    assert!(holds(&on_disk(&path), "near the ford"));
    let mut ledger = SqliteLedger::new(&path);
    assert_eq!(ledger.restart().unwrap().next_n, 201);
    entries(&mut ledger, 1, "another");
    drop(ledger);
    assert!(!holds(&on_disk(&path), "near the ford"));
}

#[test]
fn a_new_ledger_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    entries(&mut SqliteLedger::new(&path), 1, "a");
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let file = file.unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", file.path());
    }
}

#[test]
fn a_ledger_that_everybody_could_read_is_for_its_owner_alone_once_it_was_opened() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let set = |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    for (before, after) in [(0o644, 0o600), (0o666, 0o600), (0o660, 0o660), (0o600, 0o600)] {
        SqliteLedger::new(&path).restart().unwrap();
        set(before);
        let mut ledger = SqliteLedger::new(&path);
        ledger.restart().unwrap();
        for file in std::fs::read_dir(folder.path()).unwrap().map(Result::unwrap) {
            assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, after, "{file:?}, {before:o}");
        }
    }
    // What is no file is left alone.
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    SqliteLedger::new(folder.path()).restart().unwrap_err();
    assert_eq!(std::fs::metadata(folder.path()).unwrap().permissions().mode() & 0o777, 0o755);
}

#[test]
fn a_damaged_ledger_is_put_aside_and_what_can_be_read_of_it_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let mut ledger = SqliteLedger::new(&path);
    entries(&mut ledger, 300, "an alert");
    drop(ledger);
    let mut bytes = std::fs::read(&path).unwrap();
    // The last pages hold entries and indices; the tables before them can still be read.
    let from = bytes.len() - 4 * 4096;
    bytes[from..].fill(0x5a);
    std::fs::write(&path, &bytes).unwrap();
    let mut ledger = SqliteLedger::new(&path);
    let restart = ledger.restart().unwrap();
    let damage = ledger.take_damage().expect("it is told");
    assert!(damage.contains("kept as") && damage.contains("alerts"), "{damage}");
    assert!(ledger.take_damage().is_none(), "once");
    assert!(folder.path().join("ledger.db.damaged-1").exists());
    let kept = SqliteLedger::entries(&path, 1, 1000).unwrap();
    assert!(!kept.is_empty() && restart.next_n > kept.len() as u64, "{} kept, {damage}", kept.len());
    entries(&mut ledger, 1, "it goes on");

    // Not a database at all.
    drop(ledger);
    std::fs::write(&path, "not a ledger ".repeat(1000)).unwrap();
    let mut ledger = SqliteLedger::new(&path);
    assert_eq!(ledger.restart().unwrap().next_n, 1);
    assert!(ledger.take_damage().unwrap().contains("0 alerts"));
    assert!(folder.path().join("ledger.db.damaged-2").exists());

    // They hold what is to be erased some day.
    let (day, first) = (std::time::Duration::from_secs(86_400), folder.path().join("ledger.db.damaged-1"));
    let file = std::fs::File::options().write(true).open(&first).unwrap();
    file.set_modified(std::time::SystemTime::now() - 91 * day).unwrap();
    let told = ledger.delete_damaged(90 * day);
    assert!(told.len() == 1 && told[0].ends_with("ledger.db.damaged-1 deleted"), "{told:?}");
    assert!(!first.exists() && folder.path().join("ledger.db.damaged-2").exists() && path.exists());
}
