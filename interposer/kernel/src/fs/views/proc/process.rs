//! The directory of a process or thread.

use alloc::{
    format,
    rc::Rc,
    string::{String, ToString},
    vec::Vec,
};

use super::{
    facts, maps, network,
    status::{self, Subject},
};
use crate::{
    file::Fd,
    fs::views::{DescriptionLink, Entry, Node},
    kernel::Kernel,
    process::{INFINITY, Limit, Limits, RESOURCES, Tid},
};

/// What a name in the directory is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Directory,
    File,
    Link,
}
use Kind::{Directory, File, Link};

const NAMES: [(&str, Kind); 39] = [
    ("attr", Directory),
    ("auxv", File),
    ("cgroup", File),
    ("cmdline", File),
    ("comm", File),
    ("coredump_filter", File),
    ("cpuset", File),
    ("cwd", Link),
    ("environ", File),
    ("exe", Link),
    ("fd", Directory),
    ("fdinfo", Directory),
    ("gid_map", File),
    ("io", File),
    ("limits", File),
    ("loginuid", File),
    ("maps", File),
    ("mem", File),
    ("mountinfo", File),
    ("mounts", File),
    ("mountstats", File),
    ("net", Directory),
    ("ns", Directory),
    ("oom_adj", File),
    ("oom_score", File),
    ("oom_score_adj", File),
    ("personality", File),
    ("root", Link),
    ("sched", File),
    ("schedstat", File),
    ("sessionid", File),
    ("setgroups", File),
    ("smaps", File),
    ("smaps_rollup", File),
    ("stat", File),
    ("statm", File),
    ("status", File),
    ("uid_map", File),
    ("wchan", File),
];

/// Namespaces and their inode numbers in a machine that never made another.
const NAMESPACES: [(&str, u32); 8] = [
    ("cgroup", 4_026_531_835),
    ("ipc", 4_026_531_839),
    ("mnt", 4_026_531_841),
    ("net", 4_026_531_840),
    ("pid", 4_026_531_836),
    ("time", 4_026_531_834),
    ("user", 4_026_531_837),
    ("uts", 4_026_531_838),
];

/// The node at a path below `/proc/NUMBER`. A thread's number leads to its process, though it is not listed.
pub fn lookup(kernel: &Kernel, number: u32, path: &str) -> Option<Node> {
    let tid = Tid::new(number);
    let id = match kernel.pids.get(&tid) {
        Some(&id) => id,
        None => kernel.threads.get(*kernel.tids.get(&tid)?)?.process,
    };
    let process = kernel.processes.get(id)?;
    let thread = facts::leader(kernel, process).and_then(|thread| kernel.threads.get(thread));
    let subject = Subject { kernel, id, process, thread, alone: false };
    match path.split_once('/').unwrap_or((path, "")) {
        ("", _) => Some(directory(&["task"])),
        ("task", "") => {
            let mut tids: Vec<Tid> = process
                .threads
                .iter()
                .filter_map(|&id| Some(kernel.threads.get(id)?.tid))
                .collect();
            tids.sort();
            Some(Node::Directory(
                tids.iter().map(|tid| Entry::directory(tid.to_string())).collect(),
            ))
        }
        ("task", rest) => {
            let (number, rest) = rest.split_once('/').unwrap_or((rest, ""));
            let thread = *kernel.tids.get(&Tid::new(number.parse().ok()?))?;
            let thread = kernel.threads.get(thread).filter(|thread| thread.process == id)?;
            if rest.is_empty() {
                return Some(directory(&["children"]));
            }
            below(&Subject { thread: Some(thread), alone: true, ..subject }, rest)
        }
        _ => below(&subject, path),
    }
}

fn directory(more: &[&str]) -> Node {
    let entry = |(name, kind): &(&str, Kind)| match kind {
        Directory => Entry::directory(*name),
        File => Entry::file(*name),
        Link => Entry::link(*name),
    };
    let mut entries: Vec<Entry> = NAMES.iter().map(entry).collect();
    entries.extend(more.iter().map(|&name| match name {
        "task" => Entry::directory(name),
        _ => Entry::file(name),
    }));
    entries.sort();
    Node::Directory(entries)
}

fn below(subject: &Subject<'_>, path: &str) -> Option<Node> {
    let (first, rest) = path.split_once('/').unwrap_or((path, ""));
    match first {
        "fd" => descriptors(subject, rest),
        "fdinfo" => descriptor_facts(subject, rest),
        "net" => network::lookup(subject.kernel, rest),
        "ns" => namespaces(rest),
        "attr" => attributes(rest),
        _ if !rest.is_empty() => None,
        "cwd" => Some(Node::Link(subject.process.fs.borrow().directory.path.clone())),
        "root" => Some(Node::Link(subject.process.fs.borrow().root.clone())),
        "exe" => Some(Node::Link(subject.process.executable.to_vec())),
        _ => file(subject, first),
    }
}

