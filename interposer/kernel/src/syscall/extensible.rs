//! Structures that grow with the kernel (`copy_struct_from_user`, openat2(2), "Extensibility").

use alloc::vec;

use bytemuck::{Pod, Zeroable};

use crate::{
    context::Context,
    error::{Errno, Error, Result},
    uapi::limits::PAGE_SIZE,
    user,
};

/// Reads a structure of `size` bytes: what the program leaves out is zero, and what it knows beyond `T` must be. It gives
/// at least `least` bytes.
///
/// # Errors
/// `EINVAL` for less, `E2BIG` for more that is not zero, `EFAULT`.
pub fn read<T: Pod + Zeroable>(
    cx: &mut Context<'_>,
    from: u64,
    size: u64,
    least: usize,
) -> Result<T> {
    if size < least as u64 {
        return Err(Errno::EINVAL.into());
    }
    if size > PAGE_SIZE {
        return Err(Errno::E2BIG.into());
    }
    let mut bytes = vec![0; (size as usize).max(size_of::<T>())];
    user::read_bytes(cx.host, from, &mut bytes[..size as usize])?;
    let (known, rest) = bytes.split_at(size_of::<T>());
    if rest.iter().any(|&byte| byte != 0) {
        return Err(Error::new(Errno::E2BIG, "a field that is not known is set"));
    }
    Ok(bytemuck::pod_read_unaligned(known))
}
