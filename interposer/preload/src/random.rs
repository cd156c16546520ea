//! `std::random_device` of libstdc++, which asks the processor unless it is told otherwise.

use libc::{c_uint, c_void};

/// `std::random_device::_M_getval()`: a number from the kernel, whatever source the object was made for.
///
/// # Safety
/// Any: it touches nothing of the object.
#[unsafe(export_name = "_ZNSt13random_device9_M_getvalEv")]
pub unsafe extern "C" fn random_device_value(_device: *mut c_void) -> c_uint {
    let mut bytes = [0; size_of::<c_uint>()];
    let mut filled = 0;
    while filled < bytes.len() {
        let rest = &mut bytes[filled..];
        // SAFETY: the buffer is this function's own.
        let got = unsafe { libc::getrandom(rest.as_mut_ptr().cast(), rest.len(), 0) };
        filled += usize::try_from(got).unwrap_or(0);
    }
    c_uint::from_ne_bytes(bytes)
}
