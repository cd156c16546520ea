//! Copying to and from a program.

use alloc::{borrow::Cow, vec, vec::Vec};

use bytemuck::{AnyBitPattern, NoUninit, Zeroable};

use super::{UserPtr, UserSlice};
use crate::{
    error::{Errno, Error, Result},
    host::Host,
    uapi::limits::{IOV_MAX, PAGE_SIZE},
};

/// Reads a value.
///
/// # Errors
/// `EFAULT`.
pub fn read<T: AnyBitPattern + NoUninit>(host: &mut dyn Host, from: UserPtr<T>) -> Result<T> {
    let mut value = T::zeroed();
    read_bytes(host, from.address(), bytemuck::bytes_of_mut(&mut value))?;
    Ok(value)
}

/// Writes a value.
///
/// # Errors
/// `EFAULT`.
pub fn write<T: NoUninit>(host: &mut dyn Host, to: UserPtr<T>, value: &T) -> Result<()> {
    write_bytes(host, to.address(), bytemuck::bytes_of(value))
}

/// Fills a buffer.
///
/// # Errors
/// `EFAULT`.
pub fn read_bytes(host: &mut dyn Host, address: u64, into: &mut [u8]) -> Result<()> {
    UserSlice { address, len: into.len() }.check()?;
    Ok(host.read_user(address, into)?)
}

/// Writes a buffer.
///
/// # Errors
/// `EFAULT`.
pub fn write_bytes(host: &mut dyn Host, address: u64, bytes: &[u8]) -> Result<()> {
    UserSlice { address, len: bytes.len() }.check()?;
    Ok(host.write_user(address, bytes)?)
}

/// Fills as much of a buffer as is there, as the kernel's copying does: page by page once something is missing.
///
/// # Errors
/// `EFAULT` if not even the first byte is.
pub fn read_available(host: &mut dyn Host, address: u64, into: &mut [u8]) -> Result<usize> {
    if host.read_user(address, into).is_ok() {
        return Ok(into.len());
    }
    by_pages(address, into.len(), |at, len| {
        host.read_user(address + at as u64, &mut into[at..at + len]).is_ok()
    })
}

/// Writes as much of a buffer as there is room for, as the kernel's copying does.
///
/// # Errors
/// `EFAULT` if not even the first byte could be written.
pub fn write_available(host: &mut dyn Host, address: u64, bytes: &[u8]) -> Result<usize> {
    if host.write_user(address, bytes).is_ok() {
        return Ok(bytes.len());
    }
    by_pages(address, bytes.len(), |at, len| {
        host.write_user(address + at as u64, &bytes[at..at + len]).is_ok()
    })
}

/// Copies page by page until one is not there; how many bytes were copied.
fn by_pages(address: u64, len: usize, mut copy: impl FnMut(usize, usize) -> bool) -> Result<usize> {
    let mut done = 0;
    while done < len {
        let in_page = (PAGE_SIZE - (address + done as u64) % PAGE_SIZE) as usize;
        let step = in_page.min(len - done);
        if !copy(done, step) {
            break;
        }
        done += step;
    }
    if done == 0 { Err(Errno::EFAULT.into()) } else { Ok(done) }
}

/// Reads `count` values.
///
/// # Errors
/// `EFAULT`.
pub fn read_vec<T: AnyBitPattern + NoUninit>(
    host: &mut dyn Host,
    from: UserPtr<T>,
    count: usize,
) -> Result<Vec<T>> {
    let mut values = vec![T::zeroed(); count];
    read_bytes(host, from.address(), bytemuck::cast_slice_mut(&mut values))?;
    Ok(values)
}

/// Bytes fetched at a time while looking for a terminator; a fetch never crosses a page.
const STRING_STEP: u64 = 256;

/// Reads a string of at most `max` bytes, NUL not counted.
///
/// # Errors
/// `EFAULT`; `ENAMETOOLONG` if there is no NUL in the first `max + 1` bytes.
pub fn read_c_string(host: &mut dyn Host, address: u64, max: usize) -> Result<Vec<u8>> {
    let mut string = Vec::new();
    let mut buffer = [0; STRING_STEP as usize];
    let mut at = address;
    loop {
        let step = (STRING_STEP - at % STRING_STEP) as usize;
        read_bytes(host, at, &mut buffer[..step])?;
        if let Some(end) = buffer[..step].iter().position(|&byte| byte == 0) {
            string.extend_from_slice(&buffer[..end]);
            break;
        }
        string.extend_from_slice(&buffer[..step]);
        if string.len() > max {
            break;
        }
        at = at.wrapping_add(step as u64);
    }
    if string.len() > max { Err(Errno::ENAMETOOLONG.into()) } else { Ok(string) }
}

