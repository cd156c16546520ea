//! Nodes by name and tag: from the file to the plan, and whether there are such nodes, and hosts of such names.

use std::net::IpAddr;

use simrun_abi::{faults as abi, node::Node};
use simrun_config::{OneOrMany, Spanned, Wrong, spelling};
use simrun_kernel::fault::Pattern;

use super::{
    file::{Action, FaultFile, Match, Spared},
    zones,
};

type Texts = OneOrMany<Spanned<String>>;

/// The nodes that a fault is for, and those that it spares.
///
/// # Errors
/// When a text is empty, or nothing is said of whom to spare.
pub fn matches(wanted: &Match) -> Result<(abi::NodeMatch, Vec<abi::NodeMatch>), Wrong> {
    for text in texts(wanted) {
        if text.is_empty() {
            return Err(text.wrong("a node has a name, and a tag is a word"));
        }
    }
    let nodes = abi::NodeMatch {
        nodes: plain(&wanted.node),
        peers: plain(&wanted.peer),
        tags: plain(&wanted.tag),
    };
    let mut spared = Vec::new();
    for unless in &*wanted.not {
        if unless.value == Spared::default() {
            return Err(unless.wrong(
                "one of `protocol`, `address`, `port`, `host`, `node`, `peer` or `tag` belongs here",
            ));
        }
        if !unless.is_about_links() {
            spared.push(abi::NodeMatch {
                nodes: plain(&unless.node),
                peers: plain(&unless.peer),
                tags: plain(&unless.tag),
            });
        }
    }
    Ok((nodes, spared))
}

fn plain(texts: &Texts) -> Vec<String> {
    texts.iter().map(|text| text.value.clone()).collect()
}

/// All that is said of nodes.
fn texts(wanted: &Match) -> impl Iterator<Item = &Spanned<String>> {
    let unless = wanted.not.iter().flat_map(|not| [&not.node, &not.peer, &not.tag]);
    [&wanted.node, &wanted.peer, &wanted.tag]
        .into_iter()
        .chain(unless)
        .flat_map(|texts| texts.iter())
}

/// The names that programs of a run may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Any: those of services outside, too, that are not found.
    Any,
    /// Those of machines: a file names them all.
    OfMachines,
}

/// Whether all that a file says of nodes and hosts fits some of a run's.
///
/// # Errors
/// The first that fits none.
pub fn check(file: &FaultFile, nodes: &[Node], asked: Asked) -> Result<(), Wrong> {
    let tags = || nodes.iter().flat_map(|node| &node.tags).map(String::as_str);
    let names = || nodes.iter().map(|node| node.name.as_str()).chain(tags());
    for (_, fault) in &file.faults.0 {
        let wanted = &fault.r#match.value;
        let of_tags = wanted.tag.iter().chain(wanted.not.iter().flat_map(|not| not.tag.iter()));
        for tag in of_tags {
            find(tag, "no node has the tag", &tags().collect::<Vec<_>>())?;
        }
        if let Action::TimeZone(names) = &fault.r#do.value {
            names.iter().try_for_each(zones::check)?;
        }
        for name in texts(wanted) {
            find(name, "there is no node or tag", &names().collect::<Vec<_>>())?;
        }
        let is_question = matches!(fault.r#do.value, Action::Resolve(_) | Action::ResolveLate(_));
        if !is_question || asked == Asked::OfMachines {
            hosts(wanted).try_for_each(|host| find_host(host, nodes, is_question))?;
        }
    }
    Ok(())
}

/// All that is said of hosts.
fn hosts(wanted: &Match) -> impl Iterator<Item = &Spanned<String>> {
    wanted.host.iter().chain(wanted.not.iter().flat_map(|not| not.host.iter()))
}

/// Whether a name leads to a machine, as the network knows them. What begins with `*.` stands for names that end so: one of
/// these may be asked for, but which of them it was does not show at a link.
fn find_host(text: &Spanned<String>, nodes: &[Node], is_question: bool) -> Result<(), Wrong> {
    let wanted = text.to_lowercase();
    let pattern = Pattern::new(&wanted);
    let of_nodes =
        nodes.iter().flat_map(|node| [&node.hostname, &node.name].into_iter().chain(&node.names));
    let known: Vec<String> =
        of_nodes.map(|name| name.to_lowercase()).chain([LOCAL.into()]).collect();
    let fits = |known: &String| {
        let ending = known.trim_start_matches('*');
        let is_one = is_question && ending.starts_with('.') && wanted.ends_with(ending);
        is_one || pattern.matches(ending.as_bytes())
    };
    if known.iter().any(fits) || is_question && wanted.ends_with(".localhost") {
        return Ok(());
    }
    if text.parse::<IpAddr>().is_ok() {
        return Err(text.wrong(format!("`{}` is no name: `address` is for it", text.value)));
    }
    let hint = spelling::hint(&wanted, known.iter().map(String::as_str));
    Err(text.wrong(format!("no name `{}` leads to a machine{hint}", text.value)))
}

/// What every machine calls itself.
const LOCAL: &str = "localhost";

fn find(text: &Spanned<String>, lacks: &str, known: &[&str]) -> Result<(), Wrong> {
    let pattern = Pattern::new(text);
    if known.iter().any(|known| pattern.matches(known.as_bytes())) {
        return Ok(());
    }
    let mut known = known.to_vec();
    known.sort_unstable();
    known.dedup();
    let hint = spelling::hint(text, known);
    Err(text.wrong(format!("{lacks} `{}`{hint}", text.value)))
}
