//! System calls of a program made of arbitrary bytes.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = simrun_kernel::testing::play(bytes);
});
