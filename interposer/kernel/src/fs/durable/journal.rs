//! Changes of names and attributes that are not durable yet, in their order.

use alloc::{
    collections::VecDeque,
    rc::{Rc, Weak},
    vec::Vec,
};
use core::time::Duration;

use simrun_abi::faults::Disk;

use super::Pages;
use crate::{
    error::Result,
    fs::{Attributes, Contents, Inode},
    host::Host,
    time::Instant,
};

/// After so long, changes are durable by themselves (ext4's `commit=`).
const COMMIT_INTERVAL: Duration = Duration::from_secs(5);
/// After so long, bytes are (`/proc/sys/vm/dirty_expire_centisecs`, and the interval in which that is looked at).
const EXPIRE_INTERVAL: Duration = Duration::from_secs(35);

/// What of a file is made durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Synchronized {
    /// Everything: fsync(2).
    File,
    /// What is needed to read its bytes: fdatasync(2).
    Data,
}

/// What a change undone brings back.
#[derive(Debug)]
pub(super) enum Undo {
    /// What a name led to.
    Name { folder: Rc<Inode>, name: Vec<u8>, before: Option<Rc<Inode>> },
    /// Mode and owner.
    Attributes { file: Rc<Inode>, before: Attributes },
}

/// A change.
#[derive(Debug)]
pub(super) struct Change {
    pub undo: Undo,
    /// Changes of one call are durable together.
    pub group: u64,
    pub at: Instant,
    /// A file whose bytes are durable when the change is.
    pub flushes: Option<Rc<Inode>>,
    /// A file that it has made.
    pub makes: Option<Rc<Inode>>,
}

/// See the module. Only where power may be lost.
#[derive(Debug)]
pub struct Journal {
    pub(super) disk: Disk,
    pub(super) changes: VecDeque<Change>,
    /// Files whose bytes are not durable.
    pub(super) dirty: Vec<Weak<Inode>>,
    group: u64,
}

impl Journal {
    /// Of a disk on which everything is durable.
    #[must_use]
    pub const fn new(disk: Disk) -> Self {
        Self { disk, changes: VecDeque::new(), dirty: Vec::new(), group: 0 }
    }

    /// Changes from here on are another call's.
    pub fn next_call(&mut self) {
        self.group += 1;
    }

    /// A name is about to lead elsewhere.
    pub fn note_name(
        &mut self,
        folder: &Rc<Inode>,
        name: &[u8],
        before: Option<Rc<Inode>>,
        at: Instant,
    ) {
        if let Some(file) = &before {
            file.count_changes(1);
        }
        let undo = Undo::Name { folder: Rc::clone(folder), name: name.to_vec(), before };
        self.changes.push_back(Change { undo, group: self.group, at, flushes: None, makes: None });
    }

    /// The last change of a name replaces a file by this one: its bytes are written first.
    pub fn note_replacement(&mut self, file: &Rc<Inode>) {
        if let Some(last) = self.changes.back_mut() {
            last.flushes = Some(Rc::clone(file));
        }
    }

    /// The last change of a name makes this file.
    pub fn note_made(&mut self, file: &Rc<Inode>) {
        if let Some(last) = self.changes.back_mut() {
            last.makes = Some(Rc::clone(file));
        }
    }

    /// Mode or owner are about to change.
    pub fn note_attributes(&mut self, file: &Rc<Inode>, at: Instant) {
        let undo = Undo::Attributes { file: Rc::clone(file), before: file.attributes() };
        self.changes.push_back(Change { undo, group: self.group, at, flushes: None, makes: None });
    }

    /// Bytes of a file are about to change.
    ///
    /// # Errors
    /// What the host fails with.
    pub fn note_bytes(
        &mut self,
        host: &mut dyn Host,
        file: &Rc<Inode>,
        (at, len): (u64, u64),
        now: Instant,
    ) -> Result<()> {
        self.with_pages(file, now, |pages, contents| pages.save(host, contents, at, len))
    }

    /// A file is about to get another length.
    ///
    /// # Errors
    /// What the host fails with.
    pub fn note_length(
        &mut self,
        host: &mut dyn Host,
        file: &Rc<Inode>,
        len: u64,
        now: Instant,
    ) -> Result<()> {
        self.with_pages(file, now, |pages, contents| pages.cut(host, contents, len))
    }

