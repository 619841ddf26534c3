//! Sets of sequence numbers as merged ranges: what is acknowledged, settled or void.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A set of sequence numbers, kept as disjoint ranges that do not touch. In JSON: `[[first,last],..]`, both inclusive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ranges {
    /// First number of a range to its last.
    by_first: BTreeMap<u64, u64>,
}

impl Ranges {
    /// The empty set.
    #[must_use]
    pub const fn new() -> Self {
        Self { by_first: BTreeMap::new() }
    }

    /// Adds one number.
    pub fn insert(&mut self, seq: u64) {
        self.insert_range(seq, seq);
    }

    /// Adds `first..=last`; nothing when `first > last`.
    pub fn insert_range(&mut self, first: u64, last: u64) {
        if first > last {
            return;
        }
        let (mut first, mut last) = (first, last);
        if let Some((&before, &end)) = self.by_first.range(..=first).next_back() {
            if end >= last {
                return;
            }
            if end.saturating_add(1) >= first {
                first = before;
            }
        }
        while let Some((&start, &end)) = self.by_first.range(first..=last.saturating_add(1)).next() {
            self.by_first.remove(&start);
            last = last.max(end);
        }
        self.by_first.insert(first, last);
    }

    /// Takes `first..=last` out.
    pub fn remove_range(&mut self, first: u64, last: u64) {
        if first > last {
            return;
        }
        if let Some((&start, &end)) = self.by_first.range(..first).next_back()
            && end >= first
        {
            self.by_first.insert(start, first - 1);
            if end > last {
                self.by_first.insert(last + 1, end);
                return;
            }
        }
        while let Some((&start, &end)) = self.by_first.range(first..=last).next() {
            self.by_first.remove(&start);
            if end > last {
                self.by_first.insert(last + 1, end);
            }
        }
    }

    /// Adds every number of `other`.
    pub fn extend(&mut self, other: &Self) {
        for (first, last) in other.iter() {
            self.insert_range(first, last);
        }
    }

    /// Takes every number of `other` out.
    pub fn subtract(&mut self, other: &Self) {
        for (first, last) in other.iter() {
            self.remove_range(first, last);
        }
    }

    /// Whether `seq` is in the set.
    #[must_use]
    pub fn contains(&self, seq: u64) -> bool {
        self.by_first.range(..=seq).next_back().is_some_and(|(_, &last)| last >= seq)
    }

    /// The ranges in order, both ends inclusive.
    pub fn iter(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.by_first.iter().map(|(&first, &last)| (first, last))
    }

    /// The numbers in order.
    pub fn numbers(&self) -> impl Iterator<Item = u64> + '_ {
        self.iter().flat_map(|(first, last)| first..=last)
    }

    /// How many ranges.
    #[must_use]
    pub fn range_count(&self) -> usize {
        self.by_first.len()
    }

    /// How many numbers.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.iter().fold(0, |sum: u64, (first, last)| sum.saturating_add(last - first).saturating_add(1))
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_first.is_empty()
    }

    /// The greatest number, if any.
    #[must_use]
    pub fn last(&self) -> Option<u64> {
        self.by_first.last_key_value().map(|(_, &last)| last)
    }

    /// The greatest `n` such that all of `1..=n` are in the set; sequence numbers start with 1.
    #[must_use]
    pub fn upto(&self) -> u64 {
        match self.by_first.range(..=1).next_back() {
            Some((_, &last)) if last >= 1 => last,
            _ => 0,
        }
    }

    /// The ranges that begin after [`Self::upto`].
    #[must_use]
    pub fn above_upto(&self) -> Self {
        let mut above = self.clone();
        above.remove_range(0, self.upto());
        above
    }

    /// The numbers of `first..=last` that are not in the set.
    #[must_use]
    pub fn missing(&self, first: u64, last: u64) -> Self {
        let mut missing = Self::new();
        missing.insert_range(first, last);
        missing.subtract(self);
        missing
    }

    /// The ranges of this set that contain a number of `wanted`.
    #[must_use]
    pub fn around(&self, wanted: &Self) -> Self {
        let mut around = Self::new();
        for (first, last) in wanted.iter() {
            let touching =
                self.by_first.range(..=first).next_back().into_iter().chain(self.by_first.range(first..=last));
            for (&start, &end) in touching {
                if end >= first {
                    around.insert_range(start, end);
                }
            }
        }
        around
    }
}

impl FromIterator<u64> for Ranges {
    fn from_iter<I: IntoIterator<Item = u64>>(numbers: I) -> Self {
        let mut set = Self::new();
        for seq in numbers {
            set.insert(seq);
        }
        set
    }
}

impl Serialize for Ranges {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for Ranges {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut set = Self::new();
        for (first, last) in Vec::<(u64, u64)>::deserialize(deserializer)? {
            if first > last {
                return Err(serde::de::Error::custom(format_args!("range [{first},{last}] ends before it begins")));
            }
            set.insert_range(first, last);
        }
        Ok(set)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::Ranges;

    proptest! {
        #[test]
        fn behaves_like_a_set(steps in prop::collection::vec((any::<bool>(), 0_u64..60, 0_u64..12), 0..40)) {
            let (mut ranges, mut model) = (Ranges::new(), BTreeSet::new());
            for (add, first, length) in steps {
                let last = first + length;
                if add {
                    ranges.insert_range(first, last);
                    model.extend(first..=last);
                } else {
                    ranges.remove_range(first, last);
                    model.retain(|n| !(first..=last).contains(n));
                }
            }
            prop_assert_eq!(ranges.numbers().collect::<Vec<_>>(), model.iter().copied().collect::<Vec<_>>());
            prop_assert_eq!(ranges.count(), model.len() as u64);
            prop_assert_eq!(ranges.upto(), (1..).take_while(|n| model.contains(n)).last().unwrap_or(0));
            for n in 0..75 {
                prop_assert_eq!(ranges.contains(n), model.contains(&n));
            }
            let pairs: Vec<_> = ranges.iter().collect();
            prop_assert!(pairs.windows(2).all(|w| w[0].1 + 1 < w[1].0), "ranges touch: {:?}", pairs);
            let missing: Vec<u64> = ranges.missing(3, 40).numbers().collect();
            prop_assert_eq!(missing, (3..=40).filter(|n| !model.contains(n)).collect::<Vec<_>>());
            let json = serde_json::to_string(&ranges).expect("writes");
            prop_assert_eq!(serde_json::from_str::<Ranges>(&json).expect("reads"), ranges);
        }

        #[test]
        fn around_keeps_whole_ranges(set in prop::collection::vec(1_u64..80, 0..40), wanted in prop::collection::vec(1_u64..80, 0..10)) {
            let set: Ranges = set.into_iter().collect();
            let wanted: Ranges = wanted.into_iter().collect();
            let expected: Vec<_> =
                set.iter().filter(|&(first, last)| wanted.numbers().any(|n| (first..=last).contains(&n))).collect();
            prop_assert_eq!(set.around(&wanted).iter().collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn the_whole_number_range_is_one_range() {
        let mut ranges = Ranges::new();
        ranges.insert_range(0, u64::MAX);
        ranges.insert_range(5, u64::MAX);
        assert_eq!(ranges.range_count(), 1);
        ranges.remove_range(1, u64::MAX);
        assert_eq!(ranges.iter().collect::<Vec<_>>(), [(0, 0)]);
    }

    #[test]
    fn a_reversed_range_is_refused() {
        let error = serde_json::from_str::<Ranges>("[[5,4]]").unwrap_err();
        assert!(error.to_string().contains("[5,4]"), "{error}");
    }
}
