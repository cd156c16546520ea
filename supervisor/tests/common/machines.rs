//! Runs of several machines.

use std::{fs, path::Path, process::Output};

use serde_json::{Value, json};

use super::{Load, fingerprint, stored};

/// A machine that runs a program in Python.
pub struct Machine {
    pub name: &'static str,
    pub tags: &'static [&'static str],
    pub program: String,
}

/// A machine without tags.
pub fn machine(name: &'static str, program: impl Into<String>) -> Machine {
    Machine { name, tags: &[], program: program.into() }
}

/// What a fault is for, by its own name, as it is kept.
pub type Places<'a> = &'a [(&'a str, Value)];

/// Keeps a run of these machines. The first one's program is the workload: it starts when the others have, and the run
/// lasts until it ends.
pub fn keep(
    store: &Path,
    seed: &str,
    faults: &str,
    places: Places,
    machines: &[Machine],
) -> String {
    let mut command = stored(store, ["--seed", seed]);
    if !faults.is_empty() {
        command.args(["--faults", faults]);
    }
    let kept = command.args(["--", "python3", "-c", "pass"]).output().expect("a run");
    assert!(kept.status.success(), "{}", String::from_utf8_lossy(&kept.stderr));
    let runs = fs::read_dir(store.join("runs")).expect("runs").flatten();
    let folder = runs.map(|entry| entry.path()).next().expect("a run is kept");
    let path = folder.join("run.json");
    let mut record: Value =
        serde_json::from_slice(&fs::read(&path).expect("a record")).expect("it is JSON");
    let plain = record["nodes"][0].clone();
    let node = |(index, machine): (usize, &Machine)| {
        let mut node = plain.clone();
        (node["name"], node["hostname"]) = (json!(machine.name), json!(machine.name));
        node["tags"] = json!(machine.tags);
        node["address"] = json!(format!("10.0.{index}.1"));
        node["command"][2] = json!(machine.program);
        match index {
            0 => {
                let others = 1..machines.len();
                let starts = |other| json!({ "node": other, "reached": "Started" });
                node["starts_when"] = others.map(starts).collect();
            }
            _ => {
                node["role"] = json!({ "Service": { "restart": "Always", "delay_ns": 1_000_000 } })
            }
        }
        node
    };
    record["nodes"] = machines.iter().enumerate().map(node).collect();
    record["options"]["streams"] = json!("Told");
    for fault in record["options"]["faults"].as_array_mut().into_iter().flatten() {
        for (name, place) in places {
            if fault["name"].as_str().is_some_and(|found| found.ends_with(&format!("/{name}"))) {
                fault["matches"]["nodes"] = place.clone();
            }
        }
    }
    fs::write(&path, record.to_string()).expect("a record");
    folder.file_name().and_then(|name| name.to_str()).expect("a name").to_owned()
}

/// Makes a kept run again.
pub fn again(store: &Path, run: &str) -> Output {
    stored(store, ["rerun", run]).output().expect("a run")
}

/// Makes a kept run twice, once more under load, and compares the two.
pub fn twice(store: &Path, run: &str) {
    let idle = again(store, run);
    let busy = {
        let _load = Load::start();
        again(store, run)
    };
    assert_eq!(fingerprint(&idle), fingerprint(&busy));
}

/// What a machine printed in the last run, without time and name.
pub fn printed(store: &Path, node: &str) -> String {
    let logs = stored(store, ["logs", "last", "--node", node]).output().expect("logs");
    let text = String::from_utf8_lossy(&logs.stdout).into_owned();
    let plain = |line: &str| {
        let (_, rest) = line.split_once(&format!(" {node} ")).unwrap_or(("", line));
        let said = rest.trim_start().split_once(' ').map_or(rest, |(_, said)| said.trim_start());
        format!("{said}\n")
    };
    text.lines().map(plain).collect()
}
