//! All that a service remembers.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use super::{expect::Seen, limit::Taken, replay::Replays, store::Stores, tokens::Given, trouble};
use crate::{
    answer::{Counters, Draws, World},
    compile::Service,
    matching::Captures,
    request::Request,
};

/// All that a service remembers.
pub struct Memory {
    /// When it began.
    pub start: Instant,
    /// How often it was called.
    pub calls: u64,
    /// By the index of a route.
    pub routes: Vec<RouteMemory>,
    /// By the index of a talk.
    pub talks: Vec<RouteMemory>,
    /// States of scenarios.
    pub states: BTreeMap<String, String>,
    /// Requests taken by limits, by their names; the service's own has none.
    pub limits: BTreeMap<String, Taken>,
    /// Tokens given.
    pub tokens: Given,
    /// By the index of a trouble.
    pub troubles: Vec<trouble::Memory>,
    /// By the index of an expectation.
    pub seen: Vec<Seen>,
    /// Things by collection.
    pub stores: Arc<Stores>,
    /// Counters of templates.
    pub counters: Arc<Counters>,
    /// Times of answers that are late for no reason of their own.
    pub draws: Draws,
}

/// What is remembered of a route.
pub struct RouteMemory {
    /// How often it was taken.
    pub count: u64,
    /// Its random numbers: those of other routes do not change them.
    pub draws: Arc<Draws>,
    /// Requests that may be known again.
    pub replays: Replays,
}

/// The state that a scenario begins in.
pub const START: &str = "start";

impl Memory {
    /// Of a service that has not been called yet.
    pub fn new(service: &Service, seed: u64) -> Self {
        let draws =
            |kind: &str, name: &str| Draws::new(seed, &format!("{}/{kind}/{name}", service.name));
        let own = |kind: &str, name: &str| RouteMemory {
            count: 0,
            draws: Arc::new(draws(kind, name)),
            replays: Replays::default(),
        };
        let stores = Arc::new(Stores::default());
        for resource in &service.resources {
            stores.with(&resource.name, |store| {
                resource.items.iter().for_each(|(key, item)| store.put(key, item.clone()));
            });
        }
        Self {
            start: Instant::now(),
            calls: 0,
            routes: service.routes.iter().map(|one| own("route", &one.name)).collect(),
            talks: service.talks.iter().map(|one| own("talk", &one.name)).collect(),
            states: BTreeMap::new(),
            limits: BTreeMap::new(),
            tokens: Given::default(),
            troubles: service
                .troubles
                .iter()
                .map(|one| trouble::Memory::new(one, draws("trouble", &one.name)))
                .collect(),
            seen: service.expects.iter().map(|_| Seen::default()).collect(),
            stores,
            counters: Arc::default(),
            draws: draws("service", ""),
        }
    }

    /// What places are filled with in what is said about a request: `count` is how often its route was taken, or how many
    /// such conversations there were.
    pub fn world(
        &self,
        request: &Request,
        captures: Captures,
        count: u64,
        draws: &Arc<Draws>,
    ) -> minijinja::Value {
        World {
            request,
            captures,
            count,
            calls: self.calls,
            draws: Arc::clone(draws),
            counters: Arc::clone(&self.counters),
            stores: Arc::clone(&self.stores),
            states: &self.states,
        }
        .value()
    }

    /// The state of a scenario.
    pub fn state(&self, scenario: &str) -> &str {
        self.states.get(scenario).map_or(START, String::as_str)
    }
}
