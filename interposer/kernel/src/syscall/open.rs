//! open(2) and kin.

use alloc::{rc::Rc, vec::Vec};

use simrun_abi::event::Found as FoundInput;

use super::{
    path::{HERE, Origin},
    pipe,
};
use crate::{
    context::Context,
    error::{Errno, Result},
    file::{Directory, File, FileDescription, Happening, OpenFlags, Pipe, PlaceFile, RegularFile},
    fs::{
        DirectoryEntry, Found, Inode, Place, Resolve,
        preload::PreloadFile,
        tree::{self, notify, open as tree_open},
        views::{self, Node},
        walk,
    },
    host::Follow,
    outcome::Outcome,
    uapi::stat::FileKind,
};

/// What matters of the flags beside `O_PATH`.
const WITH_PATH: OpenFlags = OpenFlags::PATH
    .union(OpenFlags::DIRECTORY)
    .union(OpenFlags::NO_FOLLOW)
    .union(OpenFlags::CLOSE_ON_EXEC);

/// What opening comes to.
pub enum Opening {
    /// The file is open.
    File(Rc<FileDescription>),
    /// It is this FIFO, of this path: opening it may have to wait.
    Fifo(Rc<Pipe>, Vec<u8>),
}

/// open(2).
pub fn open(cx: &mut Context<'_>, [path, flags, mode, ..]: [u64; 6]) -> Result<Outcome> {
    openat(cx, [HERE, path, flags, mode, 0, 0])
}

/// creat(2).
pub fn creat(cx: &mut Context<'_>, [path, mode, ..]: [u64; 6]) -> Result<Outcome> {
    let flags = OpenFlags::WRITE_ONLY | OpenFlags::CREATE | OpenFlags::TRUNCATE;
    openat(cx, [HERE, path, u64::from(flags.bits()), mode, 0, 0])
}

/// openat(2).
pub fn openat(
    cx: &mut Context<'_>,
    [directory, path, flags, mode, ..]: [u64; 6],
) -> Result<Outcome> {
    let flags = OpenFlags::from_bits_truncate(flags as u32);
    open_at(cx, Origin::from(directory), path, flags, mode as u32)
}

/// Opens what a path argument names.
pub(super) fn open_at(
    cx: &mut Context<'_>,
    origin: Origin,
    path: u64,
    flags: OpenFlags,
    mode: u32,
) -> Result<Outcome> {
    if let Some(result) = pipe::resume_fifo(cx, flags) {
        return result;
    }
    let path = cx.read_path(path)?;
    let opening = match preload_file(cx, &path) {
        Some(file) => Opening::File(open_preload(cx, file, &path, flags)?),
        None => open_path(cx, origin, &path, flags, mode)?,
    };
    match opening {
        Opening::File(file) => {
            cx.add_descriptor(file, flags.contains(OpenFlags::CLOSE_ON_EXEC)).map(Outcome::Done)
        }
        Opening::Fifo(fifo, path) => pipe::open_fifo(cx, &fifo, flags, &path),
    }
}

/// The preload library's file at a path, for a program that sees it.
pub fn preload_file(cx: &mut Context<'_>, path: &[u8]) -> Option<PreloadFile> {
    let file = PreloadFile::at(path)?;
    cx.process().preload.then_some(file)
}

fn open_preload(
    cx: &mut Context<'_>,
    file: PreloadFile,
    path: &[u8],
    flags: OpenFlags,
) -> Result<Rc<FileDescription>> {
    let (host, size) = file.open(cx.host, flags)?;
    let tree = cx.env().tree();
    let inode = tree.installed(host, size);
    let file = RegularFile::open(&tree, cx.host, inode, flags)?;
    Ok(FileDescription::new(File::Regular(file), flags, path))
}

/// Opens what a path names.
///
/// # Errors
/// As open(2).
fn open_path(
    cx: &mut Context<'_>,
    origin: Origin,
    path: &[u8],
    flags: OpenFlags,
    mode: u32,
) -> Result<Opening> {
    let flags = if flags.contains(OpenFlags::PATH) { flags & WITH_PATH } else { flags };
    if flags.contains(OpenFlags::CREATE | OpenFlags::DIRECTORY)
        || (flags.contains(OpenFlags::TEMPORARY)
            && !(flags.contains(OpenFlags::DIRECTORY) && flags.writes()))
    {
        return Err(Errno::EINVAL.into());
    }
    let umask = cx.process().fs.borrow().umask;
    let mode = mode & 0o7777 & !umask;
    let follows = !flags.contains(OpenFlags::NO_FOLLOW)
        && !flags.contains(OpenFlags::CREATE | OpenFlags::EXCLUSIVE);
    let follow = if follows { Follow::Yes } else { Follow::No };
    let mut resolve = origin.resolve;
    resolve.set(Resolve::MAKES_FILE, flags.contains(OpenFlags::CREATE));
    resolve.set(Resolve::OPENS_FILE, only_reads(flags));
    let found = cx.walk_from(Origin { resolve, ..origin }, path, follow)?;
    let opening = open_found(cx, &found, flags, mode);
    if opening.is_err()
        && let Place::Tree(spot) = &found.place
        && let Some(contents) = spot.file.as_ref().and_then(|file| file.contents())
    {
        contents.close_unused(cx.host);
    }
    opening
}

