//! What a file of mocks may say.

use schemars::JsonSchema;
use serde::Deserialize;
use simrun_config::{Json, Named, OneOrMany, Spanned};

/// A file of mocks
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct MocksFile {
    /// What the file stands in for, in a line
    pub about: Option<String>,
    /// The services by name. Each is a machine of the run
    pub mocks: Named<Mock>,
}

/// A service
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Mock {
    /// Names that lead to it; its own name, without them. One that begins with `*.` stands for all that end like it
    #[serde(default)]
    pub hosts: OneOrMany<Spanned<String>>,
    /// Where it listens; without it, at port 80 for HTTP
    pub ports: Option<Spanned<Ports>>,
    /// What it answers, by name: of the routes that a request matches, the first
    pub routes: Named<Route>,
}

/// Where a service listens
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Ports {
    /// Ports of HTTP
    #[serde(default)]
    pub http: OneOrMany<Spanned<u16>>,
}

/// Requests and what they are answered
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Route {
    /// Which requests: all that is said must be so. Without it, all
    #[serde(default)]
    pub r#match: Match,
    /// What they are answered
    #[serde(default)]
    pub answer: Spanned<Answer>,
}

/// Which requests a route is for
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Match {
    /// The method, or one of these
    pub method: OneOrMany<Spanned<String>>,
    /// The path. `{name}` stands for one part of it, between slashes, and `{name*}` for all that follows
    pub path: Option<Spanned<String>>,
}

/// What is answered
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Answer {
    /// The status; 200, without it
    pub status: Option<Spanned<u16>>,
    /// Header fields
    pub headers: Option<Named<OneOrMany<Spanned<String>>>>,
    /// The body, as text
    pub text: Option<String>,
    /// The body, as JSON
    pub json: Option<Json>,
}
