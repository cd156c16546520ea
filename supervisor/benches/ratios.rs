//! What the simulation costs, as ratios to native in one run: `cargo bench -p simrun [-- PART_OF_A_NAME]`.
//!
//! Simulated programs cannot see real time, so everything is timed from outside: a command with so many operations
//! less the same command with none, the shortest of a few attempts each. `RATIOS_TABLE=FILE` (from the workspace's root)
//! has the results written there, too: `docs/reference/ratios.md` is such a file.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

/// Attempts of which the shortest counts: at least so many, and as many as go into this time.
const ATTEMPTS: u32 = 5;
const ATTEMPTS_TIME: Duration = Duration::from_secs(1);
/// Real time after which a simulated case counts as failed.
const WALL_TIMEOUT: &str = "60s";
/// Processes whose memory is counted.
const SLEEPERS: u64 = 50;

/// Operations of `operations.c`, how many, and what one of them is.
const OPERATIONS: [(&str, u64, &str); 11] = [
    ("clock-read", 200_000, "a clock read"),
    ("getppid", 200_000, "getppid"),
    ("pipe-write-read", 100_000, "a pipe write and read"),
    ("threads-over-pipes", 20_000, "thread ping-pong over pipes"),
    ("threads-over-condition", 20_000, "thread ping-pong over a condition"),
    ("processes-over-tcp", 20_000, "process ping-pong over TCP"),
    ("processes-over-unix", 20_000, "process ping-pong over unix sockets"),
    ("tcp-mebibytes", 1024, "a MiB over TCP, of a GiB"),
    ("small-files", SMALL_FILES, "opening, reading, closing a small file"),
    ("file-reads", LARGE_FILE / 4096, "reading 4 KiB, of 256 MiB"),
    ("file-writes", LARGE_FILE / 4096, "writing 4 KiB, of 256 MiB"),
];

/// Whole commands, timed from start to end: their names, what they need, options of simrun, the command.
const COMMANDS: [(&str, &str, &[&str], &str); 7] = [
    ("true", "/bin/true", &[], "/bin/true"),
    ("python3", "/usr/bin/python3", &[], "/usr/bin/python3 -c pass"),
    ("cp of 256 MiB", "large", &[], "cp large copied"),
    ("git status", "tree/.git", &["--file-times", "host"], "git -C tree status"),
    // With numbers and times of their own, which the repository's index does not know, the files are all read, as they are
    // natively in a tree that was copied.
    ("git status, fixed times", "tree/.git", &[], "git -C tree status"),
    (
        "git status in a copied tree",
        "copy/.git",
        &[],
        "env GIT_OPTIONAL_LOCKS=0 git -C copy status",
    ),
    (
        "redis-benchmark",
        "/usr/bin/redis-benchmark",
        &[],
        "redis-server --port 7391 --save '' --daemonize no >/dev/null & \
         until redis-cli -p 7391 ping >/dev/null 2>&1; do sleep 0.01; done; \
         redis-benchmark -p 7391 -q -n 20000 -t set,get >/dev/null; kill $!; wait",
    ),
];

/// Small files that are read.
const SMALL_FILES: u64 = 10_000;
/// Bytes of each.
const SMALL_FILE: usize = 2048;
/// Bytes of the file that is read, and of the one that is written.
const LARGE_FILE: u64 = 256 << 20;
/// Files of the tree that git looks at.
const TREE_FILES: u64 = 5000;
/// Times that it looks at one that the run has made.
const STATUSES: u32 = 20;
/// Makes a repository.
const COMMIT: &str =
    "git init -q && git add . && git -c user.name=a -c user.email=a@b commit -q -m all";

/// Where runs are kept: they are by default, and that costs time, too.
const STORE: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/store");

/// Where a command runs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum World {
    Native,
    /// Under simrun with these options.
    Simulated(&'static [&'static str]),
}

/// Under simrun with no more options than all have.
const SIMULATED: World = World::Simulated(&[]);