/// Whether a file that is opened so is only read.
fn only_reads(flags: OpenFlags) -> bool {
    let others = OpenFlags::CREATE | OpenFlags::TRUNCATE | OpenFlags::DIRECTORY | OpenFlags::PATH;
    flags.reads() && !flags.writes() && !flags.intersects(others)
}

fn open_found(cx: &mut Context<'_>, found: &Found, flags: OpenFlags, mode: u32) -> Result<Opening> {
    let flags = if found.must_be_directory() {
        if flags.contains(OpenFlags::CREATE) {
            let exclusive = flags.contains(OpenFlags::EXCLUSIVE);
            return Err(if exclusive { Errno::EEXIST } else { Errno::EISDIR }.into());
        }
        flags | OpenFlags::DIRECTORY
    } else {
        flags
    };
    match &found.place {
        Place::Tree(spot) => {
            let caller = cx.caller();
            let opened = tree_open::open(&mut cx.env(), &caller, spot, flags, mode)?;
            if opened.inode.is_nameless() {
                let path = nameless_path(&spot.path, &opened.inode);
                return describe(cx, opened, &path, flags);
            }
            describe(cx, opened, &spot.path, flags)
        }
        Place::View(path, node) => open_view(cx, path, node.as_ref(), flags),
        Place::Description(file) => open_again(cx, file, flags),
    }
}

/// What `/proc/self/fd` shows of a file without a name that was made in a directory (`d_tmpfile` in fs/dcache.c).
fn nameless_path(directory: &[u8], file: &Inode) -> Vec<u8> {
    let name = alloc::format!("#{}", file.number).into_bytes();
    [walk::child(directory, &name).as_slice(), tree::DELETED].concat()
}

/// The description of a file of the tree.
fn describe(
    cx: &mut Context<'_>,
    opened: tree_open::Opened,
    path: &[u8],
    flags: OpenFlags,
) -> Result<Opening> {
    let tree_open::Opened { inode, truncated } = opened;
    let tree = cx.env().tree();
    // Most files still lie where the host has them.
    let origin = inode.origin().filter(|origin| ***origin == *path);
    let shown = origin.map_or_else(|| path.into(), Rc::clone);
    let file = match inode.kind() {
        _ if flags.contains(OpenFlags::PATH) => File::Place(PlaceFile::of_tree(inode)),
        FileKind::Fifo => {
            let fifo = inode.fifo(|| Pipe::of_fifo(&inode).into());
            return Ok(Opening::Fifo(fifo, path.to_vec()));
        }
        FileKind::Directory => File::Directory(Directory::of_tree(&tree, inode)),
        FileKind::CharacterDevice => super::device::open(cx, inode, flags)?,
        _ => {
            inode.note_input(&tree, cx.host, FoundInput::Content);
            File::Regular(RegularFile::open(&tree, cx.host, inode, flags)?)
        }
    };
    let description = FileDescription::of(file, flags, shown);
    tree.follow(&description);
    notify::through(&mut cx.env(), &description, Happening::OPEN);
    if truncated {
        notify::through(&mut cx.env(), &description, Happening::MODIFY);
    }
    Ok(Opening::File(description))
}

fn open_view(
    cx: &mut Context<'_>,
    path: &[u8],
    node: Option<&Node>,
    flags: OpenFlags,
) -> Result<Opening> {
    let Some(node) = node else {
        let makes = flags.contains(OpenFlags::CREATE);
        return Err(if makes { Errno::EACCES } else { Errno::ENOENT }.into());
    };
    let stat = views::status(cx.kernel, node, path);
    let file = match node {
        _ if flags.contains(OpenFlags::PATH) => {
            let is_directory = matches!(node, Node::Directory(_));
            if flags.contains(OpenFlags::DIRECTORY) && !is_directory {
                return Err(Errno::ENOTDIR.into());
            }
            File::Place(PlaceFile::View(stat))
        }
        Node::Directory(_) if flags.contains(OpenFlags::CREATE | OpenFlags::EXCLUSIVE) => {
            return Err(Errno::EEXIST.into());
        }
        Node::Directory(_) if flags.writes() || flags.contains(OpenFlags::CREATE) => {
            return Err(Errno::EISDIR.into());
        }
        Node::Directory(entries) => {
            let entry = |entry: &views::Entry| DirectoryEntry {
                number: views::inode_number(&[path, b"/", entry.name.as_slice()].concat()),
                kind: entry.kind,
                name: entry.name.as_slice().into(),
            };
            File::Directory(Directory::view(stat, entries.iter().map(entry).collect()))
        }
        _ => return views::open(cx, node, flags, path).map(Opening::File),
    };
    Ok(Opening::File(FileDescription::new(file, flags, path)))
}

/// Opens a file anew through its link in `/proc/PID/fd`: one of the tree with flags and an offset of its own, any
/// other as what it is.
fn open_again(
    cx: &mut Context<'_>,
    file: &Rc<FileDescription>,
    flags: OpenFlags,
) -> Result<Opening> {
    let path = Rc::clone(&file.path.borrow());
    let Some(inode) = file.file.inode() else {
        let node = Node::Description(views::DescriptionLink(Rc::clone(file)));
        return views::open(cx, &node, flags, &path).map(Opening::File);
    };
    let without = OpenFlags::CREATE | OpenFlags::EXCLUSIVE | OpenFlags::NO_FOLLOW;
    let (flags, caller) = (flags - without, cx.caller());
    let opened = tree_open::open_file(&mut cx.env(), &caller, inode, flags)?;
    describe(cx, opened, &path, flags)
}
