//! Conversations that are not HTTP.

use schemars::JsonSchema;
use serde::Deserialize;
use simrun_config::{OneOrMany, Quantity, Spanned, WordOr, units::Time};

use super::{Body, Chunk, Text};

/// A port of TCP, and what is said to each who connects
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Tcp {
    /// The port
    pub port: Spanned<u16>,
    /// Whether it is encrypted, with the certificate that HTTPS would have
    #[serde(default)]
    pub tls: bool,
    /// Step by step; after the last, the connection ends
    pub script: Vec<Spanned<Step>>,
}

/// A port of UDP, and what is said to each address that something comes from
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Udp {
    /// The port
    pub port: Spanned<u16>,
    /// Step by step; after the last, it begins again with whatever comes next
    pub script: Vec<Spanned<Step>>,
}

/// What is said over WebSocket
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct WebSocket {
    /// Protocols that are spoken: the first that the client asks for is taken
    #[serde(default)]
    pub protocols: OneOrMany<String>,
    /// Step by step; after the last, the connection ends
    pub script: Vec<Spanned<Step>>,
}

/// What is said over a call of gRPC, each message for itself
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Stream {
    /// Step by step; after the last, the call ends
    pub script: Vec<Spanned<Step>>,
}

/// A server of mail: what it takes is kept as a call of the route `mail`
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Smtp {
    /// Ports where a client may ask for encryption (`STARTTLS`); 25 and 587, without `ports` and `tls-ports`
    pub ports: OneOrMany<Spanned<u16>>,
    /// Ports that are encrypted from the start, as 465 is
    pub tls_ports: OneOrMany<Spanned<u16>>,
    /// Who sends must say who they are; any name and password will do
    pub needs_login: bool,
    /// Recipients that are refused, with 550
    pub refuse: OneOrMany<Spanned<WordOr<Text>>>,
    /// Most bytes of a mail; 10 MiB, without it
    pub size_max: Option<u64>,
}

/// A step of a conversation
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// This comes: text in one word, or more. If something else comes, the conversation ends. What came is `request.text`
    /// and `request.json` from then on
    Expect(Box<Spanned<WordOr<Heard>>>),
    /// One of several things comes, which decides how it goes on
    Either(Spanned<Either>),
    /// This is said: text in one word, or more
    Send(Spanned<WordOr<Chunk>>),
    /// Nothing, for so long
    Delay(Quantity<Time>),
    /// These steps again and again, until the client leaves
    Repeat(Vec<Spanned<Step>>),
    /// The client says that nothing more comes
    End,
    /// The conversation ends
    Close,
    /// The connection is reset
    Reset,
}

/// Something that comes. Over TCP it is a line, if nothing else is said, and it has no line's end; else a whole message
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Heard {
    /// What it must be; anything, without it
    pub is: Option<Spanned<WordOr<Body>>>,
    /// Over TCP: all until this text
    pub until: Option<Spanned<String>>,
    /// Over TCP: so many bytes
    pub bytes: Option<Spanned<u64>>,
    /// How long it is waited for; for ever, without it
    pub within: Option<Time>,
}

/// One of several things that come
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Either {
    /// Over TCP: all until this text
    pub until: Option<Spanned<String>>,
    /// Over TCP: so many bytes
    pub bytes: Option<Spanned<u64>>,
    /// How long it is waited for; for ever, without it
    pub within: Option<Time>,
    /// The first of these that it is
    pub of: Vec<Spanned<Case>>,
}

/// Something that may come, and what follows then
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Case {
    /// What it must be; anything, without it
    pub is: Option<Spanned<WordOr<Body>>>,
    /// What follows
    pub then: Vec<Spanned<Step>>,
}
