//! execve(2).

use alloc::{rc::Rc, vec::Vec};

use linux_raw_sys::general as raw;
use simrun_abi::{
    boot::FileTimes,
    event::{Found, What},
};

use crate::{
    context::Context,
    error::{Errno, Error, Result},
    fs::{
        Resolve, Standing, Walk,
        access::{self, Access},
        tree::attributes::Subject,
        views,
    },
    host::{Follow, Host},
    kernel::Kernel,
    mm::Life,
    outcome::Outcome,
    process::{FsContext, Image, OpenedProgram, load},
    uapi::{limits::ARGUMENTS_MAX, stat::FileKind},
    user,
    wait::Readiness,
};

/// Opens a file for execution by a path from a directory; it comes with its path behind symbolic links. One in last place
/// is followed if `follow` says so.
///
/// # Errors
/// As execve(2).
pub fn open_program(
    mut walk: Walk<'_>,
    directory: &Standing,
    path: &[u8],
    follow: Follow,
) -> Result<OpenedProgram> {
    let found = walk.walk(directory, path, follow)?;
    let denied = Error::new(Errno::EACCES, "not an executable file");
    let Subject { inode, path } = found.subject()?.ok_or(denied)?;
    if inode.kind() == FileKind::Link {
        return Err(Errno::ELOOP.into());
    }
    let Some(contents) = inode.contents() else { return Err(denied) };
    access::check(walk.caller, &inode, Access::EXECUTE)?;
    inode.check_unwritten()?;
    let fd = contents.descriptor(walk.host)?;
    inode.note_input(walk.tree, walk.host, Found::Content);
    Ok(OpenedProgram { fd, path: path.to_vec(), file: inode })
}

/// execve(2).
pub fn execve(
    cx: &mut Context<'_>,
    [path, arguments, environment, ..]: [u64; 6],
) -> Result<Outcome> {
    let path = cx.read_path(path)?;
    if path.is_empty() {
        return Err(Errno::ENOENT.into());
    }
    execute(cx, path, Follow::Yes, [arguments, environment])
}

/// execveat(2).
pub fn execveat(
    cx: &mut Context<'_>,
    [directory, path, arguments, environment, flags, _]: [u64; 6],
) -> Result<Outcome> {
    const FLAGS: u32 = raw::AT_EMPTY_PATH | raw::AT_SYMLINK_NOFOLLOW;
    let flags = flags as u32;
    if flags & !FLAGS != 0 {
        return Err(Errno::EINVAL.into());
    }
    let follow = if flags & raw::AT_SYMLINK_NOFOLLOW == 0 { Follow::Yes } else { Follow::No };
    let path = cx.read_path(path)?;
    if path.starts_with(b"/") || (directory as i32 == raw::AT_FDCWD && !path.is_empty()) {
        return execute(cx, path, follow, [arguments, environment]);
    }
    if path.is_empty() && flags & raw::AT_EMPTY_PATH == 0 {
        return Err(Errno::ENOENT.into());
    }
    let fd = crate::file::Fd::from_register(directory)?;
    cx.process().files.borrow().get(fd)?;
    // The name that Linux gives such a program too.
    let mut full = alloc::format!("/dev/fd/{}", fd.0).into_bytes();
    if path.is_empty() {
        return execute(cx, full, Follow::Yes, [arguments, environment]);
    }
    full.push(b'/');
    full.extend_from_slice(&path);
    execute(cx, full, follow, [arguments, environment])
}

/// Reads a vector of strings, each as long as Linux allows.
fn read_strings(cx: &mut Context<'_>, from: u64) -> Result<Vec<Vec<u8>>> {
    let strings = user::read_pointers(cx.host, from, ARGUMENTS_MAX)?;
    if strings.iter().any(|string| string.len() >= ARGUMENT_SIZE_MAX) {
        return Err(Error::new(Errno::E2BIG, "an argument is too long"));
    }
    Ok(strings)
}

/// Longest argument, NUL included (include/uapi/linux/binfmts.h, `MAX_ARG_STRLEN`).
const ARGUMENT_SIZE_MAX: usize = 131_072;

