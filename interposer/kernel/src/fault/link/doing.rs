//! What one fault makes of something that is sent over a link.

use alloc::{format, rc::Rc, string::ToString};
use core::time::Duration;

use simrun_abi::faults::{Effect, Protocol, Refusal, Way};

use super::{Cargo, Fate, Link, Passage, target::Target};
use crate::fault::{armed::milliseconds, quantity::Source, trigger::Trigger};

const NANOS_PER_SECOND: u128 = 1_000_000_000;

/// What a fault does, and where its numbers come from.
pub(super) enum Doing {
    Latency(Source),
    Bandwidth {
        rate: u64,
        queue: u64,
        /// When all that waits will be through, by way, in nanoseconds from the start of the run.
        busy_until: [u64; Way::COUNT],
    },
    Connect(Refusal),
    Reset(Source),
    Vanish(Source),
    SlowClose(Source),
}

impl Doing {
    pub fn new(effect: &Effect) -> Option<Self> {
        Some(match effect {
            Effect::Latency(by) => Self::Latency(Source::new(by)),
            Effect::Bandwidth { rate, queue } => {
                let busy_until = [0; Way::COUNT];
                Self::Bandwidth { rate: (*rate).max(1), queue: *queue, busy_until }
            }
            Effect::Connect(refusal) => Self::Connect(*refusal),
            Effect::Reset(after) => Self::Reset(Source::new(after)),
            Effect::Vanish(after) => Self::Vanish(Source::new(after)),
            Effect::SlowClose(by) => Self::SlowClose(Source::new(by)),
            _ => return None,
        })
    }

    /// Whether it does anything to links of a protocol.
    pub fn is_for(&self, protocol: Protocol) -> bool {
        match self {
            Self::Latency(_) | Self::Bandwidth { .. } => true,
            Self::Connect(_) | Self::Reset(_) | Self::Vanish(_) | Self::SlowClose(_) => {
                protocol == Protocol::Tcp
            }
        }
    }
}

/// A fault of links and what has become of it so far.
pub(super) struct LinkFault {
    pub name: Rc<str>,
    pub trigger: Trigger,
    pub target: Target,
    pub doing: Doing,
}

impl LinkFault {
    /// What it does to something that goes over a link that it is for.
    pub fn apply(
        &mut self,
        link: &Link,
        (way, cargo): (Way, Cargo),
        elapsed: u64,
        passage: &mut Passage,
    ) {
        if !self.target.takes(link, way) || !self.trigger.may_fire(elapsed) {
            return;
        }
        let trigger = &mut self.trigger;
        let effect = match (&mut self.doing, cargo) {
            (Doing::Latency(by), _) if trigger.fires(elapsed) => {
                let by = Duration::from_nanos(by.next(&mut trigger.stream));
                passage.delay = passage.delay.saturating_add(by);
                format!("arrives {} later", milliseconds(by))
            }
            (Doing::SlowClose(by), Cargo::End) if trigger.fires(elapsed) => {
                let by = Duration::from_nanos(by.next(&mut trigger.stream));
                passage.delay = passage.delay.saturating_add(by);
                format!("closes {} later", milliseconds(by))
            }
            (Doing::Connect(refusal), Cargo::Request) if trigger.fires(elapsed) => {
                let (fate, words) = match refusal {
                    Refusal::Refuse => (Fate::Refused, "is refused"),
                    Refusal::Hang => (Fate::Vanishes, "is never answered"),
                    Refusal::Unreachable => (Fate::Unreachable, "finds no way to the host"),
                };
                passage.settle(fate);
                words.to_string()
            }
            (Doing::Bandwidth { busy_until, .. }, _) if cargo.bytes() == 0 => {
                let waits = busy_until[way as usize].saturating_sub(elapsed);
                passage.queued = passage.queued.max(Duration::from_nanos(waits));
                return;
            }
            (Doing::Bandwidth { rate, queue, busy_until }, _) if trigger.fires(elapsed) => {
                let busy_until = &mut busy_until[way as usize];
                match carry((*rate, *queue), busy_until, cargo, elapsed) {
                    Some(by) => {
                        passage.queued = passage.queued.max(by);
                        format!("is through in {}", milliseconds(by))
                    }
                    None => {
                        passage.settle(Fate::Lost);
                        "finds the queue full".to_string()
                    }
                }
            }
            _ => return,
        };
        passage.report(&self.name, self.trigger.fired, effect);
    }
}

/// When so much is through a line of this rate and queue; `None` if the queue is full. A stream is never lost there: its
/// sender sees that it is not taken, and waits.
fn carry(
    (rate, queue): (u64, u64),
    busy_until: &mut u64,
    cargo: Cargo,
    elapsed: u64,
) -> Option<Duration> {
    let bytes = u128::from(cargo.bytes());
    let waits = u128::from(busy_until.saturating_sub(elapsed));
    let waiting = waits * u128::from(rate) / NANOS_PER_SECOND;
    if matches!(cargo, Cargo::Datagram(_)) && waiting + bytes > u128::from(queue) {
        return None;
    }
    let takes = u64::try_from(bytes * NANOS_PER_SECOND / u128::from(rate)).unwrap_or(u64::MAX);
    *busy_until = elapsed.max(*busy_until).saturating_add(takes);
    Some(Duration::from_nanos(*busy_until - elapsed))
}
