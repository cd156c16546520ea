//! mmap(2)'s flags.

use linux_raw_sys::general as raw;

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
