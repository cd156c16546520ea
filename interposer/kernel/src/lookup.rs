//! Tables that are only asked. Nothing can go through them, because their order is that of hashes.

use core::hash::Hash;

use hashbrown::{HashMap, HashSet};
use rustc_hash::FxBuildHasher;

/// What is known by keys.
#[derive(Debug)]
pub struct Lookup<K, V>(HashMap<K, V, FxBuildHasher>);

impl<K, V> Default for Lookup<K, V> {
    fn default() -> Self {
        Self(HashMap::default())
    }
}

impl<K: Eq + Hash, V: Copy> Lookup<K, V> {
    /// What is known by a key; `make` is asked for it at first.
    pub fn get_or_make(&mut self, key: K, make: impl FnOnce() -> V) -> V {
        *self.0.entry(key).or_insert_with(make)
    }
}

/// What has been seen.
#[derive(Debug)]
pub struct Seen<K>(HashSet<K, FxBuildHasher>);

impl<K> Default for Seen<K> {
    fn default() -> Self {
        Self(HashSet::default())
    }
}

impl<K: Eq + Hash> Seen<K> {
    /// Sees one; whether that is new.
    pub fn insert(&mut self, key: K) -> bool {
        self.0.insert(key)
    }
}
