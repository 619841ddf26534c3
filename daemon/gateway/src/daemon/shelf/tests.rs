//! From memory back to a file that is small, and files that are damaged anywhere.

use std::collections::{BTreeSet, VecDeque};

use proptest::prelude::*;
use vedette_delivery::GatewayId;
use vedette_delivery::uplink::{Action, Event, Receipt, Report};
use vedette_engine::{Alert, AlertKind, Headline, Severity};

use super::*;
use crate::store::StoreLimits;

const SMALL_BYTES: u64 = 4 << 20;

fn alert(n: u32, severity: Severity) -> Alert {
    let now = Timestamp::from_seconds(1);
    let (id, dedup_key, text) = (format!("alert-{n}"), format!("key-{n}"), "somebody ".repeat(100));
    Alert::raised(Headline { id, dedup_key, kind: AlertKind::Test, severity, first_seen: now, last_seen: now, text })
}

fn record(n: u32) -> AuditRecord {
    let detail = format!("{n} {}", "something ".repeat(20));
    AuditRecord { at: Timestamp::from_seconds(1), by: "somebody".into(), act: "act".into(), detail }
}

fn commit(shelf: &mut Shelf, uplink: &mut Uplink, batch: Batch) -> Committed {
    let sealed = uplink.seal(batch);
    uplink.commit(Timestamp::from_seconds(2), shelf, &sealed).unwrap()
}

/// A shelf that was opened while its file could not be made, and now can.
fn in_memory(folder: &Path) -> (Shelf, Uplink) {
    let blocked = folder.join("blocked");
    std::fs::write(&blocked, "no folder").unwrap();
    let path = blocked.join("gateway.sqlite");
    let mut config = UplinkConfig::new(GatewayId::new("gate-1").unwrap());
    config.limits.max_bytes = SMALL_BYTES / 2;
    let limits = StoreLimits { max_file_bytes: SMALL_BYTES, ..StoreLimits::default() };
    let file = SqliteStore::new(&path, limits);
    let (shelf, uplink, _) = Shelf::open(file, path, config, Timestamp::from_seconds(1)).unwrap();
    assert!(shelf.trouble().is_some());
    std::fs::remove_file(&blocked).unwrap();
    std::fs::create_dir(&blocked).unwrap();
    (shelf, uplink)
}

#[test]
fn more_than_a_small_file_takes_at_once_goes_back_in_parts() {
    let folder = tempfile::tempdir().unwrap();
    let (mut shelf, mut uplink) = in_memory(folder.path());
    for tens in 0..300 {
        let severity = if tens < 20 { Severity::Critical } else { Severity::Low };
        let alerts = (0..10).map(|n| alert(10 * tens + n, severity)).collect();
        let audit = (0..40).map(|n| record(40 * tens + n)).collect();
        commit(&mut shelf, &mut uplink, Batch { alerts, audit, ..Batch::default() });
    }
    let state = Window { node: 7, state: vec![7] };
    let batch = Batch { windows: vec![state.clone()], snapshot: Some(vec![1; 100_000]), ..Batch::default() };
    let Returned { mut uplink, mut committed, mut rest } =
        shelf.go_back(Timestamp::from_seconds(3), &mut uplink, &batch).unwrap();
    assert!(shelf.restart().unwrap().windows.is_empty(), "radio is safe only with all that it led to");
    let last = rest.pop().unwrap();
    assert_eq!((last.windows.as_slice(), &last.snapshot), ([state].as_slice(), &batch.snapshot));
    for part in rest.into_iter().chain([last]) {
        let also = commit(&mut shelf, &mut uplink, part);
        committed.dropped += also.dropped;
    }
    assert!(committed.dropped > 0, "a full store drops, and says how many");
    let restart = shelf.restart().unwrap();
    let critical = restart.waiting.iter().filter(|head| head.priority == Severity::Critical).count();
    assert_eq!((critical, restart.engine.snapshot.map_or(0, |bytes| bytes.len())), (200, 100_000));
    let audit = crate::store::read_audit(&shelf.path, 0, 1).unwrap();
    let first = String::from_utf8_lossy(&audit[0].record).into_owned();
    assert!(first.contains("audit_shortened") && first.contains("lines of the time without a usable store"), "{first}");
}

#[test]
fn little_goes_back_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (mut shelf, mut uplink) = in_memory(folder.path());
    let (alerts, audit) = (vec![alert(1, Severity::Low)], vec![record(1)]);
    commit(&mut shelf, &mut uplink, Batch { alerts, audit, ..Batch::default() });
    let batch = Batch { windows: vec![Window { node: 7, state: vec![7] }], ..Batch::default() };
    let returned = shelf.go_back(Timestamp::from_seconds(3), &mut uplink, &batch).unwrap();
    let restart = shelf.restart().unwrap();
    assert_eq!((returned.rest.len(), restart.waiting.len(), restart.windows.len()), (0, 1, 1));
}

