//! Devices and terminals as daemons use them.

mod common;

use std::{path::Path, process::Output};

use common::{fingerprint, said, stored};

/// Does to `/dev` what daemons do, or is refused it.
const CHANGES: &str = r#"
import os, socket, syslog
try:
    log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    log.bind("/dev/log")
    syslog.openlog("me", 0)
    syslog.syslog("words")
    print(log.recv(99))
    os.mkdir("/dev/mine")
    with open("/dev/mine/note", "w") as file:
        file.write("said")
    os.chmod("/dev/null", 0o600)
    os.mknod("/dev/other", 0o20666, os.makedev(1, 5))
    print(open("/dev/mine/note").read(), oct(os.stat("/dev/null").st_mode), open("/dev/other", "rb").read(2))
    os.remove("/dev/full")
    print("full" in os.listdir("/dev"), "mine" in os.listdir("/dev"))
except PermissionError as error:
    print(error.strerror)
"#;

/// Runs a command twice in an empty folder, the second time under load; the first run's output.
fn twice(store: &Path, command: &[&str]) -> Output {
    let folder = tempfile::tempdir().expect("a folder");
    let run = || {
        let arguments = ["--seed", "1", "--"].iter().chain(command);
        stored(store, arguments).current_dir(folder.path()).output().expect("a run")
    };
    let first = run();
    let _load = common::Load::start();
    assert_eq!(fingerprint(&first), fingerprint(&run()), "under load");
    first
}

#[test]
fn changes_of_devices_are_the_machines() {
    let store = tempfile::tempdir().expect("a folder");
    let output = twice(store.path(), &["/usr/bin/python3", "-c", CHANGES]);
    let is_root = nix::unistd::geteuid().is_root();
    let done = "b'<14>Jan  1 00:00:00 me: words'\nsaid 0o20600 b'\\x00\\x00'\nFalse True\n";
    let expected = if is_root { done } else { "Permission denied\n" };
    assert_eq!(said(&output).stdout, expected, "{}", said(&output).stderr);
    let listed = stored(store.path(), ["files", "last"]).output().expect("a verb");
    assert_eq!(said(&listed).stdout, "", "they are no files that a run wrote");
}

#[test]
fn a_server_hands_terminals_over() {
    let store = tempfile::tempdir().expect("a folder");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/devices/sshd.sh");
    let output = twice(store.path(), &["/bin/bash", script.to_str().expect("a path")]);
    let user = nix::unistd::User::from_uid(nix::unistd::geteuid()).expect("users").expect("a user");
    let expected = format!("not a tty\n/dev/pts/0\n620 {} tty\ncopied\n", user.name);
    assert_eq!(said(&output).stdout, expected, "{}", said(&output).stderr);
}
