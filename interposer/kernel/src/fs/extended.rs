//! Extended attributes of a file (xattr(7)): those of the `user.` namespace.
//!
//! They belong to the simulated file: what a run sets is never written to the host's, which need not be able to hold
//! any. What the host's file had when the run first asked is where they start from.

use alloc::{collections::BTreeMap, vec::Vec};

use linux_raw_sys::general as raw;

use crate::error::{Errno, Error, Result};

/// Most bytes that names and values of one file take together.
const TOTAL_MAX: usize = 1 << 20;

bitflags::bitflags! {
    /// Whether an attribute may be there before it is set.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Setting: u32 {
        /// It must not.
        const CREATE = raw::XATTR_CREATE;
        /// It must.
        const REPLACE = raw::XATTR_REPLACE;
    }
}

/// The extended attributes of a file, by their whole names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExtendedAttributes(BTreeMap<Vec<u8>, Vec<u8>>);

impl ExtendedAttributes {
    /// Those with which the host's file came.
    #[must_use]
    pub fn from_host(found: impl Iterator<Item = (Vec<u8>, Vec<u8>)>) -> Self {
        Self(found.collect())
    }

    /// A value.
    ///
    /// # Errors
    /// `ENODATA` if it is not there.
    pub fn get(&self, name: &[u8]) -> Result<&[u8]> {
        self.0.get(name).map(Vec::as_slice).ok_or(Errno::ENODATA.into())
    }

    /// All names that are seen, each with a NUL after it.
    #[must_use]
    pub fn names(&self, seen: impl Fn(&[u8]) -> bool) -> Vec<u8> {
        let names = self.0.keys().filter(|name| seen(name));
        names.flat_map(|name| name.iter().copied().chain([0])).collect()
    }

    /// Sets a value.
    ///
    /// # Errors
    /// `EEXIST`, `ENODATA`, `ENOSPC`.
    pub fn set(&mut self, name: &[u8], value: &[u8], setting: Setting) -> Result<()> {
        let before = self.0.get(name).map(|value| name.len() + value.len());
        match before {
            Some(_) if setting.contains(Setting::CREATE) => return Err(Errno::EEXIST.into()),
            None if setting.contains(Setting::REPLACE) => return Err(Errno::ENODATA.into()),
            _ => {}
        }
        let total: usize = self.0.iter().map(|(name, value)| name.len() + value.len()).sum();
        if total - before.unwrap_or(0) + name.len() + value.len() > TOTAL_MAX {
            return Err(Error::new(Errno::ENOSPC, "the file has too many attributes"));
        }
        self.0.insert(name.to_vec(), value.to_vec());
        Ok(())
    }

    /// Takes one away.
    ///
    /// # Errors
    /// `ENODATA` if it is not there.
    pub fn remove(&mut self, name: &[u8]) -> Result<()> {
        self.0.remove(name).map(drop).ok_or(Errno::ENODATA.into())
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    #[test]
    fn attributes_are_set_as_their_flags_say() {
        let mut of = ExtendedAttributes::default();
        let errno = |result: Result<()>| result.unwrap_err().errno;
        assert_eq!(errno(of.set(b"user.a", b"1", Setting::REPLACE)), Errno::ENODATA);
        of.set(b"user.a", b"1", Setting::CREATE).unwrap();
        assert_eq!(errno(of.set(b"user.a", b"2", Setting::CREATE)), Errno::EEXIST);
        of.set(b"user.a", b"", Setting::REPLACE).unwrap();
        of.set(b"user.B", b"3", Setting::empty()).unwrap();
        assert_eq!(
            (of.get(b"user.a").unwrap(), of.names(|_| true)),
            (&[][..], b"user.B\0user.a\0".to_vec())
        );
        of.remove(b"user.a").unwrap();
        assert_eq!(errno(of.remove(b"user.a")), Errno::ENODATA);
        let large = vec![0; TOTAL_MAX];
        assert_eq!(errno(of.set(b"user.c", &large, Setting::empty())), Errno::ENOSPC);
        assert_eq!(of.get(b"user.c").unwrap_err().errno, Errno::ENODATA);
    }
}
