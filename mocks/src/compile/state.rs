//! What is remembered from call to call.

use std::time::Duration;

use http::{HeaderName, Method};
use simrun_abi::faults::{Quantity, Share};
use simrun_config::{
    OneOrMany, Spanned, WordOr, Wrong,
    units::{Share as FileShare, Time, Unit},
};

use super::{Action, Route};
use crate::{
    answer::{Content, Templates, Text},
    file::{
        Idempotency as FileIdempotency, Limit as FileLimit, Match, Tokens as FileTokens,
        Webhook as FileWebhook,
    },
    matching::{self, header_name},
};

/// How many requests are taken in a time.
#[derive(Clone, Debug)]
pub struct Limit {
    /// Limits of one name are one; an empty one is its route's own.
    pub name: String,
    /// So many.
    pub requests: u64,
    /// In so much time.
    pub per: Duration,
    /// What they are told apart by.
    pub by: Option<Text>,
}

/// How requests are known again.
#[derive(Clone, Debug)]
pub struct Idempotency {
    /// The field that has the key.
    pub header: HeaderName,
    /// For how long it is remembered.
    pub lasts: Option<Duration>,
}

/// Where clients get tokens.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// Clients and their secrets; any will do if there are none.
    pub clients: Vec<(String, String)>,
    /// For how long a token is good.
    pub lifetime: Duration,
}

/// A request that a service makes by itself.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// Where to.
    pub url: Text,
    /// How long after the answer was decided.
    pub delay: Option<Quantity>,
    /// The method.
    pub method: Method,
    /// Header fields.
    pub headers: Vec<(HeaderName, Text)>,
    /// The body, and what it is.
    pub content: Option<(Content, &'static str)>,
    /// How it is signed.
    pub sign: Option<Signature>,
    /// How often it is tried again.
    pub retries: u32,
    /// How long after the first that failed.
    pub every: Duration,
    /// How likely it is made twice.
    pub duplicate: Share,
}

/// How a body is signed.
#[derive(Clone, Debug)]
pub struct Signature {
    /// The field that has the signature.
    pub header: HeaderName,
    /// The secret.
    pub secret: String,
    /// What stands before it.
    pub prefix: String,
    /// Whether the time is signed, too.
    pub with_time: bool,
}

fn duration(time: Time) -> Duration {
    Duration::from_nanos(time.number())
}

/// Reads how many requests are taken.
///
/// # Errors
/// When it is none.
pub fn limit(limit: &FileLimit, templates: &mut Templates) -> Result<Limit, Wrong> {
    if limit.requests.value == 0 {
        return Err(limit.requests.wrong("a limit of none takes nothing: `troubles` can do that"));
    }
    let by = limit.by.as_ref().map(|by| templates.text(by.at, by)).transpose()?;
    Ok(Limit { name: String::new(), requests: limit.requests.value, per: duration(limit.per), by })
}

/// Reads how requests are known again.
///
/// # Errors
/// When the field is none.
pub fn idempotency(given: &FileIdempotency) -> Result<Idempotency, Wrong> {
    Ok(Idempotency { header: header_name(&given.header)?, lasts: given.r#for.map(duration) })
}

/// Reads where clients get tokens.
pub fn tokens(tokens: &FileTokens) -> Tokens {
    let clients = tokens.clients.iter().flat_map(|clients| &clients.0);
    Tokens {
        clients: clients.map(|(id, secret)| (id.value.clone(), secret.clone())).collect(),
        lifetime: tokens.lifetime.map_or(Tokens::LIFETIME, duration),
    }
}

/// The route of the endpoint.
///
/// # Errors
/// When its path is none.
pub fn token_route(tokens: &FileTokens) -> Result<Route, Wrong> {
    let at = tokens.path.at;
    let wanted = Match {
        method: OneOrMany(vec![Spanned { at, value: "POST".into() }]),
        path: Some(Spanned { at, value: WordOr::Word(tokens.path.value.clone()) }),
        ..Match::default()
    };
    Ok(Route::new("token".into(), matching::compile(&wanted)?, Action::Token))
}

/// Reads a request that a service makes by itself.
///
/// # Errors
/// The first thing that cannot be.
pub fn webhook(given: &Spanned<FileWebhook>, templates: &mut Templates) -> Result<Webhook, Wrong> {
    let content = match (&given.text, &given.json) {
        (Some(_), Some(_)) => return Err(given.wrong("there is one body: `text` or `json`")),
        (Some(text), None) => {
            Some((Content::Text(templates.text(text.at, text)?), "text/plain; charset=utf-8"))
        }
        (None, Some(json)) => {
            Some((Content::Json(templates.json(json.at, &json.0)?), "application/json"))
        }
        (None, None) => None,
    };
    let mut headers = Vec::new();
    for (name, values) in given.headers.iter().flat_map(|headers| &headers.0) {
        for value in values.iter() {
            headers.push((header_name(name)?, templates.text(value.at, value)?));
        }
    }
    let sign = match &given.sign {
        Some(sign) => Some(Signature {
            header: header_name(&sign.header)?,
            secret: sign.secret.clone(),
            prefix: sign.prefix.clone(),
            with_time: sign.with_time,
        }),
        None => None,
    };
    Ok(Webhook {
        url: templates.text(given.url.at, &given.url)?,
        delay: given.delay.as_ref().map(simrun_config::Quantity::compile),
        method: given.method.as_ref().map_or(Ok(Method::POST), matching::method)?,
        headers,
        content,
        sign,
        retries: given.retries,
        every: given.every.map_or(Duration::from_secs(1), duration),
        duplicate: given.duplicate.map_or(Share::NONE, FileShare::parts),
    })
}
