//! The life of a store: the same changes every time, and the state after each of them.

use std::io::Write;
use std::path::Path;

use anyhow::bail;
use vedette_centre::SqliteLedger;
use vedette_delivery::ledger::{Entry, LedgerChanges, LedgerRestart, LedgerStore, MemoryLedger, digest};
use vedette_delivery::memory::MemoryStore;
use vedette_delivery::store::{Changes, JournalEntry, OutboxRow, Restart, RowHead, Store, Window};
use vedette_delivery::{Epoch, GatewayId, Ranges, Verdict, VoidReason};
use vedette_engine::{Severity, Timestamp};
use vedette_gateway::store::{SqliteStore, StoreLimits};

/// Commits of one workload.
const COMMITS: u64 = 400;

/// Which store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Outbox,
    Ledger,
}

impl Kind {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Outbox => "outbox",
            Self::Ledger => "ledger",
        }
    }

    pub(crate) fn parse(name: &str) -> anyhow::Result<Self> {
        match name {
            "outbox" => Ok(Self::Outbox),
            "ledger" => Ok(Self::Ledger),
            _ => bail!("{name:?}, expected outbox or ledger"),
        }
    }
}

/// All that a store holds.
#[derive(Debug, PartialEq)]
pub(crate) enum State {
    Outbox(Box<Restart>, Vec<Option<Vec<u8>>>),
    Ledger(LedgerRestart),
}

impl State {
    /// Of the file in a folder.
    pub(crate) fn of(kind: Kind, folder: &Path) -> anyhow::Result<Self> {
        Ok(match kind {
            Kind::Outbox => outbox(&mut SqliteStore::new(folder.join("store.sqlite"), limits()))?,
            Kind::Ledger => Self::Ledger(SqliteLedger::new(folder.join("ledger.sqlite")).restart()?),
        })
    }
}

fn outbox<S: Store>(store: &mut S) -> anyhow::Result<State> {
    let restart = store.restart()?;
    // Every file draws its own epoch.
    let void = restart.void.into_iter().filter(|(_, ranges)| !ranges.is_empty()).collect();
    let restart = Restart { epoch: Epoch(String::new()), void, ..restart };
    let bytes = restart.waiting.iter().map(|row| store.read(row.seq)).collect::<Result<_, _>>()?;
    Ok(State::Outbox(Box::new(restart), bytes))
}

const fn limits() -> StoreLimits {
    StoreLimits { max_file_bytes: 64 << 20, log_bytes: 64 << 10, reserve_bytes: 0 }
}

/// Does the changes, and says after each commit that it has returned.
pub(crate) fn run(kind: Kind, folder: &Path) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    let mut say = |count: u64| -> std::io::Result<()> {
        out.write_all(format!("committed {count}\n").as_bytes())?;
        out.flush()
    };
    match kind {
        Kind::Outbox => {
            let mut store = SqliteStore::new(folder.join("store.sqlite"), limits());
            store.restart()?;
            say(0)?;
            for n in 1..=COMMITS {
                store.commit(&outbox_changes(n))?;
                say(n)?;
                if n % 37 == 0 {
                    store.checkpoint()?;
                }
            }
        }
        Kind::Ledger => {
            let mut ledger = SqliteLedger::new(folder.join("ledger.sqlite"));
            ledger.restart()?;
            say(0)?;
            for n in 1..=COMMITS {
                ledger.commit(&ledger_changes(n)?)?;
                say(n)?;
            }
        }
    }
    Ok(())
}

/// The state after each number of commits, from none to all, by the stores in memory.
pub(crate) fn states(kind: Kind) -> Vec<State> {
    let mut states = Vec::new();
    match kind {
        Kind::Outbox => {
            let mut store = MemoryStore::new(Epoch(String::new()));
            states.extend(outbox(&mut store));
            for n in 1..=COMMITS {
                // The store in memory fails only when told to.
                drop(store.commit(&outbox_changes(n)));
                states.extend(outbox(&mut store));
            }
        }
        Kind::Ledger => {
            let mut ledger = MemoryLedger::new();
            states.extend(ledger.restart().map(State::Ledger));
            for n in 1..=COMMITS {
                drop(ledger_changes(n).map(|changes| ledger.commit(&changes)));
                states.extend(ledger.restart().map(State::Ledger));
            }
        }
    }
    states
}

fn one_range(first: u64, last: u64) -> Ranges {
    let mut ranges = Ranges::new();
    ranges.insert_range(first, last);
    ranges
}

/// Three rows and a void in each commit; what is ten commits old is acknowledged, what is forty old is erased.
fn outbox_changes(n: u64) -> Changes {
    let first = n * 4 - 3;
    let row = |seq: u64| {
        let length = 200 + usize::try_from(seq * 37 % 900).unwrap_or(0);
        let head = RowHead {
            seq,
            priority: if seq.is_multiple_of(5) { Severity::Critical } else { Severity::Medium },
            place: seq,
            alert: format!("alert-{seq}"),
            rev: 1,
            reserved: false,
            length: u32::try_from(length).unwrap_or(0),
        };
        OutboxRow { head, bytes: vec![u8::try_from(seq % 256).unwrap_or(0); length] }
    };
    let at = |n: u64| Timestamp::from_seconds(i64::try_from(n).unwrap_or(0));
    let old = n.saturating_sub(10);
    Changes {
        batch: Some(n),
        windows: vec![Window { node: u32::try_from(n % 5).unwrap_or(0), state: n.to_be_bytes().to_vec() }],
        journal: vec![JournalEntry { now: at(n), input: vec![1; 60], whole: true }],
        snapshot: n.is_multiple_of(25).then(|| vec![2; 3000]),
        insert: (first..first + 3).map(row).collect(),
        void: vec![(VoidReason::Folded, one_range(first + 3, first + 3))],
        acked: (old > 0).then(|| (at(n), one_range(old * 4 - 3, old * 4))),
        erase_acked_before: Some(at(n.saturating_sub(30))),
        ..Changes::default()
    }
}

fn ledger_changes(n: u64) -> anyhow::Result<LedgerChanges> {
    let gateway = GatewayId::new(format!("gate-{}", n % 3))?;
    let entry = |n: u64| -> Entry {
        let bytes = vec![u8::try_from(n % 256).unwrap_or(0); 900];
        Entry {
            n,
            gateway: gateway.clone(),
            epoch: Epoch("e".to_owned()),
            seq: n,
            received_at: Timestamp::from_seconds(i64::try_from(n).unwrap_or(0)),
            verdict: Verdict::Unsigned,
            digest: digest(&bytes),
            bytes,
        }
    };
    let first = n * 8 - 7;
    Ok(LedgerChanges {
        entries: (first..first + 8).map(entry).collect(),
        announced: Some(first.saturating_sub(20)),
        ..LedgerChanges::default()
    })
}
