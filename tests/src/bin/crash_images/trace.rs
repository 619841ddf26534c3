//! What strace saw: writes and syncs in order; and the files a power cut would leave.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, bail};
use vedette_sim::random::Random;

/// Smallest unit a disk writes whole.
const SECTOR: usize = 512;

#[derive(Debug)]
enum Step {
    Write {
        file: String,
        offset: usize,
        bytes: Vec<u8>,
    },
    Truncate {
        file: String,
        length: usize,
    },
    Sync {
        file: String,
    },
    Unlink {
        file: String,
    },
    /// The workload says that this many commits have returned.
    Promise(usize),
}

/// A workload's steps.
pub(crate) struct Trace {
    steps: Vec<Step>,
    /// The steps before this one make the empty file; cuts come after.
    first: usize,
}

/// Where the power was cut.
pub(crate) struct Cut {
    pub(crate) at: usize,
    /// Commits that had returned.
    pub(crate) promised: usize,
    /// Whether anything was under way that did not survive whole.
    pub(crate) torn: bool,
}

impl Trace {
    /// Reads strace's file.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path)?;
        let mut open: BTreeMap<i32, String> = BTreeMap::new();
        let mut steps = Vec::new();
        for line in text.lines() {
            if let Some(step) = step(line, &mut open).with_context(|| line.chars().take(120).collect::<String>())? {
                steps.push(step);
            }
        }
        let first = steps.iter().position(|step| matches!(step, Step::Promise(0))).context("no commit was seen")?;
        Ok(Self { steps, first })
    }

    /// Writes the files as a power cut at a random moment would leave them.
    pub(crate) fn image(&self, folder: &Path, random: &mut Random) -> anyhow::Result<Cut> {
        let at = self.first + random.below(self.steps.len() - self.first);
        let mut files: BTreeMap<&str, Disk> = BTreeMap::new();
        let mut promised = 0;
        for step in &self.steps[..=at] {
            match step {
                Step::Write { file, offset, bytes } => {
                    files.entry(file).or_default().unsynced.push(Change::Write(*offset, bytes));
                }
                Step::Truncate { file, length } => {
                    files.entry(file).or_default().unsynced.push(Change::Truncate(*length));
                }
                Step::Sync { file } => files.entry(file).or_default().sync(),
                Step::Unlink { file } => drop(files.remove(file.as_str())),
                Step::Promise(count) => promised = *count,
            }
        }
        let mut torn = false;
        // Of one cut, either almost everything under way survives, or about half, or almost nothing.
        let survives = [0.05, 0.5, 0.95][random.below(3)];
        for (name, disk) in files {
            torn |= !disk.unsynced.is_empty();
            std::fs::write(folder.join(name), disk.cut(survives, random))?;
        }
        Ok(Cut { at, promised, torn })
    }
}

#[derive(Debug)]
enum Change<'a> {
    Write(usize, &'a [u8]),
    Truncate(usize),
}

#[derive(Debug, Default)]
struct Disk<'a> {
    synced: Vec<u8>,
    unsynced: Vec<Change<'a>>,
}

fn put(file: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    if file.len() < offset + bytes.len() {
        file.resize(offset + bytes.len(), 0);
    }
    file[offset..offset + bytes.len()].copy_from_slice(bytes);
}

impl Disk<'_> {
    fn sync(&mut self) {
        for change in std::mem::take(&mut self.unsynced) {
            match change {
                Change::Write(offset, bytes) => put(&mut self.synced, offset, bytes),
                Change::Truncate(length) => self.synced.resize(length, 0),
            }
        }
    }

    /// Each sector of each change since the last sync is there or not.
    fn cut(self, survives: f64, random: &mut Random) -> Vec<u8> {
        let mut file = self.synced;
        for change in self.unsynced {
            match change {
                Change::Truncate(length) => {
                    if random.chance(survives) {
                        file.resize(length, 0);
                    }
                }
                Change::Write(offset, bytes) => {
                    let mut begin = 0;
                    while begin < bytes.len() {
                        let end = (((offset + begin) / SECTOR + 1) * SECTOR - offset).min(bytes.len());
                        if random.chance(survives) {
                            put(&mut file, offset + begin, &bytes[begin..end]);
                        }
                        begin = end;
                    }
                }
            }
        }
        file
    }
}

/// One line of strace, such as `pwrite64(4, "\x53..", 4096, 0) = 4096`.
fn step(line: &str, open: &mut BTreeMap<i32, String>) -> anyhow::Result<Option<Step>> {
    let Some((call, rest)) = line.split_once('(') else { return Ok(None) };
    let Some((arguments, result)) = rest.rsplit_once(" = ") else { return Ok(None) };
    let result: i64 = result.split_whitespace().next().unwrap_or_default().parse().unwrap_or(-1);
    if result < 0 {
        return Ok(None);
    }
    let arguments = arguments.trim_end().trim_end_matches(')');
    let descriptor = || -> anyhow::Result<i32> { Ok(arguments.split(',').next().unwrap_or_default().trim().parse()?) };
    let text = || -> anyhow::Result<Vec<u8>> {
        let quoted = arguments.split('"').nth(1).context("no text")?;
        unescape(quoted)
    };
    let last_number =
        || -> anyhow::Result<usize> { Ok(arguments.rsplit(',').next().unwrap_or_default().trim().parse()?) };
    let file =
        |open: &BTreeMap<i32, String>| -> anyhow::Result<Option<String>> { Ok(open.get(&descriptor()?).cloned()) };
    match call {
        "openat" => {
            let path = String::from_utf8(text()?)?;
            let name = path.rsplit('/').next().unwrap_or_default();
            let ours = name.ends_with(".sqlite") || name.ends_with(".sqlite-wal");
            if ours {
                open.insert(i32::try_from(result)?, name.to_owned());
            } else {
                open.remove(&i32::try_from(result)?);
            }
            Ok(None)
        }
        "close" => {
            open.remove(&descriptor()?);
            Ok(None)
        }
        "pwrite64" => {
            let Some(file) = file(open)? else { return Ok(None) };
            let mut bytes = text()?;
            if bytes.len() as i64 != result {
                bail!("{} bytes in the trace, {result} written", bytes.len());
            }
            bytes.truncate(usize::try_from(result)?);
            Ok(Some(Step::Write { file, offset: last_number()?, bytes }))
        }
        "ftruncate" => {
            Ok(file(open)?.map(|file| last_number().map(|length| Step::Truncate { file, length })).transpose()?)
        }
        "fsync" | "fdatasync" => Ok(file(open)?.map(|file| Step::Sync { file })),
        "unlink" => {
            let path = String::from_utf8(text()?)?;
            Ok(Some(Step::Unlink { file: path.rsplit('/').next().unwrap_or_default().to_owned() }))
        }
        "write" if descriptor()? == 1 => {
            let words = String::from_utf8_lossy(&text()?).into_owned();
            let count = words.trim().strip_prefix("committed ").and_then(|number| number.parse().ok());
            Ok(count.map(Step::Promise))
        }
        _ => Ok(None),
    }
}

/// `\x53\x51` as bytes.
fn unescape(text: &str) -> anyhow::Result<Vec<u8>> {
    text.split("\\x").skip(1).map(|digits| Ok(u8::from_str_radix(digits, 16)?)).collect()
}
