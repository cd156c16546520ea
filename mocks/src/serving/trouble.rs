//! What goes wrong, and when.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use simrun_abi::faults::{Quantity, Share};
use simrun_kernel::fault::{Source, happens};

use crate::{
    answer::Draws,
    compile::{Realm, Trouble},
    request::Request,
};

/// A trouble and what it remembers.
pub struct Memory {
    draws: Arc<Draws>,
    /// When its window opens, and for how long; drawn once for a run.
    opens: Duration,
    lasts: Option<Duration>,
    every: Option<Duration>,
    /// When it is over for good.
    closes: Option<Duration>,
    /// How many were left alone.
    skipped: u64,
    /// How often it has happened.
    count: u64,
}

impl Memory {
    /// Of a trouble that has not happened yet.
    pub fn new(trouble: &Trouble, draws: Draws) -> Self {
        let time = |quantity: &Option<Quantity>| {
            let drawn = quantity
                .as_ref()
                .map(|quantity| draws.draw(|stream| Source::new(quantity).next(stream)));
            drawn.map(Duration::from_nanos)
        };
        let (opens, lasts, every) =
            (time(&trouble.after).unwrap_or_default(), time(&trouble.lasts), time(&trouble.every));
        Self {
            draws: Arc::new(draws),
            opens: opens + trouble.chaos.opens,
            lasts,
            every,
            closes: trouble.chaos.closes,
            skipped: 0,
            count: 0,
        }
    }

    /// It is over for good.
    pub fn close(&mut self) {
        self.closes = Some(Duration::ZERO);
    }

    fn is_open(&self, since_start: Duration) -> bool {
        if self.closes.is_some_and(|closes| since_start >= closes) {
            return false;
        }
        let Some(mut into) = since_start.checked_sub(self.opens) else { return false };
        if let Some(every) = self.every.filter(|every| !every.is_zero()) {
            into = Duration::from_nanos((into.as_nanos() % every.as_nanos()) as u64);
        }
        self.lasts.is_none_or(|lasts| into < lasts)
    }

    /// Whether it happens to a request that takes a route.
    pub fn strikes(
        &mut self,
        trouble: &Trouble,
        (route, realm): (&str, Realm),
        request: &Request,
        since_start: Duration,
    ) -> bool {
        let concerns = match trouble.routes.is_empty() {
            true => realm.knows(&trouble.misdeed),
            false => trouble.routes.iter().any(|known| known == route),
        };
        if !concerns
            || !self.is_open(since_start)
            || trouble.limit.is_some_and(|limit| self.count >= limit)
            || trouble.matcher.as_ref().is_some_and(|matcher| !matcher.matches(request))
        {
            return false;
        }
        if self.skipped < trouble.skip {
            self.skipped += 1;
            return false;
        }
        let probability = trouble.probability.unwrap_or(Share::WHOLE);
        let strikes = self.draws.draw(|stream| happens(stream, probability));
        self.count += u64::from(strikes);
        strikes
    }

    /// Its random numbers.
    pub fn draws(&self) -> &Draws {
        &self.draws
    }
}

/// The first trouble that strikes a request.
pub fn strike<'a>(
    troubles: &'a [Trouble],
    memories: &mut [Memory],
    route: (&str, Realm),
    request: &Request,
    start: Instant,
) -> Option<(&'a Trouble, usize)> {
    if troubles.is_empty() {
        return None;
    }
    let since = start.elapsed();
    // Those behind the first that strikes are not asked: their draws are for requests that could have been theirs.
    let mut all = troubles.iter().zip(memories).enumerate();
    all.find_map(|(index, (trouble, memory))| {
        memory.strikes(trouble, route, request, since).then_some((trouble, index))
    })
}
