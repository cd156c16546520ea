//! What surrounds a run on the host does not change it.

mod common;

use std::{
    fs, io,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::PathBuf,
    process::{Command, Output, Stdio},
};

use common::{SIMRUN, build, copy_program, fingerprint, said, simrun};

struct Program {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

impl Program {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = build("threads", folder.path());
        Self { _folder: folder, path }
    }

    fn run(&self, change: impl FnOnce(&mut Command)) -> Output {
        let mut command = simrun(["--seed", "11", "--"]);
        command.arg(&self.path);
        change(&mut command);
        command.output().expect("a run")
    }
}

#[track_caller]
fn assert_same(a: &Output, b: &Output) {
    assert_eq!(a.status.code(), Some(7), "{}", said(a).stderr);
    assert_eq!(b.status.code(), Some(7), "{}", said(b).stderr);
    assert_eq!(fingerprint(a), fingerprint(b));
    assert!(a.stdout == b.stdout);
}

#[test]
fn directory_terminal_and_environment_do_not_matter() {
    let program = Program::new();
    let plain = program.run(|_| {});
    assert_same(
        &plain,
        &program.run(|command| {
            command.current_dir("/usr/share");
        }),
    );
    assert_same(
        &plain,
        &program.run(|command| {
            command.env("TERM", "some-terminal");
        }),
    );
    assert_same(
        &plain,
        &program.run(|command| {
            command.env("MORE", "x".repeat(20_000));
        }),
    );
    assert_same(
        &plain,
        &program.run(|command| {
            command.env_clear();
        }),
    );
    assert_same(
        &plain,
        &program.run(|command| {
            command.arg0("another-name");
        }),
    );
}

/// Processes that keep all processors busy, ended with the value.
struct Load(Vec<std::process::Child>);

impl Load {
    fn new() -> Self {
        let busy = || Command::new("/bin/sh").args(["-c", "while :; do :; done"]).spawn();
        Self((0..2).map(|_| busy().expect("a shell")).collect())
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[test]
fn load_does_not_matter() {
    let program = Program::new();
    let idle = program.run(|_| {});
    let load = Load::new();
    for _ in 0..20 {
        assert_same(&idle, &program.run(|_| {}));
    }
    drop(load);
}

#[test]
fn runs_side_by_side_do_not_matter() {
    let program = Program::new();
    let alone = program.run(|_| {});
    let together: Vec<_> = (0..6)
        .map(|_| simrun(["--seed", "11", "--"]).arg(&program.path).spawn().expect("a run"))
        .collect();
    for child in together {
        assert_same(&alone, &child.wait_with_output().expect("a run"));
    }
}

#[test]
fn an_ordinary_user_can_run() {
    if !nix::unistd::geteuid().is_root() {
        return; // All other tests are run as an ordinary user then.
    }
    const NOBODY: u32 = 65534;
    let folder = tempfile::tempdir().expect("a folder");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("own folder");
    let copy = folder.path().join("simrun");
    copy_program(SIMRUN, &copy);
    let output = Command::new(&copy)
        .args(["--seed", "1", "--no-store", "--", "/usr/bin/id", "-u"])
        .current_dir("/")
        .uid(NOBODY)
        .gid(NOBODY)
        .stdin(Stdio::null())
        .output()
        .expect("a run");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "65534\n", "{}", said(&output).stderr);
}

#[test]
fn an_ordinary_users_run_leaves_nothing() {
    const NOBODY: u32 = 65534;
    let folder = tempfile::tempdir().expect("a folder");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o1777)).expect("own folder");
    let copy = folder.path().join("simrun");
    copy_program(SIMRUN, &copy);
    let temporary = folder.path().join("temporary");
    fs::create_dir(&temporary).expect("a folder");
    fs::set_permissions(&temporary, fs::Permissions::from_mode(0o1777)).expect("own folder");
    // Directories that even their owner cannot look into.
    let script =
        "mkdir -p /dev/shm/a/b && echo x >/dev/shm/a/b/c && chmod 0 /dev/shm/a/b /dev/shm/a";
    let mut command = Command::new(&copy);
    command.args(["--seed", "1", "--no-store", "--", "/bin/sh", "-c", script]);
    command.current_dir("/");
    if nix::unistd::geteuid().is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    let output = command.env("TMPDIR", &temporary).stdin(Stdio::null()).output().expect("a run");
    assert!(output.status.success(), "{}", said(&output).stderr);
    assert_eq!(fs::read_dir(&temporary).expect("a folder").count(), 0, "left over");
}

