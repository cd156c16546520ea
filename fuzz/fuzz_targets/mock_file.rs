//! Files of mocks, and those of other tools: any text is refused or becomes services.
#![no_main]

use simrun_mocks::{import, read};

libfuzzer_sys::fuzz_target!(|text: &str| {
    let _ = read("file", text, &|_| Ok(Vec::new()));
    if let Ok(imported) = import("file", text, None) {
        assert!(read("imported", &imported.yaml, &|_| Ok(Vec::new())).is_ok(), "{}", imported.yaml);
    }
});
