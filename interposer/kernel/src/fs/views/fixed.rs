//! Tables of files whose directories follow from their paths.

use alloc::{string::String, vec::Vec};

use super::{Entry, Node};
use crate::kernel::Kernel;

/// Where a file's text comes from.
#[derive(Clone, Copy)]
pub enum Source {
    /// It never changes.
    Always(&'static str),
    /// It is made from the state of the machine.
    Made(fn(&Kernel) -> String),
    /// It starts so and can be written.
    Settable(&'static str),
    /// It is a symbolic link.
    Link(&'static str),
}

/// One file: its path below the table's root, and its text.
pub type Row = (&'static str, Source);

/// The node at a path below the root of a table, no slash at either end.
#[must_use]
pub fn find(kernel: &Kernel, root: &str, table: &[Row], path: &str) -> Option<Node> {
    if let Some((name, source)) = table.iter().find(|(name, _)| *name == path) {
        return Some(match source {
            Source::Always(text) => Node::text(*text),
            Source::Made(make) => Node::text(make(kernel)),
            Source::Link(target) => Node::link(*target),
            Source::Settable(start) => {
                let written = kernel.settings.get([root, "/", name].concat().as_bytes());
                Node::Setting(written.map_or_else(|| start.as_bytes().to_vec(), Clone::clone))
            }
        });
    }
    let entries = entries(table, path);
    (!entries.is_empty()).then_some(Node::Directory(entries))
}

/// What a table has in a directory, sorted by name.
#[must_use]
pub fn entries(table: &[Row], directory: &str) -> Vec<Entry> {
    let mut entries: Vec<Entry> = table
        .iter()
        .filter_map(|(path, source)| {
            let rest = if directory.is_empty() {
                path
            } else {
                path.strip_prefix(directory)?.strip_prefix('/')?
            };
            Some(match (rest.split_once('/'), source) {
                (Some((name, _)), _) => Entry::directory(name),
                (None, Source::Link(_)) => Entry::link(rest),
                (None, _) => Entry::file(rest),
            })
        })
        .collect();
    entries.sort();
    entries.dedup();
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_follow_from_the_paths_in_them() {
        let table =
            [("b/c", Source::Always("")), ("b/a/x", Source::Always("")), ("a", Source::Link("b"))];
        assert_eq!(entries(&table, ""), [Entry::link("a"), Entry::directory("b")]);
        assert_eq!(entries(&table, "b"), [Entry::directory("a"), Entry::file("c")]);
        assert_eq!(entries(&table, "b/a"), [Entry::file("x")]);
        assert_eq!(entries(&table, "b/"), []);
    }
}
