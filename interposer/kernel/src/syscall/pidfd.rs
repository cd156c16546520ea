//! Process descriptors: pidfd_open(2) and kin.

use alloc::rc::Rc;

use linux_raw_sys::general as raw;

use super::kill;
use crate::{
    context::Context,
    error::{Errno, Error, Result},
    file::{Directory, DirectorySource, Fd, File, FileDescription, OpenFlags, ProcessFile},
    outcome::Outcome,
    process::{Capabilities, Pid, ProcessId, ProcessState},
};

/// A description of a process.
pub fn describe(cx: &mut Context<'_>, process: ProcessId, flags: OpenFlags) -> Rc<FileDescription> {
    let of = cx.kernel.process(process);
    let file = ProcessFile {
        process,
        pid: of.pid,
        ended: of.ended.clone(),
        has_ended: Rc::clone(&of.has_ended),
    };
    FileDescription::new(File::Process(file), flags | OpenFlags::READ_WRITE, b"anon_inode:[pidfd]")
}

/// pidfd_open(2).
pub fn pidfd_open(cx: &mut Context<'_>, [pid, flags, ..]: [u64; 6]) -> Result<Outcome> {
    if pid as i32 <= 0 || flags as u32 & !raw::O_NONBLOCK != 0 {
        return Err(Errno::EINVAL.into());
    }
    let number = Pid::new(pid as u32);
    let process = match cx.kernel.pids.get(&number) {
        Some(&process) => process,
        None if cx.kernel.tids.contains_key(&number) => return Err(Errno::EINVAL.into()),
        None => return Err(Errno::ESRCH.into()),
    };
    let flags = OpenFlags::from_bits_truncate(flags as u32);
    let description = describe(cx, process, flags);
    cx.add_descriptor(description, true).map(Outcome::Done)
}

/// The live process behind a pidfd.
///
/// # Errors
/// `EBADF` for another kind of file, `ESRCH` when the process has ended and was collected.
pub fn behind(cx: &mut Context<'_>, fd: u64) -> Result<ProcessId> {
    let file = cx.description(fd)?;
    let File::Process(process) = &file.file else {
        return Err(Error::new(Errno::EBADF, "not a pidfd"));
    };
    let id = process.process;
    cx.kernel.processes.get(id).map(|_| id).ok_or(Errno::ESRCH.into())
}

/// The live process that a descriptor for signals stands for: a pidfd, or an open `/proc/PID`.
fn signalled_by(cx: &mut Context<'_>, fd: u64) -> Result<ProcessId> {
    let file = cx.description(fd)?;
    let File::Directory(Directory { source: DirectorySource::View(_), .. }) = &file.file else {
        return behind(cx, fd);
    };
    let path = file.path.borrow();
    let number = path.strip_prefix(b"/proc/").and_then(|name| core::str::from_utf8(name).ok());
    let number = number.and_then(|name| name.parse().ok()).ok_or(Errno::EBADF)?;
    cx.kernel.pids.get(&Pid::new(number)).copied().ok_or(Errno::ESRCH.into())
}

/// pidfd_send_signal(2).
pub fn pidfd_send_signal(
    cx: &mut Context<'_>,
    [fd, number, info, flags, ..]: [u64; 6],
) -> Result<Outcome> {
    if flags as u32 != 0 {
        return Err(Errno::EINVAL.into());
    }
    let target = signalled_by(cx, fd)?;
    let signal = kill::signal(number)?;
    let pid = u64::from(cx.kernel.process(target).pid.raw());
    let info = if info == 0 { None } else { kill::read_info_of(cx, pid, number, info)? };
    kill::send_to_process(cx, target, signal, info)?;
    Ok(Outcome::Done(0))
}

/// pidfd_getfd(2).
pub fn pidfd_getfd(cx: &mut Context<'_>, [fd, theirs, flags, ..]: [u64; 6]) -> Result<Outcome> {
    if flags != 0 {
        return Err(Errno::EINVAL.into());
    }
    let target = behind(cx, fd)?;
    let other = cx.kernel.process(target);
    if other.state != ProcessState::Alive {
        return Err(Errno::ESRCH.into());
    }
    let (other_user, other_files) = (other.credentials.uid, Rc::clone(&other.files));
    let own = &cx.process().credentials;
    if own.uid != other_user && !own.can(Capabilities::SYS_PTRACE) {
        return Err(Errno::EPERM.into());
    }
    let theirs = Fd::from_register(theirs)?;
    let description = Rc::clone(&other_files.borrow().get(theirs)?.description);
    cx.add_descriptor(description, true).map(Outcome::Done)
}
