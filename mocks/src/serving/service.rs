//! From a request to its reply.

use std::{
    cell::RefCell,
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use http::StatusCode;
use simrun_kernel::fault::Source;

use super::{
    expect,
    memory::Memory,
    resource::Visit,
    socket,
    spoil::{self, Ending},
    store::View,
    trouble,
    webhook::{self, Outbound},
};
use crate::{
    answer::{Answers, Draws, Maker, Prepared},
    compile::{Action, Limit, Operation, Realm, Route, Service, Trouble},
    file::{Misdeed, Turn},
    request::{Request, values},
};

/// A service and what it remembers.
pub struct Serving {
    /// The service.
    pub service: Service,
    pub(super) memory: RefCell<Memory>,
}

/// What a request is answered, and why.
pub struct Reply<'a> {
    /// How it ends.
    pub ending: Ending,
    /// The route that it took.
    pub route: Option<&'a str>,
    /// What went wrong on purpose.
    pub trouble: Option<&'a str>,
    /// Why there is no other answer.
    pub problem: Option<String>,
    /// Whether what was asked for was done.
    pub is_done: bool,
    /// What follows is a conversation of the route of this index.
    pub socket: Option<usize>,
    /// Requests that are made afterwards.
    pub webhooks: Vec<Outbound>,
}

impl Reply<'_> {
    fn undone(answer: Prepared) -> Self {
        Self {
            ending: Ending::Answer(answer),
            route: None,
            trouble: None,
            problem: None,
            is_done: false,
            socket: None,
            webhooks: Vec::new(),
        }
    }

    fn problem(status: StatusCode, words: String) -> Self {
        Self { problem: Some(words.clone()), ..Self::undone(Prepared::of_error(status, &words)) }
    }
}

impl Serving {
    /// A service that has not been called yet.
    pub fn new(service: Service, seed: u64) -> Rc<Self> {
        let memory = RefCell::new(Memory::new(&service, seed));
        Rc::new(Self { service, memory })
    }

    /// Lets nothing go wrong any more that was asked for.
    pub fn calm_down(&self) {
        let memory = &mut *self.memory.borrow_mut();
        for (trouble, memory) in self.service.troubles.iter().zip(&mut memory.troubles) {
            if trouble.is_asked {
                memory.close();
            }
        }
    }

    /// Says what of what is expected is so.
    pub fn tell_expectations(&self) {
        expect::tell(&self.service.name, &self.service.expects, &self.memory.borrow().seen);
    }

