//! Collections, as routes.

use serde_json::Value;
use simrun_config::{OneOrMany, Spanned, WordOr, Wrong};

use super::{Action, Route, state};
use crate::{
    answer::{Json, Templates, Text},
    file::{Match, PageStyle, Resource as FileResource},
    matching::{self, json},
};

/// A collection.
#[derive(Clone, Debug)]
pub struct Resource {
    /// Its name.
    pub name: String,
    /// The field that tells one thing from another.
    pub key: String,
    /// How a new one is named.
    pub new_key: Text,
    /// What a new one has.
    pub defaults: Option<Json>,
    /// Those that are there from the start, by key.
    pub items: Vec<(String, Value)>,
    /// The field of an answer that holds a list.
    pub list: Option<String>,
    /// How long lists are cut.
    pub pages: Option<Pages>,
}

/// How long lists are cut.
#[derive(Clone, Copy, Debug)]
pub struct Pages {
    /// How the next one is asked for.
    pub by: PageStyle,
    /// How many are on one.
    pub size: usize,
    /// How many are on one at most.
    pub max: usize,
}

/// What is done with a collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// A thing is made.
    Create,
    /// All are told.
    List,
    /// One is told.
    Read,
    /// One is put in the place of another.
    Replace,
    /// Fields of one are changed.
    Update,
    /// One is removed.
    Delete,
}

/// How keys are made where nothing else is said.
const NEW_KEY: &str = "{{ random.letters(16) }}";

/// Reads a collection.
///
/// # Errors
/// The first thing that cannot be.
pub fn compile(
    name: &Spanned<String>,
    given: &FileResource,
    templates: &mut Templates,
) -> Result<Resource, Wrong> {
    let key = given.key.clone().unwrap_or_else(|| "id".into());
    let new_key = match &given.new_key {
        Some(text) => templates.text(text.at, text)?,
        None => templates.text(name.at, NEW_KEY)?,
    };
    let defaults = match &given.defaults {
        Some(json) if !json.0.is_object() => return Err(json.wrong("fields by name belong here")),
        Some(json) => Some(templates.json(json.at, &json.0)?),
        None => None,
    };
    let mut items: Vec<(String, Value)> = Vec::new();
    for item in &given.items {
        let own = item.0.get(&key).map(json::text);
        let own = own.ok_or_else(|| item.wrong(format!("it has no `{key}`")))?;
        if items.iter().any(|(known, _)| *known == own) {
            return Err(item.wrong(format!("`{own}` is there twice")));
        }
        items.push((own, item.0.clone()));
    }
    let pages = given.pages.as_ref().map(|pages| Pages {
        by: pages.by,
        size: pages.size.map_or(20, |size| size as usize),
        max: pages.max.map_or(100, |max| max.max(1) as usize),
    });
    if pages.is_some_and(|pages| pages.by != PageStyle::Page) && given.list.is_none() {
        return Err(name.wrong("what stands beside the list needs `list`"));
    }
    Ok(Resource {
        name: name.value.clone(),
        key,
        new_key,
        defaults,
        items,
        list: given.list.clone(),
        pages,
    })
}

/// A collection as routes.
///
/// # Errors
/// When its path is none.
pub fn routes(
    name: &Spanned<String>,
    given: &FileResource,
    index: usize,
    templates: &mut Templates,
) -> Result<Vec<Route>, Wrong> {
    const OF_ONE: &str = "/{key}";
    let all: [(&str, &[&str], &str, Operation); 6] = [
        ("create", &["POST"], "", Operation::Create),
        ("list", &["GET", "HEAD"], "", Operation::List),
        ("read", &["GET", "HEAD"], OF_ONE, Operation::Read),
        ("replace", &["PUT"], OF_ONE, Operation::Replace),
        ("update", &["PATCH", "POST"], OF_ONE, Operation::Update),
        ("delete", &["DELETE"], OF_ONE, Operation::Delete),
    ];
    let spanned = |value: String| Spanned { at: given.path.at, value };
    let mut routes = Vec::new();
    for (what, methods, end, operation) in all {
        let path = WordOr::Word(format!("{}{end}", given.path.value.trim_end_matches('/')));
        let wanted = Match {
            method: OneOrMany(methods.iter().map(|method| spanned((*method).into())).collect()),
            path: Some(Spanned { at: given.path.at, value: path }),
            ..Match::default()
        };
        let action = Action::Resource(index, operation);
        let mut route =
            Route::new(format!("{}.{what}", name.value), matching::compile(&wanted)?, action);
        route.needs_token = given.needs_token;
        route.limit =
            given.limit.as_ref().map(|limit| state::limit(limit, templates)).transpose()?;
        // All its routes together.
        if let Some(limit) = &mut route.limit {
            limit.name.clone_from(&name.value);
        }
        if operation == Operation::Create {
            route.idempotency = given.idempotency.as_ref().map(state::idempotency).transpose()?;
        }
        routes.push(route);
    }
    Ok(routes)
}
