//! `/proc/sysvipc`: the objects of System V IPC that there are (proc(5)).

use alloc::{format, string::String, vec::Vec};

use crate::{
    fs::views::{
        Node,
        fixed::{self, Row, Source::Made},
    },
    ipc::{Id, MessageQueue, Permission, Segment, SemaphoreSet},
    kernel::Kernel,
    uapi::limits::PAGE_SIZE,
};

static FILES: &[Row] =
    &[("msg", Made(messages)), ("sem", Made(semaphores)), ("shm", Made(segments))];

const MESSAGES: &str = "       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid  cgid      stime      rtime      ctime\n";
const SEMAPHORES: &str =
    "       key      semid perms      nsems   uid   gid  cuid  cgid      otime      ctime\n";
const SEGMENTS: &str = "       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid      atime      dtime      ctime                   rss                  swap\n";

/// The node at a path below `/proc/sysvipc`.
pub fn lookup(kernel: &Kernel, path: &str) -> Option<Node> {
    fixed::find(kernel, "/proc/sysvipc", FILES, path)
}

fn start(id: Id, permission: &Permission) -> String {
    format!("{:10} {:10}  {:4o}", permission.key, id.raw(), permission.mode)
}

fn owners(permission: &Permission) -> String {
    let Permission { uid, gid, maker_uid, maker_gid, .. } = permission;
    format!("{uid:5} {gid:5} {maker_uid:5} {maker_gid:5}")
}

fn segment((id, one): (Id, &Segment)) -> String {
    format!(
        "{} {:21} {:5} {:5}  {:5} {} {:10} {:10} {:10} {:21} {:21}\n",
        start(id, &one.permission),
        one.size,
        one.maker,
        one.last,
        one.attached,
        owners(&one.permission),
        one.attach_time,
        one.detach_time,
        one.change_time,
        one.size.next_multiple_of(PAGE_SIZE),
        0,
    )
}

fn semaphore_set((id, one): (Id, &SemaphoreSet)) -> String {
    format!(
        "{} {:10} {} {:10} {:10}\n",
        start(id, &one.permission),
        one.semaphores.len(),
        owners(&one.permission),
        one.operation_time,
        one.change_time,
    )
}

fn message_queue((id, one): (Id, &MessageQueue)) -> String {
    format!(
        "{}  {:10} {:10} {:5} {:5} {} {:10} {:10} {:10}\n",
        start(id, &one.permission),
        one.bytes,
        one.messages.len(),
        one.last_sender,
        one.last_receiver,
        owners(&one.permission),
        one.send_time,
        one.receive_time,
        one.change_time,
    )
}

fn segments(kernel: &Kernel) -> String {
    let lines: Vec<String> = kernel.ipc.segments.iter().map(segment).collect();
    [SEGMENTS, &lines.concat()].concat()
}

fn semaphores(kernel: &Kernel) -> String {
    let lines: Vec<String> = kernel.ipc.semaphores.iter().map(semaphore_set).collect();
    [SEMAPHORES, &lines.concat()].concat()
}

fn messages(kernel: &Kernel) -> String {
    let lines: Vec<String> = kernel.ipc.messages.iter().map(message_queue).collect();
    [MESSAGES, &lines.concat()].concat()
}
