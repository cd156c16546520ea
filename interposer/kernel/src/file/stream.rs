//! The standard streams that a run was started with.

use alloc::vec;

use simrun_abi::event::{Stream, What};

use crate::{
    error::Result,
    host::HostFd,
    machine::Env,
    user::{self, UserSlice},
};

/// Most bytes moved at a time.
const CHUNK_MAX: usize = 64 << 10;

/// A standard stream of the host.
#[derive(Debug)]
pub struct HostStream {
    /// Its host descriptor.
    pub host: HostFd,
    /// Which output it is; `None` for standard input.
    pub output: Option<Stream>,
}

impl HostStream {
    /// Reads until the buffers are full or the stream ends: how a pipe's data arrives in pieces on the host
    /// must not show. No simulated time passes meanwhile.
    ///
    /// # Errors
    /// As read(2).
    pub fn read(&self, env: &mut Env<'_>, into: &[UserSlice]) -> Result<usize> {
        let mut bytes = vec![0; user::total_len(into).min(CHUNK_MAX)];
        let mut len = 0;
        while len < bytes.len() {
            match env.host.read_stream(self.host, &mut bytes[len..])? {
                0 => break,
                moved => len += moved,
            }
        }
        user::scatter(env.host, into, &bytes[..len])
    }

    /// Writes to the host's stream and to the log.
    ///
    /// # Errors
    /// As write(2).
    pub fn write(&self, env: &mut Env<'_>, from: &[UserSlice]) -> Result<usize> {
        let bytes = user::gather(env.host, from, CHUNK_MAX)?;
        let done = env.host.write_stream(self.host, &bytes)?;
        if let Some(stream) = self.output {
            env.machine.record(env.host, What::Output { stream, bytes: bytes[..done].to_vec() });
        }
        Ok(done)
    }
}
