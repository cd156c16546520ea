//! Conversations that are not HTTP, as a service takes part in them.

use std::{rc::Rc, sync::Arc, time::Duration};

use bytes::Bytes;
use simrun_abi::faults::Quantity;

use super::Serving;
use crate::{
    answer::{Content, Draws, Maker},
    compile::Take,
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
        }
    }

    /// Begins the conversation of a route whose connection has become one of WebSocket.
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
