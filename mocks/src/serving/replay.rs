//! Requests that are known again by a key.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use http::{HeaderName, HeaderValue, StatusCode};

use crate::{answer::Prepared, request::Request};

/// What was answered, by key.
#[derive(Debug, Default)]
pub struct Replays(BTreeMap<String, Replay>);

#[derive(Debug)]
struct Replay {
    since: Instant,
    /// What was asked.
    request: (String, bytes::Bytes),
    answer: Prepared,
}

/// The field that says that an answer was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

impl Replays {
    /// What was answered to the same request before; nothing to a new one.
    pub fn find(
        &self,
        key: &str,
        request: &Request,
        lasts: Option<Duration>,
        now: Instant,
    ) -> Option<Prepared> {
        let replay = self.0.get(key)?;
        if lasts.is_some_and(|lasts| now.duration_since(replay.since) >= lasts) {
            return None;
        }
        if replay.request != (request.target(), request.body.clone()) {
            let words = "this key was used for another request";
            return Some(Prepared::of_error(StatusCode::UNPROCESSABLE_ENTITY, words));
        }
        let mut answer = replay.answer.clone();
        answer.headers.insert(REPLAYED, HeaderValue::from_static("true"));
        Some(answer)
    }

    /// Remembers an answer.
    pub fn remember(&mut self, key: String, request: &Request, answer: &Prepared, now: Instant) {
        let request = (request.target(), request.body.clone());
        self.0.insert(key, Replay { since: now, request, answer: answer.clone() });
    }
}
