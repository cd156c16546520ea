//! All faults of links.

use alloc::{format, rc::Rc, vec::Vec};
use core::cell::Cell;

use simrun_abi::{
    faults::{Fault, Way},
    node::Node,
};

use super::{
    Cargo, Fate, Link, Passage, Report, Tamper, Wire,
    doing::{Doing, LinkFault},
    tamper,
    wire::Breach,
};
use crate::{
    fault::{chance::Dice, pattern::Pattern, trigger::Trigger},
    random::Stream,
};

/// Least bytes of a stream that arrive together over a link that is narrow or breaks: a segment on Ethernet, with time
/// stamps.
const PIECE_MIN: u64 = 1448;
/// Time in which a narrow link carries what arrives together, if that is more, as a part of a second.
const PIECES_PER_SECOND: u64 = 100;

/// All faults of links.
#[derive(Default)]
pub struct Links {
    all: Vec<LinkFault>,
}

impl Links {
    /// One more; one that is of no link is left out.
    pub fn add(&mut self, fault: &Fault, nodes: &[Node], stream: Stream) {
        self.all.extend(LinkFault::new(fault, nodes, stream));
    }

    /// What says when each fires, by name.
    pub fn triggers(&mut self) -> impl Iterator<Item = (&Rc<str>, &mut Trigger)> {
        self.all.iter_mut().map(|fault| (&fault.name, &mut fault.trigger))
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// What is known of a link; `None` if no fault is for it. `has_name` tells whether its server has a name like a pattern.
    pub fn wire(&mut self, link: Link, has_name: &dyn Fn(&Pattern) -> bool) -> Option<Rc<Wire>> {
        let is_for = |fault: &LinkFault| {
            fault.doing.is_for(link.protocol) && fault.target.matches(&link, has_name)
        };
        let faults: Vec<u16> =
            (0..).zip(&self.all).filter(|(_, fault)| is_for(fault)).map(|(at, _)| at).collect();
        if faults.is_empty() {
            return None;
        }
        let breaches = faults.iter().filter_map(|&index| self.plan_breach(index)).collect();
        let piece = |&index: &u16| match self.all[usize::from(index)].doing {
            Doing::Bandwidth { rate, .. } => Some((rate / PIECES_PER_SECOND).max(PIECE_MIN)),
            // It is to have carried so many bytes when it breaks, and not a whole buffer more; what is lost is a segment.
            Doing::Reset(_)
            | Doing::Vanish(_)
            | Doing::Close(_)
            | Doing::Lose
            | Doing::LoseInBursts { .. }
            | Doing::Partition(_)
            | Doing::Corrupt => Some(PIECE_MIN),
            _ => None,
        };
        let piece = faults.iter().filter_map(piece).min();
        let any = |is_such: fn(&Doing) -> bool| {
            faults.iter().any(|&index| is_such(&self.all[usize::from(index)].doing))
        };
        let is_sliced = any(|doing| matches!(doing, Doing::Slice { .. }));
        let is_tampered = any(|doing| matches!(doing, Doing::Tamper(_)));
        Some(Rc::new(Wire {
            piece: piece.map(|piece| usize::try_from(piece).unwrap_or(usize::MAX)),
            link,
            faults,
            breaches,
            quiet_until: Cell::new(0),
            carried: Cell::new(0),
            is_broken: Cell::new(false),
            is_silent: Cell::new(false),
            is_closed: Cell::new(false),
            is_sliced,
            is_tampered,
        }))
    }

    /// The end that a fault has in store for a connection that is being made, if it has one.
    fn plan_breach(&mut self, index: u16) -> Option<Breach> {
        let LinkFault { trigger, doing, .. } = &mut self.all[usize::from(index)];
        let (Doing::Reset(after) | Doing::Vanish(after) | Doing::Close(after)) = doing else {
            return None;
        };
        let after = after.next(&mut trigger.stream);
        let is_sure = matches!(trigger.dice, Dice::Probability { .. });
        // That it will happen is decided now, and counted when it does.
        let is_planned = !is_sure || !trigger.skips() && trigger.hits(0);
        is_planned.then_some(Breach { fault: index, after, is_sure })
    }

    /// What becomes of something that is sent, at so many nanoseconds after the start of the run. All faults decide, also
    /// when another has decided already: what one draws must not depend on the others.
    pub fn pass(&mut self, wire: &Wire, way: Way, cargo: Cargo, elapsed: u64) -> Passage {
        let mut passage = Passage::default();
        if wire.is_silent() {
            passage.fate = Fate::Lost;
            return passage;
        }
        if elapsed >= wire.quiet_until.get() {
            for &index in &wire.faults {
                self.all[usize::from(index)].apply(&wire.link, (way, cargo), elapsed, &mut passage);
            }
            let opens = |&index: &u16| self.all[usize::from(index)].quiet_until(elapsed);
            wire.quiet_until.set(wire.faults.iter().map(opens).min().unwrap_or(u64::MAX));
        }
        if matches!(cargo, Cargo::Data(_)) && passage.fate == Fate::Arrives && !wire.is_broken.get()
        {
            wire.carried.set(wire.carried.get().saturating_add(cargo.bytes()));
            self.breach(wire, way, elapsed, &mut passage);
        }
        match passage.fate {
            Fate::Vanishes => wire.is_silent.set(true),
            Fate::Closes => wire.is_closed.set(true),
            Fate::Arrives if wire.is_closed.get() => passage.fate = Fate::TooLate,
            _ => {}
        }
        passage
    }

    /// Whether a partition keeps what goes this way from arriving.
    pub fn is_cut_off(&mut self, wire: &Wire, way: Way, elapsed: u64) -> bool {
        elapsed >= wire.quiet_until.get()
            && wire
                .faults
                .iter()
                .any(|&index| self.all[usize::from(index)].cuts(&wire.link, way, elapsed).is_some())
    }

    /// How many bytes of those that are written to a stream arrive together at most.
    pub fn piece(&mut self, wire: &Wire, way: Way, elapsed: u64) -> Option<usize> {
        if elapsed < wire.quiet_until.get() {
            return None;
        }
        let mut piece = wire.piece;
        for &index in wire.faults.iter().filter(|_| wire.is_sliced) {
            let LinkFault { trigger, target, doing, .. } = &mut self.all[usize::from(index)];
            if let Doing::Slice { size, .. } = doing
                && target.takes(&wire.link, way)
                && trigger.may_fire(elapsed)
            {
                let size = size.next(&mut trigger.stream).max(1);
                let size = usize::try_from(size).unwrap_or(usize::MAX);
                piece = Some(piece.map_or(size, |piece| piece.min(size)));
            }
        }
        piece
    }

    /// What somebody in the middle does to a message that goes over a link.
    pub fn tamper(&mut self, wire: &Wire, way: Way, elapsed: u64) -> Vec<Tamper> {
        let mut tampers = Vec::new();
        for &index in wire.faults.iter().filter(|_| wire.is_tampered) {
            let LinkFault { name, trigger, target, doing } = &mut self.all[usize::from(index)];
            if let Doing::Tamper(how) = doing
                && target.takes(&wire.link, way)
                && trigger.may_fire(elapsed)
                && trigger.fires(elapsed)
            {
                let random = trigger.stream.next_u64();
                let effect = tamper::words(*how).into();
                let report = Report { fault: Rc::clone(name), count: trigger.fired, effect };
                tampers.push(Tamper { how: *how, random, report });
            }
        }
        tampers
    }

    /// Breaks a connection for which the time has come.
    fn breach(&mut self, wire: &Wire, way: Way, elapsed: u64, passage: &mut Passage) {
        let carried = wire.carried.get();
        for breach in wire.breaches.iter().filter(|breach| carried >= breach.after) {
            let fault = &mut self.all[usize::from(breach.fault)];
            let may = fault.trigger.may_fire(elapsed) && fault.target.takes(&wire.link, way);
            if !may || !breach.is_sure && !fault.trigger.fires(elapsed) {
                continue;
            }
            fault.trigger.fired += u64::from(breach.is_sure);
            let (fate, words) = match fault.doing {
                Doing::Reset(_) => (Fate::Reset, "is reset"),
                Doing::Close(_) => (Fate::Closes, "is closed"),
                _ => (Fate::Vanishes, "is cut without a word"),
            };
            let effect = format!("{words} after {carried} bytes");
            passage.report(&fault.name, fault.trigger.fired, effect);
            passage.settle(fate);
            wire.is_broken.set(true);
            return;
        }
    }
}
