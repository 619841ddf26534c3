//! How much is looked through for a joint belief, and how much of it is kept.

/// Bounds of one joint belief.
#[derive(Clone, Copy, Debug)]
pub(super) struct Effort {
    /// Most joint hypotheses kept.
    pub(super) hypotheses: usize,
    /// Most of them for each member: more can have changed places in more ways.
    for_each_member: usize,
    /// Most partial associations of one joint hypothesis that are looked at.
    pub(super) nodes: usize,
    /// Members that all likely associations are looked for of.
    pub(super) members: usize,
    /// Most places of all members under all hypotheses together.
    pub(super) places: usize,
    /// Most associations that become hypotheses, before the alike are merged.
    pub(super) followed: usize,
}

impl Effort {
    /// The same for a belief of so many members.
    pub(super) fn for_members(self, members: usize) -> Self {
        Self { hypotheses: self.hypotheses.min(self.for_each_member * members), ..self }
    }
}

/// Where everyone has a place, encounters are short and concern few.
pub(super) const OF_PLACED: Effort =
    Effort { hypotheses: 40, for_each_member: 3, nodes: 500, members: 12, places: 1_000, followed: 40 };

/// Rays of several sensors cross in many more places than there are objects, and which crossings are objects shows only
/// after a while.
pub(super) const OF_AMBIGUOUS: Effort =
    Effort { hypotheses: 100, for_each_member: 100, nodes: 5000, members: 20, places: 2_000, followed: 400 };
