//! All faults of links.

use alloc::{collections::BTreeMap, format, rc::Rc, vec::Vec};
use core::net::SocketAddr;

use simrun_abi::{
    faults::{Fault, Protocol, Way},
    node::Node,
};

use super::{
    Cargo, Fate, Link, Passage, Report, Tamper, Wire,
    doing::{Doing, LinkFault},
    tamper,
    wire::{Breach, Route},
};
use crate::{
    fault::{chance::Dice, pattern::Pattern, raise::Raised},
    node::NodeId,
    random::Stream,
};

/// Most routes that are kept in mind.
const ROUTES_MAX: usize = 4096;

/// What a route depends on: what carries it, its server, its nodes and the program.
type RouteKey = (Protocol, SocketAddr, (NodeId, NodeId), Rc<[u8]>);

/// All faults of links.
#[derive(Default)]
pub struct Links {
    all: Vec<LinkFault>,
    /// How many of them, from the first on, are not over.
    live: usize,
    /// Which faults are for whom, so that nothing is matched anew for each thing that is sent.
    routes: BTreeMap<RouteKey, Rc<Route>>,
    /// How often it has changed when faults come.
    round: u64,
    /// How often a fault was looked at.
    #[cfg(test)]
    looks: u64,
}

impl Links {
    /// One more; one that is of no link is left out.
    pub fn add(&mut self, fault: &Fault, nodes: &[Node], stream: Stream) {
        self.all.extend(LinkFault::new(fault, nodes, stream));
        self.live = self.all.len();
    }

    /// Ends all but the first ones, which are kept; the partitions that have healed thereby.
    pub fn end_others(&mut self, is_kept: impl Fn(&str) -> bool) -> Vec<Report> {
        self.live = self.all.iter().take_while(|fault| is_kept(&fault.name)).count();
        self.routes.clear();
        self.round += 1;
        self.all[self.live..].iter_mut().filter_map(LinkFault::end).collect()
    }

    /// Has those come more often for a while that are chosen; whether there are any.
    pub fn raise(
        &mut self,
        is_chosen: impl Fn(&str) -> bool,
        elapsed: u64,
        raised: Raised,
    ) -> bool {
        let chosen = self.all[..self.live].iter_mut().filter(|fault| is_chosen(&fault.name));
        let count = chosen.map(|fault| fault.trigger.raise(elapsed, raised)).count();
        self.round += u64::from(count > 0);
        count > 0
    }

    /// When each partition begins first.
    pub fn first_turns(&self) -> Vec<(u16, u64)> {
        let all = (0..).zip(&self.all[..self.live]);
        all.filter_map(|(index, fault)| Some((index, fault.first_turn()?))).collect()
    }

    /// When each partition begins or heals next, after this.
    pub fn next_turns(&self, elapsed: u64) -> Vec<(u16, u64)> {
        let all = (0..).zip(&self.all[..self.live]);
        all.filter_map(|(index, fault)| Some((index, fault.next_turn(elapsed)?))).collect()
    }

    /// Which partitions of a fault have begun or healed since it was last asked, and when it is to be asked next.
    pub fn turn(&mut self, index: u16, elapsed: u64) -> (Vec<Report>, Option<u64>) {
        let Some(fault) = self.all[..self.live].get_mut(usize::from(index)) else {
            return (Vec::new(), None);
        };
        (fault.turn(elapsed), fault.next_turn(elapsed))
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.live == 0
    }

    /// What is known of a link; `None` if no fault is for it. `has_name` tells whether its server has a name like a pattern.
    pub fn wire(&mut self, link: Link, has_name: &dyn Fn(&Pattern) -> bool) -> Option<Rc<Wire>> {
        let key = (link.protocol, link.server, link.nodes, Rc::clone(&link.program));
        let route = match self.routes.get(&key) {
            Some(route) => Rc::clone(route),
            None => {
                let route = Rc::new(self.route(&link, has_name));
                if self.routes.len() == ROUTES_MAX {
                    self.routes.clear();
                }
                self.routes.insert(key, Rc::clone(&route));
                route
            }
        };
        if route.faults.is_empty() {
            return None;
        }
        let breaches = route.breakers.iter().filter_map(|&index| self.plan_breach(index)).collect();
        Some(Rc::new(Wire::new(link, route, breaches)))
    }

