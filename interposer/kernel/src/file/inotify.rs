//! inotify(7): instances and what waits to be read from them.

use alloc::{
    collections::{BTreeMap, VecDeque},
    format,
    rc::Rc,
    string::String,
    vec::Vec,
};
use core::cell::{Cell, RefCell};

use linux_raw_sys::general as raw;

use super::{
    FileDescription, FileObject,
    transfer::{Sink, UserBuffers},
};
use crate::{
    error::{Errno, Result},
    fs::Inode,
    machine::Env,
    uapi::{inotify::InotifyEvent, stat::kernel_device},
    user::UserSlice,
    wait::{Readiness, WaitQueue, Wakes},
};

bitflags::bitflags! {
    /// What happens to a file, and how a watch looks at it.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Happening: u32 {
        /// It was read.
        const ACCESS = raw::IN_ACCESS;
        /// It was written.
        const MODIFY = raw::IN_MODIFY;
        /// Mode, owner, times or links changed.
        const ATTRIBUTES = raw::IN_ATTRIB;
        /// A description that can write was closed.
        const CLOSE_WRITE = raw::IN_CLOSE_WRITE;
        /// Another description was closed.
        const CLOSE_NO_WRITE = raw::IN_CLOSE_NOWRITE;
        /// It was opened.
        const OPEN = raw::IN_OPEN;
        /// A name left this directory.
        const MOVED_FROM = raw::IN_MOVED_FROM;
        /// A name came to this directory.
        const MOVED_TO = raw::IN_MOVED_TO;
        /// A name was made.
        const CREATE = raw::IN_CREATE;
        /// A name was removed.
        const DELETE = raw::IN_DELETE;
        /// The file itself is gone.
        const DELETE_SELF = raw::IN_DELETE_SELF;
        /// The file itself was renamed.
        const MOVE_SELF = raw::IN_MOVE_SELF;
        /// Events were lost.
        const OVERFLOW = raw::IN_Q_OVERFLOW;
        /// The watch is gone.
        const IGNORED = raw::IN_IGNORED;
        /// It is a directory.
        const DIRECTORY = raw::IN_ISDIR;
        /// Names that are gone do not count.
        const EXCLUDE_UNLINKED = raw::IN_EXCL_UNLINK;
        /// One event only.
        const ONE_SHOT = raw::IN_ONESHOT;
    }
}

impl Happening {
    /// What can be asked for.
    const ALL_EVENTS: Self = Self::from_bits_truncate(raw::IN_ALL_EVENTS);
    /// What a watch keeps of what it was set with.
    const KEPT: Self = Self::ALL_EVENTS.union(Self::EXCLUDE_UNLINKED).union(Self::ONE_SHOT);
}

/// What becomes of a watch on a file that has one already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeated {
    /// It looks for this instead.
    Replace,
    /// It looks for this too (`IN_MASK_ADD`).
    Add,
    /// None is allowed (`IN_MASK_CREATE`).
    Refuse,
}

/// Something that happened, as a watch is told.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// What.
    pub what: Happening,
    /// To which name of the watched directory; empty for the watched file itself.
    pub name: &'a [u8],
    /// What the two halves of a rename have in common.
    pub cookie: u32,
    /// Whether it happened through a name that is gone.
    pub unlinked: bool,
}

/// Something in a count for as long as it lives.
#[derive(Debug)]
struct Counted(Rc<Cell<usize>>);

