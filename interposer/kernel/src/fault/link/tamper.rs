//! What somebody in the middle does to messages.

use alloc::{collections::VecDeque, vec::Vec};

use simrun_abi::faults::Tampering;

use super::Report;

/// How many messages are kept that may be sent again.
const KEPT_MAX: usize = 16;
/// Longest message that is kept, in bytes.
const KEPT_BYTES_MAX: usize = 64 << 10;

/// Something that is done to a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tamper {
    /// What.
    pub how: Tampering,
    /// A random number that says where, or with which.
    pub random: u64,
    /// The fault that does it.
    pub report: Report,
}

/// What is done, in words.
pub(super) fn words(how: Tampering) -> &'static str {
    match how {
        Tampering::Duplicate => "arrives twice",
        Tampering::Modify => "arrives with another byte in it",
        Tampering::Replay => "is followed by an earlier message",
    }
}

/// What was sent before, for whoever sends it again.
#[derive(Debug, Default)]
pub struct Messages {
    kept: VecDeque<Vec<u8>>,
}

impl Messages {
    /// Keeps one more in mind.
    pub fn keep(&mut self, message: &[u8]) {
        if message.is_empty() || message.len() > KEPT_BYTES_MAX {
            return;
        }
        if self.kept.len() == KEPT_MAX {
            self.kept.pop_front();
        }
        self.kept.push_back(message.to_vec());
    }

    /// What arrives in the place of a message.
    #[must_use]
    pub fn tampered(&self, message: &[u8], tampers: &[Tamper]) -> Vec<Vec<u8>> {
        let mut all = Vec::from([message.to_vec()]);
        for tamper in tampers {
            match tamper.how {
                Tampering::Duplicate => all.push(all[0].clone()),
                Tampering::Modify => modify(&mut all[0], tamper.random),
                Tampering::Replay => {
                    let count = self.kept.len() as u64;
                    let chosen = tamper.random.checked_rem(count).map(|index| index as usize);
                    all.extend(chosen.and_then(|index| self.kept.get(index)).cloned());
                }
            }
        }
        all
    }
}

/// Makes a byte another one: the low bits say which, the high ones what becomes of it.
fn modify(bytes: &mut [u8], random: u64) {
    if let Some(at) = (random & u64::from(u32::MAX)).checked_rem(bytes.len() as u64) {
        bytes[at as usize] ^= (random >> 32) as u8 | 1;
    }
}

#[cfg(test)]
mod tests {
    use alloc::{string::String, vec};

    use super::*;

    #[test]
    fn messages_are_doubled_changed_and_followed_by_earlier_ones() {
        let tamper = |how, random| {
            let report = Report { fault: "f/a".into(), count: 1, effect: String::new() };
            Tamper { how, random, report }
        };
        let mut messages = Messages::default();
        let one =
            |messages: &Messages, how, random| messages.tampered(b"abc", &[tamper(how, random)]);
        assert_eq!(one(&messages, Tampering::Duplicate, 0), [b"abc", b"abc"]);
        assert_eq!(one(&messages, Tampering::Modify, 4), [b"a\x63c"]);
        assert_eq!(one(&messages, Tampering::Replay, 1), [b"abc"], "there is none before");
        for message in [&b"first"[..], b"", b"second"] {
            messages.keep(message);
        }
        assert_eq!(one(&messages, Tampering::Replay, 3), [&b"abc"[..], b"second"]);
        let both = [tamper(Tampering::Modify, 0), tamper(Tampering::Duplicate, 0)];
        assert_eq!(messages.tampered(b"abc", &both), vec![b"`bc"; 2]);
        (0..100).for_each(|_| messages.keep(b"more"));
        assert_eq!(messages.kept.len(), KEPT_MAX);
    }
}