    /// The faults that are for a link.
    fn route(&mut self, link: &Link, has_name: &dyn Fn(&Pattern) -> bool) -> Route {
        #[cfg(test)]
        {
            self.looks += self.live as u64;
        }
        let is_for = |fault: &LinkFault| {
            fault.doing.is_for(link.protocol) && fault.target.matches(link, has_name)
        };
        let live = (0..).zip(&self.all[..self.live]);
        let faults: Vec<u16> =
            live.filter(|(_, fault)| is_for(fault)).map(|(index, _)| index).collect();
        let doing = |index: u16| &self.all[usize::from(index)].doing;
        let any = |is_such: fn(&Doing) -> bool| faults.iter().any(|&index| is_such(doing(index)));
        let piece = faults.iter().filter_map(|&index| doing(index).piece()).min();
        Route {
            breakers: faults.iter().copied().filter(|&index| doing(index).breaks()).collect(),
            is_sliced: any(|doing| matches!(doing, Doing::Slice { .. })),
            is_tampered: any(|doing| matches!(doing, Doing::Tamper(_))),
            piece: piece.map(|piece| usize::try_from(piece).unwrap_or(usize::MAX)),
            faults,
            ..Route::default()
        }
    }

    /// Finds out which faults may do something on a route, if that may have changed. What is sent while they sleep asks
    /// none of them.
    fn look_around(&mut self, route: &Route, elapsed: u64) {
        if elapsed < route.next_wakes.get() && route.round.get() == self.round {
            return;
        }
        let mut awake = route.awake.borrow_mut();
        awake.clear();
        let mut next_wakes = u64::MAX;
        for &index in route.faults.iter().filter(|&&index| usize::from(index) < self.live) {
            #[cfg(test)]
            {
                self.looks += 1;
            }
            match self.all[usize::from(index)].quiet_until(elapsed) {
                until if until <= elapsed => awake.push(index),
                until => next_wakes = next_wakes.min(until),
            }
        }
        route.next_wakes.set(next_wakes);
        route.round.set(self.round);
    }

    /// Forgets those of a route that have fallen asleep.
    fn let_sleep(&self, route: &Route, elapsed: u64) {
        let mut next_wakes = route.next_wakes.get();
        route.awake.borrow_mut().retain(|&index| {
            let until = self.all[usize::from(index)].quiet_until(elapsed);
            next_wakes = next_wakes.min(if until > elapsed { until } else { u64::MAX });
            until <= elapsed
        });
        route.next_wakes.set(next_wakes);
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
        self.look_around(&wire.route, elapsed);
        if !wire.route.awake.borrow().is_empty() {
            for &index in &*wire.route.awake.borrow() {
                #[cfg(test)]
                {
                    self.looks += 1;
                }
                self.all[usize::from(index)].apply(&wire.link, (way, cargo), elapsed, &mut passage);
            }
            self.let_sleep(&wire.route, elapsed);
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
        self.look_around(&wire.route, elapsed);
        let awake = wire.route.awake.borrow();
        awake
            .iter()
            .any(|&index| self.all[usize::from(index)].cuts(&wire.link, way, elapsed).is_some())
    }

    /// How many bytes of those that are written to a stream arrive together at most.
    pub fn piece(&mut self, wire: &Wire, way: Way, elapsed: u64) -> Option<usize> {
        let route = &wire.route;
        self.look_around(route, elapsed);
        let awake = route.awake.borrow();
        let mut piece = route.piece.filter(|_| !awake.is_empty());
        for &index in awake.iter().filter(|_| route.is_sliced) {
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
        if !wire.is_tampered() {
            return tampers;
        }
        self.look_around(&wire.route, elapsed);
        for &index in &*wire.route.awake.borrow() {
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
        let is_due =
            |breach: &&Breach| carried >= breach.after && usize::from(breach.fault) < self.live;
        for breach in wire.breaches.iter().filter(is_due) {
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

#[cfg(test)]
mod tests;
