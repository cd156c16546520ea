//! A request that waits until a descriptor is ready (`IOCB_CMD_POLL`).

use alloc::{
    rc::{Rc, Weak},
    vec::Vec,
};
use core::cell::{Cell, RefCell};

use super::{AioContext, Request};
use crate::{
    error::{Errno, Result},
    file::FileDescription,
    wait::{Notice, Notifies, Observer, Readiness, Wakes},
};

/// A request that waits until a descriptor is ready.
pub struct PollRequest {
    this: Weak<Self>,
    context: Weak<AioContext>,
    pub(super) request: Request,
    /// What it waits for; it stays open for as long as that lasts.
    file: RefCell<Option<Rc<FileDescription>>>,
    wanted: Readiness,
    /// What the file may ever be ready for.
    possible: Readiness,
    /// What has happened since it last looked, of what concerns it.
    happened: Cell<Readiness>,
    /// Whether it is about to look.
    is_noted: Cell<bool>,
}

impl PollRequest {
    /// Waits until the file is ready for any of this; ends at once if it is.
    ///
    /// # Errors
    /// `EINVAL` for a file that will never be.
    pub fn submit(
        context: &Rc<AioContext>,
        request: Request,
        file: &Rc<FileDescription>,
        wanted: Readiness,
        wakes: &mut Wakes,
    ) -> Result<()> {
        let wanted = wanted | Readiness::ERR | Readiness::HUP;
        let ready = file.readiness() & wanted;
        if !ready.is_empty() {
            context.finish(&request, ready.bits().into(), wakes);
            return Ok(());
        }
        let queue = file.queue().ok_or(Errno::EINVAL)?;
        let poll = Rc::new_cyclic(|this| Self {
            this: Weak::clone(this),
            context: Rc::downgrade(context),
            request,
            file: RefCell::new(Some(Rc::clone(file))),
            wanted,
            possible: file.may_become(),
            happened: Cell::default(),
            is_noted: Cell::default(),
        });
        let observer: Weak<dyn Observer> = poll.this.clone();
        queue.observe(observer);
        context.add_poll(poll);
        Ok(())
    }

    pub(super) fn take_file(&self) -> Option<Rc<FileDescription>> {
        self.file.take()
    }

    /// What it ends with: what has woken it, as long as that is still so (`aio_poll_wake`).
    fn result(&self) -> Option<Readiness> {
        let happened = self.happened.take();
        let ready = self.file.borrow().as_ref()?.readiness() & self.wanted;
        let is_plain = !happened.intersects(Readiness::ERR | Readiness::HUP);
        let also = if is_plain { happened } else { Readiness::empty() };
        (!ready.is_empty()).then_some(ready | also)
    }
}

impl Observer for PollRequest {
    /// What the file is ready for can only be seen when whoever changes it is through.
    fn notify(&self, what: Readiness, wakes: &mut Wakes) -> bool {
        let what = what & self.possible;
        if what.intersects(self.wanted) || what.is_empty() {
            self.happened.set(self.happened.get() | what);
            if !self.is_noted.replace(true)
                && let Some(this) = self.this.upgrade()
            {
                wakes.push_notifier(this);
            }
        }
        false
    }

    fn is_exclusive(&self) -> bool {
        false
    }
}

impl Notifies for PollRequest {
    fn notices(&self, wakes: &mut Wakes) -> Vec<Notice> {
        self.is_noted.set(false);
        if let Some(result) = self.result()
            && let Some(context) = self.context.upgrade()
        {
            context.finish_poll(self, result.bits().into(), wakes);
        }
        Vec::new()
    }
}