    fn with_pages(
        &mut self,
        file: &Rc<Inode>,
        now: Instant,
        change: impl FnOnce(&mut Pages, &Contents) -> Result<()>,
    ) -> Result<()> {
        let Some(contents) = file.contents() else { return Ok(()) };
        let mut pages = file.rare().pages.borrow_mut();
        if pages.is_none() {
            self.dirty.push(Rc::downgrade(file));
        }
        change(pages.get_or_insert_with(|| Pages::new(contents.size(), now)), contents)
    }

    /// A file was synchronized.
    ///
    /// # Errors
    /// What the host fails with.
    pub fn synchronize(
        &mut self,
        host: &mut dyn Host,
        file: &Rc<Inode>,
        what: Synchronized,
        now: Instant,
    ) -> Result<()> {
        let is_data = what == Synchronized::Data && !file.is_directory();
        let commits_all = !is_data || self.is_new_or_resized(file);
        file.rare().pages.replace(None);
        match self.disk {
            Disk::Ext4 if commits_all => self.commit(host, |_| true),
            Disk::Ext4 => self.forget_clean(),
            Disk::Strict if is_data => self.forget_clean(),
            Disk::Strict if file.is_directory() => self.commit(host, |change| {
                matches!(&change.undo, Undo::Name { folder, .. } if Rc::ptr_eq(folder, file))
            }),
            Disk::Strict => self.commit(host, |change| {
                matches!(&change.undo, Undo::Attributes { file: of, .. } if Rc::ptr_eq(of, file))
            }),
        }
        self.follow_mapping(host, file, now)
    }

    /// Whether a file can only be read as it is now when other changes are durable.
    fn is_new_or_resized(&self, file: &Rc<Inode>) -> bool {
        let is_resized = |contents: &Contents| {
            file.rare().pages.borrow().as_ref().is_some_and(|pages| pages.is_resized(contents))
        };
        file.contents().is_some_and(is_resized)
            || self
                .changes
                .iter()
                .any(|change| change.makes.as_ref().is_some_and(|made| Rc::ptr_eq(made, file)))
    }

    /// The file with this number, if its bytes are not durable.
    #[must_use]
    pub fn dirty_file(&self, number: u64) -> Option<Rc<Inode>> {
        self.dirty.iter().filter_map(Weak::upgrade).find(|file| file.number == number)
    }

    /// What programs write through memory is not seen: it may be anything from now on.
    fn follow_mapping(
        &mut self,
        host: &mut dyn Host,
        file: &Rc<Inode>,
        now: Instant,
    ) -> Result<()> {
        match file.rare().mapped.get() {
            Some(range) => self.note_bytes(host, file, range, now),
            None => Ok(()),
        }
    }

    /// Everything was synchronized.
    ///
    /// # Errors
    /// What the host fails with.
    pub fn synchronize_all(&mut self, host: &mut dyn Host, now: Instant) -> Result<()> {
        self.commit(host, |_| true);
        for file in core::mem::take(&mut self.dirty).iter().filter_map(Weak::upgrade) {
            file.rare().pages.replace(None);
            self.follow_mapping(host, &file, now)?;
        }
        Ok(())
    }

    fn commit(&mut self, host: &mut dyn Host, which: impl Fn(&Change) -> bool) {
        let (durable, rest) = core::mem::take(&mut self.changes).into_iter().partition(which);
        self.changes = rest;
        let durable: VecDeque<Change> = durable;
        for change in durable {
            settle(host, change);
        }
        self.forget_clean();
    }

    fn forget_clean(&mut self) {
        self.dirty
            .retain(|file| file.upgrade().is_some_and(|file| file.rare().pages.borrow().is_some()));
    }

    /// What has been waiting for long is durable by now.
    pub(super) fn age(&mut self, host: &mut dyn Host, now: Instant) {
        if self.disk == Disk::Ext4 {
            self.commit(host, |change| change.at + COMMIT_INTERVAL < now);
        }
        for file in self.dirty.iter().filter_map(Weak::upgrade) {
            let is_old = file
                .rare()
                .pages
                .borrow()
                .as_ref()
                .is_some_and(|pages| pages.since + EXPIRE_INTERVAL < now);
            if is_old {
                file.rare().pages.replace(None);
            }
        }
    }
}

/// A change is durable: what it replaced is needed no longer.
pub(super) fn settle(host: &mut dyn Host, change: Change) {
    if let Some(file) = change.flushes {
        file.rare().pages.replace(None);
    }
    if let Undo::Name { before: Some(file), .. } = change.undo {
        file.count_changes(-1);
        file.discard_unreachable(host);
    }
}
