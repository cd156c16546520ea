//! The standard streams that a run was started with.

use alloc::vec;

use simrun_abi::event::{Stream, What};

use super::{FileDescription, FileObject};
use crate::{
    error::Result,
    host::{HostFd, HostStat},
    machine::Env,
    user::{self, UserSlice},
};

/// Most bytes moved at a time.
const CHUNK_MAX: usize = 64 << 10;

/// A standard stream of the host.
#[derive(Debug)]
pub struct HostStream {
    /// Its host descriptor; without one, output goes to the log only, and there is no input.
    pub host: Option<HostFd>,
    /// Which output it is; `None` for standard input.
    pub output: Option<Stream>,
}

impl FileObject for HostStream {
    fn read(&self, env: &mut Env<'_>, file: &FileDescription, into: &[UserSlice]) -> Result<usize> {
        let mut bytes = vec![0; user::total_len(into).min(CHUNK_MAX)];
        let len = self.read_kernel(env, file, &mut bytes)?;
        user::scatter(env.host, into, &bytes[..len])
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

    /// Reads until the buffer is full or the stream ends: how a pipe's data arrives in pieces on the host must
    /// not show. No simulated time passes meanwhile. What was read is an input of the run and goes to the log.
    fn read_kernel(
        &self,
        env: &mut Env<'_>,
        _file: &FileDescription,
        into: &mut [u8],
    ) -> Result<usize> {
        let Some(host) = self.host else { return Ok(0) };
        let mut len = 0;
        while len < into.len() {
            match env.host.read_stream(host, &mut into[len..])? {
                0 => break,
                moved => len += moved,
            }
        }
        env.machine.record(env.host, What::StandardInput { bytes: into[..len].to_vec() });
        Ok(len)
    }

    /// Writes to the host's stream and to the log.
    fn write_kernel(
        &self,
        env: &mut Env<'_>,
        _file: &FileDescription,
        from: &[u8],
    ) -> Result<usize> {
        let done = match self.host {
            Some(host) => env.host.write_stream(host, from)?,
            None => from.len(),
        };
        if let Some(stream) = self.output {
            env.machine.note_printed(&from[..done]);
            env.machine.record(env.host, What::Output { stream, bytes: from[..done].to_vec() });
        }
        Ok(done)
    }

    fn is_pollable(&self) -> bool {
        true
    }

    fn stat(&self, _env: &mut Env<'_>) -> Result<HostStat> {
        Ok(HostStat { mode: 0o10600, nlink: 1, blksize: 4096, ..HostStat::default() })
    }
}
