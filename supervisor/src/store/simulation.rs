//! What is written down of many runs together: `simulation.json`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{
    Error, Id, Place, Timestamp,
    folder::{self, read_json},
    text::Text,
};

/// File that says what a simulation is.
const FILE: &str = "simulation.json";

/// Which part of a simulation was run here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Shard {
    /// Its number, from one.
    pub number: u32,
    /// How many there are.
    pub of: u32,
}

/// One workload over many seeds and fault models.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Simulation {
    /// Its name.
    pub id: Id,
    /// simrun's version.
    pub version: String,
    /// When it began.
    pub start: Timestamp,
    /// When it ended, if it has.
    pub end: Option<Timestamp>,
    /// The command.
    pub command: Vec<Text>,
    /// The fault models, in their order.
    pub models: Vec<String>,
    /// The first seed.
    pub first_seed: u64,
    /// How many seeds each model has; as many as there is time for, if nothing.
    pub depth: Option<u64>,
    /// The parts that are here; none if it was run in one piece.
    pub shards: Vec<Shard>,
    /// Equal for the parts of one simulation, and else not: a digest of all that its runs depend on but the seed.
    pub whole: String,
}

impl Simulation {
    fn folder(place: &Place, id: &Id) -> PathBuf {
        place.simulations().join(id.as_str())
    }

    /// The one with this name.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn load(place: &Place, id: &Id) -> Result<Self, Error> {
        read_json(&Self::folder(place, id).join(FILE))
    }

    /// The names of all, sorted.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn names(place: &Place) -> Result<Vec<Id>, Error> {
        folder::names(&place.simulations())
    }
}
