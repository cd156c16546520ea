//! What is left when power is lost.

use alloc::{rc::Weak, vec::Vec};

use simrun_abi::faults::Disk;

use super::{
    Journal,
    journal::{Change, Undo, settle},
};
use crate::{error::Result, host::Host, random::Stream, time::Instant};

impl Journal {
    /// Brings all files to a state in which the disk may be. Nobody has any open.
    ///
    /// # Errors
    /// What the host fails with.
    pub fn lose_power(
        &mut self,
        host: &mut dyn Host,
        random: &mut Stream,
        now: Instant,
    ) -> Result<()> {
        self.age(host, now);
        let changes: Vec<Change> = core::mem::take(&mut self.changes).into();
        match self.disk {
            Disk::Ext4 => lose_last(host, changes, random),
            Disk::Strict => lose_any(host, changes, random),
        }
        for file in core::mem::take(&mut self.dirty).iter().filter_map(Weak::upgrade) {
            let (Some(pages), Some(contents)) = (file.rare().pages.take(), file.contents()) else {
                continue;
            };
            match self.disk {
                Disk::Ext4 => pages.lose(host, contents, random)?,
                Disk::Strict => pages.lose_strictly(host, contents, random)?,
            }
        }
        Ok(())
    }
}

/// Only the first calls' changes are durable, up to one that is drawn.
fn lose_last(host: &mut dyn Host, mut changes: Vec<Change>, random: &mut Stream) {
    let mut groups: Vec<u64> = changes.iter().map(|change| change.group).collect();
    groups.dedup();
    let kept = random.below(groups.len() as u64 + 1) as usize;
    let first_lost = groups.get(kept).copied();
    let lost = match first_lost {
        Some(group) => {
            let at = changes.iter().position(|change| change.group == group);
            changes.split_off(at.unwrap_or(changes.len()))
        }
        None => Vec::new(),
    };
    for change in lost.into_iter().rev() {
        undo(host, change.undo);
    }
    for change in changes {
        settle(host, change);
    }
}

/// Each name and each file's attributes are what they were before or after any of their changes.
fn lose_any(host: &mut dyn Host, mut changes: Vec<Change>, random: &mut Stream) {
    while !changes.is_empty() {
        let (mut of_one, rest): (Vec<_>, Vec<_>) = {
            let mut iter = changes.into_iter();
            let Some(first) = iter.next() else { return };
            let (mut same, mut rest) = (Vec::new(), Vec::new());
            for change in iter {
                if is_of_same(&first.undo, &change.undo) {
                    same.push(change)
                } else {
                    rest.push(change)
                }
            }
            same.insert(0, first);
            (same, rest)
        };
        changes = rest;
        let kept = random.below(of_one.len() as u64 + 1) as usize;
        for change in of_one.split_off(kept).into_iter().rev() {
            undo(host, change.undo);
        }
        for change in of_one {
            // Nothing orders bytes before names here.
            settle(host, Change { flushes: None, ..change });
        }
    }
}

fn is_of_same(one: &Undo, other: &Undo) -> bool {
    match (one, other) {
        (
            Undo::Name { folder, name, .. },
            Undo::Name { folder: other_folder, name: other_name, .. },
        ) => alloc::rc::Rc::ptr_eq(folder, other_folder) && name == other_name,
        (Undo::Attributes { file, .. }, Undo::Attributes { file: other, .. }) => {
            alloc::rc::Rc::ptr_eq(file, other)
        }
        _ => false,
    }
}

/// Takes a change back, with the counts of links that follow from it.
fn undo(host: &mut dyn Host, undo: Undo) {
    let (folder, name, before) = match undo {
        Undo::Attributes { file, before } => {
            return file.update(|attributes| {
                (attributes.mode, attributes.owner, attributes.group) =
                    (before.mode, before.owner, before.group);
            });
        }
        Undo::Name { folder, name, before } => (folder, name, before),
    };
    let Some(names) = folder.folder() else { return };
    if let Some(after) = names.known(&name) {
        if after.is_directory() {
            folder.count_links(-1);
        } else {
            after.count_links(-1);
            after.discard_unreachable(host);
        }
    }
    match before {
        Some(file) => {
            file.count_changes(-1);
            if file.is_directory() {
                folder.count_links(1);
                if file.is_nameless() {
                    file.count_links(2);
                }
            } else {
                file.count_links(1);
            }
            names.insert(&name, file);
        }
        None => names.remove(&name),
    }
}
