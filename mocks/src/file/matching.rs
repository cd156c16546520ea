//! Which requests a route is for.

use schemars::JsonSchema;
use serde::Deserialize;
use simrun_config::{Json, Named, OneOrMany, Spanned, WordOr};

/// Which requests a route is for
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Match {
    /// The method, or one of these
    pub method: OneOrMany<Spanned<String>>,
    /// Whether it came encrypted; both, without it
    pub scheme: Option<Scheme>,
    /// The host that is asked, without its port; text in one word, or what it must be
    pub host: Option<Spanned<WordOr<Text>>>,
    /// The path, without what follows `?`. In one word, `{name}` stands for one part of it, between slashes, and `{name*}`
    /// for all that follows; else what it must be
    pub path: Option<Spanned<WordOr<Text>>>,
    /// Parameters after the `?`, by name. Of several of one name, one must be so
    pub query: Option<Named<Spanned<WordOr<Text>>>>,
    /// Header fields, by name
    pub headers: Option<Named<Spanned<WordOr<Text>>>>,
    /// Cookies, by name
    pub cookies: Option<Named<Spanned<WordOr<Text>>>>,
    /// The body: text in one word, or what it must be
    pub body: Option<Spanned<WordOr<Body>>>,
}

/// Whether a request comes encrypted
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Scheme {
    /// It does not
    Http,
    /// It does
    Https,
}

/// What a text must be: all that is said must be so
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Text {
    /// This, or one of these
    pub is: OneOrMany<String>,
    /// None of these
    pub is_not: OneOrMany<String>,
    /// These are in it
    pub contains: OneOrMany<String>,
    /// It begins so
    pub starts_with: OneOrMany<String>,
    /// It ends so
    pub ends_with: OneOrMany<String>,
    /// `*` stands for any letters and `?` for one; in a path not for slashes, for which there is `**`
    pub glob: Option<Spanned<String>>,
    /// Regular expressions, anywhere in it. Groups with names can be used in the answer
    pub regex: OneOrMany<Spanned<String>>,
    /// Regular expressions that are nowhere in it
    pub regex_not: OneOrMany<Spanned<String>>,
    /// It is a number of at least so much
    pub at_least: Option<f64>,
    /// It is a number of at most so much
    pub at_most: Option<f64>,
    /// It is not there
    pub absent: bool,
    /// Small letters and capitals are the same
    pub ignore_case: bool,
}

/// What a body must be: all that is said must be so
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Body {
    /// What it must be as text
    pub text: Option<Spanned<WordOr<Text>>>,
    /// It is this value of JSON, in whatever order and layout
    pub json: Option<Json>,
    /// It is a value of JSON that has all this, and perhaps more
    pub json_has: Option<Json>,
    /// What values of JSON must be, by JSONPath (RFC 9535) as in `$.items[0].price`. Of several at a path, one must be so
    pub json_path: Option<Named<Spanned<WordOr<Text>>>>,
    /// What fields of a form must be, by name
    pub form: Option<Named<Spanned<WordOr<Text>>>>,
}
