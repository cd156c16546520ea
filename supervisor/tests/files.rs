//! A run's own files: what programs do to them comes out as on the host, and the host's stay as they are.

mod common;

use std::{
    fs,
    ops::RangeInclusive,
    os::unix::{
        fs::{MetadataExt, PermissionsExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use common::{SIMRUN, build_in};

const NOBODY: u32 = 65534;

/// Who runs a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum User {
    Own,
    Nobody,
}

impl User {
    /// Those that this test can run programs as.
    fn all() -> &'static [Self] {
        if nix::unistd::geteuid().is_root() { &[Self::Own, Self::Nobody] } else { &[Self::Own] }
    }

    fn run(self, command: &mut Command) -> Output {
        if self == Self::Nobody {
            command.uid(NOBODY).gid(NOBODY);
        }
        command.stdin(Stdio::null()).output().expect("a program")
    }
}

/// A folder in which a tree is made that programs find, and everything that they are run with.
struct Trees {
    folder: tempfile::TempDir,
    /// The program, or an interpreter and a script.
    program: Vec<PathBuf>,
    simrun: PathBuf,
}

impl Trees {
    /// Trees for a program of `tests/files`.
    fn new(program: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("own folder");
        let simrun = folder.path().join("simrun");
        fs::copy(SIMRUN, &simrun).expect("a copy");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files").join(program);
        let program = if script.extension().is_some() {
            vec!["bash".into(), script]
        } else {
            vec![build_in("files", program, folder.path())]
        };
        Self { program, simrun, folder }
    }

    /// The tree of a seed, as its user has it; equal under every name.
    fn prepare(&self, name: &str, user: User, seed: u64) -> PathBuf {
        let tree = self.folder.path().join(name);
        fs::create_dir(&tree).expect("a folder");
        if user == User::Nobody {
            chown(&tree, Some(NOBODY), Some(NOBODY)).expect("own folder");
        }
        let output = self.run(Command::new(&self.program[0]), &tree, user, (seed, "prepare"));
        assert!(output.status.success(), "{output:?}");
        tree
    }

    /// What the program does with a tree on the host.
    fn natively(&self, tree: &Path, user: User, seed: u64) -> String {
        printed(&self.run(Command::new(&self.program[0]), tree, user, (seed, "use")))
    }

    /// What it does in a simulation.
    fn simulated(&self, tree: &Path, user: User, seed: u64) -> String {
        let mut command = Command::new(&self.simrun);
        command.args(["--quiet", "--no-store", "--seed", "1", "--"]).arg(&self.program[0]);
        printed(&self.run(command, tree, user, (seed, "use")))
    }

    fn run(
        &self,
        mut command: Command,
        tree: &Path,
        user: User,
        (seed, what): (u64, &str),
    ) -> Output {
        command.args(&self.program[1..]).args([&seed.to_string(), what]).current_dir(tree);
        user.run(&mut command)
    }
}

fn printed(output: &Output) -> String {
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && words.is_empty(), "{:?}: {words}", output.status);
    String::from_utf8(output.stdout.clone()).expect("text")
}

/// Everything that can be seen of a tree of the host.
fn listed(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let (path, status) = (entry.path(), entry.path().symlink_metadata().expect("a file"));
        let contents = if status.is_file() { fs::read(&path).ok() } else { None };
        let contents = contents.map(|bytes| blake3::hash(&bytes));
        let (mode, links, owner) = (status.mode(), status.nlink(), status.uid());
        let changed = (status.mtime(), status.mtime_nsec(), status.ctime(), status.ctime_nsec());
        found.push(format!("{path:?} {mode:o} {links} {owner} {changed:?} {contents:?}"));
        if status.is_dir() {
            found.extend(listed(&path));
        }
    }
    found
}

/// The first line in which two texts differ, with those before it.
fn first_difference(one: &str, other: &str) -> String {
    let lines: Vec<_> = one.lines().zip(other.lines()).collect();
    let at = lines.iter().position(|(one, other)| one != other).unwrap_or(lines.len());
    let shown = |lines: &[(&str, &str)]| -> String {
        lines.iter().map(|(line, _)| format!("  {line}\n")).collect()
    };
    let before = shown(&lines[at.saturating_sub(5)..at]);
    let (native, simulated) = lines.get(at).copied().unwrap_or(("an end", "an end"));
    format!("line {at}:\n{before}- {native}\n+ {simulated}")
}

