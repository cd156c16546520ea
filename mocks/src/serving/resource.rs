//! What can be done with the things of a collection.

use std::sync::Arc;

use http::{HeaderValue, StatusCode, header};
use minijinja::context;
use serde_json::{Map, Value, json};

use super::store::{Stores, View};
use crate::{
    answer::{Prepared, Templates},
    compile::{Operation, Resource},
    file::PageStyle,
    matching::json,
    request::{Request, values},
};

/// One request to a collection.
pub struct Visit<'a> {
    /// The collection.
    pub resource: &'a Resource,
    /// All things of the service.
    pub stores: &'a Arc<Stores>,
    /// Its templates.
    pub templates: &'a Templates,
    /// What they are filled with.
    pub world: &'a minijinja::Value,
    /// When it is looked at.
    pub view: View,
    /// The request.
    pub request: &'a Request,
    /// The key that the path names, if it does.
    pub key: String,
}

impl Visit<'_> {
    /// Does it.
    ///
    /// # Errors
    /// What cannot be filled in, in words.
    pub fn act(&self, operation: Operation) -> Result<Prepared, String> {
        Ok(match operation {
            Operation::Create => return self.create(),
            Operation::List => self.list(),
            Operation::Read => self.read(),
            Operation::Replace => return self.replace(),
            Operation::Update => self.update(),
            Operation::Delete => self.delete(),
        })
    }

    fn with<T>(&self, act: impl FnOnce(&mut super::store::Store) -> T) -> T {
        self.stores.with(&self.resource.name, act)
    }

    fn none(&self) -> Prepared {
        let words = format!("there is no {} {}", self.resource.name, self.key);
        Prepared::of_json(StatusCode::NOT_FOUND, &json!({ "error": words }))
    }

    /// What the request brings: JSON, or a form.
    fn brought(&self) -> Result<Map<String, Value>, Box<Prepared>> {
        let wrong = |words: &str| {
            let answer = json!({ "error": words });
            Box::new(Prepared::of_json(StatusCode::BAD_REQUEST, &answer))
        };
        let kind = self.request.header(&header::CONTENT_TYPE).next().unwrap_or_default();
        if kind.starts_with("application/x-www-form-urlencoded") {
            let pairs = self.request.form().iter();
            return Ok(pairs.map(|(name, value)| (name.clone(), value.clone().into())).collect());
        }
        if self.request.body.is_empty() {
            return Ok(Map::new());
        }
        match self.request.json() {
            Ok(Value::Object(fields)) => Ok(fields.clone()),
            Ok(_) => Err(wrong("the body is no object")),
            Err(why) => Err(wrong(&format!("the body is no JSON: {why}"))),
        }
    }

    fn fill_defaults(&self, key: &str, thing: &mut Map<String, Value>) -> Result<(), String> {
        let Some(defaults) = &self.resource.defaults else { return Ok(()) };
        let world = context! { key => key, ..self.world.clone() };
        if let Value::Object(defaults) = self.templates.fill_json(defaults, &world)? {
            for (name, value) in defaults {
                thing.entry(name).or_insert(value);
            }
        }
        Ok(())
    }

    fn create(&self) -> Result<Prepared, String> {
        let mut thing = match self.brought() {
            Ok(thing) => thing,
            Err(answer) => return Ok(*answer),
        };
        let field = &self.resource.key;
        let key = match thing.get(field) {
            Some(key) => json::text(key),
            None => self.templates.fill_text(&self.resource.new_key, self.world)?,
        };
        if self.with(|store| store.get(&key, View::now()).is_some()) {
            let words = format!("there is a {} {key} already", self.resource.name);
            return Ok(Prepared::of_json(StatusCode::CONFLICT, &json!({ "error": words })));
        }
        if !thing.contains_key(field) {
            thing.shift_insert(0, field.clone(), key.clone().into());
        }
        self.fill_defaults(&key, &mut thing)?;
        let thing = Value::Object(thing);
        self.with(|store| store.put(&key, thing.clone()));
        let mut answer = Prepared::of_json(StatusCode::CREATED, &thing);
        let place = format!("{}/{key}", self.request.path.trim_end_matches('/'));
        if let Ok(place) = HeaderValue::from_str(&place) {
            answer.headers.insert(header::LOCATION, place);
        }
        Ok(answer)
    }

    fn read(&self) -> Prepared {
        let found = self.with(|store| store.get(&self.key, self.view).cloned());
        found.map_or_else(|| self.none(), |thing| Prepared::of_json(StatusCode::OK, &thing))
    }

    fn replace(&self) -> Result<Prepared, String> {
        let mut thing = match self.brought() {
            Ok(thing) => thing,
            Err(answer) => return Ok(*answer),
        };
        let is_new = self.with(|store| store.get(&self.key, View::now()).is_none());
        thing.shift_remove(&self.resource.key);
        thing.shift_insert(0, self.resource.key.clone(), self.key.clone().into());
        self.fill_defaults(&self.key, &mut thing)?;
        let thing = Value::Object(thing);
        self.with(|store| store.put(&self.key, thing.clone()));
        let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
        Ok(Prepared::of_json(status, &thing))
    }

    fn update(&self) -> Prepared {
        let changes = match self.brought() {
            Ok(changes) => changes,
            Err(answer) => return *answer,
        };
        let Some(mut thing) = self.with(|store| store.get(&self.key, View::now()).cloned()) else {
            return self.none();
        };
        merge(&mut thing, &Value::Object(changes));
        self.with(|store| store.put(&self.key, thing.clone()));
        Prepared::of_json(StatusCode::OK, &thing)
    }

    fn delete(&self) -> Prepared {
        match self.with(|store| store.remove(&self.key)) {
            true => Prepared::empty(StatusCode::NO_CONTENT),
            false => self.none(),
        }
    }

    fn number(&self, name: &str) -> Option<usize> {
        values(&self.request.parameters, name).next()?.parse().ok()
    }

    fn list(&self) -> Prepared {
        // A parameter that is not about pages asks for things with such a field.
        let filters =
            self.request.parameters.iter().filter(|(name, _)| !PAGING.contains(&name.as_str()));
        let is_asked = |thing: &Value| {
            filters.clone().all(|(name, value)| {
                thing.get(name).is_some_and(|field| json::text(field) == *value)
            })
        };
        let all: Vec<(String, Value)> = self.with(|store| {
            let things = store.all(self.view).filter(|(_, thing)| is_asked(thing));
            things.map(|(key, thing)| (key.to_owned(), thing.clone())).collect()
        });
        let Some(pages) = &self.resource.pages else {
            let things: Vec<Value> = all.into_iter().map(|(_, thing)| thing).collect();
            return Prepared::of_json(StatusCode::OK, &self.wrapped(things, Map::new()));
        };
        let size = |name| self.number(name).unwrap_or(pages.size).clamp(1, pages.max);
        let (begin, size) = match pages.by {
            PageStyle::Offset => (self.number("offset").unwrap_or(0), size("limit")),
            PageStyle::Page => {
                let size = size("per_page");
                (self.number("page").unwrap_or(1).saturating_sub(1).saturating_mul(size), size)
            }
            PageStyle::Cursor => {
                let after = values(&self.request.parameters, "cursor").next();
                let known = after.and_then(|after| all.iter().position(|(key, _)| key == after));
                (known.map_or(0, |index| index + 1), size("limit"))
            }
        };
        let total = all.len();
        let part: Vec<(String, Value)> = all.into_iter().skip(begin).take(size).collect();
        let mut more = Map::new();
        if pages.by == PageStyle::Offset {
            more.insert("total".into(), total.into());
        }
        if pages.by == PageStyle::Cursor {
            let is_last = begin + part.len() >= total;
            let next =
                part.last().filter(|_| !is_last).map_or(Value::Null, |(key, _)| key.clone().into());
            more.insert("next_cursor".into(), next);
        }
        let things = part.into_iter().map(|(_, thing)| thing).collect();
        let mut answer = Prepared::of_json(StatusCode::OK, &self.wrapped(things, more));
        if pages.by == PageStyle::Page {
            self.link(&mut answer, begin / size + 1, size, total.div_ceil(size).max(1));
        }
        answer
    }

    fn wrapped(&self, things: Vec<Value>, mut more: Map<String, Value>) -> Value {
        match &self.resource.list {
            None => Value::Array(things),
            Some(name) => {
                more.shift_insert(0, name.clone(), Value::Array(things));
                Value::Object(more)
            }
        }
    }

    /// Leads to other pages (RFC 8288).
    fn link(&self, answer: &mut Prepared, page: usize, size: usize, last: usize) {
        let url = |page: usize, kind: &str| {
            let Request { scheme, host, path, .. } = self.request;
            format!("<{scheme}://{host}{path}?page={page}&per_page={size}>; rel=\"{kind}\"")
        };
        let mut links = Vec::new();
        if page > 1 {
            links.extend([url(1, "first"), url(page - 1, "prev")]);
        }
        if page < last {
            links.extend([url(page + 1, "next"), url(last, "last")]);
        }
        if let (false, Ok(value)) = (links.is_empty(), HeaderValue::from_str(&links.join(", "))) {
            answer.headers.insert(header::LINK, value);
        }
    }
}

/// Parameters that ask for pages.
const PAGING: [&str; 5] = ["offset", "limit", "page", "per_page", "cursor"];

/// JSON Merge Patch (RFC 7396).
fn merge(thing: &mut Value, changes: &Value) {
    let Value::Object(changes) = changes else {
        *thing = changes.clone();
        return;
    };
    if !thing.is_object() {
        *thing = Value::Object(Map::new());
    }
    let Value::Object(fields) = thing else { return };
    for (name, value) in changes {
        if value.is_null() {
            fields.remove(name);
        } else {
            merge(fields.entry(name.clone()).or_insert(Value::Null), value);
        }
    }
}
