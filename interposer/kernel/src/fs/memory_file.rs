//! Memory files of the host, which hold bytes of the run.

use linux_raw_sys::general as raw;

use super::bytes::Bytes;
use crate::{
    error::{Errno, Result},
    host::{
        FileArgument::{self, Number, Output},
        FileCall, Host, HostFd,
    },
};

/// The host's call with these arguments.
pub(super) fn call<const N: usize>(
    host: &mut dyn Host,
    number: u32,
    arguments: [FileArgument<'_>; N],
) -> Result<u64> {
    Ok(host.file_call(FileCall::new(number, arguments))?)
}

/// Cuts or lengthens one.
///
/// # Errors
/// As ftruncate(2).
pub(super) fn resize(host: &mut dyn Host, file: HostFd, len: u64) -> Result<()> {
    call(host, raw::__NR_ftruncate, [Number(file.0 as u64), Number(len)]).map(drop)
}

/// A new one, filled.
fn make(
    host: &mut dyn Host,
    fill: impl FnOnce(&mut dyn Host, HostFd) -> Result<()>,
) -> Result<HostFd> {
    let file = host.memory_file(b"file")?;
    match fill(host, file) {
        Ok(()) => Ok(file),
        Err(error) => {
            host.close(file);
            Err(error)
        }
    }
}

/// A new one of this length, with nothing in it.
///
/// # Errors
/// What the host says.
pub(super) fn of_length(host: &mut dyn Host, len: u64) -> Result<HostFd> {
    make(host, |host, file| resize(host, file, len))
}

/// A new one with these bytes, and holes where they have any.
///
/// # Errors
/// What the host says.
pub(super) fn with(host: &mut dyn Host, bytes: &Bytes) -> Result<HostFd> {
    make(host, |host, file| {
        for part in bytes.data() {
            let (len, at) = (part.len(), part.start as u64);
            if host.pwrite(file, bytes.range(part), at)? != len {
                return Err(Errno::ENOSPC.into());
            }
        }
        resize(host, file, bytes.len() as u64)
    })
}

/// A new one with the first bytes of another file, which need not be open if that is none.
///
/// # Errors
/// What the host says.
pub(super) fn copy(host: &mut dyn Host, from: HostFd, len: u64) -> Result<HostFd> {
    make(host, |host, file| {
        let mut offset = 0u64.to_ne_bytes();
        loop {
            let left = len - u64::from_ne_bytes(offset);
            let [to, from] = [file, from].map(|file| Number(file.0 as u64));
            let arguments = [to, from, Output(&mut offset), Number(left)];
            if left == 0 || call(host, raw::__NR_sendfile, arguments)? == 0 {
                // A file that became shorter meanwhile reads as zeros there.
                return resize(host, file, len);
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::FakeHost;

    #[test]
    fn nothing_is_copied_of_a_file_that_is_not_open() {
        let mut host = FakeHost::with_files(&[]);
        assert!(copy(&mut host, HostFd(-1), 0).is_ok());
        assert_eq!(host.open_paths().len(), 1);
        assert!(copy(&mut host, HostFd(-1), 1).is_err());
        assert_eq!(host.open_paths().len(), 1, "what could not be filled is closed");
    }
}
