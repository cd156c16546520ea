//! Telling those who watch files what happens to them (inotify(7)).

use alloc::rc::{Rc, Weak};

use super::{DELETED, Inode, Tree, walk};
use crate::{
    error::Result,
    file::{File, FileDescription, Happening, OpenFlags, Told},
    host::HostFd,
    machine::Env,
};

impl Tree {
    /// Whether nobody watches any file, so that nobody needs to be told.
    #[must_use]
    pub fn nobody_watches(&self) -> bool {
        self.inotify.nobody_watches()
    }

    /// A further number that the halves of a rename have in common.
    fn next_cookie(&self) -> u32 {
        self.cookie.set(self.cookie.get().wrapping_add(1));
        self.cookie.get()
    }

    /// The path of an open file of the host.
    fn path_of(&self, fd: HostFd) -> Option<Rc<[u8]>> {
        let opened = self.opened.borrow();
        let mut files = opened.iter().filter_map(Weak::upgrade);
        let file = files.find(|file| host_fd(&file.file) == Some(fd))?;
        let path = file.path.borrow();
        Some(Rc::clone(&path))
    }

    fn is_open(&self, inode: &Rc<Inode>) -> bool {
        let opened = self.opened.borrow();
        opened
            .iter()
            .filter_map(Weak::upgrade)
            .any(|file| file.file.inode().is_some_and(|open| Rc::ptr_eq(open, inode)))
    }
}

fn host_fd(file: &File) -> Option<HostFd> {
    match file {
        File::Regular(regular) => Some(regular.host),
        File::Directory(directory) => directory.host_fd(),
        _ => None,
    }
}

fn last_name(path: &[u8]) -> &[u8] {
    let start = path.iter().rposition(|&byte| byte == b'/').map_or(0, |at| at + 1);
    &path[start..]
}

/// Tells those who watch the directory of a name what happened to the name.
pub fn name(env: &mut Env<'_>, path: &[u8], what: Happening) {
    let told = Told { what, name: &[], cookie: 0, unlinked: false };
    in_directory(env, path, told);
}

fn in_directory(env: &mut Env<'_>, path: &[u8], told: Told<'_>) {
    let tree = env.tree();
    if tree.nobody_watches() {
        return;
    }
    if let Ok(directory) = tree.directory(env.host, walk::parent(path)) {
        directory.tell(&Told { name: last_name(path), ..told }, &mut env.machine.wakes);
    }
}

/// Tells those who watch a file itself what happened to it.
pub fn file(env: &mut Env<'_>, inode: &Inode, what: Happening) {
    let told = Told { what, name: &[], cookie: 0, unlinked: false };
    inode.tell(&told, &mut env.machine.wakes);
}

/// Tells those who watch a file or its directory what happened to it under a name.
pub fn both(env: &mut Env<'_>, inode: &Inode, path: &[u8], what: Happening) {
    if env.machine.tree.nobody_watches() {
        return;
    }
    let (path, unlinked) = match path.strip_suffix(DELETED) {
        Some(path) => (path, true),
        None => (path, false),
    };
    let told = Told { what, name: &[], cookie: 0, unlinked };
    in_directory(env, path, told);
    inode.tell(&told, &mut env.machine.wakes);
}

/// As [`both`], for a file of the host that is open.
pub fn open_file(env: &mut Env<'_>, inode: &Inode, fd: HostFd, what: Happening) {
    if env.machine.tree.nobody_watches() {
        return;
    }
    match env.tree().path_of(fd) {
        Some(path) => both(env, inode, &path, what),
        None => file(env, inode, what),
    }
}

/// What happened is told through the description by which it was done.
pub fn through(env: &mut Env<'_>, description: &FileDescription, what: Happening) {
    if env.machine.tree.nobody_watches() || description.flags.get().contains(OpenFlags::PATH) {
        return;
    }
    let Some(inode) = description.file.inode() else { return };
    let kind = match &description.file {
        File::Directory(_) => Happening::DIRECTORY,
        _ => Happening::empty(),
    };
    let path = Rc::clone(&description.path.borrow());
    both(env, inode, &path, what | kind);
}

/// Something was read or written through a description.
pub fn transferred(
    env: &mut Env<'_>,
    description: &FileDescription,
    what: Happening,
    result: Result<usize>,
) -> Result<usize> {
    if matches!(result, Ok(1..)) {
        through(env, description, what);
    }
    result
}

/// A description is gone.
pub fn closed(env: &mut Env<'_>, description: &FileDescription) {
    if env.machine.tree.nobody_watches() {
        return;
    }
    let writes = description.flags.get().writes();
    through(
        env,
        description,
        if writes { Happening::CLOSE_WRITE } else { Happening::CLOSE_NO_WRITE },
    );
    if let Some(inode) = description.file.inode()
        && inode.is_nameless()
        && !env.machine.tree.is_open(inode)
    {
        gone(env, inode);
    }
}

/// The last name of a file is gone: with it goes the file, unless it is open.
pub fn last_name_gone(env: &mut Env<'_>, inode: &Rc<Inode>) {
    inode.set_nameless();
    if !env.machine.tree.nobody_watches() && !env.machine.tree.is_open(inode) {
        gone(env, inode);
    }
}

fn gone(env: &mut Env<'_>, inode: &Inode) {
    file(env, inode, Happening::DELETE_SELF);
    inode.end_watches(&mut env.machine.wakes);
}

/// A name became another one (`fsnotify_move`).
pub fn moved(env: &mut Env<'_>, old: &[u8], new: &[u8], kind: Happening) {
    if env.machine.tree.nobody_watches() {
        return;
    }
    let cookie = env.machine.tree.next_cookie();
    let half = |what| Told { what: what | kind, name: &[], cookie, unlinked: false };
    in_directory(env, old, half(Happening::MOVED_FROM));
    in_directory(env, new, half(Happening::MOVED_TO));
}
