//! Services and their routes.

use schemars::JsonSchema;
use serde::Deserialize;
use simrun_config::{Named, OneOrMany, Quantity, Spanned, units::Time};

use super::{
    Answer, Expect, Idempotency, Limit, Match, Resource, Smtp, Stream, Tcp, Tokens, Trouble, Turn,
    Udp, WebSocket, Webhook,
};

/// A file of mocks
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct MocksFile {
    /// What the file stands in for, in a line
    pub about: Option<String>,
    /// The services by name. Each is a machine of the run
    pub mocks: Named<Spanned<Mock>>,
}

/// A service
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Mock {
    /// Names that lead to it; its own name, without them. One that begins with `*.` stands for all that end like it
    #[serde(default)]
    pub hosts: OneOrMany<Spanned<String>>,
    /// Where it listens; without it, at port 80 for HTTP and 443 for HTTPS
    pub ports: Option<Spanned<Ports>>,
    /// What it answers, by name: of the routes that a request matches, the first
    pub routes: Option<Named<Route>>,
    /// Collections of things that can be created, read, updated and deleted, by name
    pub resources: Option<Named<Resource>>,
    /// Files of descriptors of Protocol Buffers (`protoc --include_imports --descriptor_set_out=FILE`): calls of gRPC are
    /// taken. Their path is `/PACKAGE.SERVICE/METHOD`, and their messages are JSON in `match` and `answer`; a stream of
    /// them is in `chunks`
    #[serde(default)]
    pub descriptors: OneOrMany<Spanned<String>>,
    /// Ports of TCP where something else than HTTP is spoken, by name
    pub tcp: Option<Named<Tcp>>,
    /// Ports of UDP, by name
    pub udp: Option<Named<Udp>>,
    /// Where it takes mail
    pub smtp: Option<Spanned<Smtp>>,
    /// Where clients get tokens, as OAuth 2.0 has it
    pub tokens: Option<Tokens>,
    /// How many requests it takes; those beyond get 429
    pub limit: Option<Limit>,
    /// How long until any answer is sent
    pub delay: Option<Quantity<Time>>,
    /// What goes wrong, by name
    pub troubles: Option<Named<Trouble>>,
    /// Names of parameters and fields whose values the journal leaves out, besides the usual ones as `password` and `token`
    #[serde(default)]
    pub secrets: OneOrMany<String>,
    /// What must be so of the calls when the run ends, by name
    pub expect: Option<Named<Spanned<Expect>>>,
}

/// Where a service listens
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Ports {
    /// Ports of HTTP
    pub http: OneOrMany<Spanned<u16>>,
    /// Ports of HTTPS
    pub https: OneOrMany<Spanned<u16>>,
}

/// Requests and what they are answered
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Route {
    /// Which requests: all that is said must be so. Without it, all
    #[serde(default)]
    pub r#match: Match,
    /// Only while these scenarios are in such a state, by name; each begins in the state `start`
    pub when: Option<Named<OneOrMany<String>>>,
    /// States that scenarios are in afterwards, by name
    pub then: Option<Named<String>>,
    /// Routes of a higher priority go first, whatever their place in the file; 0, without it
    #[serde(default)]
    pub priority: i32,
    /// Requests need a token of `tokens`; those without one get 401
    #[serde(default)]
    pub needs_token: bool,
    /// How many requests it takes; those beyond get 429
    pub limit: Option<Limit>,
    /// Whoever asks again with the same key gets the same answer, and nothing is done again
    pub idempotency: Option<Idempotency>,
    /// What they are answered: always this, or one of several. Without it, 200 and nothing else
    #[serde(default)]
    pub answer: OneOrMany<Spanned<Answer>>,
    /// Which of several answers is next
    #[serde(default)]
    pub turn: Turn,
    /// Instead of an answer: the connection becomes one of WebSocket, and this is said over it
    pub websocket: Option<Spanned<WebSocket>>,
    /// Instead of an answer, for calls of gRPC whose client sends a stream: what is said while it does. `match` sees no body
    pub stream: Option<Spanned<Stream>>,
    /// Requests that it makes afterwards
    #[serde(default)]
    pub webhooks: OneOrMany<Spanned<Webhook>>,
}