#[test]
fn the_revisions_of_an_alert_stay_together_and_the_most_severe_go_first() {
    let mut alerts: Vec<Alert> = (0..200).map(|n| alert(n, Severity::Low)).collect();
    alerts.push(Alert { rev: 2, severity: Severity::High, ..alert(150, Severity::High) });
    let parts = parts::parts(Batch { alerts, ..Batch::default() });
    let first: Vec<_> = parts[0].alerts.iter().take(2).map(|alert| (alert.id.as_str(), alert.rev)).collect();
    assert_eq!(first, [("alert-150", 1), ("alert-150", 2)]);
    assert_eq!(parts.iter().map(|part| part.alerts.len()).sum::<usize>(), 201);
}

fn on_file(path: &Path) -> (Shelf, Uplink) {
    let config = UplinkConfig::new(GatewayId::new("gate-1").unwrap());
    let file = SqliteStore::new(path, StoreLimits { reserve_bytes: 0, ..StoreLimits::default() });
    let (shelf, uplink, _) = Shelf::open(file, path.to_path_buf(), config, Timestamp::from_seconds(1)).unwrap();
    (shelf, uplink)
}

/// A store in which 36 alerts wait, short ones and such as take several pages; their ids.
fn fill(path: &Path) -> BTreeSet<String> {
    let (mut shelf, mut uplink) = on_file(path);
    for part in 0..3 {
        let text = |n: u32| "somebody ".repeat(if n.is_multiple_of(4) { 1_000 } else { 20 });
        let alerts =
            (12 * part..12 * (part + 1)).map(|n| Alert { text: text(n), ..alert(n, Severity::High) }).collect();
        let audit = (0..20).map(record).collect();
        commit(&mut shelf, &mut uplink, Batch { alerts, audit, ..Batch::default() });
    }
    (0..36).map(|n| format!("alert-{n}")).collect()
}

/// The alerts that leave for a centre that acknowledges each, and the error that ends it.
fn send_all(shelf: &mut Shelf, uplink: &mut Uplink) -> (BTreeSet<String>, Option<StoreError>) {
    let (now, mut sent, mut actions) = (Timestamp::from_seconds(10), BTreeSet::new(), Vec::new());
    let granted = Event::Subscribed { granted: true };
    let mut events = VecDeque::from([Event::Tick, Event::Connected, granted.clone(), granted]);
    events.extend(std::iter::repeat_n(Event::Tick, 50));
    while let Some(event) = events.pop_front() {
        uplink.handle(now, shelf, event, &mut actions);
        for action in actions.drain(..) {
            match action {
                Action::Publish(publication) => {
                    if let Ok(Envelope { epoch, seq, alert, .. }) = Envelope::read(&publication.payload) {
                        sent.insert(alert.id);
                        let payload = format!(r#"{{"v":1,"epoch":"{epoch}","upto":{seq}}}"#).into_bytes();
                        let (topic, properties) = ("vedette/v1/gate-1/ack".to_owned(), Vec::new());
                        events.push_front(Event::Message { topic, payload, properties });
                    }
                    events.push_front(Event::Receipt { id: publication.id, receipt: Receipt::Taken });
                }
                Action::Report(Report::Store(error)) => return (sent, Some(error)),
                _ => {}
            }
        }
    }
    (sent, None)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_a_damaged_file_loses_is_told(
        damage in prop::collection::vec((0usize..10_000, 0usize..4096, any::<bool>()), 0..4),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gateway.sqlite");
        let all = fill(&path);
        let mut bytes = std::fs::read(&path).unwrap();
        let pages = bytes.len() / 4096;
        for (page, from, erased) in &damage {
            // What flash gives for sectors that it has lost.
            let start = 4096 * (page % pages);
            bytes[start + from..start + 4096].fill(if *erased { 0xff } else { 0 });
        }
        std::fs::write(&path, bytes).unwrap();

        let (mut shelf, mut uplink) = on_file(&path);
        let mut told = shelf.take_fault().is_some() || shelf.trouble().is_some();
        let (mut have, error) = send_all(&mut shelf, &mut uplink);
        have.extend(shelf.take_owed().alerts.into_iter().map(|alert| alert.id));
        if let Some(error) = &error {
            shelf.take_refuge(error, false, Timestamp::from_seconds(11)).unwrap();
            shelf.open_file(Timestamp::from_seconds(12)).unwrap();
            told |= shelf.take_fault().is_some();
            have.extend(shelf.take_owed().alerts.into_iter().map(|alert| alert.id));
        }
        let lost: Vec<_> = all.difference(&have).collect();
        prop_assert!(told || lost.is_empty(), "{lost:?} are lost and nobody was told; {error:?}");
        prop_assert!(!damage.is_empty() || !told, "told without need: {error:?}");
    }
}
