//! ioctl(2): what any descriptor takes, then what its type takes.
//!
//! The standard streams are no terminals, whatever they are on the host: how a run looks must not depend on where
//! it was started.

use alloc::rc::Rc;

use crate::{
    context::Context,
    error::{Errno, Result},
    file::{
        Device, Fd, File, FileDescription, OpenFlags,
        tty::{Side, Terminal, TerminalEnd},
    },
    outcome::Outcome,
    process::{Capabilities, Pid, Tid},
    uapi::termios::{Termio, Termios, Termios2, WindowSize, request},
    user::UserPtr,
};

/// ioctl(2).
pub fn ioctl(cx: &mut Context<'_>, [fd, number, argument, ..]: [u64; 6]) -> Result<Outcome> {
    let file = cx.description(fd)?;
    if file.flags.get().contains(OpenFlags::PATH) {
        return Err(Errno::EBADF.into());
    }
    match number as u32 {
        request::FIOCLEX => set_close_on_exec(cx, fd, true),
        request::FIONCLEX => set_close_on_exec(cx, fd, false),
        request::FICLONE => clone_file(cx, &file, argument),
        request::FIONBIO => set_flag(cx, &file, OpenFlags::NONBLOCK, argument),
        request::FIOASYNC => {
            let on = cx.read::<i32>(UserPtr::new(argument))? != 0;
            if on != file.flags.get().contains(OpenFlags::ASYNC) {
                if !file.file.as_object().can_notify() {
                    return Err(Errno::ENOTTY.into());
                }
                super::fcntl::set_async(cx, &file, fd, on);
            }
            Ok(Outcome::Done(0))
        }
        number => match &file.file {
            File::Terminal(end) => terminal(cx, end, number, argument),
            File::Socket(_) if matches!(number, request::FIOSETOWN | request::SIOCSPGRP) => {
                let id = cx.read::<i32>(UserPtr::new(argument))?;
                super::fcntl::set_owner(cx, &file, fd, id)?;
                Ok(Outcome::Done(0))
            }
            File::Socket(_) if matches!(number, request::FIOGETOWN | request::SIOCGPGRP) => {
                answer(cx, argument, &super::fcntl::owner_number(&file))
            }
            File::Socket(socket) if number != request::FIONREAD => {
                super::socket::ioctl(cx, socket, number, argument)
            }
            File::Device(device) if number == request::RNDGETENTCNT => {
                // What the pool has when it is full.
                const ENTROPY: i32 = 256;
                match device.device {
                    Device::Random => answer(cx, argument, &ENTROPY),
                    _ => Err(Errno::ENOTTY.into()),
                }
            }
            _ if number == request::FIONREAD => {
                let waiting = file.readable_bytes(&mut cx.env())?;
                answer(cx, argument, &i32::try_from(waiting).unwrap_or(i32::MAX))
            }
            _ => Err(Errno::ENOTTY.into()),
        },
    }
}

/// `FICLONE` (ioctl_ficlonerange(2)): the disk is one that cannot share what files have (`vfs_clone_file_range`).
fn clone_file(cx: &mut Context<'_>, target: &FileDescription, source: u64) -> Result<Outcome> {
    let source = cx.description(source)?;
    if source.flags.get().contains(OpenFlags::PATH) {
        return Err(Errno::EBADF.into());
    }
    if source.file.device() != target.file.device() {
        return Err(Errno::EXDEV.into());
    }
    match [&source.file, &target.file] {
        [File::Directory(_), _] | [_, File::Directory(_)] => Err(Errno::EISDIR.into()),
        [File::Regular(_), File::Regular(_)] => {
            source.check_reads()?;
            target.check_writes()?;
            let appends = target.flags.get().contains(OpenFlags::APPEND);
            Err(if appends { Errno::EBADF } else { Errno::EOPNOTSUPP }.into())
        }
        _ => Err(Errno::EINVAL.into()),
    }
}

fn set_close_on_exec(cx: &mut Context<'_>, fd: u64, close_on_exec: bool) -> Result<Outcome> {
    let fd = Fd::from_register(fd)?;
    cx.process().files.borrow_mut().get_mut(fd)?.close_on_exec = close_on_exec;
    Ok(Outcome::Done(0))
}

