//! What is kept of the files that several machines wrote.

mod common;

use std::{fs, path::Path};

use common::{
    machines::{self, machine},
    stored,
};
use serde_json::Value;

/// Writes to a path that others write to, and to one of its own.
const WRITES: &str = r#"
import os, socket
name = socket.gethostname()
with open("/tmp/both", "w") as file:
    file.write(name)
with open("/tmp/of-" + name, "w") as file:
    file.write("own")
with open(os.environ["SIMRUN_ARTIFACTS"] + "/note", "w") as file:
    file.write("of " + name)
"#;

/// Writes to a file twice, with a second in between.
const TWICE: &str = "echo one >/tmp/file; sleep 1; echo two >>/tmp/file; echo said";

#[test]
fn files_are_shown_as_they_were() {
    let store = tempfile::tempdir().expect("a folder");
    let trace = store.path().join("trace.jsonl");
    let path = trace.to_str().expect("a path");
    let traced = ["--seed", "1", "--trace-syscalls", "--trace", path];
    let command = ["--", "/bin/sh", "-c", TWICE];
    let kept = stored(store.path(), traced.iter().chain(&command)).output().expect("a run");
    assert!(kept.status.success());
    let trace = fs::read_to_string(trace).expect("a trace");
    let events: Vec<Value> =
        trace.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let number = |event: &Value| event["event"].as_u64();
    let numbers: Vec<_> = events.iter().filter_map(number).collect();
    assert!(numbers.iter().copied().eq(1..=numbers.len() as u64), "none is left out");
    let wrote = |text: &str| {
        let call = |event: &&Value| {
            event["call"]
                .as_str()
                .is_some_and(|call| call.starts_with("write(") && call.ends_with(" = 4"))
        };
        let nth = if text == "one" { 0 } else { 1 };
        events.iter().filter(call).nth(nth).and_then(number).expect("a write")
    };
    let at = |moment: &str| {
        let arguments = ["files", "last", "--at", moment, "/tmp/file"];
        let output = stored(store.path(), arguments).output().expect("a verb");
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
        (text(&output.stdout), text(&output.stderr))
    };
    let moments =
        |moments: &[String]| moments.iter().map(|moment| at(moment).0).collect::<Vec<_>>();
    let (one, two) = (wrote("one"), wrote("two"));
    let asked = [one - 1, one, two - 1, two].map(|number| number.to_string());
    let asked = [&asked[..], &["900ms".into(), "1100ms".into()]].concat();
    let expected = ["", "one\n", "one\n", "one\ntwo\n", "one\n", "one\ntwo\n"];
    assert_eq!(moments(&asked), expected);
    let _load = common::Load::start();
    assert_eq!(moments(&asked), expected, "under load");
    let logs = stored(store.path(), ["logs", "last", "--format", "json"]).output().expect("logs");
    let said: Value = serde_json::from_slice(&logs.stdout).expect("one line");
    let output = events.iter().find(|event| event["what"] == "output").expect("an output");
    assert_eq!(number(&said), number(output), "logs number events as traces do");
    let (late, words) = at("1000000");
    assert_eq!(late, "one\ntwo\n");
    assert!(words.contains("the run has ended by then: these are its files at the end"), "{words}");
    let words = at("0").1;
    assert!(words.contains("events are numbered from 1"), "{words}");
}

