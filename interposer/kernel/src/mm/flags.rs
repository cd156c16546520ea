//! mmap(2)'s flags.

use linux_raw_sys::general as raw;

use crate::error::{Errno, Result};

bitflags::bitflags! {
    /// What may be done with mapped memory.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
    pub struct Protection: u32 {
        /// Reading.
        const READ = raw::PROT_READ;
        /// Writing.
        const WRITE = raw::PROT_WRITE;
        /// Executing.
        const EXEC = raw::PROT_EXEC;
        /// The change extends down to the start of a growing mapping.
        const GROWSDOWN = raw::PROT_GROWSDOWN;
        /// The change extends up to the end of a growing mapping.
        const GROWSUP = raw::PROT_GROWSUP;
    }

    /// How memory is mapped.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
    pub struct MapFlags: u32 {
        /// Changes are shared.
        const SHARED = raw::MAP_SHARED;
        /// Changes are private; with `SHARED`, `MAP_SHARED_VALIDATE`.
        const PRIVATE = raw::MAP_PRIVATE;
        /// At exactly the given address.
        const FIXED = raw::MAP_FIXED;
        /// No file behind it.
        const ANONYMOUS = raw::MAP_ANONYMOUS;
        /// In the low 2 GiB.
        const LOW = raw::MAP_32BIT;
        /// A stack that grows.
        const GROWSDOWN = raw::MAP_GROWSDOWN;
        /// Ignored.
        const DENYWRITE = raw::MAP_DENYWRITE;
        /// Ignored.
        const EXECUTABLE = raw::MAP_EXECUTABLE;
        /// Locked into memory.
        const LOCKED = raw::MAP_LOCKED;
        /// Not accounted for.
        const NORESERVE = raw::MAP_NORESERVE;
        /// Faulted in at once.
        const POPULATE = raw::MAP_POPULATE;
        /// With `POPULATE`.
        const NONBLOCK = raw::MAP_NONBLOCK;
        /// A hint.
        const STACK = raw::MAP_STACK;
        /// Huge pages.
        const HUGETLB = raw::MAP_HUGETLB;
        /// At exactly the given address, but over nothing.
        const FIXED_NOREPLACE = raw::MAP_FIXED_NOREPLACE;
    }
}

/// What else Linux takes from whoever asks for unknown flags to be refused (`LEGACY_MAP_MASK`).
const ALSO_KNOWN: u32 =
    raw::MAP_ABOVE4G | raw::MAP_UNINITIALIZED | raw::MAP_HUGE_2MB | raw::MAP_HUGE_1GB;

impl MapFlags {
    /// The flags of a call, if their type is one that is known (`do_mmap`).
    ///
    /// # Errors
    /// `EINVAL` for an unknown type; `EOPNOTSUPP` for a flag that nobody knows, if that is to be told.
    pub fn of_call(flags: u32) -> Result<Self> {
        let known = Self::from_bits_truncate(flags);
        match flags & raw::MAP_TYPE {
            raw::MAP_SHARED | raw::MAP_PRIVATE => Ok(known),
            raw::MAP_SHARED_VALIDATE if known.contains(Self::ANONYMOUS) => {
                Err(Errno::EINVAL.into())
            }
            raw::MAP_SHARED_VALIDATE => {
                let legacy = (Self::all() - Self::FIXED_NOREPLACE).bits() | ALSO_KNOWN;
                match flags & !legacy {
                    0 => Ok(known - Self::PRIVATE),
                    _ => Err(Errno::EOPNOTSUPP.into()),
                }
            }
            _ => Err(Errno::EINVAL.into()),
        }
    }
}
