//! Which runs there are to make, in which order: one fault model after the other, and of each one seed after the other, so
//! that more of them begin as fewer do.

use serde::{Deserialize, Serialize};

use crate::store::simulation::Shard;

/// A run to make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// The fault model.
    pub model: String,
    /// The seed.
    pub seed: u64,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Make this run.
    Job(Job),
    /// Wait until all runs so far have ended: those of the first model are the measure of the others.
    Wait,
    /// There is no other.
    End,
}

/// The runs to make.
#[derive(Clone, Debug)]
pub struct Jobs {
    models: Vec<String>,
    first_seed: u64,
    /// Of each model; nothing if there is no end to them.
    depths: Option<Vec<u64>>,
    shard: Shard,
    /// The model and the number of the next seed.
    model: usize,
    number: u64,
}

impl Jobs {
    /// All of them, or a share.
    pub fn new(
        models: &[String],
        first_seed: u64,
        depths: Option<&[u64]>,
        shard: Option<Shard>,
    ) -> Self {
        Self {
            models: models.to_vec(),
            first_seed,
            depths: depths.map(<[u64]>::to_vec),
            shard: shard.unwrap_or(Shard { number: 1, of: 1 }),
            model: 0,
            number: 0,
        }
    }

    /// The next one; whether others have not ended yet, and whether any of the first model has failed.
    pub fn next(&mut self, others_go_on: bool, first_has_failed: bool) -> Next {
        loop {
            // Without an end, the models take turns.
            let in_turns = self.depths.is_none();
            if !in_turns && self.depth_of_model().is_some_and(|depth| self.number >= depth) {
                self.model += 1;
                self.number = 0;
            }
            let Some(model) = self.models.get(self.model) else { return Next::End };
            if self.model > 0 && first_has_failed {
                return Next::End;
            }
            if !in_turns && self.model == 1 && self.number == 0 && others_go_on {
                return Next::Wait;
            }
            let Some(seed) = self.first_seed.checked_add(self.number) else { return Next::End };
            let job = Job { model: model.clone(), seed };
            let place = self.place();
            self.advance(in_turns);
            if place % u64::from(self.shard.of) == u64::from(self.shard.number - 1) {
                return Next::Job(job);
            }
        }
    }

    /// The number of the next run among all.
    fn place(&self) -> u64 {
        let (model, models) = (self.model as u64, self.models.len() as u64);
        match &self.depths {
            Some(depths) => {
                let before = depths[..self.model].iter();
                before.fold(self.number, |sum, depth| sum.wrapping_add(*depth))
            }
            None => self.number.wrapping_mul(models).wrapping_add(model),
        }
    }

    /// How many runs of the present model there are to make.
    fn depth_of_model(&self) -> Option<u64> {
        self.depths.as_ref()?.get(self.model).copied()
    }

    fn advance(&mut self, in_turns: bool) {
        if in_turns && self.model + 1 < self.models.len() {
            self.model += 1;
        } else {
            self.number += 1;
            if in_turns {
                self.model = 0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(models: &[&str]) -> Vec<String> {
        models.iter().map(|model| (*model).to_owned()).collect()
    }

    /// All jobs that there are, at most so many, as letter of the model and seed.
    fn all(mut jobs: Jobs, count: usize) -> Vec<String> {
        let mut all = Vec::new();
        while all.len() < count {
            match jobs.next(false, false) {
                Next::Job(job) => all.push(format!("{}{}", job.model, job.seed)),
                Next::Wait | Next::End => break,
            }
        }
        all
    }

    #[test]
    fn seeds_follow_each_other_and_shares_make_a_whole() {
        let models = names(&["a", "b", "c"]);
        let whole = all(Jobs::new(&models, 5, Some(&[1, 3, 3]), None), 100);
        assert_eq!(whole, ["a5", "b5", "b6", "b7", "c5", "c6", "c7"]);
        let mut shares: Vec<String> = (1..=4)
            .flat_map(|number| {
                all(Jobs::new(&models, 5, Some(&[1, 3, 3]), Some(Shard { number, of: 4 })), 100)
            })
            .collect();
        shares.sort();
        assert_eq!(shares, whole);
        let own = all(Jobs::new(&models, 5, Some(&[1, 2, 4]), None), 100);
        assert_eq!(own, ["a5", "b5", "b6", "c5", "c6", "c7", "c8"], "each has its own depth");
        let of_one = |depth| all(Jobs::new(&names(&["a"]), 5, Some(&[depth]), None), 100);
        assert_eq!(of_one(9)[..3], of_one(3), "more begin as fewer do");
    }

    #[test]
    fn without_an_end_models_take_turns() {
        let endless = Jobs::new(&names(&["a", "b"]), 1, None, None);
        assert_eq!(all(endless, 4), ["a1", "b1", "a2", "b2"]);
        let last = Jobs::new(&names(&["a"]), u64::MAX, None, None);
        assert_eq!(all(last, 4), [format!("a{}", u64::MAX)]);
    }

    #[test]
    fn the_first_model_is_the_measure_of_the_others() {
        let mut jobs = Jobs::new(&names(&["a", "b"]), 1, Some(&[1, 1]), None);
        assert_eq!(jobs.next(false, false), Next::Job(Job { model: "a".into(), seed: 1 }));
        assert_eq!(jobs.next(true, false), Next::Wait);
        assert_eq!(jobs.clone().next(false, true), Next::End);
        assert_eq!(jobs.next(false, false), Next::Job(Job { model: "b".into(), seed: 1 }));
        assert_eq!(jobs.next(false, false), Next::End);
    }
}
