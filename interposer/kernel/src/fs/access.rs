//! Who may do what with a file (path_resolution(7) "Permissions", capabilities(7)).

use crate::{
    error::{Errno, Result},
    fs::{Folder, Inode},
    process::{Capabilities, Credentials},
    uapi::stat::FileKind,
};

use linux_raw_sys::general as raw;

bitflags::bitflags! {
    /// What is wanted of a file, as access(2) counts it.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Access: u32 {
        /// Reading it; of a directory, listing it.
        const READ = raw::R_OK;
        /// Writing it; of a directory, changing its names.
        const WRITE = raw::W_OK;
        /// Executing it; of a directory, going through it.
        const EXECUTE = raw::X_OK;
    }
}

/// Refuses what the file's mode does not allow the caller.
///
/// # Errors
/// `EACCES`.
pub fn check(caller: &Credentials, inode: &Inode, wanted: Access) -> Result<()> {
    let attributes = inode.attributes();
    let shift = match attributes.owner {
        owner if owner == caller.fsuid => 6,
        _ if caller.is_in_group(attributes.group) => 3,
        _ => 0,
    };
    let allowed = Access::from_bits_truncate(attributes.mode >> shift);
    if allowed.contains(wanted) || is_privileged(caller, inode, wanted) {
        return Ok(());
    }
    Err(Errno::EACCES.into())
}

/// Whether a capability passes over the mode: nobody executes what nobody may execute (`generic_permission`).
fn is_privileged(caller: &Credentials, inode: &Inode, wanted: Access) -> bool {
    let is_directory = inode.kind() == FileKind::Directory;
    if caller.can(Capabilities::DAC_READ_SEARCH) {
        let reads = if is_directory { Access::READ | Access::EXECUTE } else { Access::READ };
        if reads.contains(wanted) {
            return true;
        }
    }
    let executable = is_directory || inode.attributes().mode & 0o111 != 0;
    caller.can(Capabilities::DAC_OVERRIDE) && (executable || !wanted.contains(Access::EXECUTE))
}

/// Whether the caller may act as the owner (`inode_owner_or_capable`).
#[must_use]
pub fn owns(caller: &Credentials, inode: &Inode) -> bool {
    caller.fsuid == inode.attributes().owner || caller.can(Capabilities::FOWNER)
}

/// Refuses whoever is not the owner.
///
/// # Errors
/// `EPERM`.
pub fn check_owner(caller: &Credentials, inode: &Inode) -> Result<()> {
    if owns(caller, inode) { Ok(()) } else { Err(Errno::EPERM.into()) }
}

/// Refuses to change the names of a directory.
///
/// # Errors
/// `ENOENT` if the directory is gone, `EACCES`, `EPERM` if only the kernel changes them.
pub fn check_names(caller: &Credentials, folder: &Inode) -> Result<()> {
    if folder.is_nameless() {
        return Err(Errno::ENOENT.into());
    }
    check(caller, folder, Access::WRITE | Access::EXECUTE)?;
    if folder.folder().is_some_and(Folder::is_fixed) { Err(Errno::EPERM.into()) } else { Ok(()) }
}

/// Refuses to take a name out of a directory; out of a sticky one only owners take any (`may_delete` in fs/namei.c).
///
/// # Errors
/// `EACCES`, `EPERM`.
pub fn check_removal(caller: &Credentials, folder: &Inode, file: &Inode) -> Result<()> {
    check_names(caller, folder)?;
    let is_sticky = folder.attributes().mode & raw::S_ISVTX != 0;
    if is_sticky && folder.attributes().owner != caller.fsuid && !owns(caller, file) {
        return Err(Errno::EPERM.into());
    }
    Ok(())
}

/// Refuses a further name for a file that the caller could not write anyway (proc(5), `protected_hardlinks`).
///
/// # Errors
/// `EPERM`.
pub fn check_link(caller: &Credentials, file: &Inode) -> Result<()> {
    let mode = file.attributes().mode;
    let runs_as_group = mode & (raw::S_ISGID | raw::S_IXGRP) == raw::S_ISGID | raw::S_IXGRP;
    let is_plain = file.kind() == FileKind::Regular && mode & raw::S_ISUID == 0 && !runs_as_group;
    if owns(caller, file) || (is_plain && check(caller, file, Access::READ | Access::WRITE).is_ok())
    {
        return Ok(());
    }
    Err(Errno::EPERM.into())
}