    /// Answers a request.
    pub fn reply(&self, request: &Request) -> Reply<'_> {
        let memory = &mut *self.memory.borrow_mut();
        memory.calls += 1;
        let routes = &self.service.routes;
        let Some(index) = self.find(request, memory) else {
            let words = self.explain(request, memory);
            return dressed(request, Reply::problem(StatusCode::NOT_FOUND, words));
        };
        let route = &routes[index];
        let mut reply = self.on_route(index, request, memory);
        reply.route = Some(&route.name);
        if let Some(delay) = &self.service.delay
            && let Ending::Answer(answer) | Ending::Short(answer, _) = &mut reply.ending
        {
            let drawn = memory.draws.draw(|stream| Source::new(delay).next(stream));
            answer.delay += Duration::from_nanos(drawn);
        }
        reply
    }

    /// The route that a request takes.
    fn find(&self, request: &Request, memory: &Memory) -> Option<usize> {
        let takes = |index: &usize| {
            let route = &self.service.routes[*index];
            route.matcher.matches(request) && is_on(route, memory)
        };
        self.service.index.find(&request.path).into_iter().find(takes)
    }

    /// Whether a request whose body has not come yet takes a route where that is answered while it comes.
    pub fn answers_meanwhile(&self, request: &Request) -> bool {
        let route = self.find(request, &self.memory.borrow());
        route.is_some_and(|index| matches!(self.service.routes[index].action, Action::Stream(_)))
    }

    fn on_route(&self, index: usize, request: &Request, memory: &mut Memory) -> Reply<'_> {
        let service = &self.service;
        let route = &service.routes[index];
        let struck = trouble::strike(
            &service.troubles,
            &mut memory.troubles,
            (&route.name, Realm::Http),
            request,
            memory.start,
        );
        let name = struck.map(|(trouble, _)| trouble.name.as_str());
        if let Some((trouble, at)) = struck
            && let Some(ending) = spoil::instead(&trouble.misdeed, memory.troubles[at].draws())
        {
            let undone = Reply::undone(Prepared::empty(StatusCode::OK));
            return dressed(request, Reply { ending, trouble: name, ..undone });
        }
        let trouble = struck.map(|(trouble, _)| trouble);
        let mut reply = dressed(request, self.carry_out(index, request, memory, trouble));
        if let Some((trouble, at)) = struck {
            reply.trouble = name;
            if let Ending::Answer(answer) = reply.ending {
                reply.ending = spoil::spoil(&trouble.misdeed, answer, memory.troubles[at].draws());
            }
        }
        reply
    }

    fn carry_out(
        &self,
        index: usize,
        request: &Request,
        memory: &mut Memory,
        trouble: Option<&Trouble>,
    ) -> Reply<'_> {
        let service = &self.service;
        let (route, now) = (&service.routes[index], Instant::now());
        memory.routes[index].count += 1;
        let world = self.world(index, request, memory);
        for (limit, own) in [(&service.limit, ""), (&route.limit, route.name.as_str())] {
            match limit.as_ref().map(|limit| self.refuse(limit, own, &world, memory, now)) {
                None | Some(Ok(None)) => {}
                Some(Ok(Some(answer))) => return Reply::undone(answer),
                Some(Err(why)) => return fails(route, &why),
            }
        }
        if route.needs_token
            && let Some(answer) = memory.tokens.refuse(request, now)
        {
            return Reply::undone(answer);
        }
        let key = route.idempotency.as_ref().and_then(|known| {
            request.header(&known.header).next().map(|key| (key.to_owned(), known.lasts))
        });
        if let Some((key, lasts)) = &key
            && let Some(answer) = memory.routes[index].replays.find(key, request, *lasts, now)
        {
            return Reply::undone(answer);
        }
        let draws = Arc::clone(&memory.routes[index].draws);
        let maker = Maker { templates: &service.templates, world, draws: &draws };
        let answer = match self.act(index, request, memory, &maker, trouble) {
            Ok(answer) => answer,
            Err(why) => return fails(route, &why),
        };
        if let Some((key, _)) = key {
            memory.routes[index].replays.remember(key, request, &answer, now);
        }
        memory.states.extend(route.then.iter().cloned());
        let socket = socket::begins(route, &answer).then_some(index);
        if matches!(route.action, Action::WebSocket(_) | Action::Stream(_)) && socket.is_none() {
            return Reply::undone(answer);
        }
        let mut reply = Reply { is_done: true, socket, ..Reply::undone(answer) };
        for webhook in &route.webhooks {
            match webhook::prepare(webhook, &maker) {
                Ok(outbound) => reply.webhooks.push(outbound),
                Err(why) => reply.problem = Some(format!("route {}: webhook: {why}", route.name)),
            }
        }
        if let Err(why) = self.note(&route.name, request, memory, &maker) {
            reply.problem = Some(format!("route {}: expect: {why}", route.name));
        }
        reply
    }

    /// What places are filled with; nothing, where there are none.
    fn world(&self, index: usize, request: &Request, memory: &Memory) -> minijinja::Value {
        if self.service.is_fixed(index) {
            return minijinja::Value::UNDEFINED;
        }
        let own = &memory.routes[index];
        let captures = self.service.routes[index].matcher.captures(request);
        memory.world(request, captures, own.count, &own.draws)
    }

    /// What is answered to a request beyond a limit.
    fn refuse(
        &self,
        limit: &Limit,
        own: &str,
        world: &minijinja::Value,
        memory: &mut Memory,
        now: Instant,
    ) -> Result<Option<Prepared>, String> {
        let key = match &limit.by {
            Some(by) => self.service.templates.fill_text(by, world)?,
            None => String::new(),
        };
        let name = if limit.name.is_empty() { own } else { &limit.name };
        let taken = memory.limits.entry(name.to_owned()).or_default();
        let left = taken.take(&key, limit.requests, limit.per, now);
        Ok((!left.is_taken).then(|| spoil::busy(left.until)))
    }

    fn act(
        &self,
        index: usize,
        request: &Request,
        memory: &mut Memory,
        maker: &Maker<'_>,
        trouble: Option<&Trouble>,
    ) -> Result<Prepared, String> {
        let service = &self.service;
        match &service.routes[index].action {
            Action::Answer(answers) => {
                let count = memory.routes[index].count;
                maker.prepare(&answers.all[next(answers, count, maker.draws)])
            }
            Action::WebSocket(socket) => Ok(socket.shake(request)),
            Action::Stream(_) => Ok(match &request.grpc {
                Some(_) => Prepared::empty(StatusCode::OK),
                None => {
                    Prepared::of_error(StatusCode::UNSUPPORTED_MEDIA_TYPE, "gRPC is spoken here")
                }
            }),
            Action::Token => {
                let Some(tokens) = &service.tokens else { unreachable!("its route comes with it") };
                Ok(memory.tokens.give(tokens, request, maker.draws, Instant::now()))
            }
            Action::Resource(at, operation) => {
                let captures = service.routes[index].matcher.captures(request);
                let view = match trouble.map(|trouble| &trouble.misdeed) {
                    Some(Misdeed::Stale(time)) if is_read(*operation) => {
                        View::ago(Duration::from_nanos(simrun_config::units::Unit::number(*time)))
                    }
                    _ => View::now(),
                };
                let visit = Visit {
                    resource: &service.resources[*at],
                    stores: &memory.stores,
                    templates: &service.templates,
                    world: &maker.world,
                    view,
                    request,
                    key: values(&captures.0, "key").next().unwrap_or_default().to_owned(),
                };
                visit.act(*operation)
            }
        }
    }

    /// Lets those hear of a call who expect something of it.
    pub(super) fn note(
        &self,
        route: &str,
        request: &Request,
        memory: &mut Memory,
        maker: &Maker<'_>,
    ) -> Result<(), String> {
        for (expect, seen) in self.service.expects.iter().zip(&mut memory.seen) {
            if expect.is_about(request) && expect.concerns(route) {
                let each = match &expect.each {
                    Some(each) => self.service.templates.fill_text(each, &maker.world)?,
                    None => String::new(),
                };
                seen.hear(expect, route, &each);
            }
        }
        Ok(())
    }

    /// Why no route is for a request: the one that nearly is, and what keeps it from it.
    fn explain(&self, request: &Request, memory: &Memory) -> String {
        let none = format!("no mock matched: {} {}", request.method, request.target());
        let misses = self.service.routes.iter().map(|route| {
            let mut misses = route.matcher.misses(request);
            misses.extend(off(route, memory));
            (route, misses)
        });
        let nearest =
            misses.min_by_key(|(_, misses)| misses.iter().map(|miss| miss.weight).sum::<u32>());
        let Some((route, misses)) = nearest else { return none };
        let words: Vec<_> = misses.into_iter().map(|miss| miss.words).collect();
        format!("{none}; closest: route {}, {}", route.name, words.join(", "))
    }
}

