//! What the preload library brings: threads are switched where nothing enters a kernel by itself.

mod common;

use std::{
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use common::fingerprint;

/// A bug must show within so many seeds.
const SEEDS: u64 = 50;

struct Built {
    _folder: tempfile::TempDir,
    binary: PathBuf,
}

fn build(name: &str, compiler: &str, arguments: &[&str]) -> Built {
    let folder = tempfile::tempdir().expect("a folder");
    let binary = folder.path().join("program");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/preload").join(name);
    let status = Command::new(compiler)
        .args(["-O1", "-g", "-pthread", "-D_GNU_SOURCE", "-o"])
        .arg(&binary)
        .arg(source)
        .args(arguments)
        .status()
        .expect("a compiler");
    assert!(status.success(), "{name} does not build");
    Built { _folder: folder, binary }
}

fn simulate(program: &Path, seed: u64, options: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_simrun"))
        .args(["--no-store", "--seed", &seed.to_string()])
        .args(options)
        .arg("--")
        .arg(program)
        .stdin(Stdio::null())
        .output()
        .expect("simrun runs")
}

/// Seeds under which a program does not end well.
fn failing_seeds(program: &Path, options: &[&str]) -> Vec<u64> {
    (1..=SEEDS).filter(|&seed| !simulate(program, seed, options).status.success()).collect()
}

fn found_only_with_the_library(name: &str) {
    let program = build(name, "cc", &[]);
    let with = failing_seeds(&program.binary, &[]);
    assert!(!with.is_empty(), "{name}: not found within {SEEDS} seeds");
    let without = failing_seeds(&program.binary, &["--no-preload"]);
    assert!(without.is_empty(), "{name}: found without the library under {without:?}");
    let again = |seed| {
        let output = simulate(&program.binary, seed, &[]);
        (output.status.code(), fingerprint(&output))
    };
    assert_eq!(again(with[0]), again(with[0]), "{name}: the same seed fails the same way");
}

#[test]
fn a_lock_order_deadlock_is_found() {
    found_only_with_the_library("lock_order.c");
}

#[test]
fn a_lost_update_between_two_locks_is_found() {
    found_only_with_the_library("lost_update.c");
}

#[test]
fn every_hooked_function_works_and_the_library_does_not_show() {
    let program = build("every_hook.c", "cc", &[]);
    for options in [&[][..], &["--no-preload"]] {
        for seed in 1..=10 {
            let output = simulate(&program.binary, seed, options);
            let text = String::from_utf8_lossy(&output.stdout);
            let words = String::from_utf8_lossy(&output.stderr);
            assert_eq!(text, "40 turns, once 1, preloaded unseen\n", "seed {seed}: {words}");
        }
    }
}

#[test]
fn a_static_program_runs_without_the_library() {
    let program = build("lost_update.c", "cc", &["-static"]);
    assert!(failing_seeds(&program.binary, &[]).is_empty());
}

#[test]
fn the_processors_random_numbers_come_from_the_seed() {
    for flags in [&["-mrdrnd", "-mrdseed"][..], &["-mrdrnd", "-mrdseed", "-static"]] {
        let program = build("random_device.cc", "c++", flags);
        for options in [&[][..], &["--no-preload"]] {
            let draw = |seed| {
                let output = simulate(&program.binary, seed, options);
                let words = String::from_utf8_lossy(&output.stderr);
                assert!(output.status.success(), "{flags:?} {options:?}: {words}");
                output.stdout
            };
            let first = draw(1);
            assert_eq!(first, draw(1), "{flags:?} {options:?}");
            if first != b"none here\n" {
                assert_ne!(first, draw(2), "{flags:?} {options:?}");
            }
        }
    }
}

#[test]
fn the_library_has_no_instruction_that_a_search_of_its_code_would_find() {
    let library = Path::new(env!("SIMRUN_PRELOAD"));
    let output = Command::new("objdump").arg("-d").arg(library).output().expect("binutils");
    let code = String::from_utf8_lossy(&output.stdout);
    assert!(code.contains("<pthread_mutex_lock"), "this is no disassembly: {code:.200}");
    let found: Vec<_> = code
        .lines()
        .filter(|line| ["rdrand", "rdseed", "rdpid"].iter().any(|name| line.contains(name)))
        .collect();
    assert!(found.is_empty(), "{found:?}");
}