impl Counted {
    fn new(count: &Rc<Cell<usize>>) -> Self {
        count.set(count.get() + 1);
        Self(Rc::clone(count))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

#[derive(Debug)]
struct Watch {
    inode: Rc<Inode>,
    mask: Happening,
    _counted: Counted,
}

#[derive(Debug, PartialEq, Eq)]
struct Event {
    watch: i32,
    mask: Happening,
    name: Vec<u8>,
    cookie: u32,
}

impl Event {
    /// Bytes of the name with its padding, as `round_event_name_len` has it.
    fn padded(&self) -> usize {
        match self.name.len() {
            0 => 0,
            len => (len + 1).next_multiple_of(size_of::<InotifyEvent>()),
        }
    }

    fn size(&self) -> usize {
        size_of::<InotifyEvent>() + self.padded()
    }

    fn bytes(&self) -> Vec<u8> {
        let head = InotifyEvent {
            watch: self.watch,
            mask: self.mask.bits(),
            cookie: self.cookie,
            len: self.padded() as u32,
        };
        let mut bytes = bytemuck::bytes_of(&head).to_vec();
        bytes.extend_from_slice(&self.name);
        bytes.resize(self.size(), 0);
        bytes
    }

    /// Whether `next` need not be told after this one (`inotify_merge`): cookies do not count.
    fn covers(&self, next: &Self) -> bool {
        !self.mask.contains(Happening::IGNORED)
            && (self.mask, self.watch, &self.name) == (next.mask, next.watch, &next.name)
    }
}

/// Events that wait before further ones are lost: `fs.inotify.max_queued_events`.
const QUEUED_MAX: usize = 16384;

/// Counts of what there is of inotify(7) in the machine.
#[derive(Debug, Default)]
pub struct InotifyCounts {
    instances: Rc<Cell<usize>>,
    watches: Rc<Cell<usize>>,
}

impl InotifyCounts {
    /// Whether nobody watches anything.
    #[must_use]
    pub fn nobody_watches(&self) -> bool {
        self.watches.get() == 0
    }
}

/// An instance: watches, and the events that they have made.
#[derive(Debug)]
pub struct Inotify {
    watches: RefCell<BTreeMap<i32, Watch>>,
    events: RefCell<VecDeque<Event>>,
    last: Cell<i32>,
    queue: WaitQueue,
    watch_count: Rc<Cell<usize>>,
    _counted: Counted,
}

/// `fs.inotify.max_user_instances`.
const INSTANCES_MAX: usize = 128;
/// `fs.inotify.max_user_watches`.
const WATCHES_MAX: usize = 65536;

impl Inotify {
    /// An instance without watches.
    ///
    /// # Errors
    /// `EMFILE`.
    pub fn new(counts: &InotifyCounts) -> Result<Rc<Self>> {
        if counts.instances.get() >= INSTANCES_MAX {
            return Err(Errno::EMFILE.into());
        }
        Ok(Rc::new(Self {
            watches: RefCell::default(),
            events: RefCell::default(),
            last: Cell::new(0),
            queue: WaitQueue::default(),
            watch_count: Rc::clone(&counts.watches),
            _counted: Counted::new(&counts.instances),
        }))
    }

    /// Watches a file, under the number that it gives.
    ///
    /// # Errors
    /// `EEXIST`, `ENOSPC`.
    pub fn watch(self: &Rc<Self>, inode: &Rc<Inode>, mask: u32, repeated: Repeated) -> Result<i32> {
        let mask = Happening::from_bits_truncate(mask) & Happening::KEPT;
        let mut watches = self.watches.borrow_mut();
        let known = watches.iter_mut().find(|(_, watch)| Rc::ptr_eq(&watch.inode, inode));
        if let Some((&number, watch)) = known {
            watch.mask = match repeated {
                Repeated::Replace => mask,
                Repeated::Add => watch.mask | mask,
                Repeated::Refuse => return Err(Errno::EEXIST.into()),
            };
            return Ok(number);
        }
        if self.watch_count.get() >= WATCHES_MAX {
            return Err(Errno::ENOSPC.into());
        }
        let number = self.last.get() + 1;
        self.last.set(number);
        let counted = Counted::new(&self.watch_count);
        watches.insert(number, Watch { inode: Rc::clone(inode), mask, _counted: counted });
        inode.watched_by(Rc::downgrade(self), number);
        Ok(number)
    }

    /// Ends a watch.
    ///
    /// # Errors
    /// `EINVAL`.
    pub fn unwatch(&self, number: i32, wakes: &mut Wakes) -> Result<()> {
        let watch = self.watches.borrow_mut().remove(&number).ok_or(Errno::EINVAL)?;
        watch.inode.unwatched_by(self, number);
        self.push(
            Event { watch: number, mask: Happening::IGNORED, name: Vec::new(), cookie: 0 },
            wakes,
        );
        Ok(())
    }

    /// Tells a watch what happened; it may not care.
    pub fn tell(&self, number: i32, told: &Told<'_>, wakes: &mut Wakes) {
        let Some(mask) = self.watches.borrow().get(&number).map(|watch| watch.mask) else { return };
        let excluded = told.unlinked && mask.contains(Happening::EXCLUDE_UNLINKED);
        if excluded || !mask.intersects(told.what & Happening::ALL_EVENTS) {
            return;
        }
        let what = match told.what {
            own if own.intersects(Happening::DELETE_SELF | Happening::MOVE_SELF) => {
                own - Happening::DIRECTORY
            }
            what => what,
        };
        let name = told.name.to_vec();
        self.push(Event { watch: number, mask: what, name, cookie: told.cookie }, wakes);
        if mask.contains(Happening::ONE_SHOT) {
            // It was there a moment ago.
            let _ = self.unwatch(number, wakes);
        }
    }

    fn push(&self, event: Event, wakes: &mut Wakes) {
        let mut events = self.events.borrow_mut();
        if events.len() >= QUEUED_MAX {
            if events.back().is_some_and(|last| last.mask == Happening::OVERFLOW) {
                return;
            }
            let overflow =
                Event { watch: -1, mask: Happening::OVERFLOW, name: Vec::new(), cookie: 0 };
            events.push_back(overflow);
        } else if events.back().is_some_and(|last| last.covers(&event)) {
            return;
        } else {
            events.push_back(event);
        }
        drop(events);
        self.queue.wake(Readiness::READABLE, wakes);
    }

    /// Its watches, as `/proc/PID/fdinfo` lists them.
    pub fn for_each_watch(&self, mut each: impl FnMut(i32, &Inode, u32)) {
        for (&number, watch) in self.watches.borrow().iter() {
            each(number, &watch.inode, watch.mask.bits());
        }
    }
}

impl FileObject for Rc<Inotify> {
    fn details(&self) -> String {
        let line = |(number, watch): (&i32, &Watch)| {
            let Watch { inode, mask, .. } = watch;
            let (ino, device) = (inode.number, kernel_device(inode.device));
            let mask = mask.bits();
            format!(
                "inotify wd:{number:x} ino:{ino:x} sdev:{device:x} mask:{mask:x} ignored_mask:0 \n"
            )
        };
        self.watches.borrow().iter().map(line).collect()
    }

    fn read(&self, env: &mut Env<'_>, _: &FileDescription, into: &[UserSlice]) -> Result<usize> {
        let mut sink = UserBuffers::new(env.host, into);
        let mut done = 0;
        loop {
            let bytes = match self.events.borrow().front() {
                Some(event) if event.size() <= sink.room() => event.bytes(),
                _ if done > 0 => return Ok(done),
                Some(_) => return Err(Errno::EINVAL.into()),
                None => return Err(Errno::EAGAIN.into()),
            };
            self.events.borrow_mut().pop_front();
            sink.put(&bytes)?;
            done += bytes.len();
        }
    }

    fn readable_bytes(&self, _: &mut Env<'_>, _: &FileDescription) -> Result<usize> {
        Ok(self.events.borrow().iter().map(Event::size).sum())
    }

    fn readiness(&self) -> Readiness {
        let waiting = !self.events.borrow().is_empty();
        if waiting { Readiness::READABLE } else { Readiness::empty() }
    }

    fn can_notify(&self) -> bool {
        true
    }

    fn queue(&self) -> Option<&WaitQueue> {
        Some(&self.queue)
    }

    fn release(&self, _: &mut Env<'_>) {
        for (number, watch) in self.watches.take() {
            watch.inode.unwatched_by(self, number);
        }
    }
}
