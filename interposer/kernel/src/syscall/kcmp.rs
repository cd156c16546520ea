//! kcmp(2): whether two threads share something.
//!
//! Linux orders objects by their addresses, so that who compares many can sort them. Here an object comes before
//! another if the first process that has it, by number, comes before; of one process's, the lower descriptor.

use alloc::rc::Rc;
use core::cmp::Ordering;

use bytemuck::{Pod, Zeroable};

use crate::{
    context::Context,
    error::{Errno, Result},
    file::{Fd, File, FileDescription},
    outcome::Outcome,
    process::{Process, ProcessId, ProcessState, Tid},
    user::UserPtr,
};

// Types (include/uapi/linux/kcmp.h).
const FILE: u32 = 0;
const VM: u32 = 1;
const FILES: u32 = 2;
const FS: u32 = 3;
const SIGHAND: u32 = 4;
const IO: u32 = 5;
const SYSVSEM: u32 = 6;
const EPOLL_TFD: u32 = 7;

/// `struct kcmp_epoll_slot`: a file that an epoll instance follows.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
struct EpollSlot {
    /// The instance's descriptor.
    epoll: u32,
    /// The descriptor by which the file was added.
    target: u32,
    /// How many others that were added by it come before.
    offset: u32,
}

/// kcmp(2).
pub fn kcmp(
    cx: &mut Context<'_>,
    [one, other, kind, first, second, _]: [u64; 6],
) -> Result<Outcome> {
    let (one, other) = (find(cx, one)?, find(cx, other)?);
    cx.check_trace_access(one)?;
    cx.check_trace_access(other)?;
    let order = match kind as u32 {
        FILE => {
            let file = description(cx, one, first)?;
            let with = description(cx, other, second)?;
            files_order(cx, &file, &with)
        }
        EPOLL_TFD => {
            let slot: EpollSlot = cx.read(UserPtr::new(second))?;
            let file = description(cx, one, first)?;
            let followed = followed(cx, other, slot)?;
            files_order(cx, &file, &followed)
        }
        VM => shared(cx, one, other, |one, other| one.space == other.space),
        FILES => shared(cx, one, other, |one, other| Rc::ptr_eq(&one.files, &other.files)),
        FS => shared(cx, one, other, |one, other| Rc::ptr_eq(&one.fs, &other.fs)),
        SIGHAND => shared(cx, one, other, |one, other| Rc::ptr_eq(&one.actions, &other.actions)),
        // Nobody has a context of I/O, as before a process's first I/O in Linux.
        IO => Ordering::Equal,
        SYSVSEM => {
            let list = |id| cx.kernel.process(id).undo_list.get();
            list(one).cmp(&list(other))
        }
        _ => return Err(Errno::EINVAL.into()),
    };
    Ok(Outcome::Done(match order {
        Ordering::Equal => 0,
        Ordering::Less => 1,
        Ordering::Greater => 2,
    }))
}

/// The process of the thread with this number.
fn find(cx: &mut Context<'_>, number: u64) -> Result<ProcessId> {
    match number as i32 {
        ..=0 => Err(Errno::ESRCH.into()),
        _ => cx.kernel.find_process(cx.thread, number),
    }
}

fn description(cx: &Context<'_>, process: ProcessId, fd: u64) -> Result<Rc<FileDescription>> {
    let fd = Fd::from_register(fd)?;
    let files = cx.kernel.process(process).files.borrow();
    Ok(Rc::clone(&files.get(fd)?.description))
}

/// The file that an epoll instance follows (`get_epoll_tfile_raw_ptr`).
fn followed(cx: &Context<'_>, process: ProcessId, slot: EpollSlot) -> Result<Rc<FileDescription>> {
    let instance = description(cx, process, slot.epoll.into())?;
    let File::Epoll(epoll) = &instance.file else { return Err(Errno::EINVAL.into()) };
    epoll.followed(slot.target, slot.offset as usize).ok_or(Errno::ENOENT.into())
}

/// Which of two processes' objects comes first, of a kind that processes share or not.
fn shared(
    cx: &Context<'_>,
    one: ProcessId,
    other: ProcessId,
    is_same: impl Fn(&Process, &Process) -> bool,
) -> Ordering {
    rank(cx, one, &is_same).cmp(&rank(cx, other, &is_same))
}

/// Number of the first process that shares something with one; a dead one has nothing.
fn rank(
    cx: &Context<'_>,
    process: ProcessId,
    is_same: impl Fn(&Process, &Process) -> bool,
) -> Option<Tid> {
    let process = cx.kernel.process(process);
    if process.state != ProcessState::Alive {
        return None;
    }
    let mut alive =
        cx.kernel.own_processes().filter(|(_, other)| other.state == ProcessState::Alive);
    alive.find(|(_, other)| is_same(process, other)).map(|(_, other)| other.pid)
}

fn files_order(
    cx: &Context<'_>,
    one: &Rc<FileDescription>,
    other: &Rc<FileDescription>,
) -> Ordering {
    if Rc::ptr_eq(one, other) {
        return Ordering::Equal;
    }
    for (_, process) in cx.kernel.own_processes() {
        for (_, descriptor) in process.files.borrow().iter() {
            if Rc::ptr_eq(&descriptor.description, one) {
                return Ordering::Less;
            }
            if Rc::ptr_eq(&descriptor.description, other) {
                return Ordering::Greater;
            }
        }
    }
    // Neither has a descriptor: an instance follows one that is only on its way to somebody.
    Ordering::Less
}
