//! Limits (include/uapi/linux/limits.h, include/linux/fs.h).

/// Bytes in a page.
pub const PAGE_SIZE: u64 = 4096;
/// Longest path, NUL included.
pub const PATH_MAX: usize = 4096;
/// Longest file name.
pub const NAME_MAX: usize = 255;
/// Most parts of one vector.
pub const IOV_MAX: u64 = 1024;
/// Most bytes one read or write transfers (`MAX_RW_COUNT`).
pub const RW_COUNT_MAX: usize = 0x7fff_f000;
/// Most bytes that a pipe takes as a whole or not at all (pipe(7)).
pub const PIPE_BUF: u64 = 4096;
/// Most bytes of arguments and environment together (a quarter of the default stack limit).
pub const ARGUMENTS_MAX: usize = 2 << 20;
