//! What is answered.

use schemars::JsonSchema;
use serde::Deserialize;
use simrun_config::{Json, Named, OneOrMany, Quantity, Spanned, units::Time};

/// Which of several answers is next
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Turn {
    /// One after the other, and the last one for ever
    #[default]
    Last,
    /// One after the other, and again from the first
    Cycle,
    /// Any, drawn from the seed
    Random,
}

/// What is answered. In texts, in what is text in JSON, and in header fields, `{{ ... }}` is filled in
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Answer {
    /// How long until it is sent
    pub delay: Option<Quantity<Time>>,
    /// The status; 200, without it, or 302 with `redirect`
    pub status: Option<Spanned<u16>>,
    /// Header fields
    pub headers: Option<Named<OneOrMany<Spanned<String>>>>,
    /// Where to ask instead
    pub redirect: Option<Spanned<String>>,
    /// The body, as text
    pub text: Option<Spanned<String>>,
    /// The body, as JSON. A text that is `{{ ... }}` and nothing else has the type of what it is filled with
    pub json: Option<Spanned<Json>>,
    /// The body, as bytes in base64
    pub base64: Option<Spanned<String>>,
    /// The body is that of a file; its path begins where the file of mocks lies
    pub file: Option<Spanned<String>>,
    /// `{{ ... }}` is filled in in the file, too
    pub fill: bool,
    /// The body, in pieces with pauses between them
    pub chunks: Option<Vec<Spanned<Chunk>>>,
    /// The body, as a stream of server-sent events
    pub events: Option<Vec<Spanned<Event>>>,
    /// How a call of gRPC ends; well, without it
    pub grpc: Option<Grpc>,
    /// Fields after the body
    pub trailers: Option<Named<Spanned<String>>>,
}

/// How a call of gRPC ends
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Grpc {
    /// With this status
    pub status: GrpcStatus,
    /// What the client is told about it
    pub message: Option<Spanned<String>>,
}

/// How a call of gRPC ends
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[repr(u16)]
pub enum GrpcStatus {
    /// Well
    Ok = 0,
    /// The client gave it up
    Cancelled = 1,
    /// Nobody knows
    Unknown = 2,
    /// What was asked for cannot be
    InvalidArgument = 3,
    /// It took too long
    DeadlineExceeded = 4,
    /// It is not there
    NotFound = 5,
    /// It is there already
    AlreadyExists = 6,
    /// Who asks may not
    PermissionDenied = 7,
    /// There is no more of it
    ResourceExhausted = 8,
    /// It cannot be as things are
    FailedPrecondition = 9,
    /// It was given up, as when two want the same
    Aborted = 10,
    /// It is beyond what there is
    OutOfRange = 11,
    /// There is no such method
    Unimplemented = 12,
    /// The service is broken
    Internal = 13,
    /// The service cannot be asked now
    Unavailable = 14,
    /// Something is lost for good
    DataLoss = 15,
    /// Nobody knows who asks
    Unauthenticated = 16,
}

/// A piece of a body: one of `text`, `json` and `base64`
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Chunk {
    /// How long after what comes before it
    pub after: Option<Quantity<Time>>,
    /// As text
    pub text: Option<Spanned<String>>,
    /// As JSON
    pub json: Option<Spanned<Json>>,
    /// As bytes in base64
    pub base64: Option<Spanned<String>>,
}

/// A server-sent event
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Event {
    /// How long after what comes before it
    pub after: Option<Quantity<Time>>,
    /// What kind of event it is
    pub event: Option<Spanned<String>>,
    /// Its number
    pub id: Option<Spanned<String>>,
    /// How long the client is to wait until it connects again
    pub retry: Option<Time>,
    /// Its data, as text
    pub text: Option<Spanned<String>>,
    /// Its data, as JSON
    pub json: Option<Spanned<Json>>,
}
