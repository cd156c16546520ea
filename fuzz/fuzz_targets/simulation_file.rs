//! Simulation files, and files of Compose: any text is refused or becomes a description.
#![no_main]
#![allow(dead_code, unused_imports, reason = "of the command only what reads files is here")]

#[path = "../../supervisor/src/sim"]
mod sim {
    pub mod compose;
    mod draw;
    pub mod file;
    mod values;
    mod words;
}

libfuzzer_sys::fuzz_target!(|text: &str| {
    let _ = simrun_config::parse::<sim::file::SimulationFile>("file", text);
    if let Ok(compose) = simrun_config::parse::<serde_json::Value>("file", text) {
        let taken = sim::compose::take_over(&compose, "file");
        let read = simrun_config::parse::<serde_json::Value>("taken", &taken.text);
        assert!(read.is_ok(), "{}", taken.text);
    }
});