impl World {
    fn command(self, words: &[&str]) -> Command {
        match self {
            Self::Native => {
                let mut command = Command::new(words[0]);
                command.args(&words[1..]);
                command
            }
            Self::Simulated(options) => {
                let mut command = Command::new(env!("CARGO_BIN_EXE_simrun"));
                command.args(["--quiet", "--store", STORE, "--seed", "1"]);
                command.args(["--wall-timeout", WALL_TIMEOUT]);
                command.args(options).arg("--").args(words);
                command
            }
        }
    }

    /// The shortest time a command takes; `None` if it fails.
    fn time(self, words: &[&str]) -> Option<Duration> {
        let start = Instant::now();
        let (mut best, mut attempts) = (Duration::MAX, 0);
        while attempts < ATTEMPTS || start.elapsed() < ATTEMPTS_TIME {
            best = best.min(self.time_once(words)?);
            attempts += 1;
        }
        Some(best)
    }

    fn time_once(self, words: &[&str]) -> Option<Duration> {
        let mut command = self.command(words);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let start = Instant::now();
        let status = command.status().ok();
        status.is_some_and(|status: ExitStatus| status.success()).then(|| start.elapsed())
    }
}

fn main() {
    let filter = env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let wanted = |name: &str| filter.as_deref().is_none_or(|part| name.contains(part));
    let folder = tempfile::tempdir().expect("a folder");
    let program = build(folder.path());
    let program = program.to_str().expect("a path in UTF-8");
    make_files(folder.path());
    env::set_current_dir(folder.path()).expect("own folder");
    let mut table = Table::default();
    table.line(&format!("{:<40} {:>12} {:>12} {:>8}", "", "native", "simulated", "ratio"));
    for (name, count, what) in OPERATIONS.into_iter().filter(|(name, ..)| wanted(name)) {
        let each = |world| operation(world, program, name, count);
        table.times(what, each(World::Native), each(SIMULATED));
    }
    for (name, needs, options, line) in COMMANDS.into_iter().filter(|(name, ..)| wanted(name)) {
        if Path::new(needs).exists() {
            let whole = |world: World| Some(world.time(&command_words(line))?.as_secs_f64() * 1e9);
            table.times(
                &format!("{name}, start to end"),
                whole(World::Native),
                whole(World::Simulated(options)),
            );
        }
    }
    if wanted("git status") {
        let what = "git status in a tree of the run's own";
        table.times(what, git_status(World::Native), git_status(SIMULATED));
    }
    if wanted("memory") {
        table.row(
            "memory of a process",
            memory(World::Native, program),
            memory(SIMULATED, program),
            kibibytes,
        );
    }
    if let Some(file) = env::var_os("RATIOS_TABLE") {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
        fs::write(&path, table.page()).expect("the page can be written");
    }
}

/// Makes the files that are used, all of one age.
fn make_files(folder: &Path) {
    let make = |path: PathBuf, bytes: &[u8]| {
        fs::create_dir_all(path.parent().expect("it lies in a folder")).expect("own folder");
        fs::write(path, bytes).expect("own folder");
    };
    for number in 0..SMALL_FILES {
        make(folder.join(format!("small/{}/{number}", number / 100)), &[b'x'; SMALL_FILE]);
    }
    make(folder.join("large"), &vec![b'x'; LARGE_FILE as usize]);
    for number in 0..TREE_FILES {
        let path = folder.join(format!("tree/{}/{}/{number}", number / 500, number / 20));
        make(path, format!("{number}\n").repeat(100).as_bytes());
    }
    let whole = format!("(cd tree && {COMMIT}) && cp -r tree copy");
    let status = Command::new("sh").args(["-c", &whole]).current_dir(folder).status();
    assert!(status.is_ok_and(|status| status.success()), "git makes a repository");
}

fn build(folder: &Path) -> PathBuf {
    let binary = folder.join("operations");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/operations.c");
    let status = Command::new("cc")
        .args(["-O2", "-pthread", "-D_GNU_SOURCE", "-o"])
        .args([&binary, &source])
        .status()
        .expect("a C compiler");
    assert!(status.success(), "operations.c does not build");
    binary
}

