//! What of a run's files would outlive a loss of power.
//!
//! Programs see the newest state of everything. What of it has reached the disk is another matter, which is only kept
//! in mind where power may be lost: `journal` has the changes of names and attributes that have not been made durable,
//! in their order, and `pages` the bytes of each file as they were on the disk. `loss` decides what is left.
//!
//! Two disks are modelled. That of ext4 with `data=ordered` (its documentation in the kernel's `filesystems/ext4`,
//! `fs/jbd2`): names and attributes become durable in the order of their changes, together, when any file is
//! synchronized, and by themselves after five seconds; a file grows on the disk only when the new bytes are there; what
//! replaces a file by rename(2) is written before the rename is durable (`auto_da_alloc`). The strict one promises what
//! POSIX promises and nothing more: a file's bytes are durable when it was synchronized, a name when its directory was;
//! everything else may be lost or kept, each for itself.
//!
//! fdatasync(2), msync(2) and `O_DSYNC` make a file's bytes and length durable: its mode and owner stay behind, and ext4
//! commits other changes with it only if the file is new or has another length (`i_datasync_tid`). Of a directory the
//! names are the data. sync_file_range(2) makes nothing durable: what it writes may be in the disk's cache.

mod journal;
mod loss;
mod pages;
#[cfg(test)]
mod tests;
pub use journal::{Journal, Synchronized};
pub use pages::Pages;
