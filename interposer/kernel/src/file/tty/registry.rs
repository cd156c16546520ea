//! All terminals of the machine.

use alloc::{
    collections::BTreeMap,
    rc::{Rc, Weak},
};

use super::Terminal;
use crate::{
    error::{Errno, Error, Result},
    process::Pid,
};

/// Most terminals (`kernel.pty.max`).
const TERMINALS_MAX: u32 = 4096;

/// All terminals, by number.
#[derive(Debug, Default)]
pub struct Terminals {
    all: BTreeMap<u32, Weak<Terminal>>,
}

impl Terminals {
    /// A new terminal with the lowest free number.
    ///
    /// # Errors
    /// `ENOSPC` when there are too many.
    pub fn make(&mut self) -> Result<Rc<Terminal>> {
        self.all.retain(|_, terminal| terminal.strong_count() > 0);
        let number = (0..TERMINALS_MAX).find(|number| !self.all.contains_key(number));
        let number = number.ok_or(Error::new(Errno::ENOSPC, "too many pseudo-terminals"))?;
        let terminal = Rc::new(Terminal::new(number));
        self.all.insert(number, Rc::downgrade(&terminal));
        Ok(terminal)
    }

    /// The terminal with this number.
    #[must_use]
    pub fn get(&self, number: u32) -> Option<Rc<Terminal>> {
        self.all.get(&number)?.upgrade()
    }

    /// All of them, in order of number.
    pub fn iter(&self) -> impl Iterator<Item = Rc<Terminal>> {
        self.all.values().filter_map(Weak::upgrade)
    }

    /// The controlling terminal of a session.
    #[must_use]
    pub fn of_session(&self, session: Pid) -> Option<Rc<Terminal>> {
        self.iter().find(|terminal| terminal.session() == Some(session))
    }
}
