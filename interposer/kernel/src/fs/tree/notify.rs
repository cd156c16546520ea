//! Telling those who watch files what happens to them (inotify(7)).

use alloc::rc::{Rc, Weak};

use super::{DELETED, Inode, Tree, walk};
use crate::{
    error::Result,
    file::{File, FileDescription, Happening, OpenFlags, Told},
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

    fn is_open(&self, inode: &Rc<Inode>) -> bool {
        let opened = self.opened.borrow();
        opened
            .iter()
            .filter_map(Weak::upgrade)
            .any(|file| file.file.inode().is_some_and(|open| Rc::ptr_eq(open, inode)))
    }
}

/// Tells those who watch a directory what happened to a name in it.
pub fn name(env: &mut Env<'_>, folder: &Inode, name: &[u8], what: Happening) {
    let told = Told { what, name, cookie: 0, unlinked: false };
    folder.tell(&told, &mut env.machine.wakes);
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
    let tree = env.tree();
    if let Ok(folder) = tree.find(env.host, walk::parent(path)) {
        let told = Told { what, name: walk::name(path), cookie: 0, unlinked };
        folder.tell(&told, &mut env.machine.wakes);
    }
    inode.tell(&Told { what, name: &[], cookie: 0, unlinked }, &mut env.machine.wakes);
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
    if !env.machine.tree.nobody_watches() && !env.machine.tree.is_open(inode) {
        gone(env, inode);
    }
}

fn gone(env: &mut Env<'_>, inode: &Inode) {
    file(env, inode, Happening::DELETE_SELF);
    inode.end_watches(&mut env.machine.wakes);
}

/// A name in a directory.
type Name<'a> = (&'a Inode, &'a [u8]);

/// A name became another one (`fsnotify_move`).
pub fn moved(env: &mut Env<'_>, old: Name<'_>, new: Name<'_>, kind: Happening) {
    if env.machine.tree.nobody_watches() {
        return;
    }
    let cookie = env.machine.tree.next_cookie();
    for ((folder, name), what) in [(old, Happening::MOVED_FROM), (new, Happening::MOVED_TO)] {
        let told = Told { what: what | kind, name, cookie, unlinked: false };
        folder.tell(&told, &mut env.machine.wakes);
    }
}
