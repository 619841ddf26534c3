//! The cursor against a store of a few rows.

use std::sync::Mutex;

use vedette_engine::Alert;

use super::*;

/// A store with so many alerts, in this epoch, of which every third was folded.
fn reader(folder: &Path, epoch: &'static str, last: u64) -> Reader {
    let (_, newest) = watch::channel(last);
    let ask = move |query: Query| {
        let rows: Vec<Row> = (query.after + 1..=last)
            .filter(|seq| !seq.is_multiple_of(3))
            .take(query.limit)
            .map(|seq| Row { seq, alert: alert(seq) })
            .collect();
        let upto = if rows.len() < query.limit { last } else { rows.last().map_or(last, |row| row.seq) };
        query.answer.send(Ok(Rows { epoch: epoch.to_owned(), rows, upto, anew: false })).is_ok()
    };
    Reader::new(Arc::new(ask), newest, folder)
}

fn alert(number: u64) -> Alert {
    let text = format!(
        r#"{{"id":"{number:016x}","rev":1,"dedup_key":"x","mode":"actual","severity":"high","kind":"entry","state":"raised",
"confidence":0.9,"first_seen":0,"last_seen":0,"expires_at":0,"erase_at":0,"text":"x"}}"#
    );
    serde_json::from_str(&text).expect("an alert")
}

async fn read_all(outbox: &mut Outbox) -> Vec<u64> {
    let mut seen = Vec::new();
    loop {
        let rows = outbox.read().await.expect("rows");
        if rows.rows.is_empty() {
            outbox.done(rows.upto);
            outbox.save().await;
            return seen;
        }
        for row in rows.rows {
            seen.push(row.seq);
            outbox.done(row.seq);
        }
    }
}

#[tokio::test]
async fn every_row_comes_once_also_over_a_restart_and_folded_ones_are_passed_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut outbox = reader(folder.path(), "a", 200).open("tak");
    let expected: Vec<u64> = (1..=200).filter(|seq| seq % 3 != 0).collect();
    assert_eq!(read_all(&mut outbox).await, expected);
    let mut again = reader(folder.path(), "a", 203).open("tak");
    assert_eq!(read_all(&mut again).await, [202, 203]);
    let mut other = reader(folder.path(), "a", 203).open("other");
    assert_eq!(read_all(&mut other).await.len(), 136, "a sink has a cursor of its own");
}

#[tokio::test]
async fn a_new_store_is_read_from_its_beginning() {
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(read_all(&mut reader(folder.path(), "a", 50).open("tak")).await.len(), 34);
    assert_eq!(read_all(&mut reader(folder.path(), "b", 4).open("tak")).await, [1, 2, 4]);
}

#[tokio::test]
async fn a_damaged_cursor_means_the_beginning() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("sink-tak.cursor"), b"{\"epoch\":7").expect("written");
    assert_eq!(read_all(&mut reader(folder.path(), "a", 2).open("tak")).await, [1, 2]);
}

#[tokio::test]
async fn waiting_ends_when_something_is_committed_and_a_store_that_fails_is_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let (newest, seen) = watch::channel(0);
    let asked = Arc::new(Mutex::new(0));
    let count = Arc::clone(&asked);
    let ask = move |query: Query| {
        *count.lock().expect("no panic") += 1;
        query.answer.send(Err("disk".to_owned())).is_ok()
    };
    let mut outbox = Reader::new(Arc::new(ask), seen, folder.path()).open("tak");
    let waiting = tokio::time::timeout(std::time::Duration::from_millis(50), outbox.changed()).await;
    assert!(waiting.is_err(), "nothing was committed");
    newest.send(5).expect("somebody listens");
    outbox.changed().await;
    assert_eq!(outbox.read().await.expect_err("the store fails").to_string(), "store: disk");
    assert_eq!(*asked.lock().expect("no panic"), 1);
}