fn set_flag(
    cx: &mut Context<'_>,
    file: &FileDescription,
    flag: OpenFlags,
    argument: u64,
) -> Result<Outcome> {
    let on = cx.read::<i32>(UserPtr::new(argument))? != 0;
    let mut flags = file.flags.get();
    flags.set(flag, on);
    file.flags.set(flags);
    Ok(Outcome::Done(0))
}

fn answer<T: bytemuck::NoUninit>(cx: &mut Context<'_>, to: u64, value: &T) -> Result<Outcome> {
    cx.write(UserPtr::new(to), value)?;
    Ok(Outcome::Done(0))
}

/// What a terminal takes (ioctl_tty(2)).
fn terminal(
    cx: &mut Context<'_>,
    end: &TerminalEnd,
    number: u32,
    argument: u64,
) -> Result<Outcome> {
    let terminal = &end.terminal;
    match number {
        request::TCGETS => answer(cx, argument, &terminal.termios()),
        request::TCSETS | request::TCSETSW | request::TCSETSF => {
            let modes: Termios = cx.read(UserPtr::new(argument))?;
            set_modes(cx, terminal, modes, number == request::TCSETSF)
        }
        request::TCGETA => answer(cx, argument, &Termio::of(&terminal.termios())),
        request::TCSETA | request::TCSETAW | request::TCSETAF => {
            let modes: Termio = cx.read(UserPtr::new(argument))?;
            let modes = modes.over(&terminal.termios());
            set_modes(cx, terminal, modes, number == request::TCSETAF)
        }
        request::TCGETS2 => answer(cx, argument, &Termios2::of(terminal.termios())),
        request::TCSETS2 | request::TCSETSW2 | request::TCSETSF2 => {
            let modes: Termios2 = cx.read(UserPtr::new(argument))?;
            set_modes(cx, terminal, modes.plain, number == request::TCSETSF2)
        }
        request::TCFLSH => flush(terminal, end.side, argument),
        request::TIOCGWINSZ => answer(cx, argument, &terminal.window()),
        request::TIOCSWINSZ => {
            let window: WindowSize = cx.read(UserPtr::new(argument))?;
            terminal.set_window(&mut cx.kernel.machine, window);
            Ok(Outcome::Done(0))
        }
        request::FIONREAD | request::TIOCOUTQ => {
            let (input, screen) = terminal.waiting();
            let to_read = if end.side == Side::Master { screen } else { input };
            let waiting = if number == request::FIONREAD { to_read } else { 0 };
            answer(cx, argument, &(waiting as i32))
        }
        request::TIOCGETD => answer(cx, argument, &0i32),
        request::TIOCGLCKTRMIOS => answer(cx, argument, &terminal.locked_modes()),
        request::TIOCSLCKTRMIOS => {
            let caller = &cx.process().credentials;
            if !caller.can(Capabilities::SYS_ADMIN) && !caller.can(Capabilities::CHECKPOINT_RESTORE)
            {
                return Err(Errno::EPERM.into());
            }
            terminal.lock_modes(cx.read(UserPtr::new(argument))?);
            Ok(Outcome::Done(0))
        }
        // To have a master alone says nothing: each opening of it makes another terminal.
        request::TIOCGEXCL if end.side == Side::Slave => {
            answer(cx, argument, &i32::from(terminal.is_exclusive()))
        }
        request::TIOCEXCL | request::TIOCNXCL if end.side == Side::Slave => {
            terminal.set_exclusive(number == request::TIOCEXCL);
            Ok(Outcome::Done(0))
        }
        request::TCSBRK
        | request::TCSBRKP
        | request::TCXONC
        | request::TIOCEXCL
        | request::TIOCNXCL => Ok(Outcome::Done(0)),
        request::TIOCGPTN | request::TIOCSPTLCK | request::TIOCGPTLCK | request::TIOCGPTPEER => {
            if end.side == Side::Slave {
                return Err(Errno::ENOTTY.into());
            }
            master(cx, terminal, number, argument)
        }
        _ => job_control(cx, end, number, argument),
    }
}

fn set_modes(
    cx: &mut Context<'_>,
    terminal: &Terminal,
    modes: Termios,
    flushes: bool,
) -> Result<Outcome> {
    if flushes {
        terminal.flush_input();
    }
    terminal.set_termios(&mut cx.kernel.machine, modes);
    Ok(Outcome::Done(0))
}

