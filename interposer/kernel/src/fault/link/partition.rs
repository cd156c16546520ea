//! Nodes that cannot reach each other.

use alloc::{format, string::String, vec, vec::Vec};

use simrun_abi::{
    faults::{Cut, Match, Partition as Plan, Shape, Share},
    node::{Node, Role},
};

use crate::{
    fault::{
        chance::Dice,
        place::{Nodes, Place},
        quantity::{Source, happens},
        trigger::Trigger,
    },
    node::NodeId,
    random::Stream,
};

/// A partition that comes and goes.
pub(super) struct Partition {
    shape: Shape,
    cut: Cut,
    length: Option<Source>,
    /// How many nodes there are.
    count: usize,
    /// The nodes that are divided, by index.
    first: Vec<usize>,
    /// The nodes on the other side, if the match says so.
    second: Option<Vec<usize>>,
    names: Vec<String>,
    /// What the draws of each time depend on, so that what is sent meanwhile does not matter.
    base: u64,
    episode: Option<Episode>,
    /// Partitions so far, and the one that is or was last.
    current: Option<(u64, Option<Division>)>,
    /// The one that was said to have begun and not to have healed.
    lasting: Option<Lasting>,
}

/// A partition that was said to have begun.
struct Lasting {
    number: u64,
    /// How many there have been, it included.
    count: u64,
    name: String,
}

/// A time that comes at a rate, in nanoseconds from the start of the run.
#[derive(Clone, Copy, Debug)]
struct Episode {
    number: u64,
    from: u64,
    to: u64,
}

/// Who cannot reach whom.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Division {
    /// Whether what a node sends another is cut, by the index of the one times the number of nodes and that of the other.
    pairs: Vec<bool>,
    /// Who is on which side.
    name: String,
    /// Which way is cut, if it is one alone.
    way: &'static str,
    /// What becomes of what is sent.
    words: String,
}

impl Partition {
    /// Nothing divided yet. Unless the match names nodes, those are divided that serve: clients reach both sides.
    pub fn new(plan: &Plan, wanted: &Match, nodes: &[Node], stream: &mut Stream) -> Self {
        let place = Place::new(&Match { nodes: without_peers(wanted), ..wanted.clone() }, nodes);
        let names_some = wanted.nodes.nodes.len() + wanted.nodes.tags.len() > 0;
        let serves = |node: &Node| node.role != Role::Workload;
        let any_serves = nodes.iter().any(serves);
        let is_first = |index: usize| {
            let is_exposed = names_some || !any_serves || serves(&nodes[index]);
            is_exposed && place.is_for(id(index))
        };
        let peers = Nodes::new(&wanted.nodes.peers, &[], nodes);
        let all = || 0..nodes.len();
        Self {
            shape: plan.shape,
            cut: plan.cut,
            length: plan.length.as_ref().map(Source::new),
            count: nodes.len(),
            first: all().filter(|&index| is_first(index)).collect(),
            second: (peers != Nodes::All)
                .then(|| all().filter(|&index| peers.has(id(index))).collect()),
            names: nodes.iter().map(|node| node.name.clone()).collect(),
            base: stream.next_u64(),
            episode: None,
            current: None,
            lasting: None,
        }
    }

    /// Whether it cuts what a node sends another now; who is divided from whom, and how often that has been.
    pub fn cuts(
        &mut self,
        trigger: &mut Trigger,
        (from, to): (NodeId, NodeId),
        elapsed: u64,
    ) -> Option<(&str, u64)> {
        if from == to {
            return None;
        }
        self.look(trigger, elapsed)?;
        let division = self.current.as_ref()?.1.as_ref()?;
        let is_cut = division.pairs[from.index() * self.count + to.index()];
        is_cut.then_some((division.words.as_str(), trigger.fired))
    }

    /// The number of the partition that lasts now, if the dice did not spare it.
    fn look(&mut self, trigger: &mut Trigger, elapsed: u64) -> Option<u64> {
        let number = self.number(trigger, elapsed)?;
        if self.current.as_ref().is_none_or(|(current, _)| *current != number) {
            let division = self.divide(trigger, number, elapsed);
            trigger.fired += u64::from(division.is_some());
            self.current = Some((number, division));
        }
        self.current.as_ref()?.1.as_ref().map(|_| number)
    }

