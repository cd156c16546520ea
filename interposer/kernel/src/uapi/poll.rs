//! <asm-generic/poll.h>, <linux/eventpoll.h>.

use bytemuck::{Pod, Zeroable};

/// `struct pollfd`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct PollFd {
    /// The descriptor; ignored if negative.
    pub fd: i32,
    /// What is asked for.
    pub events: u16,
    /// What there is.
    pub revents: u16,
}

/// `struct epoll_event`, which is packed on x86-64.
#[repr(C, packed)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct EpollEvent {
    /// What is asked for, or what there is.
    pub events: u32,
    /// The program's own.
    pub data: u64,
}
