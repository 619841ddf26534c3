//! Whom the alert about a storm tells of together, and what would be told of each alone.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Entry, draft, storm};
use crate::rules::{Finding, Situation};
use crate::{Alert, Member};

/// Members that are counted beside those that are listed.
const MAX_COUNTED: usize = 4_096;

/// The members of one storm; none for any other alert.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Members {
    /// In the order in which they joined.
    listed: Vec<Listed>,
    /// The keys of the others.
    more: BTreeSet<String>,
}

/// A member, and its own alert as it was when it joined, which has no id before it is raised.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Listed {
    pub(super) member: Member,
    pub(super) entry: Entry,
}

impl Members {
    pub(super) fn is_empty(&self) -> bool {
        self.listed.is_empty() && self.more.is_empty()
    }

    /// Takes in those that a storm's finding tells of now; who was a member stays one.
    pub(super) fn join(&mut self, finding: &Finding, situation: &Situation<'_>) {
        for finding in &finding.members {
            let most = situation.site.rules.max_storm_members;
            if let Some(known) = self.listed.iter_mut().find(|known| known.member.key == finding.key) {
                known.entry.follow(finding, situation.now);
            } else if self.listed.len() < most && !self.more.contains(&finding.key) {
                let (key, name) = (finding.key.clone(), storm::name(situation, finding));
                let alert = draft::alert(finding, String::new(), situation);
                let entry = Entry::new(alert, finding, situation.now);
                self.listed.push(Listed { member: Member { key, name, first_seen: finding.first_seen }, entry });
            } else if self.more.len() < MAX_COUNTED {
                self.more.insert(finding.key.clone());
            }
        }
    }

    /// Lists them in the alert.
    pub(super) fn show(&self, alert: &mut Alert) {
        alert.members = self.listed.iter().map(|listed| listed.member.clone()).collect();
        alert.members_more = u32::try_from(self.more.len()).unwrap_or(u32::MAX);
    }

    /// Takes out the member of this name or key, or all.
    ///
    /// # Errors
    /// Those that are listed, when none is called so.
    pub(super) fn take(&mut self, wanted: Option<&str>) -> Result<Vec<Listed>, String> {
        let Some(wanted) = wanted else {
            self.more.clear();
            return Ok(std::mem::take(&mut self.listed));
        };
        let is_it = |listed: &Listed| listed.member.name == wanted || listed.member.key == wanted;
        if !self.listed.iter().any(is_it) {
            return Err(names(&self.listed));
        }
        let (taken, left) = std::mem::take(&mut self.listed).into_iter().partition(is_it);
        self.listed = left;
        Ok(taken)
    }
}

/// The names of a few, and how many more.
pub(super) fn names(members: &[Listed]) -> String {
    const NAMED: usize = 4;
    let mut names: Vec<&str> = members.iter().take(NAMED).map(|listed| listed.member.name.as_str()).collect();
    let more = format!("{} more", members.len().saturating_sub(NAMED));
    if members.len() > NAMED {
        names.push(&more);
    }
    names.join(", ")
}
