//! Users, groups and capabilities (credentials(7), capabilities(7)).

use alloc::vec::Vec;

use crate::error::{Errno, Result};

bitflags::bitflags! {
    /// Capabilities that change what this kernel allows.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Capabilities: u64 {
        /// Change any file's owner.
        const CHOWN = 1 << 0;
        /// Pass over file permissions.
        const DAC_OVERRIDE = 1 << 1;
        /// Read any file and search any directory.
        const DAC_READ_SEARCH = 1 << 2;
        /// Act as the owner of any file.
        const FOWNER = 1 << 3;
        /// Keep the bits that let a file run as its group.
        const FSETID = 1 << 4;
        /// Send any process a signal.
        const KILL = 1 << 5;
        /// Take any group.
        const SETGID = 1 << 6;
        /// Take any user.
        const SETUID = 1 << 7;
        /// Drop capabilities from the bounding set.
        const SETPCAP = 1 << 8;
        /// Change what makes a file immutable.
        const LINUX_IMMUTABLE = 1 << 9;
        /// Make raw sockets.
        const NET_RAW = 1 << 13;
        /// Lock memory.
        const IPC_LOCK = 1 << 14;
        /// Pass over the permissions of System V IPC.
        const IPC_OWNER = 1 << 15;
        /// Trace any process.
        const SYS_PTRACE = 1 << 19;
        /// Administer the machine.
        const SYS_ADMIN = 1 << 21;
        /// Raise priorities.
        const SYS_NICE = 1 << 23;
        /// Raise limits.
        const SYS_RESOURCE = 1 << 24;
        /// Set the clock.
        const SYS_TIME = 1 << 25;
        /// Make devices.
        const MKNOD = 1 << 27;
        /// Pass over a security module's policy.
        const MAC_OVERRIDE = 1 << 32;
        /// Put processes back as they were.
        const CHECKPOINT_RESTORE = 1 << 40;
        // Those that change nothing here are kept all the same.
        const _ = !0;
    }
}

/// Number of the last capability (`CAP_CHECKPOINT_RESTORE`).
pub const CAPABILITY_LAST: u32 = 40;

impl Capabilities {
    /// Those that the file user has as user zero (`CAP_FS_SET`).
    const OF_FILES: Self = Self::CHOWN
        .union(Self::DAC_OVERRIDE)
        .union(Self::DAC_READ_SEARCH)
        .union(Self::FOWNER)
        .union(Self::FSETID)
        .union(Self::LINUX_IMMUTABLE)
        .union(Self::MKNOD)
        .union(Self::MAC_OVERRIDE);

    /// All there are.
    #[must_use]
    pub const fn full() -> Self {
        Self::from_bits_retain((1 << (CAPABILITY_LAST + 1)) - 1)
    }
}

/// Users, groups and capabilities. All of a process's threads share them here (the C libraries make it so).
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "credentials(7) describes each")]
pub struct Credentials {
    pub uid: u32,
    pub euid: u32,
    pub suid: u32,
    pub fsuid: u32,
    pub gid: u32,
    pub egid: u32,
    pub sgid: u32,
    pub fsgid: u32,
    pub groups: Vec<u32>,
    pub effective: Capabilities,
    pub permitted: Capabilities,
    pub inheritable: Capabilities,
    pub bounding: Capabilities,
    pub ambient: Capabilities,
    /// Whether leaving user zero keeps the permitted set (`PR_SET_KEEPCAPS`); exec clears it.
    pub keeps: bool,
}

/// An id that a call may leave as it is, by giving -1.
pub fn unless_minus_one(raw: u64) -> Option<u32> {
    (raw as u32 != u32::MAX).then_some(raw as u32)
}

