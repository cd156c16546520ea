//! Named streams of random numbers.
//!
//! Each stream is a xoshiro256** (Blackman, Vigna 2018) whose state is drawn by SplitMix64 from the
//! master seed and the stream's name. Drawing from one never changes what another gives, and two
//! seeds that differ by a bit give unrelated streams.

/// What a stream is for. Turning one consumer off leaves the draws of the others as they were.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// Which thread runs next.
    Schedule,
    /// What a program gets from `getrandom`, `/dev/urandom` and the processor.
    Entropy,
    /// `AT_RANDOM` and other kernel-made secrets of a process.
    Process,
    /// Network: ports, initial numbers, delays.
    Network,
    /// Faults.
    Fault,
    /// What a disk keeps when it is.
    Disk,
}

fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// One stream.
#[derive(Clone, Debug)]
pub struct Stream {
    state: [u64; 4],
}

impl Stream {
    /// The stream of this name under this seed.
    #[must_use]
    pub fn new(seed: u64, name: u64) -> Self {
        let mut seed = seed;
        let mut name = name;
        let mut mixed = split_mix(&mut seed) ^ split_mix(&mut name).rotate_left(32);
        Self { state: core::array::from_fn(|_| split_mix(&mut mixed)) }
    }

    /// 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        let s = &mut self.state;
        let result = s[1].wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        result
    }

    /// A number below `bound`, without bias worth speaking of (a 64-bit multiply-shift). Zero when `bound` is.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next_u64()) * u128::from(bound)) >> 64) as u64
    }

    /// Fills a buffer.
    pub fn fill(&mut self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(8) {
            let bytes = self.next_u64().to_le_bytes();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
    }
}

/// All streams of a run.
#[derive(Clone, Debug)]
pub struct Random {
    /// The scheduler's.
    pub schedule: Stream,
    /// The programs'.
    pub entropy: Stream,
    /// Of process creation.
    pub process: Stream,
    /// The network's.
    pub network: Stream,
    seed: u64,
}

impl Random {
    /// The streams under a master seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let stream = |purpose| Stream::new(seed, purpose as u64);
        Self {
            schedule: stream(Purpose::Schedule),
            entropy: stream(Purpose::Entropy),
            process: stream(Purpose::Process),
            network: stream(Purpose::Network),
            seed,
        }
    }

    /// A further stream, for the consumer with this number among its kind.
    #[must_use]
    pub fn derive(&self, purpose: Purpose, number: u64) -> Stream {
        Stream::new(self.seed ^ number.wrapping_mul(0xd6e8_feb8_6659_fd93), purpose as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbouring_seeds_give_unrelated_streams() {
        let draw = |seed| Random::new(seed).entropy.next_u64();
        let differing: u32 = (0..256).map(|seed| (draw(seed) ^ draw(seed + 1)).count_ones()).sum();
        let mean = f64::from(differing) / 256.0;
        assert!((28.0..36.0).contains(&mean), "{mean} bits of 64 differ");
    }

    #[test]
    fn one_stream_does_not_move_another() {
        let (mut quiet, mut busy) = (Random::new(7), Random::new(7));
        for _ in 0..100 {
            busy.schedule.next_u64();
        }
        assert_eq!(quiet.entropy.next_u64(), busy.entropy.next_u64());
    }

    #[test]
    fn below_stays_below() {
        let mut stream = Stream::new(1, 2);
        let mut seen = [0u32; 5];
        for _ in 0..5000 {
            seen[stream.below(5) as usize] += 1;
        }
        assert!(seen.iter().all(|&n| (850..1150).contains(&n)), "{seen:?}");
        assert_eq!(stream.below(0), 0);
    }
}