fn command_words(line: &str) -> Vec<&str> {
    if line.contains(';') { vec!["/bin/sh", "-c", line] } else { line.split(' ').collect() }
}

/// Nanoseconds that one operation takes.
fn operation(world: World, program: &str, name: &str, count: u64) -> Option<f64> {
    let none = world.time(&[program, name, "0"])?;
    let all = world.time(&[program, name, &count.to_string()])?;
    Some(all.saturating_sub(none).as_secs_f64() * 1e9 / count as f64)
}

/// Nanoseconds that git takes, again and again, for a repository that is no older than the run, natively for one that is
/// there. Its files are older, so that git need not read them.
fn git_status(world: World) -> Option<f64> {
    let make = match world {
        World::Native => "cd tree".to_owned(),
        World::Simulated(_) => format!("cp -a tree made && cd made && rm -rf .git && {COMMIT}"),
    };
    let time = |count: u32| {
        let each = format!("{make} && for i in $(seq {count}); do git status || exit; done");
        world.time(&["/bin/sh", "-c", &each])
    };
    let (none, all) = (time(0)?, time(STATUSES)?);
    Some(all.saturating_sub(none).as_secs_f64() * 1e9 / f64::from(STATUSES))
}

/// Bytes of memory that one of many idle processes takes: what it shares counts in part.
fn memory(world: World, program: &str) -> Option<f64> {
    let mut child = world
        .command(&[program, "sleepers", &SLEEPERS.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        // A group of its own: the program ends its whole group.
        .process_group(0)
        .spawn()
        .ok()?;
    let mut line = String::new();
    let ready =
        BufReader::new(child.stdout.take()?).read_line(&mut line).is_ok() && line == "ready\n";
    let bytes = descendants(child.id()).into_iter().filter_map(proportional_size).sum::<u64>();
    drop(child.stdin.take());
    let _ = child.wait();
    ready.then(|| bytes as f64 / (SLEEPERS + 1) as f64)
}

/// A process and all below it.
fn descendants(root: u32) -> Vec<u32> {
    let mut all = vec![root];
    let mut next = 0;
    while let Some(&pid) = all.get(next) {
        next += 1;
        let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
        for task in tasks {
            let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
            all.extend(children.split_whitespace().filter_map(|pid| pid.parse::<u32>().ok()));
        }
    }
    all
}

fn proportional_size(pid: u32) -> Option<u64> {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    Some(line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()? * 1024)
}

fn kibibytes(bytes: f64) -> String {
    format!("{:.0} KiB", bytes / 1024.0)
}

fn duration(nanos: f64) -> String {
    match nanos {
        _ if nanos >= 1e6 => format!("{:.2} ms", nanos / 1e6),
        _ if nanos >= 1e3 => format!("{:.2} us", nanos / 1e3),
        _ => format!("{nanos:.0} ns"),
    }
}

/// What is printed line by line, and kept for the page.
#[derive(Default)]
struct Table(String);

impl Table {
    fn line(&mut self, line: &str) {
        println!("{line}");
        self.0 += &format!("    {line}\n");
    }

    fn times(&mut self, what: &str, native: Option<f64>, simulated: Option<f64>) {
        self.row(what, native, simulated, duration);
    }

    fn row(
        &mut self,
        what: &str,
        native: Option<f64>,
        simulated: Option<f64>,
        unit: impl Fn(f64) -> String,
    ) {
        let text = |value: Option<f64>| value.map_or_else(|| "failed".into(), &unit);
        let ratio = match (native, simulated) {
            (Some(native), Some(simulated)) if native > 0.0 => format!("{:.2}", simulated / native),
            _ => "-".into(),
        };
        self.line(&format!("{what:<40} {:>12} {:>12} {ratio:>8}", text(native), text(simulated)));
    }

    fn page(&self) -> String {
        format!(
            "# What the simulation costs\n\nWritten by `RATIOS_TABLE=docs/reference/ratios.md cargo bench -p simrun \
             --bench ratios`; do not edit. Each row is\nmeasured natively and simulated in one run on one machine. A \
             process of the simulation is kept on one processor; native\nones may use all.\n\n{}",
            self.0
        )
    }
}
