//! How many requests are taken in a time.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// What has been taken, by key.
#[derive(Debug, Default)]
pub struct Taken(BTreeMap<String, (Instant, u64)>);

/// What is left to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left {
    /// So many more.
    pub requests: u64,
    /// Until it is as at first.
    pub until: Duration,
    /// Whether this one is taken.
    pub is_taken: bool,
}

impl Taken {
    /// Takes a request, if there is room.
    pub fn take(&mut self, key: &str, requests: u64, per: Duration, now: Instant) -> Left {
        let begun = self.0.entry(key.to_owned()).or_insert((now, 0));
        if now.duration_since(begun.0) >= per {
            *begun = (now, 0);
        }
        let is_taken = begun.1 < requests;
        begun.1 += u64::from(is_taken);
        Left {
            requests: requests - begun.1,
            until: per.saturating_sub(now.duration_since(begun.0)),
            is_taken,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_begins_with_its_first_request() {
        let (mut taken, start, per) = (Taken::default(), Instant::now(), Duration::from_secs(10));
        let mut take = |key, second| {
            let left = taken.take(key, 2, per, start + Duration::from_secs(second));
            (left.is_taken, left.requests, left.until.as_secs())
        };
        assert_eq!(take("a", 1), (true, 1, 10));
        assert_eq!(take("a", 2), (true, 0, 9));
        assert_eq!(take("a", 3), (false, 0, 8));
        assert_eq!(take("b", 3), (true, 1, 10));
        assert_eq!(take("a", 11), (true, 1, 10));
    }
}
