//! What the seed decides about a simulation before it begins.

/// Draws for one seed: each by its own name, so that one more or less changes no other.
#[derive(Clone, Copy, Debug)]
pub enum Draw {
    /// Those of a seed.
    Seed(u64),
    /// Always the most there can be.
    Most,
}

impl Draw {
    /// A number of a range, both ends included, each as likely.
    pub fn between(self, name: &str, least: u64, most: u64) -> u64 {
        let Self::Seed(seed) = self else { return most };
        let mut hasher = blake3::Hasher::new_derive_key("simrun 2030 what a seed decides");
        hasher.update(&seed.to_le_bytes()).update(name.as_bytes());
        let mut bytes = [0; 16];
        hasher.finalize_xof().fill(&mut bytes);
        let width = u128::from(most - least) + 1;
        // Of so many bits the remainder is as good as uniform.
        let drawn = u128::from_le_bytes(bytes) % width;
        least + drawn as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_and_names_draw_on_their_own_and_reach_both_ends() {
        let draws = |name: &str| -> Vec<u64> {
            (1..=60).map(|seed| Draw::Seed(seed).between(name, 2, 5)).collect()
        };
        let counts = draws("a");
        assert!((2..=5).all(|count| counts.contains(&count)) && counts.iter().max() == Some(&5));
        assert_eq!(counts, draws("a"));
        assert_ne!(counts, draws("b"));
        assert_eq!(Draw::Seed(1).between("a", 7, 7), 7);
        assert!(Draw::Seed(1).between("a", 0, u64::MAX) > 0);
    }
}
