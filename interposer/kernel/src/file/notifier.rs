//! Has the owner of a description told by a signal when it becomes ready (`O_ASYNC` in open(2)).

use alloc::{
    rc::{Rc, Weak},
    vec::Vec,
};
use core::cell::Cell;

use super::{File, FileDescription, OpenFlags};
use crate::wait::{Notice, Notifies, Observer, Readiness, Reason, Wakes};

/// Follows one description.
pub struct Notifier {
    this: Weak<Self>,
    file: Weak<FileDescription>,
    /// The descriptor that the signal names: the one by which it was asked for.
    fd: u32,
    /// What has happened since it last told.
    happened: Cell<Readiness>,
    /// Whether urgent data has come since then.
    urgent: Cell<bool>,
}

impl Notifier {
    /// Follows a description from now on, for as long as it is kept.
    #[must_use]
    pub fn follow(file: &Rc<FileDescription>, fd: u32) -> Rc<Self> {
        let notifier = Rc::new_cyclic(|this| Self {
            this: Weak::clone(this),
            file: Rc::downgrade(file),
            fd,
            happened: Cell::default(),
            urgent: Cell::default(),
        });
        if let Some(queue) = file.queue() {
            let weak = Rc::downgrade(&notifier);
            queue.observe(weak);
        }
        notifier
    }
}

/// The reason that Linux gives (the callers of `kill_fasync` and `sk_wake_async`): a pipe that has lost its other end
/// counts as ready, a socket that has lost both directions as hung up.
fn reason(file: &FileDescription, happened: Readiness) -> Option<Reason> {
    let ready = file.readiness() & happened;
    if let File::Pipe(_) = &file.file {
        let flags = file.flags.get();
        return if happened.contains(Readiness::IN) && flags.reads() {
            Some(Reason::In)
        } else if happened.contains(Readiness::OUT) && flags.writes() {
            Some(Reason::Out)
        } else {
            None
        };
    }
    let reasons = [
        (Readiness::ERR, Reason::Error),
        (Readiness::HUP, Reason::HangUp),
        (Readiness::PRI, Reason::Priority),
        (Readiness::IN, Reason::In),
        (Readiness::OUT, Reason::Out),
    ];
    reasons.into_iter().find(|(bit, _)| ready.contains(*bit)).map(|(_, reason)| reason)
}

impl Observer for Notifier {
    fn notify(&self, what: Readiness, wakes: &mut Wakes) -> bool {
        if self.happened.get().is_empty()
            && let Some(this) = self.this.upgrade()
        {
            wakes.push_notifier(this);
        }
        self.happened.set(self.happened.get() | what);
        // What wakes everybody says nothing of urgent data.
        if what.contains(Readiness::PRI) && !what.contains(Readiness::HUP) {
            self.urgent.set(true);
        }
        false
    }

    fn is_exclusive(&self) -> bool {
        false
    }
}

impl Notifies for Notifier {
    fn notices(&self, _: &mut Wakes) -> Vec<Notice> {
        let (happened, urgent) = (self.happened.take(), self.urgent.take());
        let Some(file) = self.file.upgrade() else { return Vec::new() };
        let owner = file.owner.get();
        let notice = |reason| Notice { owner, fd: self.fd, reason };
        let mut notices = Vec::new();
        if owner.id == 0 {
            return notices;
        }
        // Urgent data is told of whether or not anything else is.
        if urgent && matches!(file.file, File::Socket(_)) {
            notices.push(notice(Reason::Urgent));
        }
        if file.flags.get().contains(OpenFlags::ASYNC)
            && let Some(reason) = reason(&file, happened)
        {
            notices.push(notice(reason));
        }
        notices
    }
}
