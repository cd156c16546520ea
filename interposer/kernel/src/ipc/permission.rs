//! Who may do what with an object (`ipcperms` in ipc/util.c).

use bytemuck::{Pod, Zeroable};

use crate::{
    error::{Errno, Error, Result},
    process::{Capabilities, Credentials},
};

/// Owner, maker and mode of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permission {
    /// The key it was made with; zero (`IPC_PRIVATE`) for none.
    pub key: i32,
    /// Owner.
    pub uid: u32,
    /// Owner's group.
    pub gid: u32,
    /// Maker, who keeps an owner's rights.
    pub maker_uid: u32,
    /// Maker's group.
    pub maker_gid: u32,
    /// Permission bits, and above them what is special to the kind of object.
    pub mode: u32,
}

/// `struct ipc64_perm`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub struct RawPermission {
    key: i32,
    /// Owner.
    pub uid: u32,
    /// Owner's group.
    pub gid: u32,
    maker_uid: u32,
    maker_gid: u32,
    /// Permission bits.
    pub mode: u32,
    sequence: u16,
    pad: u16,
    pad2: u32,
    unused: [u64; 2],
}

/// The bits of a mode that are permissions.
const PERMISSIONS: u32 = 0o777;

impl Permission {
    /// Those of an object that is being made; of `flags` the permission bits count.
    #[must_use]
    pub fn new(key: i32, flags: u32, maker: &Credentials) -> Self {
        Self {
            key,
            uid: maker.euid,
            gid: maker.egid,
            maker_uid: maker.euid,
            maker_gid: maker.egid,
            mode: flags & PERMISSIONS,
        }
    }

    /// Refuses one who has not all rights in `wanted`: permission bits, of whatever class.
    ///
    /// # Errors
    /// `EACCES`.
    pub fn check(&self, who: &Credentials, wanted: u32) -> Result<()> {
        let wanted = (wanted >> 6) | (wanted >> 3) | wanted;
        let granted = if who.euid == self.uid || who.euid == self.maker_uid {
            self.mode >> 6
        } else if who.is_in_group(self.gid) || who.is_in_group(self.maker_gid) {
            self.mode >> 3
        } else {
            self.mode
        };
        if wanted & !granted & 0o7 == 0 || who.can(Capabilities::IPC_OWNER) {
            Ok(())
        } else {
            Err(Errno::EACCES.into())
        }
    }

    /// Refuses one who may not change or remove the object.
    ///
    /// # Errors
    /// `EPERM`.
    pub fn check_owner(&self, who: &Credentials) -> Result<()> {
        let owns = who.euid == self.uid || who.euid == self.maker_uid;
        if owns || who.can(Capabilities::SYS_ADMIN) {
            Ok(())
        } else {
            Err(Error::new(Errno::EPERM, "neither its owner nor its maker"))
        }
    }

    /// Takes what `IPC_SET` may change.
    ///
    /// # Errors
    /// `EINVAL` for an owner that is none.
    pub fn set(&mut self, new: &RawPermission) -> Result<()> {
        if new.uid == u32::MAX || new.gid == u32::MAX {
            return Err(Errno::EINVAL.into());
        }
        (self.uid, self.gid) = (new.uid, new.gid);
        self.mode = (self.mode & !PERMISSIONS) | (new.mode & PERMISSIONS);
        Ok(())
    }

    /// As `IPC_STAT` shows it, of an object with this sequence number.
    #[must_use]
    pub fn to_raw(&self, sequence: u16) -> RawPermission {
        RawPermission {
            key: self.key,
            uid: self.uid,
            gid: self.gid,
            maker_uid: self.maker_uid,
            maker_gid: self.maker_gid,
            mode: self.mode,
            sequence,
            ..RawPermission::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::{vec, vec::Vec};

    use super::*;

    #[test]
    fn the_class_of_the_caller_decides_alone() {
        let owner = Credentials::new(1000, 100, Vec::new());
        let permission = Permission::new(1, 0o1064, &owner);
        let member = Credentials::new(1001, 5, vec![100]);
        let other = Credentials::new(1002, 5, Vec::new());
        let root = Credentials::new(0, 0, Vec::new());
        let cases = [
            (&owner, 0o400, false),
            (&member, 0o400, true),
            (&member, 0o600, true),
            (&member, 0o100, false),
            (&other, 0o444, true),
            (&other, 0o200, false),
            (&root, 0o700, true),
        ];
        for (who, wanted, allowed) in cases {
            assert_eq!(permission.check(who, wanted).is_ok(), allowed, "{} {wanted:o}", who.uid);
        }
        assert_eq!(permission.mode, 0o64);
    }
}
