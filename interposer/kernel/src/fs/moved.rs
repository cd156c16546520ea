//! Files of the host that were mapped as they are, and that the run has changed since.

use alloc::{rc::Rc, vec::Vec};
use core::cell::{Cell, RefCell};

use super::Inode;

/// The files whose bytes are no longer those of the host, which mappings still show.
#[derive(Debug, Default)]
pub struct Moved {
    files: RefCell<Vec<Rc<Inode>>>,
    is_any: Cell<bool>,
}

impl Moved {
    /// A file's bytes are somewhere else now.
    pub(super) fn add(&self, file: Rc<Inode>) {
        self.files.borrow_mut().push(file);
        self.is_any.set(true);
    }

    /// Whether there are any.
    #[must_use]
    pub fn is_any(&self) -> bool {
        self.is_any.get()
    }

    /// Those since the last time.
    #[must_use]
    pub fn take(&self) -> Vec<Rc<Inode>> {
        self.is_any.set(false);
        self.files.take()
    }
}
