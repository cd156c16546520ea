//! What becomes durable, and what is noted of changes until it is; nothing where power is never lost.

use alloc::rc::Rc;

use super::{Contents, Inode};
use crate::{error::Result, fs::durable::Synchronized, machine::Env};

impl Env<'_> {
    /// Bytes of a file are about to be written; how many there is room for.
    ///
    /// # Errors
    /// `ENOSPC`, or what the host fails with.
    pub fn will_write(&mut self, file: &Rc<Inode>, at: u64, len: u64) -> Result<u64> {
        if !super::Tree::is_on_disk(file) {
            return Ok(len);
        }
        let size = file.contents().map_or(0, Contents::size);
        let grows = at.saturating_add(len).saturating_sub(size.max(at));
        let len = len - grows + self.machine.tree.space.take(grows)?;
        self.will_change_bytes(file, at, len)?;
        Ok(len)
    }

    /// Bytes of a file are about to change.
    ///
    /// # Errors
    /// What the host fails with.
    pub fn will_change_bytes(&mut self, file: &Rc<Inode>, at: u64, len: u64) -> Result<()> {
        let now = self.machine.clock.now();
        match &mut *self.machine.tree.journal.borrow_mut() {
            Some(journal) if super::Tree::is_on_disk(file) => {
                journal.note_bytes(self.host, file, (at, len), now)
            }
            _ => Ok(()),
        }
    }

    /// A file is about to get this length.
    ///
    /// # Errors
    /// `EPERM` if a seal forbids it, `EFBIG` if a limit does; what the host fails with.
    pub fn will_truncate(&mut self, file: &Rc<Inode>, len: u64) -> Result<()> {
        let size = file.contents().map_or(0, Contents::size);
        file.check_resize(len)?;
        if len > size {
            self.machine.size_limit.check_growth(len)?;
        }
        if super::Tree::is_on_disk(file) && file.contents().is_some_and(Contents::is_changed) {
            self.machine.tree.space.give(size.saturating_sub(len));
        }
        let now = self.machine.clock.now();
        match &mut *self.machine.tree.journal.borrow_mut() {
            Some(journal) if super::Tree::is_on_disk(file) => {
                journal.note_length(self.host, file, len, now)
            }
            _ => Ok(()),
        }
    }

    /// Somebody who had a file open closes it.
    pub fn let_go(&mut self, file: &Inode) {
        if let Some(contents) = file.contents() {
            contents.detach(self.host);
        }
        self.free_unreachable(file);
    }

    /// Frees what a file takes up if it has no name and nobody has it open.
    pub fn free_unreachable(&mut self, file: &Inode) {
        if let Some(contents) = file.contents()
            && file.is_nameless()
            && contents.is_unused()
            && contents.is_changed()
            && super::Tree::is_on_disk(file)
        {
            self.machine.tree.space.give(contents.size());
        }
        file.discard_unreachable(self.host);
    }

    /// Programs can write to a part of a file through memory from now on.
    ///
    /// # Errors
    /// What the host fails with.
    pub fn will_map(&mut self, file: &Rc<Inode>, at: u64, len: u64) -> Result<()> {
        let end = at.saturating_add(len);
        let whole = file.rare().mapped.get().map_or((at, len), |(other, len)| {
            let start = at.min(other);
            (start, end.max(other.saturating_add(len)) - start)
        });
        file.rare().mapped.set(Some(whole));
        self.will_change_bytes(file, at, len)
    }

    /// Mode or owner of a file are about to change.
    pub fn will_change(&mut self, file: &Rc<Inode>) {
        let now = self.machine.clock.now();
        if let Some(journal) = &mut *self.machine.tree.journal.borrow_mut() {
            journal.next_call();
            journal.note_attributes(file, now);
        }
    }

    /// What is noted from here on belongs to another call.
    pub(super) fn begin_change(&mut self) {
        if let Some(journal) = &mut *self.machine.tree.journal.borrow_mut() {
            journal.next_call();
        }
    }

    /// Lets a name in a directory lead to another file, or nowhere.
    pub(super) fn set_name(&mut self, folder: &Rc<Inode>, name: &[u8], file: Option<Rc<Inode>>) {
        let Some(names) = folder.folder() else { return };
        if let Some(journal) = &mut *self.machine.tree.journal.borrow_mut()
            && super::Tree::is_on_disk(folder)
        {
            journal.note_name(folder, name, names.known(name), self.machine.clock.now());
            if let (Some(file), Some(_)) = (&file, names.known(name)) {
                journal.note_replacement(file);
            }
        }
        match file {
            Some(file) => names.insert(name, file),
            None => names.remove(name),
        }
    }

    /// A name of the directory that was changed last leads to a file that was made for it.
    pub(super) fn note_made(&mut self, folder: &Inode, file: &Rc<Inode>) {
        if let Some(journal) = &mut *self.machine.tree.journal.borrow_mut()
            && super::Tree::is_on_disk(folder)
        {
            journal.note_made(file);
        }
    }

    /// A file was synchronized (fsync(2)), or its data (fdatasync(2)).
    ///
    /// # Errors
    /// What the host fails with.
    pub fn synchronize(&mut self, file: &Rc<Inode>, what: Synchronized) -> Result<()> {
        let now = self.machine.clock.now();
        match &mut *self.machine.tree.journal.borrow_mut() {
            Some(journal) => journal.synchronize(self.host, file, what, now),
            None => Ok(()),
        }
    }

    /// As [`Self::synchronize`], for the data of a file that is known by its number (msync(2)).
    ///
    /// # Errors
    /// What the host fails with.
    pub fn synchronize_number(&mut self, number: u64) -> Result<()> {
        let file = match &*self.machine.tree.journal.borrow() {
            Some(journal) => journal.dirty_file(number),
            None => None,
        };
        file.map_or(Ok(()), |file| self.synchronize(&file, Synchronized::Data))
    }

    /// Everything was synchronized (sync(2)).
    ///
    /// # Errors
    /// What the host fails with.
    pub fn synchronize_all(&mut self) -> Result<()> {
        let now = self.machine.clock.now();
        match &mut *self.machine.tree.journal.borrow_mut() {
            Some(journal) => journal.synchronize_all(self.host, now),
            None => Ok(()),
        }
    }
}
