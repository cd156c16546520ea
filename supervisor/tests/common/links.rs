//! Programs of `tests/links` under faults, and what their numbers are compared with.

use std::{path::Path, process::Output};

use super::{
    compared::{self, stdout},
    said, simrun,
};

/// Runs a program of `tests/links` under faults, once more under load, and compares the two.
pub fn twice(seed: &str, faults: &str, program: &str, arguments: &[&str]) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/links").join(program);
    let run = || {
        simrun(["--seed", seed, "--faults", faults, "--fault-log", "--", "/usr/bin/python3"])
            .arg(&script)
            .args(arguments)
            .output()
            .expect("a run")
    };
    let output = compared::idle_and_busy(faults, run);
    assert!(output.status.success(), "{faults}: {}", said(&output).stderr);
    output
}

/// Lines of a word and a number.
pub fn numbers(output: &Output) -> Vec<(String, f64)> {
    let text = stdout(output);
    let pair = |line: &str| {
        let (word, number) = line.split_once(' ')?;
        Some((word.to_owned(), number.parse().ok()?))
    };
    text.lines().filter_map(pair).collect()
}

/// The numbers after a word.
pub fn all_of(output: &Output, word: &str) -> Vec<f64> {
    numbers(output)
        .into_iter()
        .filter(|(found, _)| found == word)
        .map(|(_, number)| number)
        .collect()
}

pub fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

/// Whether a count is within three and a half standard deviations of what a probability makes of so many.
#[track_caller]
pub fn assert_binomial(count: f64, of: f64, probability: f64) {
    let (mean, deviation) = (of * probability, (of * probability * (1.0 - probability)).sqrt());
    assert!((count - mean).abs() <= 3.5 * deviation, "{count} of {of} for {probability}");
}

#[track_caller]
pub fn assert_near(found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= expected * tolerance, "{found}, not {expected}");
}

/// What a fault did, in the order in which it did it.
pub fn deeds(output: &Output, fault: &str) -> Vec<String> {
    let text = said(output).stderr;
    let of_fault = text.lines().filter(|line| line.contains(&format!("/{fault} #")));
    of_fault.filter_map(|line| line.split(" of process ").nth(1)).map(str::to_owned).collect()
}
