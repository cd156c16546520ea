//! A program's memory. What a program passes is an allegation: it becomes data only through the
//! [`crate::host::Host`], which answers `EFAULT` for what is not there.

mod copy;
mod pointer;
pub use copy::{
    first, gather, read, read_available, read_bytes, read_c_string, read_iovec, read_pointers,
    read_vec, scatter, skip, total_len, write, write_available, write_bytes,
};
pub use pointer::{UserPtr, UserSlice};