impl Credentials {
    /// Those of a user who has just logged in.
    #[must_use]
    pub fn new(uid: u32, gid: u32, groups: Vec<u32>) -> Self {
        let owned = if uid == 0 { Capabilities::full() } else { Capabilities::empty() };
        Self {
            uid,
            euid: uid,
            suid: uid,
            fsuid: uid,
            gid,
            egid: gid,
            sgid: gid,
            fsgid: gid,
            groups,
            effective: owned,
            permitted: owned,
            inheritable: Capabilities::empty(),
            bounding: Capabilities::full(),
            ambient: Capabilities::empty(),
            keeps: false,
        }
    }

    /// Those with which access(2) asks: of the real user, not of the effective one.
    #[must_use]
    pub fn as_real_user(&self) -> Self {
        let effective = if self.uid == 0 { self.permitted } else { Capabilities::empty() };
        Self { fsuid: self.uid, fsgid: self.gid, effective, ..self.clone() }
    }

    /// Whether it may do what a capability allows.
    #[must_use]
    pub const fn can(&self, what: Capabilities) -> bool {
        self.effective.contains(what)
    }

    /// Whether it is in a group, for file permissions.
    #[must_use]
    pub fn is_in_group(&self, group: u32) -> bool {
        self.fsgid == group || self.groups.contains(&group)
    }

    /// setuid(2).
    ///
    /// # Errors
    /// As setuid(2).
    pub fn set_user(&mut self, user: u32) -> Result<()> {
        if user == u32::MAX {
            return Err(Errno::EINVAL.into());
        }
        let before = self.clone();
        if self.can(Capabilities::SETUID) {
            (self.uid, self.suid) = (user, user);
        } else if user != self.uid && user != self.suid {
            return Err(Errno::EPERM.into());
        }
        (self.euid, self.fsuid) = (user, user);
        self.adjust_capabilities(&before);
        Ok(())
    }

    /// setgid(2).
    ///
    /// # Errors
    /// As setgid(2).
    pub fn set_group(&mut self, group: u32) -> Result<()> {
        if group == u32::MAX {
            return Err(Errno::EINVAL.into());
        }
        if self.can(Capabilities::SETGID) {
            (self.gid, self.sgid) = (group, group);
        } else if group != self.gid && group != self.sgid {
            return Err(Errno::EPERM.into());
        }
        (self.egid, self.fsgid) = (group, group);
        Ok(())
    }

    /// setreuid(2).
    ///
    /// # Errors
    /// As setreuid(2).
    pub fn set_real_effective_users(
        &mut self,
        real: Option<u32>,
        effective: Option<u32>,
    ) -> Result<()> {
        let free = self.can(Capabilities::SETUID);
        let real_allowed = real.is_none_or(|id| free || id == self.uid || id == self.euid);
        let effective_allowed =
            effective.is_none_or(|id| free || [self.uid, self.euid, self.suid].contains(&id));
        if !real_allowed || !effective_allowed {
            return Err(Errno::EPERM.into());
        }
        let before = self.clone();
        self.uid = real.unwrap_or(self.uid);
        self.euid = effective.unwrap_or(self.euid);
        if real.is_some() || effective.is_some_and(|id| id != before.uid) {
            self.suid = self.euid;
        }
        self.fsuid = self.euid;
        self.adjust_capabilities(&before);
        Ok(())
    }

    /// setregid(2).
    ///
    /// # Errors
    /// As setregid(2).
    pub fn set_real_effective_groups(
        &mut self,
        real: Option<u32>,
        effective: Option<u32>,
    ) -> Result<()> {
        let free = self.can(Capabilities::SETGID);
        let real_allowed = real.is_none_or(|id| free || id == self.gid || id == self.egid);
        let effective_allowed =
            effective.is_none_or(|id| free || [self.gid, self.egid, self.sgid].contains(&id));
        if !real_allowed || !effective_allowed {
            return Err(Errno::EPERM.into());
        }
        let before = self.gid;
        self.gid = real.unwrap_or(self.gid);
        self.egid = effective.unwrap_or(self.egid);
        if real.is_some() || effective.is_some_and(|id| id != before) {
            self.sgid = self.egid;
        }
        self.fsgid = self.egid;
        Ok(())
    }

