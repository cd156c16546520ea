//! Nodes by name and tag: from the file to the plan, and whether there are such nodes.

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

/// Whether all that a file says of nodes fits some of a run's.
///
/// # Errors
/// The first that fits none.
pub fn check(file: &FaultFile, nodes: &[Node]) -> Result<(), Wrong> {
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
    }
    Ok(())
}

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