#[test]
fn what_each_machine_wrote_is_kept_apart() {
    let store = tempfile::tempdir().expect("a folder");
    let waits = |rest: &str| format!("import time\n{WRITES}\n{rest}");
    let client = machine("client", waits("time.sleep(1)"));
    let web = machine("web", waits("time.sleep(10)"));
    let folder = tempfile::tempdir().expect("a folder");
    let file = machines::describe(folder.path(), &[client, web]);
    let ran = stored(store.path(), ["sim", &file, "--seed", "1"]).output().expect("a run");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let verb = |arguments: &[&str]| {
        let output = stored(store.path(), arguments).output().expect("a verb");
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let listed = |arguments: &[&str]| -> Vec<(String, String)> {
        let all = [&["files", "last", "--format", "json"], arguments].concat();
        let files: Value = serde_json::from_str(&verb(&all).1).expect("JSON");
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        let files = files.as_array().expect("a list").iter();
        let files = files.map(|file| (text(&file["node"]), text(&file["path"])));
        // Interpreters leave things of their own.
        files.filter(|(_, path)| path.starts_with("/tmp/")).collect()
    };
    let entry = |node: &str, path: &str| (node.to_owned(), path.to_owned());
    let client = [entry("client", "/tmp/both"), entry("client", "/tmp/of-client")];
    let web = [entry("web", "/tmp/both"), entry("web", "/tmp/of-web")];
    assert_eq!(listed(&[]), [client, web.clone()].concat());
    assert_eq!(listed(&["--node", "web"]), web);
    let table = verb(&["files", "last"]).1;
    assert!(table.starts_with("node "), "{table}");
    assert!(table.lines().any(|line| line.starts_with("web ") && line.ends_with(" /tmp/of-web")));

    assert_eq!(verb(&["files", "last", "/tmp/of-web"]).1, "own", "who has it is clear");
    let (status, _, words) = verb(&["files", "last", "/tmp/both"]);
    assert_eq!(status, Some(125));
    assert!(words.contains("/tmp/both is on nodes client, web: choose with --node"), "{words}");
    assert_eq!(verb(&["files", "last", "--node", "web", "/tmp/both"]).1, "web");
    let (status, _, words) = verb(&["files", "last", "--node", "clien"]);
    assert_eq!(status, Some(125));
    assert!(words.contains("is called clien; did you mean client?"), "{words}");

    let (all, own) = (store.path().join("all"), store.path().join("own"));
    assert_eq!(verb(&["files", "last", "--export", all.to_str().expect("a path")]).0, Some(0));
    for node in ["client", "web"] {
        let both = all.join(node).join("tmp/both");
        assert_eq!(fs::read_to_string(both).expect("a file"), node);
    }
    assert_eq!(verb(&["artifacts", "last", "web/note"]).1, "of web");
    let artifacts = verb(&["artifacts", "last"]).1;
    assert!(artifacts.contains(" client/note\n") && artifacts.contains(" web/note\n"));

    let one = ["files", "last", "--node", "web", "--export", own.to_str().expect("a path")];
    assert_eq!(verb(&one).0, Some(0));
    assert_eq!(fs::read_to_string(own.join("tmp/both")).expect("a file"), "web");
}

/// Leaves two artifacts, links to them, and links that lead elsewhere.
const LINKS: &str = "cd $SIMRUN_ARTIFACTS && mkdir plots && printf b >b.txt && printf 12345 >plots/a.svg && \
    ln -s plots/a.svg latest && ln -s $PWD/b.txt plots/up && ln -s plots newest && \
    ln -s /etc/passwd out && ln -s .. plots/folder && ln -s ../../etc/passwd far && ln -s nothing gone";

#[test]
fn links_among_artifacts_are_kept() {
    let store = tempfile::tempdir().expect("a folder");
    let run = ["--seed", "3", "--", "/bin/sh", "-c", LINKS];
    let output = stored(store.path(), run).output().expect("a run");
    let words = String::from_utf8_lossy(&output.stderr);
    for name in ["out", "far", "plots/folder", "gone"] {
        let told =
            format!("the artifact {name} is a link to no artifact that is kept, and not kept");
        assert_eq!(words.matches(&told).count(), 1, "{words}");
    }
    let verb = |arguments: &[&str]| {
        let arguments = [&["artifacts", "last"], arguments].concat();
        let output = stored(store.path(), arguments).output().expect("a verb");
        String::from_utf8(output.stdout).expect("text")
    };
    let list: Value = serde_json::from_str(&verb(&["--format", "json"])).expect("JSON");
    let list: Vec<_> =
        list.as_array().expect("a list").iter().filter_map(|one| one["name"].as_str()).collect();
    assert_eq!(list, ["b.txt", "latest", "plots/a.svg", "plots/up"]);
    assert_eq!((verb(&["latest"]), verb(&["plots/up"])), ("12345".into(), "b".into()));
    let runs = fs::read_dir(store.path().join("runs")).expect("runs");
    let kept = runs.flatten().next().expect("a run").path().join("artifacts");
    assert_eq!(fs::read_to_string(kept.join("newest/a.svg")).expect("a file"), "12345");
    assert_eq!(fs::read_link(kept.join("plots/up")).expect("a link"), Path::new("../b.txt"));
}

#[test]
fn a_file_may_be_named_from_where_one_stands() {
    let store = tempfile::tempdir().expect("a folder");
    let folder = tempfile::tempdir().expect("a folder");
    let within = |arguments: &[&str]| {
        let mut command = stored(store.path(), arguments);
        let output = command.current_dir(folder.path()).output().expect("a run");
        String::from_utf8(output.stdout).expect("text")
    };
    within(&["--seed", "1", "--", "/bin/sh", "-c", "mkdir out; echo said >out/file"]);
    assert_eq!(within(&["files", "last", "out/file"]), "said\n");
}

#[test]
fn a_rerun_says_that_a_run_has_changed_its_own_input() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("count"), "1").expect("a file");
    let simrun = |arguments: &[&str]| {
        let output = stored(&folder.path().join("store"), arguments.iter().copied())
            .current_dir(folder.path())
            .output()
            .expect("a run");
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let script = "n=$(cat count); echo $((n + 1)) >count; date >other";
    let (succeeds, words) =
        simrun(&["--seed", "1", "--write-through", "count", "--", "/bin/sh", "-c", script]);
    assert!(succeeds && words.contains("1 files written through"), "{words}");
    assert_eq!(fs::read_to_string(folder.path().join("count")).expect("a file"), "2\n");
    let (succeeds, words) = simrun(&["rerun", "--strict", "last"]);
    assert!(!succeeds && words.contains("is not run again"), "{words}");
    let (succeeds, words) = simrun(&["rerun", "last"]);
    let told = "count has changed: it lies where that run itself wrote (--write-through)";
    assert!(!succeeds && words.contains(told), "{words}");
    assert_eq!(fs::read_to_string(folder.path().join("count")).expect("a file"), "2\n");
}