fn file(subject: &Subject<'_>, name: &str) -> Option<Node> {
    let process = subject.process;
    let space = subject.space();
    Some(match name {
        "stat" => Node::Text(status::stat(subject)),
        "statm" => Node::text(status::statm(subject)),
        "status" => Node::Text(status::status(subject)),
        "comm" => {
            let mut name = subject.name();
            name.push(b'\n');
            Node::Setting(name)
        }
        "cmdline" => Node::Text(space.map(|_| process.command_line.clone()).unwrap_or_default()),
        "environ" => Node::Text(space.map(|_| process.environment.clone()).unwrap_or_default()),
        "auxv" => Node::Text(space.map(|_| process.auxiliary.clone()).unwrap_or_default()),
        "maps" => Node::Text(space.map(maps::maps).unwrap_or_default()),
        "mem" => Node::Memory(subject.id),
        "smaps" => Node::Text(space.map(maps::smaps).unwrap_or_default()),
        "smaps_rollup" => Node::Text(space.map(maps::rollup).unwrap_or_default()),
        "limits" => Node::text(limits(&process.limits)),
        "mounts" => Node::text(MOUNTS),
        "mountinfo" => Node::text(MOUNT_INFO),
        "mountstats" => Node::text(MOUNT_STATS),
        "children" => Node::text(children(subject)),
        "oom_score_adj" => Node::Setting(score(subject)),
        "coredump_filter" => Node::Setting(b"00000033\n".to_vec()),
        "loginuid" => Node::Setting(b"4294967295".to_vec()),
        "sched" => Node::text(sched(subject)),
        _ => Node::text(plain(name)?),
    })
}

/// Files that say the same of every process.
fn plain(name: &str) -> Option<&'static str> {
    Some(match name {
        "cgroup" => "0::/\n",
        "cpuset" => "/\n",
        "gid_map" | "uid_map" => "         0          0 4294967295\n",
        "setgroups" => "allow\n",
        "io" => {
            "rchar: 0\nwchar: 0\nsyscr: 0\nsyscw: 0\nread_bytes: 0\nwrite_bytes: 0\ncancelled_write_bytes: 0\n"
        }
        "oom_adj" => "0\n",
        "oom_score" => "666\n",
        "personality" => "00000000\n",
        "schedstat" => "0 0 0\n",
        "sessionid" => "4294967295",
        "wchan" => "0",
        _ => return None,
    })
}

fn score(subject: &Subject<'_>) -> Vec<u8> {
    let path = format!("/proc/{}/oom_score_adj", subject.process.pid);
    subject.kernel.settings.get(path.as_bytes()).cloned().unwrap_or_else(|| b"0\n".to_vec())
}

fn sched(subject: &Subject<'_>) -> String {
    let name = String::from_utf8_lossy(&subject.name()).into_owned();
    let pid = subject.process.pid;
    format!("{name} ({pid}, #threads: {})\n", subject.process.threads.len())
}

fn children(subject: &Subject<'_>) -> String {
    let pid = |&id: &_| Some(format!("{} ", subject.kernel.processes.get(id)?.pid));
    subject.process.children.iter().filter_map(pid).collect()
}

/// The one mount that holds the host's files, and those of the views.
const MOUNTS: &str = "/dev/root / ext4 rw,relatime 0 0\nproc /proc proc rw,nosuid,nodev,noexec,relatime 0 0\n\
    sysfs /sys sysfs ro,nosuid,nodev,noexec,relatime 0 0\ndevtmpfs /dev devtmpfs rw,nosuid 0 0\n\
    devpts /dev/pts devpts rw,nosuid,noexec,relatime,gid=5,mode=620,ptmxmode=666 0 0\n\
    tmpfs /dev/shm tmpfs rw,nosuid,nodev 0 0\ntmpfs /run/simrun/artifacts tmpfs rw,nosuid,nodev 0 0\n";
const MOUNT_INFO: &str = "21 1 8:1 / / rw,relatime - ext4 /dev/root rw\n\
    22 21 0:21 / /proc rw,nosuid,nodev,noexec,relatime - proc proc rw\n\
    23 21 0:22 / /sys ro,nosuid,nodev,noexec,relatime - sysfs sysfs ro\n\
    24 21 0:5 / /dev rw,nosuid - devtmpfs devtmpfs rw\n\
    25 24 0:23 / /dev/pts rw,nosuid,noexec,relatime - devpts devpts rw,gid=5,mode=620,ptmxmode=666\n\
    26 24 0:24 / /dev/shm rw,nosuid,nodev - tmpfs tmpfs rw\n\
    27 21 0:25 / /run/simrun/artifacts rw,nosuid,nodev - tmpfs tmpfs rw\n";
const MOUNT_STATS: &str = "device /dev/root mounted on / with fstype ext4\n\
    device proc mounted on /proc with fstype proc\ndevice sysfs mounted on /sys with fstype sysfs\n\
    device devtmpfs mounted on /dev with fstype devtmpfs\ndevice devpts mounted on /dev/pts with fstype devpts\n\
    device tmpfs mounted on /dev/shm with fstype tmpfs\n\
    device tmpfs mounted on /run/simrun/artifacts with fstype tmpfs\n";

