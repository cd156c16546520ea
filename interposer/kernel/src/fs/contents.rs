//! The bytes of a regular file: where they are, and reading and writing them.
//!
//! A file that the run has not changed is read where the host has it. What the run writes is kept in the kernel's own
//! memory while it is small; what is large or mapped is in a memory file of the host, which programs can map, share
//! and execute. Of a large file of the host only the pages that the run has written to are, until it is mapped.

use alloc::{
    rc::{Rc, Weak},
    vec,
};
use core::cell::{Cell, OnceCell, RefCell};

use linux_raw_sys::general as raw;

use super::{
    Inode, Moved,
    bytes::{BYTES_MAX, Bytes},
    memory_file::{self, call},
    partly::Partly,
    read_ahead::ReadAhead,
};
use crate::{
    error::{Errno, Error, Result},
    host::{FileArgument, Host, HostFd, read_full},
    uapi::limits::PAGE_SIZE,
    user::{self, UserSlice},
};

use FileArgument::Number;

/// Longest file, in bytes: as on ext4 with blocks of 4 KiB.
pub const SIZE_MAX: u64 = (16 << 40) - PAGE_SIZE;
/// A file of the host that is longer is not copied as a whole when it is written to, in bytes.
const WHOLE_MAX: u64 = 1 << 20;
/// In place of seals, for a file that takes none.
const NO_SEALS: u32 = u32::MAX;

/// Where the bytes are.
#[derive(Debug)]
enum Store {
    /// The host's file at this path, as it is; open while anybody has it open.
    Host(Rc<[u8]>, Option<HostFd>),
    /// In the kernel's memory.
    Bytes(Bytes),
    /// In a memory file of the host.
    Memory(HostFd),
    /// Where the host has them, but for what has been written.
    Partly(Partly),
}

/// Whether a search is for data or for a hole (lseek(2)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Data.
    Data,
    /// A hole; there is one at the end.
    Hole,
}

/// The bytes of a regular file.
#[derive(Debug)]
pub struct Contents {
    store: RefCell<Store>,
    size: Cell<u64>,
    /// How many have it open.
    users: Cell<usize>,
    seals: Cell<u32>,
    /// What has been read of the host's file ahead.
    ahead: RefCell<ReadAhead>,
    /// Who wants to know when they are no longer the host's, because that is what mappings show.
    mapped: OnceCell<(Rc<Moved>, Weak<Inode>)>,
}

impl Contents {
    fn new(store: Store, size: u64, seals: u32) -> Self {
        Self {
            store: RefCell::new(store),
            size: Cell::new(size),
            users: Cell::new(0),
            seals: Cell::new(seals),
            ahead: RefCell::default(),
            mapped: OnceCell::new(),
        }
    }

    /// None yet.
    #[must_use]
    pub fn empty() -> Self {
        Self::new(Store::Bytes(Bytes::default()), 0, NO_SEALS)
    }

    /// Those of the host's file at a path, of this length.
    #[must_use]
    pub fn of_host(path: Rc<[u8]>, size: u64) -> Self {
        Self::new(Store::Host(path, None), size, NO_SEALS)
    }

    /// Those of a memory file with these seals.
    #[must_use]
    pub fn of_memory(file: HostFd, size: u64, seals: u32) -> Self {
        Self::new(Store::Memory(file), size, seals)
    }