fn execute(
    cx: &mut Context<'_>,
    path: Vec<u8>,
    mut follow: Follow,
    [arguments, environment]: [u64; 2],
) -> Result<Outcome> {
    let mut arguments = read_strings(cx, arguments)?;
    let environment = read_strings(cx, environment)?;
    if arguments.is_empty() {
        // As Linux since 5.18: no program starts without a name.
        arguments.push(Vec::new());
    }
    let FsContext { directory, root, .. } = cx.process().fs.borrow().clone();
    let caller = cx.caller();
    let (kernel, thread) = (&*cx.kernel, cx.thread);
    let mut open = |host: &mut dyn Host, path: &[u8]| {
        let views = |path: &[u8]| views::lookup(kernel, thread, path);
        let walk = Walk {
            tree: &kernel.machine.tree,
            host,
            views: &views,
            caller: &caller,
            root: &root,
            resolve: Resolve::default(),
        };
        // An interpreter is opened after the program, as any file is.
        let follow = core::mem::replace(&mut follow, Follow::Yes);
        open_program(walk, &directory, path, follow)
    };
    let image = Image::open(cx.host, &mut open, &path, arguments, environment)?;
    if cx.space().users > 1 {
        image.discard(cx.host);
        return Ok(move_out(cx));
    }
    replace(cx, image)
}

/// Gives a process that lives in another's address space (`vfork`) one of its own, in which it calls again.
fn move_out(cx: &mut Context<'_>) -> Outcome {
    let shared = cx.process().space;
    let mut own = cx.space().clone();
    own.users = 1;
    let own = cx.kernel.spaces.insert(own);
    cx.kernel.space_mut(shared).users -= 1;
    cx.process().space = own;
    *cx.kernel.loaded_in(own) = Some(cx.thread);
    if *cx.kernel.loaded_in(shared) == Some(cx.thread) {
        *cx.kernel.loaded_in(shared) = None;
    }
    Outcome::MoveTo(own)
}

fn replace(cx: &mut Context<'_>, image: Image) -> Result<Outcome> {
    let path = image.path.clone();
    let old = cx.thread().tid;
    cx.kernel.become_only_thread(cx.host, cx.thread);
    let process = cx.thread().process;
    let space = cx.process().space;
    cx.kernel.end_aio(cx.host, space);
    let Kernel { machine, processes, spaces, processor, .. } = &mut *cx.kernel;
    let Some(owner) = processes.get_mut(process) else { unreachable!("the process calls") };
    let Some(space) = spaces.get_mut(owner.space) else { unreachable!("the process lives there") };
    let loaded = load(cx.host, machine, owner, space, image, *processor);
    let registers = match loaded {
        Ok(registers) => registers,
        Err(_) => {
            cx.kernel.exit_process(cx.host, process, crate::kernel::killed_by(9, false));
            return Ok(Outcome::Gone);
        }
    };
    cx.kernel.recount_attachments(cx.host);
    cx.space().life = Life::default();
    let thread = cx.thread();
    thread.registers = registers;
    (thread.fs_base, thread.gs_base) = (0, 0);
    (thread.clear_child_tid, thread.robust_list) = (0, 0);
    thread.name = crate::kernel::thread_name(&path);
    thread.signals.reset_for_exec();
    cx.kernel.delete_made_timers(process);
    let actions = cx.process().actions.borrow().after_exec();
    cx.process().actions = Rc::new(core::cell::RefCell::new(actions));
    let process = cx.process();
    process.has_executed = true;
    process.settings.undumpable = false;
    Rc::make_mut(&mut process.credentials).execute();
    close_marked(cx);
    if let Some(released) = cx.process().released.take() {
        released.wake(Readiness::all(), &mut cx.kernel.machine.wakes);
    }
    let path = alloc::string::String::from_utf8_lossy(&path).into_owned();
    cx.kernel.machine.record(cx.host, What::Exec { path });
    warn_of_times(cx);
    cx.kernel.trace_exec(cx.thread, old);
    Ok(Outcome::RegistersSet)
}

/// Programs that build what is older than its sources.
const BUILDERS: [&str; 4] = ["make", "ninja", "cargo", "scons"];

/// Says, once, what a program that compares times does not see.
fn warn_of_times(cx: &mut Context<'_>) {
    let program = cx.program();
    if cx.kernel.machine.config.file_times == FileTimes::Fixed
        && BUILDERS.contains(&program.as_str())
    {
        let effect = "to it all of your files are of one age, so that a source newer than what was built from it \
                      is not noticed (--file-times host)";
        cx.kernel.machine.escape(cx.host, "comparing times", &program, effect);
    }
}

/// Gives the process descriptors of its own and closes those that are marked for it.
fn close_marked(cx: &mut Context<'_>) {
    let own = {
        let files = &mut cx.process().files;
        if Rc::strong_count(files) > 1 {
            let copy = files.borrow().clone();
            *files = Rc::new(core::cell::RefCell::new(copy));
        }
        Rc::clone(files)
    };
    let marked: Vec<_> = own.borrow_mut().remove_where(|_, descriptor| descriptor.close_on_exec);
    for descriptor in marked {
        cx.release(descriptor.description);
    }
}
