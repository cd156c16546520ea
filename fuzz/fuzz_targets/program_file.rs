//! Arbitrary bytes as the first program's file: `cargo +nightly fuzz run program_file`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = simrun_kernel::testing::boots(bytes);
});