    /// Length in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size.get()
    }

    /// Blocks of 512 bytes that they take up.
    #[must_use]
    pub fn blocks(&self, host: &mut dyn Host) -> u64 {
        match *self.store.borrow() {
            Store::Memory(file) => host.fstat(file).map_or(0, |stat| stat.blocks),
            Store::Bytes(ref bytes) => bytes.blocks(),
            Store::Partly(ref partly) => partly.blocks(),
            Store::Host(..) => self.size.get().div_ceil(PAGE_SIZE) * (PAGE_SIZE / 512),
        }
    }

    /// Whether the run has changed them.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        !matches!(*self.store.borrow(), Store::Host(..))
    }

    /// Somebody opens the file.
    ///
    /// # Errors
    /// What the host says to its own file being opened.
    pub fn attach(&self, host: &mut dyn Host) -> Result<()> {
        if let Store::Host(path, open @ None) = &mut *self.store.borrow_mut() {
            *open = Some(open_host(host, path)?);
        }
        self.hold();
        Ok(())
    }

    /// The host's file is open already, as whoever is about to open it wants it; whether there is a use for that.
    pub fn take_open(&self, file: HostFd) -> bool {
        match &mut *self.store.borrow_mut() {
            Store::Host(_, open @ None) => {
                *open = Some(file);
                true
            }
            _ => false,
        }
    }

    /// Somebody holds on to the file without reading or writing it.
    pub fn hold(&self) {
        self.users.set(self.users.get() + 1);
    }

    /// Somebody closes the file.
    pub fn detach(&self, host: &mut dyn Host) {
        self.users.set(self.users.get().saturating_sub(1));
        self.close_unused(host);
    }

    /// Closes the host's file unless somebody has the file open.
    pub fn close_unused(&self, host: &mut dyn Host) {
        if !self.is_unused() {
            return;
        }
        self.ahead.borrow_mut().clear();
        if let Store::Host(_, open) = &mut *self.store.borrow_mut()
            && let Some(file) = open.take()
        {
            host.close_later(file);
        }
    }

    /// Whether nobody has the file open.
    #[must_use]
    pub fn is_unused(&self) -> bool {
        self.users.get() == 0
    }

    /// Gives them up unless somebody has the file open: its last name is gone.
    pub fn discard_unused(&self, host: &mut dyn Host) {
        if !self.is_unused() {
            return;
        }
        self.size.set(0);
        match self.store.replace(Store::Bytes(Bytes::default())) {
            Store::Memory(file) => host.close(file),
            Store::Partly(partly) => partly.discard(host),
            Store::Host(..) | Store::Bytes(_) => {}
        }
    }

    /// A descriptor of the host with these bytes, which is the caller's to close; mappings of it show what is written
    /// to the file only if `shared` says so.
    ///
    /// # Errors
    /// What the host says.
    pub fn descriptor(&self, host: &mut dyn Host) -> Result<HostFd> {
        if let Store::Host(path, _) = &*self.store.borrow() {
            return open_host(host, path);
        }
        let file = self.in_memory(host)?;
        Ok(HostFd(call(host, raw::__NR_dup, [Number(file.0 as u64)])? as i32))
    }

    /// Has it noted when the bytes are no longer the host's, if they are: a mapping of the host's file shows them. They
    /// are those of `file`.
    pub fn note_mapped(&self, moved: &Rc<Moved>, file: &Rc<Inode>) {
        if !self.is_changed() {
            self.mapped.get_or_init(|| (Rc::clone(moved), Rc::downgrade(file)));
        }
    }

    /// The memory file that holds them, if one does.
    #[must_use]
    pub fn memory(&self) -> Option<HostFd> {
        if let Store::Memory(file) = *self.store.borrow() { Some(file) } else { None }
    }

    /// The host's file to map while somebody has this one open.
    ///
    /// # Errors
    /// What the host says.
    pub fn to_map(&self, host: &mut dyn Host, sharing: Sharing) -> Result<HostFd> {
        match (&*self.store.borrow(), sharing) {
            (Store::Host(_, Some(file)), Sharing::Private) => return Ok(*file),
            (Store::Memory(file), _) => return Ok(*file),
            _ => {}
        }
        self.own(host, self.size.get())?;
        self.in_memory(host)
    }

    // Reading.

    /// Reads into a program's memory.
    ///
    /// # Errors
    /// As pread(2).
    pub fn read_user(&self, host: &mut dyn Host, into: &[UserSlice], at: u64) -> Result<usize> {
        transfer(into, at, |slice, at| {
            slice.check()?;
            match &mut *self.store.borrow_mut() {
                Store::Bytes(bytes) => {
                    user::write_available(host, slice.address, bytes.part(at, slice.len))
                }
                // What is read last of most files is that there is no more.
                Store::Host(..) if at > 0 && at >= self.size.get() => Ok(0),
                Store::Host(path, open) => {
                    let file = open_once(host, path, open)?;
                    let mut ahead = self.ahead.borrow_mut();
                    match ahead.piece(host, file, at, slice.len)? {
                        Some(piece) => user::write_available(host, slice.address, piece),
                        None => Ok(host.pread_user(file, slice, at)?),
                    }
                }
                Store::Memory(file) => Ok(host.pread_user(*file, slice, at)?),
                Store::Partly(partly) => partly.read(at, slice.len, |file, len, at, done| {
                    Ok(host.pread_user(file, slice.part(done, len), at)?)
                }),
            }
        })
    }

    /// Reads into the kernel's memory.
    ///
    /// # Errors
    /// As pread(2).
    pub fn read(&self, host: &mut dyn Host, into: &mut [u8], at: u64) -> Result<usize> {
        match &mut *self.store.borrow_mut() {
            Store::Bytes(bytes) => {
                let part = bytes.part(at, into.len());
                into[..part.len()].copy_from_slice(part);
                Ok(part.len())
            }
            Store::Host(path, open) => {
                let file = open_once(host, path, open)?;
                Ok(host.pread(file, into, at)?)
            }
            Store::Memory(file) => Ok(host.pread(*file, into, at)?),
            Store::Partly(partly) => partly.read(at, into.len(), |file, len, at, done| {
                Ok(host.pread(file, &mut into[done..done + len], at)?)
            }),
        }
    }

    /// Where the next data or hole is, from an offset before the end.
    ///
    /// # Errors
    /// `ENXIO` if there is no data behind it.
    pub fn next(&self, host: &mut dyn Host, extent: Extent, at: u64) -> Result<u64> {
        if at >= self.size.get() {
            return Err(Errno::ENXIO.into());
        }
        let (file, from) = match &*self.store.borrow() {
            Store::Memory(file) => (*file, at),
            Store::Partly(partly) => {
                let (dense, file) = partly.dense();
                if at < dense && extent == Extent::Data {
                    return Ok(at);
                }
                if dense >= self.size.get() {
                    return Ok(self.size.get());
                }
                (file, at.max(dense))
            }
            Store::Bytes(bytes) => {
                let next = bytes.next(extent, at);
                let is_none = extent == Extent::Data && next == self.size.get();
                return if is_none { Err(Errno::ENXIO.into()) } else { Ok(next) };
            }
            // Where the host keeps holes is its own affair.
            Store::Host(..) if extent == Extent::Data => return Ok(at),
            Store::Host(..) => return Ok(self.size.get()),
        };
        let whence = if extent == Extent::Data { raw::SEEK_DATA } else { raw::SEEK_HOLE };
        let arguments = [Number(file.0 as u64), Number(from), Number(whence.into())];
        call(host, raw::__NR_lseek, arguments)
    }

    // Writing.

    /// Writes from a program's memory.
    ///
    /// # Errors
    /// As pwrite(2).
    pub fn write_user(&self, host: &mut dyn Host, from: &[UserSlice], at: u64) -> Result<usize> {
        let len = user::total_len(from) as u64;
        if len == 0 {
            return Ok(0);
        }
        self.make_room(host, at, len)?;
        transfer(from, at, |slice, at| {
            slice.check()?;
            let room = SIZE_MAX.saturating_sub(at).min(slice.len as u64) as usize;
            let slice = slice.part(0, room);
            let done = match &mut *self.store.borrow_mut() {
                Store::Bytes(bytes) => bytes.write(at as usize, slice.len, |place| {
                    user::read_available(host, slice.address, place)
                })?,
                Store::Memory(file) => host.pwrite_user(*file, slice, at)?,
                Store::Partly(partly) => {
                    let write = |host: &mut dyn Host, file| Ok(host.pwrite_user(file, slice, at)?);
                    if slice.len == 0 { 0 } else { partly.write(host, at, write)? }
                }
                Store::Host(..) => return Err(NOT_OWNED),
            };
            self.size.set(self.size.get().max(at + done as u64));
            Ok(done)
        })
    }

    /// Writes from the kernel's memory.
    ///
    /// # Errors
    /// As pwrite(2).
    pub fn write(&self, host: &mut dyn Host, from: &[u8], at: u64) -> Result<usize> {
        if from.is_empty() {
            return Ok(0);
        }
        self.make_room(host, at, from.len() as u64)?;
        let done = match &mut *self.store.borrow_mut() {
            Store::Bytes(bytes) => bytes.write(at as usize, from.len(), |place| {
                place.copy_from_slice(from);
                Ok(from.len())
            })?,
            Store::Memory(file) => host.pwrite(*file, from, at)?,
            Store::Partly(partly) => {
                partly.write(host, at, |host, file| Ok(host.pwrite(file, from, at)?))?
            }
            Store::Host(..) => return Err(NOT_OWNED),
        };
        self.size.set(self.size.get().max(at + done as u64));
        Ok(done)
    }

    /// Cuts or lengthens them.
    ///
    /// # Errors
    /// As ftruncate(2).
    pub fn truncate(&self, host: &mut dyn Host, len: u64) -> Result<()> {
        if len > SIZE_MAX {
            return Err(Errno::EFBIG.into());
        }
        if len == self.size.get() {
            return Ok(());
        }
        self.own(host, len.min(self.size.get()))?;
        if len > BYTES_MAX {
            self.outgrow(host)?;
        }
        match &mut *self.store.borrow_mut() {
            Store::Bytes(bytes) => bytes.resize(len as usize),
            Store::Partly(partly) => partly.resize(host, len)?,
            Store::Memory(file) => {
                memory_file::resize(host, *file, len)?;
            }
            Store::Host(..) => return Err(NOT_OWNED),
        }
        self.size.set(len);
        Ok(())
    }

    /// fallocate(2).
    ///
    /// # Errors
    /// As there; `EOPNOTSUPP` for the modes that tmpfs does not have.
    pub fn allocate(&self, host: &mut dyn Host, mode: u32, (at, len): (u64, u64)) -> Result<()> {
        let end = at.checked_add(len).filter(|&end| end <= SIZE_MAX).ok_or(Errno::EFBIG)?;
        self.own(host, self.size.get())?;
        let file = self.in_memory(host)?;
        let keeps_size = mode & raw::FALLOC_FL_KEEP_SIZE != 0;
        let arguments =
            |mode: u32| [Number(file.0 as u64), Number(mode.into()), Number(at), Number(len)];
        if mode & !raw::FALLOC_FL_KEEP_SIZE == raw::FALLOC_FL_ZERO_RANGE {
            // A hole reads as zeros, and what is allocated does too.
            let hole = raw::FALLOC_FL_PUNCH_HOLE | raw::FALLOC_FL_KEEP_SIZE;
            call(host, raw::__NR_fallocate, arguments(hole))?;
            call(host, raw::__NR_fallocate, arguments(mode & raw::FALLOC_FL_KEEP_SIZE))?;
        } else {
            call(host, raw::__NR_fallocate, arguments(mode))?;
        }
        if !keeps_size {
            self.size.set(self.size.get().max(end));
        }
        Ok(())
    }

    /// Makes the bytes the run's own, of a size that a write of `len` bytes at an offset needs.
    fn make_room(&self, host: &mut dyn Host, at: u64, len: u64) -> Result<()> {
        if at >= SIZE_MAX {
            return Err(Errno::EFBIG.into());
        }
        self.own(host, self.size.get())?;
        if at.saturating_add(len) > BYTES_MAX {
            self.outgrow(host)?;
        }
        Ok(())
    }

    /// Makes the first bytes of the host's file, and no others, the run's own, if they are still only there.
    fn own(&self, host: &mut dyn Host, len: u64) -> Result<()> {
        let (file, size, was_open) = match &mut *self.store.borrow_mut() {
            Store::Host(path, open) => {
                let was_open = open.take();
                let file = match was_open {
                    Some(file) => file,
                    None if len == 0 => HostFd(-1),
                    None => open_host(host, path)?,
                };
                (file, len.min(self.size.get()), was_open.is_some())
            }
            _ => return Ok(()),
        };
        // What shows in mappings has to be somewhere else as a whole.
        let is_mapped = self.mapped.get().is_some();
        let copied = if is_mapped || (BYTES_MAX + 1..=WHOLE_MAX).contains(&size) {
            memory_file::copy(host, file, size).map(Store::Memory)
        } else if size <= BYTES_MAX {
            copy_bytes(host, file, size as usize).map(Store::Bytes)
        } else {
            Partly::over(host, file, size).map(Store::Partly)
        };
        if (was_open || size > 0) && !matches!(copied, Ok(Store::Partly(_))) {
            host.close(file);
        }
        let store = copied?;
        if let Store::Bytes(bytes) = &store {
            self.size.set(bytes.len() as u64);
        } else {
            self.size.set(size);
        }
        self.store.replace(store);
        self.ahead.borrow_mut().clear();
        if let Some((moved, file)) = self.mapped.get()
            && let Some(file) = file.upgrade()
        {
            moved.add(file);
        }
        Ok(())
    }

    /// Takes the run's own bytes out of the kernel's memory, if they are there.
    fn outgrow(&self, host: &mut dyn Host) -> Result<()> {
        let mut store = self.store.borrow_mut();
        if let Store::Bytes(bytes) = &*store {
            *store = Store::Memory(memory_file::with(host, bytes)?);
        }
        Ok(())
    }

    /// Puts the run's own bytes into a memory file, if they are not all in one.
    fn in_memory(&self, host: &mut dyn Host) -> Result<HostFd> {
        self.outgrow(host)?;
        let mut store = self.store.borrow_mut();
        let file = match &*store {
            Store::Memory(file) => return Ok(*file),
            Store::Partly(partly) => partly.gather(host)?,
            Store::Host(..) | Store::Bytes(_) => return Err(NOT_OWNED),
        };
        *store = Store::Memory(file);
        Ok(file)
    }

    // Seals.

    /// The seals.
    ///
    /// # Errors
    /// `EINVAL` for a file that takes none.
    pub fn seals(&self) -> Result<u32> {
        let seals = self.seals.get();
        if seals == NO_SEALS { Err(Errno::EINVAL.into()) } else { Ok(seals) }
    }

    /// Adds seals (fcntl(2), `F_ADD_SEALS`).
    ///
    /// # Errors
    /// `EINVAL`, `EPERM`.
    pub fn add_seals(&self, seals: u32) -> Result<()> {
        let known = raw::F_SEAL_SEAL
            | raw::F_SEAL_SHRINK
            | raw::F_SEAL_GROW
            | raw::F_SEAL_WRITE
            | raw::F_SEAL_FUTURE_WRITE
            | raw::F_SEAL_EXEC;
        let own = self.seals()?;
        if seals & !known != 0 {
            return Err(Errno::EINVAL.into());
        }
        self.check_seals(raw::F_SEAL_SEAL)?;
        self.seals.set(own | seals);
        Ok(())
    }

    /// Refuses what any of these seals forbids.
    ///
    /// # Errors
    /// `EPERM`.
    pub fn check_seals(&self, seals: u32) -> Result<()> {
        let own = self.seals.get();
        if own != NO_SEALS && own & seals != 0 { Err(Errno::EPERM.into()) } else { Ok(()) }
    }
}

