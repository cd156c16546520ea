//! What goes wrong.

use schemars::JsonSchema;
use serde::Deserialize;
use simrun_config::{
    OneOrMany, Quantity, Spanned,
    units::{Share, Time},
};

use super::Match;

/// Something that goes wrong
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Trouble {
    /// What happens
    pub r#do: Spanned<Misdeed>,
    /// Requests that take one of these routes; all, without it. Conversations over TCP and UDP, and `mail`, have names of
    /// routes, too: there, what is heard is a request, and what is said next its answer
    #[serde(default)]
    pub route: OneOrMany<Spanned<String>>,
    /// Requests that match this, besides
    pub r#match: Option<Match>,
    /// Only if it is asked for by name, as in `--faults MOCK/NAME`
    #[serde(default)]
    pub asked: bool,
    /// How likely each of them is hit; always, without it
    pub probability: Option<Share>,
    /// How many are left alone before the first that may be hit
    #[serde(default)]
    pub skip: u64,
    /// How often it happens at most
    pub limit: Option<u64>,
    /// How long after the start of the service its window opens
    pub after: Option<Quantity<Time>>,
    /// For how long the window stays open; to the end, without it
    pub r#for: Option<Quantity<Time>>,
    /// From one opening of the window to the next; it opens once, without it
    pub every: Option<Quantity<Time>>,
}

/// What goes wrong
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Misdeed {
    /// This status is answered, and nothing is done; of mail it is the number of a reply, as 451
    Status(Spanned<u16>),
    /// 429 is answered, with `Retry-After`, and nothing is done
    Busy(Time),
    /// The answer comes so much later
    Delay(Quantity<Time>),
    /// No answer ever comes; over UDP, what was heard begins a new conversation the next time
    Hang(Moment),
    /// The connection is reset
    Reset(Moment),
    /// The connection ends without an answer
    Empty(Side),
    /// The connection ends after this share of the body; a datagram is that much shorter
    Truncate(Share),
    /// What is answered makes no sense
    Garbage(Side),
    /// The length that is told is more than there is
    TooLong(u64),
    /// The length that is told is less than there is
    TooShort(u64),
    /// The body comes in so many bytes at a time, with such a pause before each
    Drip(Drip),
    /// What is read of resources is as it was so long ago
    Stale(Time),
}

/// When an answer is lost
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Moment {
    /// Nothing has been done
    Before,
    /// It has been done, and the client is told half of it
    Middle,
    /// It has been done, and the client is not told
    After,
}

/// Whether something has been done
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// Nothing has been done
    Before,
    /// It has been done
    After,
}

/// How a body comes slowly
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Drip {
    /// How many bytes at a time
    pub bytes: Spanned<u64>,
    /// How long before each
    pub pause: Quantity<Time>,
}
