//! Things by key, as they are and as they were.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use minijinja::value::{Object, Serde};
use serde_json::Value;

/// The things of one collection.
#[derive(Debug, Default)]
pub struct Store {
    /// In the order in which they were created.
    things: Vec<Thing>,
}

#[derive(Debug)]
struct Thing {
    key: String,
    /// What it has been, and since when; nothing if it was not there.
    versions: Vec<(Instant, Option<Value>)>,
}

/// Most versions of a thing that are kept, for reads of what has been.
const VERSIONS_MAX: usize = 64;

impl Thing {
    fn at(&self, time: Instant) -> Option<&Value> {
        let known = self.versions.iter().rev().find(|(since, _)| *since <= time);
        known.and_then(|(_, value)| value.as_ref())
    }

    fn becomes(&mut self, value: Option<Value>, now: Instant) {
        if self.versions.len() == VERSIONS_MAX {
            self.versions.remove(0);
        }
        self.versions.push((now, value));
    }
}

/// When something is looked at.
#[derive(Clone, Copy, Debug)]
pub struct View {
    /// That time.
    pub time: Instant,
}

impl View {
    /// As things are.
    pub fn now() -> Self {
        Self { time: Instant::now() }
    }

    /// As things were so long ago.
    pub fn ago(time: Duration) -> Self {
        let now = Instant::now();
        Self { time: now.checked_sub(time).unwrap_or(now) }
    }
}

impl Store {
    /// The thing with a key.
    pub fn get(&self, key: &str, view: View) -> Option<&Value> {
        self.things.iter().find(|thing| thing.key == key)?.at(view.time)
    }

    /// All things with their keys, in the order in which they were created.
    pub fn all(&self, view: View) -> impl Iterator<Item = (&str, &Value)> {
        self.things.iter().filter_map(move |thing| Some((thing.key.as_str(), thing.at(view.time)?)))
    }

    /// Makes a thing, or changes it.
    pub fn put(&mut self, key: &str, value: Value) {
        let now = Instant::now();
        match self.things.iter_mut().find(|thing| thing.key == key) {
            Some(thing) => thing.becomes(Some(value), now),
            None => self.things.push(Thing { key: key.into(), versions: vec![(now, Some(value))] }),
        }
    }

    /// Removes a thing; whether it was there.
    pub fn remove(&mut self, key: &str) -> bool {
        let is_there = self.get(key, View::now()).is_some();
        if let Some(thing) = self.things.iter_mut().find(|thing| thing.key == key) {
            thing.becomes(None, Instant::now());
        }
        is_there
    }
}

/// All collections of a service, by name; templates read them.
#[derive(Debug, Default)]
pub struct Stores(Mutex<BTreeMap<String, Store>>);

impl Stores {
    /// Does something with a collection.
    pub fn with<T>(&self, name: &str, act: impl FnOnce(&mut Store) -> T) -> T {
        let mut stores = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        act(stores.entry(name.to_owned()).or_default())
    }
}

impl Object for Stores {
    /// A collection, as a mapping from keys to things.
    fn get_value(self: &Arc<Self>, key: &minijinja::Value) -> Option<minijinja::Value> {
        let stores = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let store = stores.get(key.as_str()?)?;
        let all: BTreeMap<&str, &Value> = store.all(View::now()).collect();
        Some(minijinja::Value::from(Serde(all)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn things_are_seen_as_they_were() {
        let mut store = Store::default();
        store.put("a", json!(1));
        let before = View::now();
        std::thread::sleep(Duration::from_millis(2));
        store.put("a", json!(2));
        store.put("b", json!(3));
        assert_eq!(store.get("a", before), Some(&json!(1)));
        assert_eq!(store.get("b", before), None);
        assert!(store.remove("a") && !store.remove("a"));
        assert_eq!(store.all(before).count(), 1);
        let all: Vec<_> = store.all(View::now()).collect();
        assert_eq!(all, [("b", &json!(3))]);
    }
}
