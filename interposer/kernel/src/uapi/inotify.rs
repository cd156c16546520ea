//! <linux/inotify.h>.

use bytemuck::{Pod, Zeroable};

/// `struct inotify_event` before its name.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct InotifyEvent {
    /// Which watch.
    pub watch: i32,
    /// What happened.
    pub mask: u32,
    /// What the two halves of a rename have in common.
    pub cookie: u32,
    /// Length of the name behind it, padding included.
    pub len: u32,
}