    /// setresuid(2).
    ///
    /// # Errors
    /// As setresuid(2).
    pub fn set_users(&mut self, [real, effective, saved]: [Option<u32>; 3]) -> Result<()> {
        let own = [self.uid, self.euid, self.suid];
        let allowed = |id: Option<u32>| id.is_none_or(|id| own.contains(&id));
        if !self.can(Capabilities::SETUID) && ![real, effective, saved].into_iter().all(allowed) {
            return Err(Errno::EPERM.into());
        }
        let before = self.clone();
        self.uid = real.unwrap_or(self.uid);
        self.euid = effective.unwrap_or(self.euid);
        self.suid = saved.unwrap_or(self.suid);
        self.fsuid = self.euid;
        self.adjust_capabilities(&before);
        Ok(())
    }

    /// setresgid(2).
    ///
    /// # Errors
    /// As setresgid(2).
    pub fn set_groups_of_three(
        &mut self,
        [real, effective, saved]: [Option<u32>; 3],
    ) -> Result<()> {
        let own = [self.gid, self.egid, self.sgid];
        let allowed = |id: Option<u32>| id.is_none_or(|id| own.contains(&id));
        if !self.can(Capabilities::SETGID) && ![real, effective, saved].into_iter().all(allowed) {
            return Err(Errno::EPERM.into());
        }
        self.gid = real.unwrap_or(self.gid);
        self.egid = effective.unwrap_or(self.egid);
        self.sgid = saved.unwrap_or(self.sgid);
        self.fsgid = self.egid;
        Ok(())
    }

    /// setfsuid(2): the user before, whether it changed or not.
    pub fn set_file_user(&mut self, user: u32) -> u32 {
        let before = self.fsuid;
        let own = [self.uid, self.euid, self.suid, self.fsuid];
        if user != u32::MAX && (own.contains(&user) || self.can(Capabilities::SETUID)) {
            self.fsuid = user;
            // capabilities(7), "Effect of user ID changes on capabilities".
            match (before == 0, user == 0) {
                (true, false) => self.effective -= Capabilities::OF_FILES,
                (false, true) => self.effective |= self.permitted & Capabilities::OF_FILES,
                _ => {}
            }
        }
        before
    }

    /// setfsgid(2): the group before, whether it changed or not.
    pub fn set_file_group(&mut self, group: u32) -> u32 {
        let before = self.fsgid;
        let own = [self.gid, self.egid, self.sgid, self.fsgid];
        if group != u32::MAX && (own.contains(&group) || self.can(Capabilities::SETGID)) {
            self.fsgid = group;
        }
        before
    }

    /// capset(2).
    ///
    /// # Errors
    /// `EPERM` for a set that may not be taken.
    pub fn set_capabilities(
        &mut self,
        effective: Capabilities,
        permitted: Capabilities,
        inheritable: Capabilities,
    ) -> Result<()> {
        let inheritable_max = if self.can(Capabilities::SETPCAP) {
            self.inheritable | self.bounding
        } else {
            self.inheritable | self.permitted
        };
        if !self.permitted.contains(permitted)
            || !permitted.contains(effective)
            || !inheritable_max.contains(inheritable)
        {
            return Err(Errno::EPERM.into());
        }
        (self.effective, self.permitted, self.inheritable) = (effective, permitted, inheritable);
        self.ambient &= permitted & inheritable;
        Ok(())
    }

    /// Has a capability among the ambient ones, or not (prctl(2), `PR_CAP_AMBIENT`).
    ///
    /// # Errors
    /// `EPERM` for one that it may not have there.
    pub fn set_ambient(&mut self, capability: Capabilities, raised: bool) -> Result<()> {
        if raised && !(self.permitted & self.inheritable).contains(capability) {
            return Err(Errno::EPERM.into());
        }
        self.ambient.set(capability, raised);
        Ok(())
    }

