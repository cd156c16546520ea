//! Runs of several machines.

use std::{fmt::Write as _, fs, path::Path, process::Output};

use super::{compared, simrun};

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

/// Writes the simulation file of these machines, and their programs beside it; its path. The first one's program is the
/// workload: it starts when the others have, and the run lasts until it ends.
pub fn describe(folder: &Path, machines: &[Machine]) -> String {
    let mut text = String::new();
    for (index, Machine { name, tags, program }) in machines.iter().enumerate() {
        fs::write(folder.join(format!("{name}.py")), program).expect("a program");
        let _ = match index {
            0 => writeln!(text, "workloads:"),
            1 => writeln!(text, "nodes:"),
            _ => Ok(()),
        };
        let _ = writeln!(text, "  {name}:\n    command: [/usr/bin/python3, {name}.py]");
        if !tags.is_empty() {
            let _ = writeln!(text, "    tags: {tags:?}");
        }
        if index == 0 {
            let others = machines[1..].iter().map(|other| format!("{}: started", other.name));
            let _ = writeln!(text, "    after: {{ {} }}", others.collect::<Vec<_>>().join(", "));
        }
    }
    let file = folder.join("sim.yaml");
    fs::write(&file, text).expect("a file");
    file.into_os_string().into_string().expect("a path")
}

/// Runs these machines under faults, once more under load, and compares the two.
pub fn simulate(seed: &str, faults: &str, machines: &[Machine]) -> Output {
    let folder = tempfile::tempdir().expect("a folder");
    let file = describe(folder.path(), machines);
    let run = || {
        let mut command = simrun(["sim", &file, "--seed", seed]);
        if !faults.is_empty() {
            command.args(["--faults", faults]);
        }
        command.output().expect("a run")
    };
    let output = compared::idle_and_busy(faults, run);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

/// What a machine printed.
pub fn printed(output: &Output, node: &str) -> String {
    let text = String::from_utf8_lossy(&output.stdout);
    let of_node = |line: &str| {
        let (name, said) = line.split_once('|')?;
        (name.trim() == node).then(|| format!("{}\n", said.trim_start()))
    };
    text.lines().filter_map(of_node).collect()
}