    /// What has begun or healed since it was last asked for that, in words, each with how many there have been.
    pub fn turn(&mut self, trigger: &mut Trigger, elapsed: u64) -> Vec<(u64, String)> {
        let number = self.look(trigger, elapsed);
        let mut told = Vec::new();
        if self.lasting.as_ref().map(|lasting| lasting.number) == number {
            return told;
        }
        told.extend(self.heal());
        let current = self.current.as_ref().and_then(|(_, division)| division.as_ref());
        if let (Some(number), Some(Division { name, way, .. })) = (number, current) {
            let count = trigger.fired;
            told.push((count, format!("{name} begins{way}")));
            self.lasting = Some(Lasting { number, count, name: name.clone() });
        }
        told
    }

    /// The one that lasts is over.
    pub fn heal(&mut self) -> Option<(u64, String)> {
        let Lasting { count, name, .. } = self.lasting.take()?;
        Some((count, format!("{name} has healed")))
    }

    /// When it is to be asked for that next.
    pub fn next_turn(&self, trigger: &Trigger, elapsed: u64) -> Option<u64> {
        if self.lasting.is_none() && trigger.is_spent() {
            return None;
        }
        let Trigger { opening, dice, .. } = trigger;
        match dice {
            Dice::Probability { .. } => opening.next_turn(elapsed),
            Dice::Rate { due, .. } => match self.episode {
                Some(Episode { to, .. }) if elapsed < to => Some(to),
                // What comes once the window has closed for good is none.
                _ => (opening.next_open(*due) < u64::MAX).then_some(*due),
            },
        }
    }

    /// Until when it cuts nobody; now, if it may cut somebody.
    pub fn quiet_until(&self, trigger: &Trigger, elapsed: u64) -> u64 {
        match &trigger.dice {
            Dice::Probability { .. } => trigger.opening.next_open(elapsed),
            Dice::Rate { due, .. } => {
                let lasts = self.episode.is_some_and(|episode| elapsed < episode.to);
                if lasts { elapsed } else { *due }
            }
        }
    }

    /// Which partition it is that lasts now, if one does.
    fn number(&mut self, trigger: &mut Trigger, elapsed: u64) -> Option<u64> {
        let Trigger { opening, dice, stream, .. } = trigger;
        let Dice::Rate { interval, due } = dice else {
            return opening.is_open(elapsed).then(|| opening.number(elapsed));
        };
        while *due <= elapsed {
            let number = self.episode.map_or(0, |episode| episode.number + 1);
            let lasts = self.length.as_mut().map_or(0, |length| length.next(stream));
            let (from, to) = (*due, due.saturating_add(lasts));
            self.episode = Some(Episode { number, from, to });
            *due = to.saturating_add(interval.next(stream).max(1));
        }
        let episode = self.episode?;
        (elapsed < episode.to && opening.is_open(episode.from)).then_some(episode.number)
    }

    /// Who cannot reach whom this time; nobody if the dice say so, or there are too few.
    fn divide(&self, trigger: &mut Trigger, number: u64, elapsed: u64) -> Option<Division> {
        let mut stream = Stream::new(self.base, number);
        let happens = match trigger.dice {
            Dice::Probability { share, .. } => {
                let share =
                    Share::from_parts(share.parts().saturating_mul(trigger.factor(elapsed)));
                share == Share::WHOLE || happens(&mut stream, share)
            }
            Dice::Rate { .. } => true,
        };
        if !happens || trigger.is_spent() || trigger.skips() {
            return None;
        }
        let mut order = self.first.clone();
        shuffle(&mut order, &mut stream);
        let (sides, mut pairs) = self.pairs(&order, &mut stream);
        let keeps: fn(bool) -> bool = match self.cut {
            Cut::Both => |_| true,
            Cut::Out => |is_out| is_out,
            Cut::In => |is_out| !is_out,
            Cut::Either if stream.below(2) == 0 => |is_out| is_out,
            Cut::Either => |is_out| !is_out,
        };
        pairs.retain(|&(from, to)| from != to);
        if pairs.is_empty() {
            return None;
        }
        let mut cut = vec![false; self.count * self.count];
        for (from, to) in pairs {
            cut[from * self.count + to] |= keeps(true);
            cut[to * self.count + from] |= keeps(false);
        }
        let (from, way) = match (keeps(true), keeps(false)) {
            (true, true) => ("", ""),
            (true, false) => ("from the first side ", ", for what the first side sends"),
            _ => ("to the first side ", ", for what the first side is sent"),
        };
        let name = self.describe(&sides);
        let words = format!("is cut off {from}by {name}");
        Some(Division { pairs: cut, name, way, words })
    }

