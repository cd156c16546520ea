//! The digest by which two runs are compared.

use simrun_abi::event::{Event, What};

/// A running 64-bit digest: multiply and fold, as wyhash does. It is no defence against a forger, only
/// against coincidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint(u64);

const MULTIPLIER: u64 = 0xa076_1d64_78bd_642f;

impl Default for Fingerprint {
    fn default() -> Self {
        Self(0xe703_7ed1_a0b4_28db)
    }
}

impl Fingerprint {
    /// The digest so far.
    #[must_use]
    pub fn value(self) -> u64 {
        self.0
    }

    /// Takes in a number.
    pub fn fold(&mut self, number: u64) {
        let product = u128::from(self.0 ^ number) * u128::from(MULTIPLIER);
        self.0 = (product as u64) ^ ((product >> 64) as u64).rotate_left(23) ^ number;
    }

    /// Takes in bytes and their number.
    pub fn fold_bytes(&mut self, bytes: &[u8]) {
        self.fold(bytes.len() as u64);
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.fold(u64::from_le_bytes(word));
        }
    }

    /// Takes in an event: all of it but texts that name places on the host, or that only explain.
    pub fn fold_event(&mut self, event: &Event) {
        self.fold(event.time_ns);
        self.fold(u64::from(event.node) << 32 | u64::from(event.tid));
        match &event.what {
            What::Choice { number, options, taken } => {
                self.fold(1 ^ number << 8);
                self.fold(u64::from(*options) << 32 | u64::from(*taken));
            }
            What::Start { parent, thread } => {
                self.fold(2 | u64::from(*thread) << 8 | u64::from(*parent) << 16)
            }
            What::Exec { .. } => self.fold(3),
            What::Exit { status } => self.fold(4 | u64::from(*status) << 8),
            What::Signal { signal, target } => {
                self.fold(5 | u64::from(*signal) << 8 | u64::from(*target) << 16)
            }
            What::Output { stream, bytes } => {
                self.fold(6 | (*stream as u64) << 8);
                self.fold_bytes(bytes);
            }
            What::Message { text } => {
                self.fold(7);
                self.fold_bytes(text.as_bytes());
            }
            What::Escape { what, .. } => {
                self.fold(8);
                self.fold_bytes(what.as_bytes());
            }
            What::Deadlock { threads } => self.fold(9 | (threads.len() as u64) << 8),
            What::Loop { .. } => self.fold(10),
            What::StandardInput { bytes } => {
                self.fold(11);
                self.fold_bytes(bytes);
            }
            What::NodeEnded { status } => self.fold(13 | u64::from(*status) << 8),
            What::Searched { .. } | What::Input { .. } => {}
            What::Fault { fault, count, call, effect, .. } => {
                self.fold(11 | count << 8);
                [fault, call, effect].iter().for_each(|text| self.fold_bytes(text.as_bytes()));
            }
            What::Call { result, .. } => self.fold(*result as u64),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_length_and_value_all_count() {
        let digest = |numbers: &[u64]| {
            let mut fingerprint = Fingerprint::default();
            numbers.iter().for_each(|&number| fingerprint.fold(number));
            fingerprint.value()
        };
        let cases: [&[u64]; 6] = [&[], &[0], &[0, 0], &[1, 2], &[2, 1], &[3]];
        for (i, a) in cases.iter().enumerate() {
            for b in &cases[i + 1..] {
                assert_ne!(digest(a), digest(b), "{a:?} {b:?}");
            }
        }
    }
}