/// Whether what is written to a file shows in a mapping of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// It need not: nothing is written through the mapping.
    Private,
    /// It must.
    Shared,
}

/// Whoever changes bytes makes them the run's own first.
const NOT_OWNED: Error = Error::new(Errno::EIO, "the host's file cannot be changed");

/// Opens the host's file for reading; it must be no link and never waits.
pub(super) fn open_host(host: &mut dyn Host, path: &[u8]) -> Result<HostFd> {
    let flags = raw::O_RDONLY | raw::O_NOFOLLOW | raw::O_NOCTTY | raw::O_NONBLOCK;
    Ok(host.open(path, flags, 0)?)
}

fn open_once(host: &mut dyn Host, path: &[u8], open: &mut Option<HostFd>) -> Result<HostFd> {
    match open {
        Some(file) => Ok(*file),
        None => Ok(*open.insert(open_host(host, path)?)),
    }
}

fn copy_bytes(host: &mut dyn Host, file: HostFd, len: usize) -> Result<Bytes> {
    let mut bytes = vec![0; len];
    let there = read_full(&mut bytes, 0, |into, at| Ok(host.pread(file, into, at)?))?;
    bytes.truncate(there);
    Ok(Bytes::full(bytes))
}

/// Does a transfer slice by slice, until one is short.
fn transfer(
    slices: &[UserSlice],
    at: u64,
    mut one: impl FnMut(UserSlice, u64) -> Result<usize>,
) -> Result<usize> {
    let mut done = 0;
    for &slice in slices {
        match one(slice, at + done as u64) {
            Ok(moved) => {
                done += moved;
                if moved < slice.len {
                    break;
                }
            }
            Err(error) if done == 0 => return Err(error),
            Err(_) => break,
        }
    }
    Ok(done)
}
