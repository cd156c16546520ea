//! Whether an address space still holds the program that it held.

use alloc::rc::{Rc, Weak};

/// Of one program's stay in an address space. A copy of the space has one of its own.
#[derive(Debug, Default)]
pub struct Life(Rc<()>);

impl Clone for Life {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// What sees whether it is over.
#[derive(Clone, Debug)]
pub struct LifeWatch(Weak<()>);

impl Life {
    /// To be asked later whether it is over.
    #[must_use]
    pub fn watch(&self) -> LifeWatch {
        LifeWatch(Rc::downgrade(&self.0))
    }
}

impl LifeWatch {
    /// Whether it is over.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.0.strong_count() == 0
    }
}