    /// The sides, and whom of the second those of the first cannot reach.
    fn pairs(&self, order: &[usize], stream: &mut Stream) -> (Sides, Vec<(usize, usize)>) {
        let others = |spared: &[usize], from: &[usize]| -> Vec<usize> {
            from.iter().copied().filter(|index| !spared.contains(index)).collect()
        };
        let middle = order.len() / 2;
        let sides = match (self.shape, &self.second) {
            (Shape::Ring, _) => {
                let pairs = ring(order);
                return (Sides(order.to_vec(), Vec::new()), pairs);
            }
            (Shape::Pair, second) => {
                let first = order.iter().take(1).copied().collect::<Vec<_>>();
                let mut second = others(&first, second.as_ref().unwrap_or(&self.first));
                shuffle(&mut second, stream);
                second.truncate(1);
                Sides(first, second)
            }
            (Shape::Isolate, second) => {
                let first = order.iter().take(1).copied().collect::<Vec<_>>();
                let all: Vec<_> = (0..self.count).collect();
                let second = others(&first, second.as_ref().unwrap_or(&all));
                Sides(first, second)
            }
            (_, Some(second)) => Sides(self.first.clone(), others(&self.first, second)),
            (Shape::Halves, None) => Sides(order[..middle].to_vec(), order[middle..].to_vec()),
            (Shape::Majority, None) => {
                let minority = order.len().saturating_sub(1) / 2;
                // Of two, neither is a majority.
                let minority = minority.max(usize::from(order.len() == 2));
                Sides(order[..minority].to_vec(), order[minority..].to_vec())
            }
            (Shape::Bridge, None) => {
                let divided = order.get(1..).unwrap_or_default();
                let (first, second) = divided.split_at(divided.len() / 2);
                Sides(first.to_vec(), second.to_vec())
            }
        };
        let pairs = sides.0.iter().flat_map(|&a| sides.1.iter().map(move |&b| (a, b))).collect();
        (sides, pairs)
    }

    fn describe(&self, Sides(first, second): &Sides) -> String {
        let list = |side: &[usize]| {
            let mut names: Vec<_> = side.iter().map(|&index| self.names[index].as_str()).collect();
            names.sort_unstable();
            names.join(", ")
        };
        match self.shape {
            Shape::Ring => {
                let around: Vec<_> = first.iter().map(|&at| self.names[at].as_str()).collect();
                format!("a ring of {}", around.join(", "))
            }
            _ => format!("a partition of {} | {}", list(first), list(second)),
        }
    }
}

struct Sides(Vec<usize>, Vec<usize>);

fn without_peers(wanted: &Match) -> simrun_abi::faults::NodeMatch {
    simrun_abi::faults::NodeMatch { peers: Vec::new(), ..wanted.nodes.clone() }
}

fn id(index: usize) -> NodeId {
    NodeId::new(index as u16)
}

/// Who in a ring is too far from whom: each reaches as many to both sides as make up a majority with it.
fn ring(order: &[usize]) -> Vec<(usize, usize)> {
    let count = order.len();
    let reach = (count / 2).div_ceil(2);
    let mut pairs = Vec::new();
    for from in 0..count {
        for to in from + 1..count {
            let apart = (to - from).min(count - (to - from));
            if apart > reach {
                pairs.push((order[from], order[to]));
            }
        }
    }
    pairs
}

/// Puts things in an order that is drawn (Fisher, Yates).
fn shuffle<T>(list: &mut [T], stream: &mut Stream) {
    for last in (1..list.len()).rev() {
        list.swap(last, stream.below(last as u64 + 1) as usize);
    }
}

#[cfg(test)]
mod tests;
