//! Programs built on well-known crates do simulated what they do natively, the same way each time.

mod common;

use std::{
    path::Path,
    process::{Command, Output},
};

use common::{example, fingerprint, simrun};

const SEEDS: std::ops::RangeInclusive<u32> = 1..=10;

fn simulated(program: &Path, seed: u32) -> Output {
    simrun(["--seed", &seed.to_string(), "--"]).arg(program).output().expect("a run")
}

fn check(name: &str) {
    let program = example(name);
    let native = Command::new(&program).output().expect("a native run");
    assert!(native.status.success(), "{native:?}");
    for seed in SEEDS {
        let (first, second) = (simulated(&program, seed), simulated(&program, seed));
        assert_eq!(first.status.code(), Some(0), "seed {seed}: {first:?}");
        assert!(first.stdout == native.stdout, "seed {seed}: {first:?}");
        assert_eq!(fingerprint(&first), fingerprint(&second), "seed {seed}");
    }
}

#[test]
fn a_tokio_server_answers_its_clients() {
    check("tokio_tcp");
}

#[test]
fn crossbeam_threads_share_a_channel() {
    check("crossbeam_scope");
}

#[test]
fn rayon_adds_up() {
    check("rayon_sum");
}
