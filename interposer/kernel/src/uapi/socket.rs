//! <linux/socket.h>.

use bytemuck::{Pod, Zeroable};

/// `struct msghdr`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[allow(missing_docs, reason = "recvmsg(2) describes each")]
pub struct Msghdr {
    pub name: u64,
    pub name_len: u32,
    pub pad0: u32,
    pub iov: u64,
    pub iov_len: u64,
    pub control: u64,
    pub control_len: u64,
    pub flags: u32,
    pub pad1: u32,
}

/// `struct mmsghdr`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[allow(missing_docs, reason = "recvmmsg(2) describes each")]
pub struct Mmsghdr {
    pub header: Msghdr,
    pub len: u32,
    pub pad: u32,
}

/// `struct cmsghdr`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[allow(missing_docs, reason = "cmsg(3) describes each")]
pub struct Cmsghdr {
    pub len: u64,
    pub level: u32,
    pub kind: u32,
}

/// `struct ucred`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[allow(missing_docs, reason = "unix(7) describes each")]
pub struct Ucred {
    pub pid: u32,
    pub uid: u32,
    pub gid: u32,
}
