//! What a thread's end does to the locks it holds (get_robust_list(2), Documentation/locking/robust-futexes.rst).

use bytemuck::{Pod, Zeroable};
use linux_raw_sys::general as raw;

use super::{FutexKey, LockWord};
use crate::{
    host::Host,
    kernel::Kernel,
    process::{ThreadId, Tid},
    user::{self, UserPtr},
};

/// `struct robust_list_head`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
struct ListHead {
    next: u64,
    offset: u64,
    pending: u64,
}

/// Most locks that are looked at: the list may be a ring.
const LIST_MAX: usize = raw::ROBUST_LIST_LIMIT as usize;
/// The lowest bit of a pointer in the list marks a lock that hands over.
const HANDS_OVER: u64 = 1;

/// Whether an entry was being put in or taken out when the thread ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Entry {
    Listed,
    Pending,
}

impl Kernel {
    /// Marks the locks that an ending thread holds, and lets others have them. The thread's memory must be the one
    /// that is loaded now.
    pub(crate) fn abandon_locks(&mut self, host: &mut dyn Host, id: ThreadId) {
        let head = core::mem::take(&mut self.thread_mut(id).robust_list);
        if head != 0 {
            self.walk_list(host, id, head);
        }
        for lock in self.futexes.held_by(id) {
            self.pass_on(host, id, lock);
        }
    }

    fn walk_list(&mut self, host: &mut dyn Host, id: ThreadId, address: u64) {
        let Ok(head) = user::read(host, UserPtr::<ListHead>::new(address)) else { return };
        let pending = head.pending & !HANDS_OVER;
        let mut entry = head.next;
        for _ in 0..LIST_MAX {
            let place = entry & !HANDS_OVER;
            if place == address {
                break;
            }
            let next = user::read(host, UserPtr::<u64>::new(place));
            if place != pending {
                self.abandon(host, id, entry, head.offset, Entry::Listed);
            }
            let Ok(next) = next else { return };
            entry = next;
        }
        if pending != 0 {
            self.abandon(host, id, head.pending, head.offset, Entry::Pending);
        }
    }

    /// `handle_futex_death` in kernel/futex/core.c.
    fn abandon(&mut self, host: &mut dyn Host, id: ThreadId, entry: u64, offset: u64, kind: Entry) {
        let hands_over = entry & HANDS_OVER != 0;
        let address = (entry & !HANDS_OVER).wrapping_add(offset);
        let place = UserPtr::<u32>::new(address);
        if !address.is_multiple_of(4) {
            return;
        }
        let Ok(word) = user::read(host, place).map(LockWord) else { return };
        let own = self.thread(id).tid;
        let wakes = match word.owner() {
            Some(owner) if owner == own => {
                if user::write(host, place, &word.orphaned().0).is_err() {
                    return;
                }
                word.has_waiters()
            }
            // It had let the lock go, and not yet woken anybody.
            None => kind == Entry::Pending,
            Some(_) => false,
        };
        if wakes && !hands_over {
            let space = self.space_of(id);
            self.wake_shared_address(space, address, 1);
        }
    }

    /// Gives a lock that hands over to the first that waits for it.
    fn pass_on(&mut self, host: &mut dyn Host, id: ThreadId, lock: FutexKey) {
        let address = match lock {
            FutexKey::Private(_, address) | FutexKey::Local(_, address) => Some(address),
            FutexKey::Shared(object, offset) => {
                let space = self.space_of(id);
                self.space_mut(space).address_of_object(object, offset)
            }
        };
        let Some(next) = self.futexes.hand_over(lock) else { return };
        let tid: Tid = self.thread(next).tid;
        let word = LockWord(raw::FUTEX_OWNER_DIED).held_by(tid).with_waiters();
        if let Some(address) = address {
            // As in Linux, memory that is gone is the waiter's loss.
            let _ = user::write(host, UserPtr::new(address), &word.0);
        }
        self.wake_with(next, 0);
    }
}
