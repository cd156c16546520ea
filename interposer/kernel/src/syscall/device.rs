//! Opening devices.

use alloc::{format, rc::Rc};

use crate::{
    context::Context,
    error::{Errno, Error, Result},
    file::{
        Device, DeviceFile, File, FileDescription, OpenFlags,
        tty::{Side, Terminal, TerminalEnd},
    },
    fs::Inode,
    process::Capabilities,
};

/// Opens the device that a file stands for.
///
/// # Errors
/// `ENXIO` if there is no such device, or no controlling terminal; `EIO` for a terminal that is locked.
pub fn open(cx: &mut Context<'_>, inode: Rc<Inode>, flags: OpenFlags) -> Result<File> {
    let device = Device::of_number(inode.attributes().device);
    match device.ok_or(Error::new(Errno::ENXIO, "there is no such device"))? {
        Device::TerminalMaker => {
            let terminal = cx.kernel.terminals.make()?;
            let caller = cx.caller();
            cx.env().make_terminal(&caller, terminal.number)?;
            Ok(end(cx, Side::Master, terminal, inode))
        }
        Device::Terminal => {
            let session = cx.process().session;
            let terminal = cx.kernel.terminals.of_session(session);
            let terminal = terminal.ok_or(Error::new(Errno::ENXIO, "no controlling terminal"))?;
            open_slave(cx, terminal, inode, flags | OpenFlags::NO_TERMINAL)
        }
        Device::PseudoTerminal(number) => {
            let terminal = cx.kernel.terminals.get(number).ok_or(Errno::EIO)?;
            open_slave(cx, terminal, inode, flags)
        }
        device => {
            let token = cx.env().tree().next_token();
            Ok(File::Device(DeviceFile { device, inode, token }))
        }
    }
}

/// Opens the slave of a terminal by its master (ioctl_tty(2), `TIOCGPTPEER`).
///
/// # Errors
/// As [`open`].
pub fn open_peer(
    cx: &mut Context<'_>,
    terminal: &Rc<Terminal>,
    flags: OpenFlags,
) -> Result<Rc<FileDescription>> {
    let inode = cx.env().tree().terminal(terminal.number)?;
    let file = open_slave(cx, Rc::clone(terminal), inode, flags)?;
    let path = format!("/dev/pts/{}", terminal.number);
    Ok(FileDescription::new(file, flags, path.as_bytes()))
}

/// Opens the slave of a terminal, which becomes the controlling terminal of a session leader without one.
fn open_slave(
    cx: &mut Context<'_>,
    terminal: Rc<Terminal>,
    inode: Rc<Inode>,
    flags: OpenFlags,
) -> Result<File> {
    let process = cx.process();
    terminal.open_slave(process.credentials.can(Capabilities::SYS_ADMIN))?;
    let (pid, session, group) = (process.pid, process.session, process.group);
    let wants =
        pid == session && !flags.contains(OpenFlags::NO_TERMINAL) && terminal.session().is_none();
    if wants && cx.kernel.terminals.of_session(session).is_none() {
        terminal.join_session(session, group);
    }
    Ok(end(cx, Side::Slave, terminal, inode))
}

fn end(cx: &mut Context<'_>, side: Side, terminal: Rc<Terminal>, inode: Rc<Inode>) -> File {
    let token = cx.env().tree().next_token();
    File::Terminal(TerminalEnd { side, terminal, inode, token })
}