    /// What exec makes of them: user zero has all that the bounding set allows, others have those that are ambient
    /// (capabilities(7), "Transformation of capabilities during execve").
    pub fn execute(&mut self) {
        if self.euid != self.uid || self.egid != self.gid {
            self.ambient = Capabilities::empty();
        }
        let owned = if self.uid == 0 || self.euid == 0 {
            self.bounding | self.inheritable
        } else {
            Capabilities::empty()
        };
        self.permitted = owned | self.ambient;
        self.effective = if self.euid == 0 { self.permitted } else { self.ambient };
        (self.suid, self.sgid) = (self.euid, self.egid);
        (self.fsuid, self.fsgid) = (self.euid, self.egid);
        self.keeps = false;
    }

    /// capabilities(7), "Effect of user ID changes on capabilities".
    fn adjust_capabilities(&mut self, before: &Self) {
        let has_root = |of: &Self| of.uid == 0 || of.euid == 0 || of.suid == 0;
        if has_root(before) && !has_root(self) {
            if !self.keeps {
                self.permitted = Capabilities::empty();
                self.effective = Capabilities::empty();
            }
            self.ambient = Capabilities::empty();
        }
        match (before.euid == 0, self.euid == 0) {
            (true, false) => self.effective = Capabilities::empty(),
            (false, true) => self.effective = self.permitted,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaving_user_zero_for_good_gives_up_all_capabilities() {
        let mut root = Credentials::new(0, 0, Vec::new());
        root.set_user(1000).unwrap();
        assert_eq!((root.uid, root.euid, root.suid, root.fsuid), (1000, 1000, 1000, 1000));
        assert_eq!(root.permitted, Capabilities::empty());
        assert_eq!(root.set_user(0).unwrap_err().errno, Errno::EPERM);
    }

    #[test]
    fn an_effective_user_can_be_left_and_taken_again() {
        let mut root = Credentials::new(0, 0, Vec::new());
        root.set_users([None, Some(1000), None]).unwrap();
        assert!(!root.can(Capabilities::SETUID));
        root.set_users([None, Some(0), None]).unwrap();
        assert!(root.can(Capabilities::SETUID));
    }

    #[test]
    fn ambient_capabilities_outlive_exec_and_not_the_change_of_user() {
        let mut user = Credentials::new(0, 0, Vec::new());
        let time = Capabilities::SYS_TIME;
        assert_eq!(user.set_ambient(time, true).unwrap_err().errno, Errno::EPERM);
        user.keeps = true;
        user.set_user(1000).unwrap();
        user.set_capabilities(time, time, time).unwrap();
        user.set_ambient(time, true).unwrap();
        user.execute();
        assert_eq!([user.effective, user.permitted, user.ambient], [time; 3]);
        user.set_capabilities(time, time, Capabilities::empty()).unwrap();
        assert_eq!(user.ambient, Capabilities::empty());
    }

    #[test]
    fn an_ordinary_user_may_only_swap_what_it_has() {
        let mut user = Credentials::new(1000, 100, Vec::new());
        assert_eq!(user.set_users([Some(1), None, None]).unwrap_err().errno, Errno::EPERM);
        assert_eq!(user.set_real_effective_groups(Some(7), None).unwrap_err().errno, Errno::EPERM);
        assert_eq!(user.set_file_user(5), 1000);
        assert_eq!(user.fsuid, 1000);
        let mut root = Credentials::new(0, 0, Vec::new());
        root.set_file_user(5);
        assert!(!root.can(Capabilities::DAC_OVERRIDE) && root.can(Capabilities::SETUID));
        root.set_file_user(0);
        assert!(root.can(Capabilities::DAC_OVERRIDE));
        user.set_real_effective_users(Some(1000), Some(1000)).unwrap();
    }
}
