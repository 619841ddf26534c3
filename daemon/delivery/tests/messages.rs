//! The messages as they are written: a change of a snapshot is a change of the protocol.

#![expect(clippy::unwrap_used, reason = "a test that cannot set itself up has failed")]

mod common;

use insta::assert_snapshot;
use vedette_delivery::engine::{Command, Severity};
use vedette_delivery::message::{self, VERSION};
use vedette_delivery::{Ack, Answer, Envelope, EnvelopeHead, Epoch, Order, Ranges, Status, Void, VoidReason};

fn text<T: serde::Serialize>(message: &T) -> String {
    String::from_utf8(message::write(message)).unwrap()
}

fn epoch() -> Epoch {
    Epoch("5f1c".to_owned())
}

fn ranges(pairs: &[(u64, u64)]) -> Ranges {
    let mut ranges = Ranges::new();
    for &(first, last) in pairs {
        ranges.insert_range(first, last);
    }
    ranges
}

#[test]
fn messages_are_written_like_this() {
    let envelope = Envelope { v: VERSION, epoch: epoch(), seq: 7, alert: common::alert("a1", 1, Severity::Critical) };
    assert_snapshot!("alert", text(&envelope));
    let void = Void { v: VERSION, epoch: epoch(), ranges: ranges(&[(3, 4), (9, 9)]), why: VoidReason::Folded };
    assert_snapshot!("void", text(&void));
    let settled = ranges(&[(1, 40), (43, 43)]);
    assert_snapshot!("ack", text(&Ack::new(epoch(), &settled, &Ranges::new(), 0)));
    let status = Status {
        online: true,
        epoch: Some(epoch()),
        last: 43,
        waiting: 2,
        dropped: 1,
        at: Some(common::start()),
        ..Status::offline()
    };
    assert_snapshot!("status", text(&status));
    assert_snapshot!("last_will", text(&Status::offline()));
    let command: Command =
        serde_json::from_str(r#"{"id":"c1","by":"operator-3","act":{"act":"acknowledge","alert":"a1"}}"#).unwrap();
    assert_snapshot!("command", text(&Order { v: VERSION, command, expires_at: common::start() }));
    let answer = Answer { v: VERSION, id: "c1".to_owned(), done: true, detail: "acknowledged".to_owned() };
    assert_snapshot!("answer", text(&answer));
}

#[test]
fn a_later_version_is_still_read_where_it_can_be() {
    let ack = Ack::read(br#"{"v":2,"epoch":"e","upto":4,"mood":"good"}"#).unwrap();
    assert_eq!((ack.upto, ack.ranges.is_empty(), ack.partial), (4, true, false));
    let void = Void::read(br#"{"v":2,"epoch":"e","ranges":[[1,2]],"why":"eaten"}"#).unwrap();
    assert_eq!(void.why, VoidReason::Unknown);
    let unknown_kind = br#"{"v":3,"epoch":"e","seq":9,"alert":{"kind":"earthquake"}}"#;
    assert_eq!(EnvelopeHead::read(unknown_kind).unwrap().seq, 9);
    assert!(Envelope::read(unknown_kind).is_err());
}

#[test]
fn wrong_messages_say_what_is_wrong() {
    let error = Ack::read(b"{\"v\":1}").unwrap_err();
    assert!(error.to_string().starts_with("ack message of 7 bytes: missing field `epoch`"), "{error}");
    let error = EnvelopeHead::read(br#"{"v":1,"epoch":"e","seq":0}"#).unwrap_err();
    assert_eq!(error.to_string(), "alert message with sequence number 0, expected 1 or more");
    let error = Status::read(&vec![b' '; message::MAX_BYTES + 1]).unwrap_err();
    assert!(error.to_string().contains("expected at most 262144"), "{error}");
}

#[test]
fn an_acknowledgement_with_too_many_ranges_speaks_of_the_recent_ones_and_of_one_span() {
    let settled: Ranges = (1..=1000).map(|n| n * 2).collect();
    let recent = ranges(&[(1500, 1503)]);
    let ack = Ack::new(epoch(), &settled, &recent, 0);
    assert_eq!((ack.partial, ack.about), (true, Some((1, 33))));
    let expected = (1..=16).map(|n| n * 2).chain([1500, 1502]);
    assert_eq!(ack.ranges.numbers().collect::<Vec<_>>(), expected.collect::<Vec<_>>());
    assert!(text(&ack).len() < 300);
}

proptest::proptest! {
    #[test]
    fn acknowledgements_in_parts_say_everything_in_one_round_and_nothing_wrong(
        settled in proptest::collection::btree_set(1_u64..400, 80..300),
        recent in proptest::collection::btree_set(1_u64..400, 0..20),
    ) {
        let settled: Ranges = settled.into_iter().collect();
        let recent: Ranges = recent.into_iter().collect();
        let (mut told, mut from) = (Ranges::new(), 0);
        for _ in 0..40 {
            let ack = Ack::new(epoch(), &settled, &recent, from);
            proptest::prop_assert!(text(&ack).len() <= 1024);
            let covered = ack.covered();
            proptest::prop_assert!(covered.numbers().all(|n| settled.contains(n)));
            let (first, last) = ack.span().unwrap();
            proptest::prop_assert!((first..=last.min(400)).all(|n| covered.contains(n) == settled.contains(n)));
            told.insert_range(first, last);
            from = last.saturating_add(1);
        }
        told.extend(&Ack::new(epoch(), &settled, &recent, 0).covered());
        proptest::prop_assert_eq!(told.iter().collect::<Vec<_>>(), [(1, u64::MAX)]);
    }
}
