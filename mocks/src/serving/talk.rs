//! Conversations that are not HTTP, as a service takes part in them.

use std::{rc::Rc, sync::Arc, time::Duration};

use bytes::Bytes;
use http::StatusCode;
use simrun_abi::faults::Quantity;

use super::{
    Serving,
    spoil::{self, Ending as Spoilt},
    trouble,
};
use crate::{
    answer::{Content, Draws, Maker, Piece, Prepared},
    compile::{Realm, Take},
    matching::Captures,
    request::Request,
};

/// A conversation: what has been heard, and what of that has a name.
pub struct Conversation {
    serving: Rc<Serving>,
    name: String,
    count: u64,
    draws: Arc<Draws>,
    /// What it began with, and what was heard last.
    request: Request,
    captures: Captures,
    /// Whether those have heard of it who expect something of it.
    is_noted: bool,
    /// What can go wrong in it, unless that has been decided for all of it.
    realm: Option<Realm>,
    /// The trouble that has struck last, by its index, and whether it is still to come over what is said next.
    struck: Option<(usize, Due)>,
}

/// Whether a trouble has had its effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    Still,
    No,
}

impl Serving {
    /// Begins a conversation of the talk of this index.
    pub fn talk(self: &Rc<Self>, index: usize, request: Request) -> Conversation {
        let memory = &mut *self.memory.borrow_mut();
        memory.calls += 1;
        let own = &mut memory.talks[index];
        own.count += 1;
        Conversation {
            serving: Rc::clone(self),
            name: self.service.talks[index].name.clone(),
            count: own.count,
            draws: Arc::clone(&own.draws),
            request,
            captures: Captures::default(),
            is_noted: false,
            realm: Some(self.service.talks[index].kind.realm()),
            struck: None,
        }
    }

    /// Begins the conversation of a route whose connection has become one of WebSocket, or whose client streams.
    pub fn socket(self: &Rc<Self>, route: usize, request: Request) -> Conversation {
        let own = &self.memory.borrow().routes[route];
        let route = &self.service.routes[route];
        Conversation {
            serving: Rc::clone(self),
            name: route.name.clone(),
            count: own.count,
            draws: Arc::clone(&own.draws),
            captures: route.matcher.captures(&request),
            request,
            is_noted: true,
            realm: None,
            struck: None,
        }
    }
}

impl Conversation {
    /// Whose it is.
    pub fn serving(&self) -> &Rc<Serving> {
        &self.serving
    }

    /// How many of its kind there were, with it.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What was heard last.
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// Hears something; where it goes on.
    ///
    /// # Errors
    /// What differs from what was waited for, in words.
    pub fn hear(&mut self, take: &Take, heard: Bytes) -> Result<usize, String> {
        self.request.replace_body(heard);
        let mut cases = take.cases.iter();
        if let Some((matcher, next)) = cases.find(|(matcher, _)| matcher.matches(&self.request)) {
            self.captures.0.extend(matcher.captures(&self.request).0);
            return Ok(*next);
        }
        let misses = take.cases.iter().map(|(matcher, _)| matcher.misses(&self.request));
        let nearest = misses.min_by_key(Vec::len).unwrap_or_default();
        let words: Vec<String> = nearest.into_iter().map(|miss| miss.words).collect();
        Err(words.join(", "))
    }

    /// Decides what goes wrong with what was heard last. What comes instead of everything that follows, if that is something.
    pub fn strike(&mut self) -> Option<Spoilt> {
        let memory = &mut *self.serving.memory.borrow_mut();
        let troubles = &self.serving.service.troubles;
        let place = (self.name.as_str(), self.realm?);
        let (start, request) = (memory.start, &self.request);
        let struck = trouble::strike(troubles, &mut memory.troubles, place, request, start);
        let (trouble, index) = struck?;
        let instead = spoil::instead(&trouble.misdeed, memory.troubles[index].draws());
        self.struck = Some((index, if instead.is_some() { Due::No } else { Due::Still }));
        instead
    }

    /// What becomes of what is said; nothing, if all is well.
    pub fn spoil(&mut self, said: &Bytes) -> Option<Spoilt> {
        let (index, due) = self.struck.as_mut()?;
        if std::mem::replace(due, Due::No) == Due::No {
            return None;
        }
        let memory = self.serving.memory.borrow();
        let misdeed = &self.serving.service.troubles[*index].misdeed;
        let pieces = vec![Piece::Data(said.clone())];
        let said = Prepared { pieces, ..Prepared::empty(StatusCode::OK) };
        let mut spoilt = spoil::spoil(misdeed, said, memory.troubles[*index].draws());
        if let (Some(Realm::Datagrams), Spoilt::Answer(answer)) = (self.realm, &mut spoilt) {
            // One that is cut off ends nothing.
            answer.pieces.retain(|piece| matches!(piece, Piece::Data(_)));
        }
        Some(spoilt)
    }

    /// What has gone wrong last.
    pub fn trouble(&self) -> Option<&str> {
        let (index, _) = self.struck?;
        Some(&self.serving.service.troubles[index].name)
    }

    /// Gives a name to something that was heard.
    pub fn name_part(&mut self, name: &str, text: String) {
        self.captures.add(name, text);
    }

    /// What is said, with all its places filled.
    ///
    /// # Errors
    /// What is not there, in words.
    pub fn fill(&self, content: &Content) -> Result<Bytes, String> {
        match content {
            Content::Bytes(bytes) | Content::Fixed(bytes) => Ok(bytes.clone()),
            content => self.with_maker(|maker| maker.content(content)),
        }
    }

    /// Draws a time.
    pub fn time(&self, quantity: &Quantity) -> Duration {
        self.with_maker(|maker| maker.time(quantity))
    }

    /// Lets those hear that it is through who expect something of it.
    ///
    /// # Errors
    /// What is not there, in words.
    pub fn finish(&self) -> Result<(), String> {
        if self.is_noted {
            return Ok(());
        }
        self.with_maker(|maker| {
            let memory = &mut *self.serving.memory.borrow_mut();
            self.serving.note(&self.name, &self.request, memory, maker)
        })
    }

    fn with_maker<T>(&self, make: impl FnOnce(&Maker<'_>) -> T) -> T {
        let memory = self.serving.memory.borrow();
        let world = memory.world(&self.request, self.captures.clone(), self.count, &self.draws);
        // Who is told of it may remember something.
        drop(memory);
        let templates = &self.serving.service.templates;
        make(&Maker { templates, world, draws: &self.draws })
    }
}
