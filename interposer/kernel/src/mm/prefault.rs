//! Memory that is going to be touched is had at once: each page that a program touches first is a trap into the host, which
//! takes as long as to copy twenty pages. Nothing but the speed depends on it.

use super::{MapFlags, Protection};

/// Largest segment of a program or library whose variables are copied at once, in bytes.
const SEGMENT_MAX: u64 = 2 << 20;
/// Largest new memory that is had at once: allocators ask for what they are about to hand out, and for much more only
/// where they may never use it.
const MEMORY_MAX: u64 = 1 << 20;

/// What the host is told beside the other flags of a new private mapping.
#[must_use]
pub fn prefault(flags: MapFlags, prot: Protection, len: u64) -> MapFlags {
    let never = MapFlags::SHARED | MapFlags::NORESERVE | MapFlags::STACK | MapFlags::GROWSDOWN;
    // Loaders, and nobody else, map with `MAP_DENYWRITE`.
    let max = match () {
        () if flags.contains(MapFlags::ANONYMOUS) => MEMORY_MAX,
        () if flags.contains(MapFlags::DENYWRITE) => SEGMENT_MAX,
        () => 0,
    };
    let is_touched = prot.contains(Protection::WRITE) && !flags.intersects(never) && len <= max;
    if is_touched { MapFlags::POPULATE } else { MapFlags::empty() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_small_and_written_to_is_had_at_once() {
        let (read, write) = (Protection::READ, Protection::READ | Protection::WRITE);
        let (private, shared) = (MapFlags::PRIVATE, MapFlags::SHARED);
        let (memory, segment) = (MapFlags::ANONYMOUS, MapFlags::DENYWRITE);
        for (flags, prot, len, expected) in [
            (private | memory, write, MEMORY_MAX, true),
            (private | memory, write, MEMORY_MAX + 1, false),
            (private | memory, read, 4096, false),
            (private | memory | MapFlags::STACK, write, 4096, false),
            (private | memory | MapFlags::NORESERVE, write, 4096, false),
            (shared | memory, write, 4096, false),
            (private | segment, write, SEGMENT_MAX, true),
            (private | segment, read, 4096, false),
            (private, write, 4096, false),
        ] {
            let told = !prefault(flags, prot, len).is_empty();
            assert_eq!(told, expected, "{flags:?} {prot:?} {len}");
        }
    }
}
