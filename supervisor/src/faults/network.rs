//! What a fault file may say of links, partitions and names.

use schemars::JsonSchema;
use serde::Deserialize;
use simrun_abi::faults as abi;
use simrun_config::{
    Quantity, Spanned, Wrong,
    units::{Share, Size, Time, Unit},
};

use super::file::{Fault, Match, Spared};

/// When what is sent is lost in bursts: at each thing that is sent, bad times may begin or end
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Bursts {
    /// How likely bad times begin
    pub begin: Spanned<Share>,
    /// How likely they end: they last for one divided by this on average
    pub end: Spanned<Share>,
    /// How much is lost in bad times; all, without it
    pub lost: Option<Spanned<Share>>,
    /// How much is lost in between; nothing, without it
    pub lost_between: Option<Share>,
}

impl Bursts {
    pub(super) fn compile(&self) -> Result<abi::Bursts, Wrong> {
        for (share, words) in
            [(&self.begin, "bad times would never begin"), (&self.end, "bad times would never end")]
        {
            if share.number() == 0 {
                return Err(share.wrong(words));
            }
        }
        if let Some(lost) = self.lost.as_ref().filter(|lost| lost.number() == 0) {
            return Err(lost.wrong("nothing would be lost in bad times"));
        }
        Ok(abi::Bursts {
            begin: self.begin.parts(),
            end: self.end.parts(),
            lost: self.lost.as_ref().map_or(abi::Share::WHOLE, |lost| lost.parts()),
            lost_between: self.lost_between.map_or(abi::Share::NONE, Share::parts),
        })
    }
}

/// How a stream is cut into pieces
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Slice {
    /// Bytes in each piece
    pub size: Spanned<Quantity<Size>>,
    /// Time from the arrival of one to that of the next, at least
    pub gap: Quantity<Time>,
}

impl Slice {
    pub(super) fn compile(&self) -> Result<abi::Effect, Wrong> {
        if self.size.least() == 0 {
            return Err(self.size.wrong("a piece has one byte at least"));
        }
        Ok(abi::Effect::Slice { size: self.size.compile(), gap: self.gap.compile() })
    }
}

/// Which nodes cannot reach each other
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Partition {
    /// How they are divided
    pub shape: Spanned<Shape>,
    /// Which way is cut; both, without it
    #[serde(default)]
    pub cut: Spanned<Cut>,
    /// How long each lasts, with a `rate`. Without a rate, one lasts as long as the window is open
    pub lasts: Option<Spanned<Quantity<Time>>>,
}

/// How nodes are divided. Those that `match` names with `node` and `tag` are, or all that are no workloads
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// Two of them, drawn, cannot reach each other; with `peer`, one of them and one of those
    Pair,
    /// One of them, drawn, can reach nobody, clients neither; with `peer`, none of those
    Isolate,
    /// Two halves, drawn; with `peer`, they and those
    Halves,
    /// A majority and a minority, drawn; with `peer`, those and they
    Majority,
    /// Two halves, and one node that both can reach
    Bridge,
    /// A ring in which each can reach its neighbours, so many that it sees a majority; of less than four nothing is cut
    Ring,
}

/// Which way is cut
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Cut {
    /// Both
    #[default]
    Both,
    /// What the first side sends: of a pair the node, not the peer; the one that is isolated; the smaller half
    Out,
    /// What the first side is sent
    In,
    /// `out` or `in`, drawn each time
    Either,
}

impl Partition {
    pub(super) fn compile(&self, fault: &Fault) -> Result<abi::Effect, Wrong> {
        match (&self.lasts, &fault.rate) {
            (Some(lasts), _) if lasts.most() == 0 => {
                return Err(lasts.wrong("a partition of no time divides nobody"));
            }
            (Some(lasts), None) => {
                return Err(
                    lasts.wrong("without a `rate`, it lasts as long as the window is open: `for`")
                );
            }
            (None, Some(rate)) => {
                return Err(rate.wrong("with a `rate`, a partition says how long it `lasts`"));
            }
            _ => {}
        }
        let shape = self.shape.value;
        if matches!(shape, Shape::Ring | Shape::Bridge) && !fault.r#match.peer.is_empty() {
            return Err(self
                .shape
                .wrong("it divides those that `node` and `tag` name: there is no `peer`"));
        }
        Ok(abi::Effect::Partition(abi::Partition {
            shape: match shape {
                Shape::Pair => abi::Shape::Pair,
                Shape::Isolate => abi::Shape::Isolate,
                Shape::Halves => abi::Shape::Halves,
                Shape::Majority => abi::Shape::Majority,
                Shape::Bridge => abi::Shape::Bridge,
                Shape::Ring => abi::Shape::Ring,
            },
            cut: match self.cut.value {
                Cut::Both => abi::Cut::Both,
                Cut::Out => abi::Cut::Out,
                Cut::In => abi::Cut::In,
                Cut::Either => abi::Cut::Either,
            },
            length: self.lasts.as_ref().map(|lasts| lasts.compile()),
        }))
    }
}

/// What somebody in the middle does to a message: to what one call writes to a stream, or to a datagram
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Tampering {
    /// It arrives twice
    Duplicate,
    /// A byte of it is another one
    Modify,
    /// One of the sixteen that were sent before it on the same socket arrives once more after it
    Replay,
}

impl From<Tampering> for abi::Effect {
    fn from(how: Tampering) -> Self {
        Self::Tamper(match how {
            Tampering::Duplicate => abi::Tampering::Duplicate,
            Tampering::Modify => abi::Tampering::Modify,
            Tampering::Replay => abi::Tampering::Replay,
        })
    }
}

/// What the name server answers instead of the truth
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// That there is no such name: `NXDOMAIN`
    NotFound,
    /// That it has failed: `SERVFAIL`
    Failure,
    /// Nothing, so that the question times out
    Silence,
    /// The address of a machine that is there no more: what is sent there gets lost
    Stale,
    /// The address of another machine of the run, drawn for each answer
    Changed,
}

impl From<Answer> for abi::Effect {
    fn from(answer: Answer) -> Self {
        Self::Name(match answer {
            Answer::NotFound => abi::NameFault::NotFound,
            Answer::Failure => abi::NameFault::Failure,
            Answer::Silence => abi::NameFault::Silence,
            Answer::Stale => abi::NameFault::Stale,
            Answer::Changed => abi::NameFault::Changed,
        })
    }
}

/// Whether a match says of names only what can be said of them.
pub(super) fn check_names(wanted: &Spanned<Match>) -> Result<(), Wrong> {
    let is_more = |not: &Spanned<Spared>| {
        !(not.protocol.is_empty() && not.address.is_empty() && not.port.is_empty())
    };
    let plain = wanted.protocol.is_empty()
        && wanted.address.is_empty()
        && wanted.port.is_empty()
        && wanted.direction.is_empty()
        && !wanted.has_peers()
        && !wanted.not.iter().any(is_more);
    match plain {
        true => Ok(()),
        false => {
            Err(wanted
                .wrong("a question for a name is matched by `host`, `process`, `node` and `tag`"))
        }
    }
}