/// Seeds whose trees are compared; `SIMRUN_TREES` sets another number.
fn seeds() -> RangeInclusive<u64> {
    let number = std::env::var("SIMRUN_TREES").ok();
    1..=number.map_or(12, |number| number.parse().expect("SIMRUN_TREES is a number"))
}

/// A program does with the tree of each seed what it does natively, every time, and leaves the host's as it is.
fn agrees_with_the_host(program: &str, users: &[User], seeds: RangeInclusive<u64>) {
    let trees = Trees::new(program);
    for &user in users {
        for seed in seeds.clone() {
            let native = trees.prepare(&format!("native-{user:?}-{seed}"), user, seed);
            let expected = trees.natively(&native, user, seed);
            let found = trees.prepare(&format!("simulated-{user:?}-{seed}"), user, seed);
            let before = listed(&found);
            for attempt in ["first", "again"] {
                let simulated = trees.simulated(&found, user, seed);
                assert!(
                    simulated == expected,
                    "{user:?}, seed {seed}, {attempt}: {}",
                    first_difference(&expected, &simulated)
                );
            }
            assert!(listed(&found) == before, "{user:?}, seed {seed}: the host's files changed");
            for tree in [native, found] {
                fs::remove_dir_all(tree).expect("own folder");
            }
        }
    }
}

#[test]
fn calls_drawn_from_a_seed_do_what_they_do_natively() {
    agrees_with_the_host("random_tree", User::all(), seeds());
}

#[test]
fn bytes_that_two_processes_share_are_those_of_the_host() {
    agrees_with_the_host("shared_bytes", User::all(), seeds());
}

#[test]
fn trees_that_several_processes_change_are_those_of_the_host() {
    agrees_with_the_host("several_processes", User::all(), seeds());
}

#[test]
fn git_does_to_a_repository_what_it_does_on_the_host() {
    agrees_with_the_host("git_repository.sh", &[User::Own], 1..=2);
}

#[test]
fn cargo_builds_a_crate_as_it_does_on_the_host() {
    agrees_with_the_host("cargo_build.sh", &[User::Own], 1..=1);
}

/// Most memory that simrun or a process of its run had, in KiB, while this script of the shell ran.
#[expect(clippy::zombie_processes, reason = "wait4(2) waits for it, and tells what it used, too")]
fn peak(folder: &Path, script: &str) -> i64 {
    let run = ["--quiet", "--no-store", "--seed", "1", "--", "/bin/sh", "-c", script];
    let child = common::simrun(run).current_dir(folder).spawn().expect("a run");
    // SAFETY: zeros are a value of it.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    let mut status = 0;
    // SAFETY: both places live until the call is over, and nobody else waits for the child.
    let waited = unsafe { libc::wait4(child.id() as i32, &raw mut status, 0, &raw mut usage) };
    assert_eq!((waited, status), (child.id() as i32, 0));
    usage.ru_maxrss
}

#[test]
fn memory_does_not_grow_with_what_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let large = fs::File::create(folder.path().join("large")).expect("a file");
    large.set_len(256 << 20).expect("a hole");
    fs::create_dir(folder.path().join("many")).expect("a folder");
    for number in 0..1000 {
        fs::write(folder.path().join(format!("many/{number}")), vec![b'x'; 64 << 10])
            .expect("a file");
    }
    let nothing = peak(folder.path(), "cat /dev/null | md5sum >/dev/null");
    let one = peak(folder.path(), "md5sum <large >/dev/null");
    let many = peak(folder.path(), "cat many/* | md5sum >/dev/null");
    // Of many files their names are known, and where they are.
    for (read, most) in [(one, 4 << 10), (many, 8 << 10)] {
        assert!(read < nothing + most, "{nothing} KiB for nothing, {read} KiB");
    }
}
