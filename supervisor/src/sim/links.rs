//! What links between groups of machines are like: faults of links that are always there.

use simrun_abi::{
    faults::{Effect, Fault, Match, NodeMatch},
    node::Node,
};
use simrun_config::{Spanned, Wrong, spelling, units::Unit};

use super::file::Link;

/// What the names of these faults begin with.
const PREFIX: &str = "links/";
/// Bytes that may wait for a narrow link.
const QUEUE_BYTES: u64 = 256 << 10;

/// What is always so of the links of a file.
///
/// # Errors
/// The first thing that cannot be.
pub fn faults(links: &[Link], nodes: &[Node]) -> Result<Vec<Fault>, Wrong> {
    let mut faults = Vec::new();
    for link in links {
        let [one, other] = link.between.value.as_slice() else {
            return Err(link.between.wrong("a link has two ends"));
        };
        check(one, nodes)?;
        check(other, nodes)?;
        if link.latency.is_none() && link.bandwidth.is_none() {
            return Err(link.between.wrong("`latency` or `bandwidth` belongs to a link"));
        }
        faults.extend(one_way(link, one, other)?);
        // Within a group both ways are one.
        if one.value != other.value {
            faults.extend(one_way(link, other, one)?);
        }
    }
    Ok(faults)
}

fn one_way(link: &Link, from: &str, to: &str) -> Result<Vec<Fault>, Wrong> {
    let mut effects = Vec::new();
    if let Some(latency) = &link.latency {
        if latency.most() == 0 {
            return Err(latency.wrong("a delay of nothing does nothing"));
        }
        effects.push(("latency", Effect::Latency(latency.compile())));
    }
    if let Some(bandwidth) = &link.bandwidth {
        let rate = bandwidth.number();
        if rate == 0 {
            return Err(bandwidth.wrong("nothing could ever be sent"));
        }
        effects.push(("bandwidth", Effect::Bandwidth { rate, queue: QUEUE_BYTES }));
    }
    let nodes =
        NodeMatch { nodes: vec![from.to_owned()], peers: vec![to.to_owned()], tags: Vec::new() };
    let fault = |(what, effect)| Fault {
        matches: Match { nodes: nodes.clone(), ..Match::default() },
        ..Fault::always(format!("{PREFIX}{from}-{to}-{what}"), effect)
    };
    Ok(effects.into_iter().map(fault).collect())
}

/// Whether anybody has this name or tag.
fn check(text: &Spanned<String>, nodes: &[Node]) -> Result<(), Wrong> {
    let known = || nodes.iter().flat_map(|node| node.tags.iter().chain([&node.name]));
    if known().any(|known| *known == text.value) {
        return Ok(());
    }
    let hint = spelling::hint(text, known().map(String::as_str));
    Err(text.wrong(format!("there is no machine or tag `{}`{hint}", text.value)))
}
