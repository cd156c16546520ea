//! What is written down of many runs together: `simulation.json`.

use std::{fs, path::PathBuf};

use serde::{Deserialize, Serialize};

use super::{
    Error, Id, Place, Timestamp,
    folder::{self, read_json},
    pinned::Pinned,
    recording::replace_json,
    text::Text,
};

/// File that says what a simulation is.
const FILE: &str = "simulation.json";

/// Digits of that digest.
const WHOLE_LEN: usize = 32;

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
    /// The command, or the word `sim` and a simulation file.
    pub command: Vec<Text>,
    /// Whether it is such a file.
    #[serde(default)]
    pub is_described: bool,
    /// The options of its runs, as one would type them.
    pub options: Vec<String>,
    /// The fault models, in their order.
    pub models: Vec<String>,
    /// The first seed.
    pub first_seed: u64,
    /// How many seeds each model has; as many as there is time for, if nothing.
    pub depths: Option<Vec<u64>>,
    /// The parts that are here; none if it was run in one piece.
    pub shards: Vec<Shard>,
    /// Equal for the parts of one simulation, and else not: a digest of all that its runs depend on but the seed.
    pub whole: String,
}

impl Simulation {
    /// Its folder.
    pub fn folder(place: &Place, id: &Id) -> PathBuf {
        place.simulations().join(id.as_str())
    }

    /// Writes it down.
    ///
    /// # Errors
    /// When the host does not allow it.
    pub fn save(&self, place: &Place) -> Result<(), Error> {
        let folder = Self::folder(place, &self.id);
        let fail = |error| Error::File(folder.clone(), error);
        place.create().map_err(fail)?;
        fs::create_dir_all(&folder).map_err(fail)?;
        replace_json(&folder.join(FILE), self).map_err(fail)
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

    /// Whether all of the other is part of this one already.
    pub fn has(&self, part: &Self) -> bool {
        self.whole == part.whole
            && !part.shards.is_empty()
            && part.shards.iter().all(|shard| self.shards.contains(shard))
    }

    /// Whether the other is another part of the same whole.
    pub fn takes(&self, part: &Self) -> bool {
        let of = |simulation: &Self| simulation.shards.first().map(|shard| shard.of);
        self.whole == part.whole
            && of(self).is_some()
            && of(self) == of(part)
            && !part.shards.iter().any(|shard| self.shards.contains(shard))
    }

    /// Takes in another part.
    pub fn join(&mut self, part: &Self) {
        self.shards.extend(&part.shards);
        self.shards.sort();
        self.start = self.start.min(part.start);
        self.end = self.end.zip(part.end).map(|(a, b)| a.max(b));
    }

    /// How many runs there will be here; nothing if that is not known.
    pub fn planned(&self) -> Option<u64> {
        let all = self.depths.as_ref()?.iter().fold(0u64, |sum, depth| sum.saturating_add(*depth));
        let of = |shard: &Shard| {
            let (number, of) = (u64::from(shard.number), u64::from(shard.of));
            all / of + u64::from(number <= all % of)
        };
        Some(if self.shards.is_empty() { all } else { self.shards.iter().map(of).sum() })
    }
}

/// A digest of all that the runs of a simulation depend on but the machine: equal for its parts wherever they were run.
pub fn whole(
    pinned: &Pinned,
    options: &[String],
    models: &[String],
    first_seed: u64,
    depths: Option<&[u64]>,
) -> String {
    let text = pinned.described.as_ref().map(|described| &described.text);
    let what = (&pinned.command, text);
    let all = (env!("CARGO_PKG_VERSION"), what, options, models, first_seed, depths);
    let json = serde_json::to_vec(&all).expect("text and numbers");
    blake3::hash(&json).to_hex()[..WHOLE_LEN].to_owned()
}