/// Two machines that write to the same paths.
const WORLD: &str = "
nodes:
  web: { command: [/bin/sh, -c, 'echo web >out/said; rm out/shared; sleep 100'] }
workloads:
  client: { command: [/bin/sh, -c, 'sleep 1; echo client >>out/shared; mkdir out/deep; cp out/shared out/deep'] }
";

#[test]
fn what_several_machines_write_through_does_not_meet() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out");
    fs::create_dir(&out).expect("a folder");
    fs::write(out.join("shared"), "host\n").expect("a file");
    fs::write(folder.path().join("world.yaml"), WORLD).expect("a file");
    let run =
        ["sim", "world.yaml", "--seed", "1", "--write-through", "out", "--capture-limit", "1"];
    let output = common::simrun(run).current_dir(folder.path()).output().expect("a run");
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && words.contains(" written through to "), "{words}");
    let read = |name: &str| fs::read_to_string(out.join(name)).expect(name);
    assert_eq!((read("web/said"), read("shared")), ("web\n".into(), "host\n".into()));
    assert_eq!(read("client/shared"), "host\nclient\n");
    assert_eq!(read("client/deep/shared"), read("client/shared"));
    let names = |folder: &str| fs::read_dir(out.join(folder)).expect("a folder").count();
    assert_eq!((names(""), names("web"), names("client")), (3, 1, 2));
}
