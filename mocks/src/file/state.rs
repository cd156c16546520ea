//! What is remembered from call to call.

use schemars::JsonSchema;
use serde::Deserialize;
use simrun_config::{
    Json, Named, OneOrMany, Quantity, Spanned,
    units::{Share, Time},
};

use super::Match;

/// A collection of things that can be created (`POST`), read and listed (`GET`), replaced (`PUT`), updated (`PATCH`, or
/// `POST` to one) and deleted. Each of that is a route: `NAME.create`, `.list`, `.read`, `.replace`, `.update`, `.delete`
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Resource {
    /// Path of the collection, as in `/v1/customers`
    pub path: Spanned<String>,
    /// The field that tells one from another; `id`, without it
    pub key: Option<String>,
    /// How the key of a new one is made; `{{ random.letters(16) }}`, without it
    pub new_key: Option<Spanned<String>>,
    /// Fields that a new one has if the request does not say otherwise
    pub defaults: Option<Spanned<Json>>,
    /// Those that are there from the start
    #[serde(default)]
    pub items: Vec<Spanned<Json>>,
    /// The field of an answer that holds a list; without it, the list is the answer
    pub list: Option<String>,
    /// How long lists are cut
    pub pages: Option<Pages>,
    /// Requests need a token of `tokens`
    #[serde(default)]
    pub needs_token: bool,
    /// How many requests all its routes together take; those beyond get 429
    pub limit: Option<Limit>,
    /// Who creates again with the same key gets the same answer, and nothing is created again
    pub idempotency: Option<Idempotency>,
}

/// How long lists are cut
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Pages {
    /// How the next one is asked for
    pub by: PageStyle,
    /// How many are on one, if the request does not say; 20, without it
    pub size: Option<u64>,
    /// How many are on one at most; 100, without it
    pub max: Option<u64>,
}

/// How the next page is asked for
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PageStyle {
    /// With `offset` and `limit`
    Offset,
    /// With `page` and `per_page`; a header field `Link` leads to the others
    Page,
    /// With `cursor` and `limit`; `next_cursor` stands beside the list
    Cursor,
}

/// How many requests are taken
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Limit {
    /// So many
    pub requests: Spanned<u64>,
    /// In so much time from the first
    pub per: Time,
    /// Counted apart for each value of this, as in `{{ request.headers.authorization }}`
    pub by: Option<Spanned<String>>,
}

/// How requests are known again
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Idempotency {
    /// The header field that has the key; requests without it are done each time
    pub header: Spanned<String>,
    /// For how long a key is remembered; for ever, without it
    pub r#for: Option<Time>,
}

/// Where clients get tokens
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Tokens {
    /// Path of the endpoint
    pub path: Spanned<String>,
    /// Secrets of clients by their names; any will do, without it
    pub clients: Option<Named<String>>,
    /// For how long a token is good; 1h, without it
    pub lifetime: Option<Time>,
}

/// A request that a service makes by itself
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Webhook {
    /// Where to, as in `http://shop:8080/hooks`, over HTTP or HTTPS; filled in, as all texts here
    pub url: Spanned<String>,
    /// How long after the answer was decided
    pub delay: Option<Quantity<Time>>,
    /// The method; POST, without it
    pub method: Option<Spanned<String>>,
    /// Header fields
    pub headers: Option<Named<OneOrMany<Spanned<String>>>>,
    /// The body, as text
    pub text: Option<Spanned<String>>,
    /// The body, as JSON
    pub json: Option<Spanned<Json>>,
    /// How the body is signed
    pub sign: Option<Signature>,
    /// How often it is tried again if it is not answered with 2xx
    #[serde(default)]
    pub retries: u32,
    /// How long after that; 1s, without it, and twice as long each time
    pub every: Option<Time>,
    /// How likely it is made twice
    pub duplicate: Option<Share>,
}

/// How a body is signed: HMAC with SHA-256
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Signature {
    /// The header field that has the signature
    pub header: Spanned<String>,
    /// The secret
    pub secret: String,
    /// What stands before it, as in `sha256=`
    #[serde(default)]
    pub prefix: String,
    /// As Stripe does it: the time is signed, too, and the field says `t=TIME,v1=SIGNATURE`
    #[serde(default)]
    pub with_time: bool,
}

/// What must be so of the calls when the run ends. A call counts when it is carried out, whatever the client is told
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Expect {
    /// Calls that took one of these routes; all, without it
    pub route: OneOrMany<Spanned<String>>,
    /// Calls that match this, besides
    pub r#match: Option<Match>,
    /// Counted apart for each value of this, as in `{{ request.form.order }}`
    pub each: Option<Spanned<String>>,
    /// So many at least; of `each`, those that are there at all
    pub at_least: Option<u64>,
    /// So many at most
    pub at_most: Option<u64>,
    /// So many
    pub exactly: Option<u64>,
    /// None
    pub never: bool,
    /// These routes in this order, for each value of `each`: one is not taken before those before it
    pub in_order: Vec<Spanned<String>>,
}
