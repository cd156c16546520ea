//! Runs that are made twice: both must come out the same.

use std::process::Output;

use super::{Load, fingerprint, said};

/// Makes a run twice; what came out, after comparing the two.
#[track_caller]
pub fn twice(what: &str, run: impl Fn() -> Output) -> Output {
    agreed(what, run(), &run())
}

/// Makes a run, and again beside a load; what came out, after comparing the two.
#[track_caller]
pub fn idle_and_busy(what: &str, run: impl Fn() -> Output) -> Output {
    let idle = run();
    let load = Load::start();
    let busy = run();
    drop(load);
    agreed(what, idle, &busy)
}

#[track_caller]
fn agreed(what: &str, first: Output, second: &Output) -> Output {
    assert!(first.stdout == second.stdout, "{what}");
    assert_eq!(fingerprint(&first), fingerprint(second), "{what}: {}", said(&first).stderr);
    first
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Simulated seconds of a run, as the summary says.
#[track_caller]
pub fn simulated(output: &Output) -> f64 {
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    let text = words.split("simulated ").nth(1).and_then(|rest| rest.split('s').next());
    text.and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("a time: {words}"))
}
