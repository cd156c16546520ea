//! The two ends of a pseudo-terminal as open files.

use alloc::{rc::Rc, vec::Vec};

use super::Terminal;
use crate::{
    error::Result,
    file::{FileDescription, FileObject},
    fs::Inode,
    host::HostStat,
    machine::{Env, Machine},
    user::{self, UserSlice},
    wait::{Readiness, WaitQueue},
};

/// Which end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The one that types and sees the screen (`/dev/ptmx`).
    Master,
    /// The one that programs take for a terminal (`/dev/pts/N`).
    Slave,
}

/// An open end.
#[derive(Debug)]
pub struct TerminalEnd {
    /// Which.
    pub side: Side,
    /// Of which terminal.
    pub terminal: Rc<Terminal>,
    /// The file by which it was opened.
    pub inode: Rc<Inode>,
    /// Whose this description's locks are.
    pub token: u64,
}

/// Most bytes moved at a time.
const CHUNK_MAX: usize = 4096;

impl TerminalEnd {
    /// Takes a byte as if it had come from the other end (`TIOCSTI`); without room it is lost.
    pub fn pretend_input(&self, machine: &mut Machine, byte: u8) {
        match self.side {
            Side::Master => self.terminal.show(machine, byte),
            Side::Slave => {
                let _ = self.terminal.type_in(machine, &[byte]);
            }
        }
    }

    fn take(&self, env: &mut Env<'_>, max: usize) -> Result<Vec<u8>> {
        if max == 0 {
            return Ok(Vec::new());
        }
        match self.side {
            Side::Master => self.terminal.read_screen(env.machine, max),
            Side::Slave => self.terminal.read_input(env.machine, max),
        }
    }
}

impl FileObject for TerminalEnd {
    fn read(
        &self,
        env: &mut Env<'_>,
        _file: &FileDescription,
        into: &[UserSlice],
    ) -> Result<usize> {
        let bytes = self.take(env, user::total_len(into).min(CHUNK_MAX))?;
        user::scatter(env.host, into, &bytes)
    }

    fn write(
        &self,
        env: &mut Env<'_>,
        file: &FileDescription,
        from: &[UserSlice],
    ) -> Result<usize> {
        let bytes = user::gather(env.host, from, CHUNK_MAX)?;
        self.write_kernel(env, file, &bytes)
    }

    fn read_kernel(
        &self,
        env: &mut Env<'_>,
        _file: &FileDescription,
        into: &mut [u8],
    ) -> Result<usize> {
        let bytes = self.take(env, into.len())?;
        into[..bytes.len()].copy_from_slice(&bytes);
        Ok(bytes.len())
    }

    fn write_kernel(
        &self,
        env: &mut Env<'_>,
        _file: &FileDescription,
        from: &[u8],
    ) -> Result<usize> {
        match self.side {
            Side::Master => self.terminal.type_in(env.machine, from),
            Side::Slave => self.terminal.print(env.machine, from),
        }
    }

    fn stat(&self, env: &mut Env<'_>) -> Result<HostStat> {
        Ok(self.inode.status(env.host))
    }

    fn readable_bytes(&self, _env: &mut Env<'_>, _file: &FileDescription) -> Result<usize> {
        let (input, screen) = self.terminal.waiting();
        Ok(if self.side == Side::Master { screen } else { input })
    }

    fn readiness(&self) -> Readiness {
        match self.side {
            Side::Master => self.terminal.master_readiness(),
            Side::Slave => self.terminal.slave_readiness(),
        }
    }

    fn queue(&self) -> Option<&WaitQueue> {
        Some(match self.side {
            Side::Master => &self.terminal.master_queue,
            Side::Slave => &self.terminal.slave_queue,
        })
    }

    fn can_notify(&self) -> bool {
        true
    }

    fn release(&self, env: &mut Env<'_>) {
        match self.side {
            Side::Master => {
                env.tree().remove_terminal(self.terminal.number);
                self.terminal.close_master(env.machine);
            }
            Side::Slave => self.terminal.close_slave(env.machine),
        }
        self.inode.forget_description(self.token, env.machine);
    }
}
