use alloc::vec::Vec;

use super::{Played, boots, damaged_program, play, smallest_program};

/// Programs of the smoke test; a fuzzer plays more.
const PROGRAMS: u64 = 150;
/// Bytes of each.
const PROGRAM_SIZE: usize = 6000;

/// Bytes that look random (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed;
    let mut bytes = Vec::with_capacity(len + 8);
    while bytes.len() < len {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        bytes.extend_from_slice(&(z ^ z >> 31).to_le_bytes());
    }
    bytes.truncate(len);
    bytes
}

#[test]
fn smoke() {
    extern crate std;
    let from = std::env::var("SIMRUN_FUZZ_FROM").map_or(0, |from| from.parse().expect("a number"));
    let played: Vec<Played> =
        (from..from + PROGRAMS).map(|seed| play(&noise(seed, PROGRAM_SIZE))).collect();
    let calls: u64 = played.iter().map(|played| played.entries).sum();
    assert!(calls > 100 * PROGRAMS, "most programs get somewhere: {calls}");
    assert!(played.iter().any(|played| played.threads > 3 && played.processes > 3));
}

/// That the checks can fail at all.
#[test]
#[should_panic(expected = "is Runnable")]
fn canary() {
    super::program::play_with_wrong_books(&noise(0, PROGRAM_SIZE));
}

#[test]
fn the_same_bytes_are_the_same_run() {
    for seed in 0..10 {
        let bytes = noise(seed, PROGRAM_SIZE);
        assert_eq!(play(&bytes), play(&bytes), "seed {seed}");
    }
    assert_ne!(
        play(&noise(1, PROGRAM_SIZE)).fingerprint,
        play(&noise(2, PROGRAM_SIZE)).fingerprint
    );
}

#[test]
fn a_program_file_may_hold_anything() {
    assert!(boots(&smallest_program()));
    assert!(!boots(b"no program"));
    for seed in 0..5000 {
        let noise = noise(seed, 80);
        let _ = boots(&damaged_program(&noise));
    }
}

/// What a line that leads somewhere is made of.
const LETTERS: &[u8] = b"#!/filepogram \t\n\0";

#[test]
fn a_script_line_may_hold_anything() {
    for seed in 0..2000 {
        let noise = noise(seed, 300);
        let line: Vec<_> =
            noise.iter().map(|&byte| LETTERS[usize::from(byte) % LETTERS.len()]).collect();
        let _ = boots(&[b"#!", line.as_slice()].concat());
    }
}
