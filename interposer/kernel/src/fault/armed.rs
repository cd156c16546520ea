//! One fault, ready to fire.

use alloc::{format, rc::Rc, string::String, vec::Vec};
use core::time::Duration;

use simrun_abi::faults::{Descriptor, Effect, Fault, Match, Share};

use super::{chance::Dice, pattern::Pattern, quantity::Source, scene::Scene, window::Opening};
use crate::{error::Errno, random::Stream};

const NANOS_PER_SECOND: u128 = 1_000_000_000;

/// What a fault does to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hit {
    /// It fails.
    Fail(Errno),
    /// It moves fewer bytes than it was asked for.
    Shorten {
        /// At most so many.
        to: u64,
        /// So many were asked for.
        of: u64,
    },
    /// It begins later.
    Delay(Duration),
    /// Its wait is interrupted.
    Interrupt,
}

impl Hit {
    /// In words.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Fail(errno) => format!("fails with {errno:?}"),
            Self::Shorten { to, of } => format!("moves at most {to} of {of} bytes"),
            Self::Delay(by) => {
                format!("begins {}.{:06}ms later", by.as_millis(), by.as_nanos() % 1_000_000)
            }
            Self::Interrupt => "is interrupted".into(),
        }
    }
}

/// What it does, and where its numbers come from.
enum Doing {
    Fail(Vec<Errno>),
    Interrupt,
    Shorten(Source),
    Delay(Source),
    Throttle {
        bytes_per_second: u64,
        /// When all that was admitted so far will be through, in nanoseconds from the start of the run.
        busy_until: u64,
    },
}

/// What it is for.
struct Target {
    processes: Vec<Pattern>,
    paths: Vec<Pattern>,
    descriptors: Vec<Descriptor>,
    arguments: Vec<simrun_abi::faults::Argument>,
    open_descriptors: u64,
}

impl Target {
    fn new(wanted: &Match) -> Self {
        let patterns = |texts: &[String]| texts.iter().map(|text| Pattern::new(text)).collect();
        Self {
            processes: patterns(&wanted.processes),
            paths: patterns(&wanted.paths),
            descriptors: wanted.descriptors.clone(),
            arguments: wanted.arguments.clone(),
            open_descriptors: wanted.open_descriptors,
        }
    }

    /// Whether all that is asked for is so; what costs most comes last.
    fn matches(&self, scene: &mut dyn Scene) -> bool {
        let argument = |scene: &mut dyn Scene, wanted: &simrun_abi::faults::Argument| {
            let value = scene.argument(usize::from(wanted.index));
            (wanted.least..=wanted.most).contains(&value) && value & wanted.bits == wanted.bits
        };
        self.arguments.iter().all(|wanted| argument(scene, wanted))
            && (self.open_descriptors == 0 || scene.open_descriptors() >= self.open_descriptors)
            && (self.descriptors.is_empty()
                || scene.descriptor().is_some_and(|found| self.descriptors.contains(&found)))
            && (self.processes.is_empty() || self.matches_program(&scene.program()))
            && (self.paths.is_empty()
                || scene.paths().iter().any(|path| self.paths.iter().any(|p| p.matches(path))))
    }

    fn matches_program(&self, path: &[u8]) -> bool {
        let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or(path);
        self.processes
            .iter()
            .any(|pattern| pattern.matches(if pattern.has_slash() { path } else { name }))
    }
}

/// One fault and what has become of it so far.
pub struct Armed {
    /// Its name.
    pub name: Rc<str>,
    /// How often it has fired.
    pub fired: u64,
    target: Target,
    opening: Opening,
    dice: Dice,
    doing: Doing,
    skip: u64,
    limit: u64,
    stream: Stream,
}

impl Armed {
    /// The fault, with a stream of its own.
    pub fn new(fault: &Fault, mut stream: Stream) -> Self {
        let opening = Opening::draw(&fault.window, &mut stream);
        let dice = Dice::new(&fault.chance, opening.after, &mut stream);
        let doing = match &fault.effect {
            Effect::Fail(errors) => {
                Doing::Fail(errors.iter().map(|&number| Errno::from_number(number)).collect())
            }
            Effect::Interrupt => Doing::Interrupt,
            Effect::Shorten(to) => Doing::Shorten(Source::new(to)),
            Effect::Delay(by) => Doing::Delay(Source::new(by)),
            Effect::Throttle(rate) => {
                Doing::Throttle { bytes_per_second: (*rate).max(1), busy_until: 0 }
            }
        };
        Self {
            name: fault.name.as_str().into(),
            fired: 0,
            target: Target::new(&fault.matches),
            opening,
            dice,
            doing,
            skip: fault.skip,
            limit: fault.limit,
            stream,
        }
    }

    /// What it does to this call of one that it is for, if it fires.
    pub fn consider(&mut self, elapsed: u64, scene: &mut dyn Scene) -> Option<Hit> {
        if self.fired >= self.limit || !self.opening.is_open(elapsed) || !self.target.matches(scene)
        {
            return None;
        }
        let possible = Possible::find(&self.doing, scene)?;
        if self.skip > 0 {
            self.skip -= 1;
            return None;
        }
        if !self.dice.hits(elapsed, &mut self.stream) {
            return None;
        }
        self.fired += 1;
        Some(self.aim(elapsed, possible))
    }

    fn aim(&mut self, elapsed: u64, possible: Possible) -> Hit {
        let stream = &mut self.stream;
        match (&mut self.doing, possible) {
            (_, Possible::Errors(errors)) => {
                let index = match errors.len() {
                    1 => 0,
                    count => stream.below(count as u64) as usize,
                };
                Hit::Fail(errors[index])
            }
            (Doing::Shorten(source), Possible::Bytes(of)) => {
                let share = Share::from_parts(source.next(stream));
                Hit::Shorten { to: share.of(of).clamp(1, of - 1), of }
            }
            (Doing::Throttle { bytes_per_second, busy_until }, Possible::Bytes(bytes)) => {
                let takes = u128::from(bytes) * NANOS_PER_SECOND / u128::from(*bytes_per_second);
                let takes = u64::try_from(takes).unwrap_or(u64::MAX);
                *busy_until = elapsed.max(*busy_until).saturating_add(takes);
                Hit::Delay(Duration::from_nanos(*busy_until - elapsed))
            }
            (Doing::Delay(source), _) => Hit::Delay(Duration::from_nanos(source.next(stream))),
            _ => Hit::Interrupt,
        }
    }
}

/// What a fault could do to a call.
enum Possible {
    /// Let it fail with one of these.
    Errors(Vec<Errno>),
    /// Divide so many bytes, two at least, or let them take their time.
    Bytes(u64),
    /// What can always be done.
    Anything,
}

impl Possible {
    fn find(doing: &Doing, scene: &mut dyn Scene) -> Option<Self> {
        match doing {
            Doing::Fail(errors) => {
                let fit = |errno: &Errno| scene.can_fail(*errno);
                let errors: Vec<_> = errors.iter().copied().filter(fit).collect();
                (!errors.is_empty()).then_some(Self::Errors(errors))
            }
            Doing::Shorten(_) => {
                scene.divisible_bytes().filter(|&bytes| bytes > 1).map(Self::Bytes)
            }
            Doing::Throttle { .. } => scene.bytes().filter(|&bytes| bytes > 0).map(Self::Bytes),
            Doing::Interrupt | Doing::Delay(_) => Some(Self::Anything),
        }
    }
}
