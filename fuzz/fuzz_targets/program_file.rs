//! The first program's file: arbitrary bytes, and a program with some of its bytes replaced.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = match bytes.split_first() {
        Some((1, rest)) => {
            simrun_kernel::testing::boots(&simrun_kernel::testing::damaged_program(rest))
        }
        _ => simrun_kernel::testing::boots(bytes),
    };
});
