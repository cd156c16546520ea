//! Which messages a raw socket does not want (`ICMP_FILTER`, `ICMPV6_FILTER`).

use alloc::vec::Vec;

use crate::net::address::Family;

/// Words of a filter of ICMPv6, a bit for each type of message; ICMP has but the first.
const WORDS: usize = 8;
const WORD_BYTES: usize = size_of::<u32>();

/// Types of messages that are not wanted, as set bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Filter([u32; WORDS]);

impl Filter {
    fn words(family: Family) -> usize {
        match family {
            Family::V4 => 1,
            Family::V6 => WORDS,
        }
    }

    /// Changes as much of it as a program passes (`raw_seticmpfilter` in net/ipv4/raw.c, `rawv6_seticmpfilter`).
    pub(super) fn set(&mut self, family: Family, value: &[u8]) {
        let mut bytes: Vec<u8> = self.get(family);
        let len = value.len().min(bytes.len());
        bytes[..len].copy_from_slice(&value[..len]);
        for (word, bytes) in self.0.iter_mut().zip(bytes.chunks_exact(WORD_BYTES)) {
            *word = u32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        }
    }

    /// As a program reads it.
    pub(super) fn get(&self, family: Family) -> Vec<u8> {
        self.0[..Self::words(family)].iter().flat_map(|word| word.to_ne_bytes()).collect()
    }

    /// Whether it lets messages of a type through.
    pub(super) fn passes(&self, kind: u8) -> bool {
        self.0[usize::from(kind) / u32::BITS as usize] & (1 << (u32::from(kind) % u32::BITS)) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_whose_bits_are_set_are_kept_out() {
        let mut filter = Filter::default();
        filter.set(Family::V4, &(!1u32).to_ne_bytes());
        assert!(filter.passes(0) && !filter.passes(8));
        // ICMP's own filter knows the first 32 types alone.
        assert!(filter.passes(32) && filter.passes(255));
        filter.set(Family::V6, &[0xff; 40]);
        assert!((0..=255).all(|kind| !filter.passes(kind)));
        filter.set(Family::V6, &[0]);
        assert!(filter.passes(7) && !filter.passes(8));
        assert_eq!(filter.get(Family::V6).len(), 32);
    }
}