fn flush(terminal: &Terminal, side: Side, which: u64) -> Result<Outcome> {
    let (input, output) = match which {
        0 => (true, false),
        1 => (false, true),
        2 => (true, true),
        _ => return Err(Errno::EINVAL.into()),
    };
    let master = side == Side::Master;
    if (input && !master) || (output && master) {
        terminal.flush_input();
    }
    if (output && !master) || (input && master) {
        terminal.flush_screen();
    }
    Ok(Outcome::Done(0))
}

/// What only the master takes.
fn master(
    cx: &mut Context<'_>,
    terminal: &Rc<Terminal>,
    number: u32,
    argument: u64,
) -> Result<Outcome> {
    match number {
        request::TIOCGPTN => answer(cx, argument, &terminal.number),
        request::TIOCGPTLCK => answer(cx, argument, &i32::from(terminal.is_locked())),
        request::TIOCSPTLCK => {
            let locked = cx.read::<i32>(UserPtr::new(argument))? != 0;
            terminal.set_locked(locked);
            Ok(Outcome::Done(0))
        }
        _ => {
            let flags = OpenFlags::from_bits_truncate(argument as u32);
            let description = super::device::open_peer(cx, terminal, flags)?;
            let close_on_exec = flags.contains(OpenFlags::CLOSE_ON_EXEC);
            cx.add_descriptor(description, close_on_exec).map(Outcome::Done)
        }
    }
}

/// Sessions and groups (credentials(7), ioctl_tty(2) "Controlling terminal").
fn job_control(
    cx: &mut Context<'_>,
    end: &TerminalEnd,
    number: u32,
    argument: u64,
) -> Result<Outcome> {
    let terminal = &end.terminal;
    let process = cx.process();
    let (pid, session, group) = (process.pid, process.session, process.group);
    let is_administrator = process.credentials.can(Capabilities::SYS_ADMIN);
    let is_ours = terminal.session() == Some(session);
    match number {
        request::TIOCSTI => {
            let may = is_administrator || is_ours && end.side == Side::Slave;
            if !may {
                return Err(Errno::EPERM.into());
            }
            let byte = cx.read::<u8>(UserPtr::new(argument))?;
            end.pretend_input(&mut cx.kernel.machine, byte);
            Ok(Outcome::Done(0))
        }
        request::TIOCSCTTY => {
            if is_ours && pid == session {
                return Ok(Outcome::Done(0));
            }
            let has_other = cx.kernel.terminals.of_session(session).is_some();
            let is_taken = terminal.session().is_some();
            let is_forced = argument == 1 && is_administrator;
            if pid != session || has_other || is_taken && !is_forced {
                return Err(Errno::EPERM.into());
            }
            terminal.join_session(session, group);
            Ok(Outcome::Done(0))
        }
        request::TIOCNOTTY if is_ours => {
            if pid == session {
                terminal.leave_session(&mut cx.kernel.machine);
            }
            Ok(Outcome::Done(0))
        }
        request::TIOCGPGRP if is_ours || end.side == Side::Master => {
            answer(cx, argument, &terminal.foreground().map_or(0, Tid::raw))
        }
        request::TIOCSPGRP if is_ours => {
            let group = cx.read::<i32>(UserPtr::new(argument))?;
            let group = u32::try_from(group).map_err(|_| Errno::EINVAL)?;
            set_foreground(cx, terminal, session, Tid::new(group))
        }
        request::TIOCGSID
            if is_ours || (end.side == Side::Master && terminal.session().is_some()) =>
        {
            answer(cx, argument, &terminal.session().map_or(0, Tid::raw))
        }
        _ => Err(Errno::ENOTTY.into()),
    }
}

fn set_foreground(
    cx: &mut Context<'_>,
    terminal: &Terminal,
    session: Pid,
    group: Pid,
) -> Result<Outcome> {
    let mut members =
        cx.kernel.own_processes().filter(|(_, process)| process.group == group).peekable();
    if members.peek().is_none() {
        return Err(Errno::ESRCH.into());
    }
    if !members.any(|(_, process)| process.session == session) {
        return Err(Errno::EPERM.into());
    }
    terminal.set_foreground(group);
    Ok(Outcome::Done(0))
}
