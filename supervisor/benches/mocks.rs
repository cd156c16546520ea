//! What a mock costs: `cargo bench -p simrun --bench mocks`.
//!
//! Ten thousand requests to a service of a thousand routes, and to a server of nothing but hyper, both machines of a
//! simulation like it. Each is timed from outside, less the same without a request; the shortest of a few attempts.

use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

const ROUTES: u32 = 1000;
const REQUESTS: u32 = 10_000;
const ATTEMPTS: u32 = 5;
const SIMRUN: &str = env!("CARGO_BIN_EXE_simrun");

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = example("bare_http");
    let mocks = folder.path().join("mocks.yaml");
    fs::write(&mocks, mock()).expect("own folder");
    let with_mocks = |count| {
        let mut command = Command::new(SIMRUN);
        command.args(["--quiet", "--no-store", "--seed", "1", "--mocks"]).arg(&mocks).arg("--");
        command.arg(&program).args(["ask", "service", "80"]).args(words(count));
        command
    };
    let bare = |count| {
        let file = folder.path().join(format!("bare-{count}.yaml"));
        fs::write(&file, simulation(&program, count)).expect("own folder");
        let mut command = Command::new(SIMRUN);
        command.args(["sim"]).arg(&file).args(["--quiet", "--no-store", "--seed", "1"]);
        command
    };
    let (bare, mocked) = (requests(bare), requests(with_mocks));
    println!("{REQUESTS} requests, {ROUTES} routes");
    println!("hyper    {:>8.1} us each", micros(bare));
    println!("mocks    {:>8.1} us each", micros(mocked));
    println!("ratio    {:>8.2}", mocked.as_secs_f64() / bare.as_secs_f64());
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6 / f64::from(REQUESTS)
}

fn words(count: u32) -> [String; 2] {
    [count.to_string(), ROUTES.to_string()]
}

/// How long the requests take.
fn requests(command: impl Fn(u32) -> Command) -> Duration {
    shortest(|| command(REQUESTS)).saturating_sub(shortest(|| command(0)))
}

fn shortest(command: impl Fn() -> Command) -> Duration {
    let time = |_| {
        let mut command = command();
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let start = Instant::now();
        let status = command.status().expect("simrun");
        assert!(status.success(), "{command:?}");
        start.elapsed()
    };
    (0..ATTEMPTS).map(time).min().unwrap_or_default()
}

/// A service of many routes.
fn mock() -> String {
    let mut text = "mocks:\n  service:\n    routes:\n".to_owned();
    for number in 0..ROUTES {
        let path = format!("/v1/things-{number}/{{id}}");
        let json = "{ id: ch_1, amount: 500, paid: true }";
        let _ = writeln!(
            text,
            "      r{number}: {{ match: {{ method: GET, path: '{path}' }}, answer: {{ json: {json} }} }}"
        );
    }
    text
}

/// The bare server and its client.
fn simulation(program: &Path, count: u32) -> String {
    let program = program.display();
    format!(
        "nodes:\n  service: {{ command: [{program}, serve, '80'], ready: {{ listens: 80 }} }}\n\
         workloads:\n  client: {{ command: [{program}, ask, service, '80', '{count}', '{ROUTES}'] }}\n"
    )
}

/// An example of this package.
fn example(name: &str) -> PathBuf {
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "--package", env!("CARGO_PKG_NAME"), "--example", name]);
    build.args((!cfg!(debug_assertions)).then_some("--release"));
    assert!(build.status().is_ok_and(|status| status.success()), "the example can be built");
    Path::new(SIMRUN).with_file_name("examples").join(name)
}