/// Reads a null-terminated array of pointers to strings (`argv`, `envp`); null gives an empty one, as Linux has it.
///
/// # Errors
/// `EFAULT`; `E2BIG` if strings and pointers together exceed `max` bytes.
pub fn read_pointers(host: &mut dyn Host, array: u64, max: usize) -> Result<Vec<Vec<u8>>> {
    let mut strings = Vec::new();
    let mut pointers = UserPtr::<u64>::new(array);
    let mut total = 0;
    if array == 0 {
        return Ok(strings);
    }
    loop {
        let pointer = read(host, pointers)?;
        if pointer == 0 {
            break;
        }
        let string = read_c_string(host, pointer, max).map_err(|error| match error.errno {
            Errno::ENAMETOOLONG => Errno::E2BIG.into(),
            _ => error,
        })?;
        total += string.len() + 1 + size_of::<u64>();
        if total > max {
            return Err(Error::new(Errno::E2BIG, "arguments and environment are too long"));
        }
        strings.push(string);
        pointers = pointers.add(1);
    }
    Ok(strings)
}

/// `struct iovec`.
#[repr(C)]
#[derive(Clone, Copy, Zeroable, bytemuck::Pod)]
struct RawIovec {
    base: u64,
    len: u64,
}

/// Reads a vector of buffers; the total is cut at what the call may transfer.
///
/// # Errors
/// `EFAULT`; `EINVAL` for too many parts or a length beyond `isize`.
pub fn read_iovec(
    host: &mut dyn Host,
    address: u64,
    count: u64,
    bytes_max: usize,
) -> Result<Vec<UserSlice>> {
    if count > IOV_MAX {
        return Err(Errno::EINVAL.into());
    }
    let raw = read_vec(host, UserPtr::<RawIovec>::new(address), count as usize)?;
    let mut room = bytes_max;
    let mut slices = Vec::with_capacity(raw.len());
    for part in raw {
        if part.len > i64::MAX as u64 {
            return Err(Errno::EINVAL.into());
        }
        let slice = UserSlice::new(part.base, part.len.min(room as u64));
        slice.check()?;
        room -= slice.len;
        slices.push(slice);
    }
    Ok(slices)
}

/// Spreads bytes over buffers; how many fitted.
///
/// # Errors
/// `EFAULT` if not even the first byte could be written.
pub fn scatter(host: &mut dyn Host, into: &[UserSlice], bytes: &[u8]) -> Result<usize> {
    let mut done = 0;
    for slice in into {
        let len = slice.len.min(bytes.len() - done);
        match write_bytes(host, slice.address, &bytes[done..done + len]) {
            Ok(()) => done += len,
            Err(error) if done == 0 => return Err(error),
            Err(_) => break,
        }
    }
    Ok(done)
}

/// Collects at most `max` bytes from buffers.
///
/// # Errors
/// `EFAULT` if not even the first buffer could be read.
pub fn gather(host: &mut dyn Host, from: &[UserSlice], max: usize) -> Result<Vec<u8>> {
    let mut bytes = vec![0; total_len(from).min(max)];
    let mut done = 0;
    for slice in from {
        let len = slice.len.min(bytes.len() - done);
        match read_bytes(host, slice.address, &mut bytes[done..done + len]) {
            Ok(()) => done += len,
            Err(error) if done == 0 => return Err(error),
            Err(_) => break,
        }
    }
    bytes.truncate(done);
    Ok(bytes)
}

/// Bytes in all buffers together.
#[must_use]
pub fn total_len(slices: &[UserSlice]) -> usize {
    slices.iter().map(|slice| slice.len).sum()
}

/// The buffers' first `len` bytes.
#[must_use]
pub fn first(slices: &[UserSlice], len: usize) -> Vec<UserSlice> {
    let mut left = len;
    let mut taken = Vec::with_capacity(slices.len());
    for &slice in slices {
        let part = left.min(slice.len);
        left -= part;
        taken.push(slice.part(0, part));
    }
    taken
}

/// The buffers without their first `done` bytes.
#[must_use]
pub fn skip(slices: &[UserSlice], done: usize) -> Cow<'_, [UserSlice]> {
    if done == 0 {
        return Cow::Borrowed(slices);
    }
    let mut done = done;
    let mut rest = Vec::with_capacity(slices.len());
    for &slice in slices {
        let passed = done.min(slice.len);
        done -= passed;
        if passed < slice.len {
            rest.push(slice.part(passed, slice.len - passed));
        }
    }
    Cow::Owned(rest)
}
