//! Simulation files, and files of Compose: any text is refused or becomes a description.
#![no_main]
#![allow(dead_code, unused_imports, reason = "of the command only what reads files is here")]

mod sim {
    #[path = "../../../supervisor/src/sim/compose.rs"]
    pub mod compose;
    #[path = "../../../supervisor/src/sim/draw.rs"]
    mod draw;
    #[path = "../../../supervisor/src/sim/file.rs"]
    pub mod file;
    #[path = "../../../supervisor/src/sim/values.rs"]
    mod values;
    #[path = "../../../supervisor/src/sim/words.rs"]
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
