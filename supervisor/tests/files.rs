//! A run's own files: what programs do to them comes out as on the host, and the host's stay as they are.

mod common;

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader},
    ops::RangeInclusive,
    os::unix::{
        fs::{MetadataExt, PermissionsExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use common::{SIMRUN, build_in, copy_program};

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
        copy_program(SIMRUN, &simrun);
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
    1..=number.map_or(30, |number| number.parse().expect("SIMRUN_TREES is a number"))
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

/// Bytes of memory that a run holds when this script of the shell has come to its end: what its processes have of their
/// own, and the memory files of its kernel and of its files, which all its processes have open.
fn held(folder: &Path, script: &str) -> u64 {
    let script = format!("set -e; {script}\necho there; read line || exit 0");
    let run = ["--quiet", "--no-store", "--seed", "1", "--", "/bin/sh", "-c", &script];
    let mut child =
        common::simrun(run).current_dir(folder).stdin(Stdio::piped()).spawn().expect("a run");
    let mut line = String::new();
    let stdout = child.stdout.take().expect("it is piped");
    BufReader::new(stdout).read_line(&mut line).expect("a line");
    assert_eq!(line, "there\n", "{script}");
    let simrun = child.id() as i32;
    let mut files = BTreeMap::new();
    let mut own = 0;
    for pid in common::processes().into_iter().filter(|&pid| common::parent(pid) == Some(simrun)) {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let anonymous = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
        let anonymous = anonymous.and_then(|text| text.trim().strip_suffix(" kB"));
        own += anonymous.and_then(|text| text.parse::<u64>().ok()).unwrap_or(0) << 10;
        for open in fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten() {
            let is_memory = |path: PathBuf| path.to_string_lossy().starts_with("/memfd:");
            if fs::read_link(open.path()).is_ok_and(is_memory)
                && let Ok(file) = fs::metadata(open.path())
            {
                files.insert(file.ino(), file.blocks() * 512);
            }
        }
    }
    assert!(own > 0 && !files.is_empty(), "there are a process and the kernel's memory");
    drop(child.stdin.take());
    assert!(child.wait().expect("a run").success());
    own + files.into_values().sum::<u64>()
}

/// Maps a file and reads a byte of each of its pages.
const MAPS: &str = "exec 3<large; python3 -c '
import mmap
whole = mmap.mmap(3, 0, mmap.MAP_PRIVATE, mmap.PROT_READ)
assert not any(whole[at] for at in range(0, len(whole), 4096))
'";

#[test]
fn memory_grows_with_what_is_written_and_not_with_what_is_read() {
    const MIB: u64 = 1 << 20;
    let folder = tempfile::tempdir().expect("a folder");
    let large = fs::File::create(folder.path().join("large")).expect("a file");
    large.set_len(256 * MIB).expect("a hole");
    fs::create_dir(folder.path().join("many")).expect("a folder");
    for number in 0..1000 {
        fs::write(folder.path().join(format!("many/{number}")), vec![b'x'; 64 << 10])
            .expect("a file");
    }
    let nothing = held(folder.path(), "python3 -c pass");
    let grows = |script: &str, least: u64, most: u64| {
        let by = held(folder.path(), script).saturating_sub(nothing);
        assert!((least..=most).contains(&by), "{script}: by {by} bytes over {nothing}");
    };
    grows("dd if=large bs=4k of=/dev/null status=none", 0, MIB);
    grows("md5sum <large >/dev/null", 0, MIB);
    grows(MAPS, 0, MIB);
    // Of many files their names are known, and where they are.
    grows("cat many/* | md5sum >/dev/null", 0, 4 * MIB);
    // Of a file that the host has, what is written counts, not the file.
    grows("echo more >>large; echo x | dd of=large bs=1 seek=99999999 conv=notrunc", 0, MIB);
    grows("truncate -s 200M large; truncate -s 300M large", 0, MIB);
    grows("head -c 32M /dev/zero | tr '\\0' x >written", 31 * MIB, 36 * MIB);
    grows("head -c 32M /dev/zero | tr '\\0' x >written; rm written", 0, 4 * MIB);
    // Each is in the kernel's own memory.
    grows(
        "mkdir out; for name in $(seq 500); do head -c 64k many/$name >out/$name; done",
        (500 * 64) << 10,
        (500 * 64) << 11,
    );
}

/// Says numbers and times of files, and of which git's index holds others; then how many numbers three files have.
const LOOKS: &str = "cd tree; stat -c '%n %i %h %Y %Z' old linked .; git diff-files
    touch new newer; stat -c %i old new newer | sort -u | wc -l";

#[test]
fn the_hosts_times_and_numbers_show_where_they_are_asked_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let make = "mkdir tree; cd tree; echo one >old; ln old linked; touch -d '3 years ago' old
        git init -q; git add .";
    let shell = |script: &str| {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]).current_dir(folder.path()).stdin(Stdio::null());
        String::from_utf8(command.output().expect("a shell").stdout).expect("UTF-8")
    };
    shell(make);
    let run = || {
        let options = ["--quiet", "--no-store", "--seed", "1", "--file-times", "host", "--"];
        let arguments = options.into_iter().chain(["/bin/sh", "-c", LOOKS]);
        let output = common::simrun(arguments).current_dir(folder.path()).output().expect("a run");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let simulated = run();
    assert_eq!(run(), simulated);
    let natively = shell(LOOKS);
    assert_eq!(natively, simulated);
    assert!(natively.ends_with("3\n") && natively.contains(" 2 "), "{natively}");
}