/// What container engines refuse by default (Docker's and Podman's profiles, without capabilities).
const REFUSED: [libc::c_long; 69] = [
    libc::SYS__sysctl,
    libc::SYS_acct,
    libc::SYS_add_key,
    libc::SYS_afs_syscall,
    libc::SYS_bpf,
    libc::SYS_chroot,
    libc::SYS_clock_adjtime,
    libc::SYS_clock_settime,
    libc::SYS_delete_module,
    libc::SYS_fanotify_init,
    libc::SYS_finit_module,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fsopen,
    libc::SYS_fspick,
    libc::SYS_get_mempolicy,
    libc::SYS_getpmsg,
    libc::SYS_init_module,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_io_uring_setup,
    libc::SYS_ioperm,
    libc::SYS_iopl,
    libc::SYS_kcmp,
    libc::SYS_kexec_file_load,
    libc::SYS_kexec_load,
    libc::SYS_keyctl,
    libc::SYS_lookup_dcookie,
    libc::SYS_mbind,
    libc::SYS_migrate_pages,
    libc::SYS_mount,
    libc::SYS_mount_setattr,
    libc::SYS_move_mount,
    libc::SYS_move_pages,
    libc::SYS_nfsservctl,
    libc::SYS_open_by_handle_at,
    libc::SYS_open_tree,
    libc::SYS_perf_event_open,
    libc::SYS_personality,
    libc::SYS_pidfd_getfd,
    libc::SYS_pivot_root,
    libc::SYS_process_madvise,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_ptrace,
    libc::SYS_putpmsg,
    libc::SYS_quotactl,
    libc::SYS_quotactl_fd,
    libc::SYS_reboot,
    libc::SYS_request_key,
    libc::SYS_security,
    libc::SYS_set_mempolicy,
    libc::SYS_set_mempolicy_home_node,
    libc::SYS_setdomainname,
    libc::SYS_sethostname,
    libc::SYS_setns,
    libc::SYS_settimeofday,
    libc::SYS_swapoff,
    libc::SYS_swapon,
    libc::SYS_sysfs,
    libc::SYS_syslog,
    libc::SYS_tuxcall,
    libc::SYS_umount2,
    libc::SYS_unshare,
    libc::SYS_uselib,
    libc::SYS_userfaultfd,
    libc::SYS_ustat,
    libc::SYS_vhangup,
    libc::SYS_vserver,
];

/// Highest number of a call that their profiles know (`mseal`).
const KNOWN_MAX: u32 = 462;
/// Flags of `clone` for namespaces of its own.
const NAMESPACES: u32 = 0x7e02_0000;

/// Puts this process under a filter that refuses them, as a container's first process is.
fn enter_container() -> io::Result<()> {
    const LOAD: u32 = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;
    const RETURN: u32 = libc::BPF_RET | libc::BPF_K;
    const NUMBER: u32 = 0;
    const FIRST_ARGUMENT: u32 = 16;
    let one = |code: u32, value: u32, jt: u8, jf: u8| libc::sock_filter {
        code: code as u16,
        jt,
        jf,
        k: value,
    };
    let fail = |errno: i32| one(RETURN, libc::SECCOMP_RET_ERRNO | errno as u32, 0, 0);
    let jump = |test: u32, value: u32, jt: u8, jf: u8| one(libc::BPF_JMP | test, value, jt, jf);
    let is = |number: libc::c_long, jf: u8| jump(libc::BPF_JEQ | libc::BPF_K, number as u32, 0, jf);
    let start = [
        one(LOAD, NUMBER, 0, 0),
        jump(libc::BPF_JGT | libc::BPF_K, KNOWN_MAX, 0, 1),
        fail(libc::ENOSYS),
        is(libc::SYS_clone3, 1),
        fail(libc::ENOSYS),
        is(libc::SYS_clone, 4),
        one(LOAD, FIRST_ARGUMENT, 0, 0),
        jump(libc::BPF_JSET | libc::BPF_K, NAMESPACES, 0, 1),
        fail(libc::EPERM),
        one(RETURN, libc::SECCOMP_RET_ALLOW, 0, 0),
    ];
    let allow = one(RETURN, libc::SECCOMP_RET_ALLOW, 0, 0);
    let mut filter = [allow; 11 + 2 * REFUSED.len()];
    filter[..start.len()].copy_from_slice(&start);
    for (place, number) in filter[start.len()..].chunks_exact_mut(2).zip(REFUSED) {
        place.copy_from_slice(&[is(number, 1), fail(libc::EPERM)]);
    }
    let program = libc::sock_fprog { len: filter.len() as u16, filter: filter.as_mut_ptr() };
    // SAFETY: the kernel copies the filter during the call.
    let installed = unsafe {
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
            && libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program) == 0
    };
    if installed { Ok(()) } else { Err(io::Error::last_os_error()) }
}

#[test]
fn a_container_engines_filter_does_not_matter() {
    let program = Program::new();
    let outside = program.run(|_| {});
    let inside = program.run(|command| {
        // SAFETY: the closure only makes system calls, on memory of its own stack.
        unsafe { command.pre_exec(enter_container) };
    });
    assert_same(&outside, &inside);
    // Processes, threads and signals: all that a run asks of the host.
    let script = "\
(sleep 1; echo later) &
python3 -c '
import subprocess, threading
thread = threading.Thread(target=lambda: subprocess.run([\"echo\", \"now\"]))
thread.start()
thread.join()'
kill -0 $!
wait";
    let [outside, inside] = [false, true].map(|inside| {
        let mut command = simrun(["--seed", "5", "--", "/bin/sh", "-c", script]);
        if inside {
            // SAFETY: as above.
            unsafe { command.pre_exec(enter_container) };
        }
        command.output().expect("a run")
    });
    assert_eq!(said(&outside).stdout, "now\nlater\n", "{}", said(&outside).stderr);
    assert_eq!(outside.stdout, inside.stdout, "{}", said(&inside).stderr);
    assert_eq!(fingerprint(&outside), fingerprint(&inside));
}
