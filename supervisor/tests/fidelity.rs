//! Programs that run natively and simulated from one source, and must do the same.
//!
//! Each `tests/fidelity/AREA/NAME.EXT` prints what it saw and exits with zero when all was well. It is built or
//! interpreted by what its ending asks for (see [`Language`]), run natively once, then simulated: output and status must
//! be as native, and the same seed must give the same fingerprint, with call sites patched or not. Directives in the first lines of the file, after
//! `//` or `#`:
//!
//! - `link: -lm`: further arguments for the compiler.
//! - `args: a b`: arguments of the program.
//! - `shell: dash`: the interpreter of a script, instead of bash.
//! - `simulated only`: what it must print stands in `NAME.out`, because natively it would take too long or differ.
//!
//! A program that exits natively with 77 says that this host does not let it do what it is about: all that is looked at then
//! is that it succeeds when simulated, and prints the same each time.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use libtest_mimic::{Arguments, Failed, Trial};

/// Seeds tried with further arguments; the first one again, and once with every call trapping.
const ATTEMPTS: [(u64, &[&str]); 5] =
    [(1, &[]), (2, &[]), (3, &[]), (1, &[]), (1, &["--no-patching"])];

/// Status of a program that the host does not let do what it is about, as automake has it.
const NOT_HERE: i32 = 77;

/// What makes a source into a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Language {
    C,
    Cpp,
    Go,
    Rust,
    Shell,
    Python,
}

impl Language {
    fn of(path: &Path) -> Option<Self> {
        Some(match path.extension()?.to_str()? {
            "c" => Self::C,
            "cc" => Self::Cpp,
            "go" => Self::Go,
            "rs" => Self::Rust,
            "sh" => Self::Shell,
            "py" => Self::Python,
            _ => return None,
        })
    }
}

struct Program {
    source: PathBuf,
    name: String,
    language: Language,
}

impl Program {
    fn directive(&self, name: &str) -> Option<String> {
        let text = fs::read_to_string(&self.source).ok()?;
        let line = text.lines().take(10).find_map(|line| {
            line.strip_prefix("// ").or_else(|| line.strip_prefix("# "))?.strip_prefix(name)
        })?;
        Some(line.trim_start_matches(':').trim().to_owned())
    }

    fn words(&self, name: &str) -> Vec<String> {
        self.directive(name)
            .map(|line| line.split_whitespace().map(str::to_owned).collect())
            .unwrap_or_default()
    }

    /// The command that runs it, built if need be.
    fn command(&self, folder: &Path) -> Result<Vec<OsString>, Failed> {
        let binary = folder.join("program");
        let mut build = match self.language {
            Language::Shell => {
                let shell = self.directive("shell").unwrap_or_else(|| "bash".into());
                return Ok(vec![shell.into(), self.source.clone().into()]);
            }
            Language::Python => {
                return Ok(vec!["/usr/bin/python3".into(), self.source.clone().into()]);
            }
            Language::C | Language::Cpp => {
                let mut build =
                    Command::new(if self.language == Language::C { "cc" } else { "c++" });
                build.args(["-O1", "-g", "-pthread", "-Wall", "-D_GNU_SOURCE", "-o"]);
                build.args([&binary, &self.source]).args(self.words("link"));
                build
            }
            Language::Rust => {
                let mut build = Command::new("rustc");
                build.args(["--edition", "2024", "-O", "-o"]).args([&binary, &self.source]);
                build
            }
            Language::Go => {
                let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("go");
                let mut build = Command::new("go");
                build.arg("build").args(self.words("link")).arg("-o").args([&binary, &self.source]);
                build
                    .env("GOCACHE", &cache)
                    .env("GOPATH", cache.join("path"))
                    .env("GOFLAGS", "-mod=mod");
                build
            }
        };
        let output = build.output()?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
        }
        Ok(vec![binary.into()])
    }

    fn check(&self) -> Result<(), Failed> {
        let folder = tempfile::tempdir()?;
        let command = self.command(folder.path())?;
        let arguments = self.words("args");
        let mut expected = if self.directive("simulated only").is_some() {
            Some((fs::read_to_string(self.source.with_extension("out"))?, Some(0)))
        } else {
            let work = folder.path().join("native");
            fs::create_dir(&work)?;
            let output = Command::new(&command[0])
                .args(&command[1..])
                .args(&arguments)
                .current_dir(&work)
                .stdin(Stdio::null())
                .output()?;
            let seen = (String::from_utf8_lossy(&output.stdout).into_owned(), output.status.code());
            Some(seen).filter(|(_, status)| *status != Some(NOT_HERE))
        };
        let mut fingerprints: Vec<(u64, String)> = Vec::new();
        for (attempt, (seed, options)) in ATTEMPTS.into_iter().enumerate() {
            let work = folder.path().join(format!("simulated-{attempt}"));
            fs::create_dir(&work)?;
            let output = Command::new(env!("CARGO_BIN_EXE_simrun"))
                .args(["--no-store", "--seed", &seed.to_string()])
                .args(options)
                .arg("--")
                .args(&command)
                .args(&arguments)
                .current_dir(&work)
                .stdin(Stdio::null())
                .output()?;
            let words = String::from_utf8_lossy(&output.stderr).into_owned();
            let seen = (String::from_utf8_lossy(&output.stdout).into_owned(), output.status.code());
            let expected = expected.get_or_insert_with(|| (seen.0.clone(), Some(0)));
            if seen != *expected {
                return Err(format!(
                    "seed {seed}: expected\n{expected:?}\nbut saw\n{seen:?}\n{words}"
                )
                .into());
            }
            let fingerprint =
                words.split("fingerprint ").nth(1).and_then(|rest| rest.split(',').next());
            let fingerprint =
                fingerprint.ok_or_else(|| format!("no fingerprint in {words}"))?.to_owned();
            if let Some((_, before)) = fingerprints.iter().find(|(other, _)| *other == seed)
                && *before != fingerprint
            {
                return Err(
                    format!("seed {seed}: fingerprints {before} and {fingerprint} differ").into()
                );
            }
            fingerprints.push((seed, fingerprint));
        }
        Ok(())
    }
}

fn programs() -> Vec<Program> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fidelity");
    let mut programs = Vec::new();
    for area in fs::read_dir(&root).expect("the folder of programs").flatten() {
        for file in fs::read_dir(area.path()).into_iter().flatten().flatten() {
            let source = file.path();
            if let Some(language) = Language::of(&source) {
                let name = source.strip_prefix(&root).expect("below the root").with_extension("");
                programs.push(Program { name: name.display().to_string(), source, language });
            }
        }
    }
    programs.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(!programs.is_empty(), "there are programs to run");
    programs
}

fn main() {
    let arguments = Arguments::from_args();
    let trials = programs()
        .into_iter()
        .map(|program| Trial::test(program.name.clone(), move || program.check()))
        .collect();
    libtest_mimic::run(&arguments, trials).exit();
}