/// The reply to a call of gRPC, as it is sent; another as it is.
fn dressed<'a>(request: &Request, mut reply: Reply<'a>) -> Reply<'a> {
    if let (Some(call), None) = (&request.grpc, reply.socket)
        && let Ending::Answer(answer) = reply.ending
    {
        reply.ending = Ending::Answer(call.dress(answer));
    }
    reply
}

fn is_read(operation: Operation) -> bool {
    matches!(operation, Operation::Read | Operation::List)
}

/// Whether the scenarios of a route are in the states that it wants.
fn is_on(route: &Route, memory: &Memory) -> bool {
    route.when.iter().all(|(name, states)| states.iter().any(|state| state == memory.state(name)))
}

/// Scenarios that are in other states.
fn off(route: &Route, memory: &Memory) -> Option<crate::matching::Miss> {
    let (name, states) = route
        .when
        .iter()
        .find(|(name, states)| !states.iter().any(|state| state == memory.state(name)))?;
    let words =
        format!("scenario {name} is in state {}, not {}", memory.state(name), states.join(" or "));
    Some(crate::matching::Miss { words, weight: 1 })
}

fn fails<'a>(route: &Route, why: &str) -> Reply<'a> {
    Reply::problem(StatusCode::INTERNAL_SERVER_ERROR, format!("route {}: {why}", route.name))
}

/// Which answer it is this time; `count` counts from one.
fn next(answers: &Answers, count: u64, draws: &Draws) -> usize {
    let len = answers.all.len() as u64;
    let index = match answers.turn {
        Turn::Last => (count - 1).min(len - 1),
        Turn::Cycle => (count - 1) % len,
        Turn::Random => draws.draw(|stream| stream.below(len)),
    };
    index as usize
}
