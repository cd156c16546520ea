//! Fault files: any text is refused or becomes a plan, and a plan is one that the kernel can run.
#![no_main]
#![allow(dead_code, unused_imports, reason = "of the command only what reads files is here")]

#[path = "../../supervisor/src/faults/mod.rs"]
mod faults;

use simrun_kernel::{fault::Faults, random::Random};

libfuzzer_sys::fuzz_target!(|text: &str| {
    let Ok(file) = simrun_config::parse::<faults::FaultFile>("file", text) else { return };
    if let Ok(plan) = faults::compile("file", &file) {
        let _ = Faults::new(&plan, &[], &Random::new(1));
    }
});