/// What limits are called, by their numbers, and their units (`lnames` in fs/proc/base.c).
const LIMITS: [(&str, &str); RESOURCES] = [
    ("Max cpu time", "seconds"),
    ("Max file size", "bytes"),
    ("Max data size", "bytes"),
    ("Max stack size", "bytes"),
    ("Max core file size", "bytes"),
    ("Max resident set", "bytes"),
    ("Max processes", "processes"),
    ("Max open files", "files"),
    ("Max locked memory", "bytes"),
    ("Max address space", "bytes"),
    ("Max file locks", "locks"),
    ("Max pending signals", "signals"),
    ("Max msgqueue size", "bytes"),
    ("Max nice priority", ""),
    ("Max realtime priority", ""),
    ("Max realtime timeout", "us"),
];

fn limits(of: &Limits) -> String {
    let shown = |value: u64| match value {
        INFINITY => "unlimited".to_string(),
        value => value.to_string(),
    };
    let mut text =
        format!("{:<25} {:<20} {:<20} {:<10}\n", "Limit", "Soft Limit", "Hard Limit", "Units");
    for (number, (name, unit)) in LIMITS.into_iter().enumerate() {
        let limit = of.get(number).unwrap_or(Limit { soft: INFINITY, hard: INFINITY });
        let (soft, hard) = (shown(limit.soft), shown(limit.hard));
        text.push_str(&format!("{name:<25} {soft:<20} {hard:<20} "));
        if !unit.is_empty() {
            text.push_str(&format!("{unit:<10}"));
        }
        text.push('\n');
    }
    text
}

fn descriptors(subject: &Subject<'_>, path: &str) -> Option<Node> {
    let files = subject.process.files.borrow();
    if path.is_empty() {
        let mut entries: Vec<Entry> =
            files.iter().map(|(fd, _)| Entry::link(fd.0.to_string())).collect();
        entries.sort_by_key(|entry| (entry.name.len(), entry.name.clone()));
        return Some(Node::Directory(entries));
    }
    let descriptor = files.get(Fd(path.parse().ok()?)).ok()?;
    Some(Node::Description(DescriptionLink(Rc::clone(&descriptor.description))))
}

fn descriptor_facts(subject: &Subject<'_>, path: &str) -> Option<Node> {
    let files = subject.process.files.borrow();
    if path.is_empty() {
        let mut entries: Vec<Entry> =
            files.iter().map(|(fd, _)| Entry::file(fd.0.to_string())).collect();
        entries.sort_by_key(|entry| (entry.name.len(), entry.name.clone()));
        return Some(Node::Directory(entries));
    }
    let descriptor = files.get(Fd(path.parse().ok()?)).ok()?;
    let close_on_exec =
        if descriptor.close_on_exec { linux_raw_sys::general::O_CLOEXEC } else { 0 };
    let file = &descriptor.description;
    Some(Node::text(format!(
        "pos:\t{}\nflags:\t0{:o}\nmnt_id:\t21\nino:\t{}\n{}",
        file.offset.get(),
        file.flags.get().bits() | close_on_exec,
        file.file.inode().map_or(1, |inode| inode.number),
        file.file.as_object().details(),
    )))
}

fn namespaces(path: &str) -> Option<Node> {
    if path.is_empty() {
        return Some(Node::Directory(
            NAMESPACES.iter().map(|(name, _)| Entry::link(*name)).collect(),
        ));
    }
    let (name, number) = NAMESPACES.iter().find(|(name, _)| *name == path)?;
    Some(Node::link(format!("{name}:[{number}]")))
}

fn attributes(path: &str) -> Option<Node> {
    match path {
        "" => Some(Node::Directory([Entry::file("current")].into())),
        "current" => Some(Node::text("unconfined\n")),
        _ => None,
    }
}

/// Does what writing to a file of a process means; whether it is such a file.
pub fn write(kernel: &mut Kernel, path: &str, bytes: &[u8]) -> bool {
    let Some(rest) = path.strip_prefix("/proc/") else { return false };
    let Some((number, rest)) = rest.split_once('/') else { return false };
    let Ok(number) = number.parse::<u32>() else { return false };
    let (number, name) = match rest.strip_prefix("task/").and_then(|rest| rest.split_once('/')) {
        Some((thread, name)) => (thread.parse().unwrap_or(number), name),
        None => (number, rest),
    };
    if name == "comm"
        && let Some(&id) = kernel.tids.get(&Tid::new(number))
        && let Some(thread) = kernel.threads.get_mut(id)
    {
        let text = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        let len = text.len().min(15);
        thread.name = [0; 16];
        thread.name[..len].copy_from_slice(&text[..len]);
        return true;
    }
    false
}
