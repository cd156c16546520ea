//! <linux/aio_abi.h>.

use bytemuck::{Pod, Zeroable};

/// `aio_lio_opcode`: read.
pub const PREAD: u16 = 0;
/// `aio_lio_opcode`: write.
pub const PWRITE: u16 = 1;
/// `aio_lio_opcode`: fsync(2).
pub const FSYNC: u16 = 2;
/// `aio_lio_opcode`: fdatasync(2).
pub const FDSYNC: u16 = 3;
/// `aio_lio_opcode`: wait until a descriptor is ready.
pub const POLL: u16 = 5;
/// `aio_lio_opcode`: read into a vector.
pub const PREADV: u16 = 7;
/// `aio_lio_opcode`: write from a vector.
pub const PWRITEV: u16 = 8;

/// `aio_flags`: an eventfd is told of the end.
pub const FLAG_EVENT: u32 = 1;
/// `aio_flags`: `aio_reqprio` is a priority as that of ioprio_set(2).
pub const FLAG_PRIORITY: u32 = 2;

/// What the kernel leaves in `aio_key` (`KIOCB_KEY`).
pub const KEY: u32 = 0;
/// Where that is in a request.
pub const KEY_OFFSET: u64 = 8;

/// `struct iocb`: a request.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct Iocb {
    /// The program's own, which comes back with the event.
    pub data: u64,
    /// Set by the kernel.
    pub key: u32,
    /// Flags as preadv2(2)'s.
    pub transfer_flags: u32,
    /// What is asked for.
    pub opcode: u16,
    /// Priority.
    pub priority: i16,
    /// The descriptor.
    pub fd: u32,
    /// Address of a buffer or vector; what to wait for.
    pub buffer: u64,
    /// Length of the buffer, or of the vector.
    pub len: u64,
    /// Position in the file.
    pub offset: u64,
    /// Must be zero.
    pub reserved: u64,
    /// `FLAG_`.
    pub flags: u32,
    /// The eventfd.
    pub event_fd: u32,
}

/// `struct io_event`: what a request has come to.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct IoEvent {
    /// The request's own data.
    pub data: u64,
    /// Address of the request.
    pub request: u64,
    /// The result: what the call returns that it stands for, or a negative error number.
    pub result: i64,
    /// Always zero.
    pub result2: i64,
}
