//! Regular files of the tree, and files of memory.

use alloc::rc::Rc;

use linux_raw_sys::general as raw;

use super::{FileDescription, FileObject, OpenFlags, Whence};
use crate::{
    error::{Errno, Result},
    fault::Reaching,
    fs::{Contents, Extent, Inode, SIZE_MAX, Sharing, Tree, durable::Synchronized},
    host::{Host, HostFd, HostStat},
    machine::Env,
    user::{self, UserSlice},
};

/// An open regular file.
#[derive(Debug)]
pub struct RegularFile {
    /// The file.
    pub inode: Rc<Inode>,
    /// Whose its locks are.
    pub token: u64,
    /// By how much it counts among those who have it open for writing.
    writers: i32,
}

impl RegularFile {
    /// Opens a regular file.
    ///
    /// # Errors
    /// What the host says to its own file being opened.
    pub fn open(
        tree: &Tree,
        host: &mut dyn Host,
        inode: Rc<Inode>,
        flags: OpenFlags,
    ) -> Result<Self> {
        let writers = if flags.writes() { 1 } else { 0 };
        let file = Self { inode, token: tree.next_token(), writers };
        file.contents()?.attach(host)?;
        file.inode.count_writers(writers);
        Ok(file)
    }

    /// The bytes.
    ///
    /// # Errors
    /// Never, of a regular file.
    fn contents(&self) -> Result<&Contents> {
        self.inode.contents().ok_or(Errno::EINVAL.into())
    }

    /// Its length in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.inode.contents().map_or(0, Contents::size)
    }

    /// Refuses a shared mapping that can be written where a seal forbids writing.
    ///
    /// # Errors
    /// `EPERM`.
    pub fn check_shared_write(&self) -> Result<()> {
        self.contents()?.check_seals(raw::F_SEAL_WRITE | raw::F_SEAL_FUTURE_WRITE)
    }

    /// Refuses what is not of whole blocks of the disk.
    ///
    /// # Errors
    /// `EINVAL`.
    pub fn check_blocks(&self, at: u64, buffers: &[UserSlice]) -> Result<()> {
        /// Bytes of a block, as of most disks.
        const BLOCK: u64 = 512;
        let len = user::total_len(buffers) as u64;
        let is_whole = len == 0 || (at | len).is_multiple_of(BLOCK);
        if is_whole || !Tree::is_on_disk(&self.inode) { Ok(()) } else { Err(Errno::EINVAL.into()) }
    }

    /// Refuses a write up to `end` that a seal forbids.
    fn check_write(&self, end: u64) -> Result<()> {
        self.check_shared_write()?;
        self.check_growth(end)
    }

    /// Refuses to become longer than it is where a seal forbids it.
    fn check_growth(&self, end: u64) -> Result<()> {
        if end > self.size() { self.contents()?.check_seals(raw::F_SEAL_GROW) } else { Ok(()) }
    }

    /// The host's file to map.
    ///
    /// # Errors
    /// What the host says.
    pub fn to_map(&self, tree: &Tree, host: &mut dyn Host, sharing: Sharing) -> Result<HostFd> {
        let file = self.contents()?.to_map(host, sharing)?;
        self.contents()?.note_mapped(&tree.moved, &self.inode);
        Ok(file)
    }

    /// ftruncate(2).
    ///
    /// # Errors
    /// As there.
    pub fn truncate(&self, env: &mut Env<'_>, len: u64) -> Result<()> {
        let contents = self.contents()?;
        env.will_truncate(&self.inode, len)?;
        contents.truncate(env.host, len)?;
        self.was_written(env);
        Ok(())
    }

    /// fallocate(2).
    ///
    /// # Errors
    /// As there.
    pub fn allocate(&self, env: &mut Env<'_>, mode: u32, range: (u64, u64)) -> Result<()> {
        let end = range.0.saturating_add(range.1);
        if end > SIZE_MAX {
            return Err(Errno::EFBIG.into());
        }
        if mode & raw::FALLOC_FL_PUNCH_HOLE != 0 {
            self.check_shared_write()?;
        } else if end > self.size() {
            // In memory, room behind the end counts as if the file were so long (`shmem_fallocate`).
            let is_in_memory = self.seals().is_ok();
            if is_in_memory || mode & raw::FALLOC_FL_KEEP_SIZE == 0 {
                env.machine.size_limit.check_growth(end)?;
            }
            self.check_growth(end)?;
        }
        if mode & raw::FALLOC_FL_PUNCH_HOLE == 0
            && env.will_write(&self.inode, range.0, range.1)? < range.1
        {
            return Err(Errno::ENOSPC.into());
        }
        env.will_change_bytes(&self.inode, range.0, range.1)?;
        self.contents()?.allocate(env.host, mode, range)?;
        self.was_written(env);
        Ok(())
    }

    /// Where the next write through a description goes.
    fn write_offset(&self, file: &FileDescription) -> u64 {
        if file.flags.get().contains(OpenFlags::APPEND) { self.size() } else { file.offset.get() }
    }

    /// Writes what a bad disk lets through, if it is one; the file is then as long as if all had been written.
    fn put(
        &self,
        env: &mut Env<'_>,
        whole: Reaching,
        write: impl FnOnce(&Contents, &mut dyn Host, Reaching) -> Result<usize>,
    ) -> Result<usize> {
        let contents = self.contents()?;
        let Some(damage) = env.machine.damage.take() else {
            return write(contents, env.host, whole);
        };
        let Reaching { len, at } = whole;
        write(contents, env.host, damage.of_write(at, len, contents.size()))?;
        if contents.size() < at + len {
            contents.truncate(env.host, at + len)?;
        }
        Ok(len as usize)
    }

    /// A program that runs as its owner or group does so no longer when somebody else has written to it.
    fn was_written(&self, env: &mut Env<'_>) {
        self.inode.modified(env.file_time());
        if self.inode.attributes().mode & (raw::S_ISUID | raw::S_ISGID) != 0 {
            env.machine.written_programs.push(Rc::clone(&self.inode));
        }
    }

    /// `O_SYNC` and `O_DSYNC` have each write synchronized.
    fn synchronize_if_asked(&self, env: &mut Env<'_>, file: &FileDescription) -> Result<()> {
        let flags = file.flags.get();
        if flags.contains(OpenFlags::SYNC) {
            env.synchronize(&self.inode, Synchronized::File)
        } else if flags.contains(OpenFlags::DATA_SYNC) {
            env.synchronize(&self.inode, Synchronized::Data)
        } else {
            Ok(())
        }
    }

    /// It was read through a description, or mapped.
    pub fn was_read(&self, env: &mut Env<'_>, file: &FileDescription) {
        if !file.flags.get().contains(OpenFlags::NO_ACCESS_TIME) {
            self.inode.accessed(env.file_time());
        }
    }
}

impl FileObject for RegularFile {
    fn read(&self, env: &mut Env<'_>, file: &FileDescription, into: &[UserSlice]) -> Result<usize> {
        let at = file.offset.get();
        let done = self.read_at(env, into, at)?;
        file.offset.set(at + done as u64);
        self.was_read(env, file);
        Ok(done)
    }

    fn write(
        &self,
        env: &mut Env<'_>,
        file: &FileDescription,
        from: &[UserSlice],
    ) -> Result<usize> {
        let at = self.write_offset(file);
        let done = self.write_at(env, file, from, at)?;
        if done > 0 {
            file.offset.set(at + done as u64);
        }
        Ok(done)
    }

    fn read_kernel(
        &self,
        env: &mut Env<'_>,
        file: &FileDescription,
        into: &mut [u8],
    ) -> Result<usize> {
        let at = file.offset.get();
        let done = self.contents()?.read(env.host, into, at)?;
        file.offset.set(at + done as u64);
        self.was_read(env, file);
        Ok(done)
    }

    fn write_kernel(
        &self,
        env: &mut Env<'_>,
        file: &FileDescription,
        from: &[u8],
    ) -> Result<usize> {
        let at = self.write_offset(file);
        let len = env.machine.size_limit.room(at, from.len() as u64)?;
        self.check_write(at.saturating_add(len))?;
        let room = env.will_write(&self.inode, at, len)?;
        let done = self.put(env, Reaching { len: room, at }, |contents, host, part| {
            contents.write(host, &from[..part.len as usize], part.at)
        })?;
        self.was_written(env);
        self.synchronize_if_asked(env, file)?;
        file.offset.set(at + done as u64);
        Ok(done)
    }

    fn read_at(&self, env: &mut Env<'_>, into: &[UserSlice], at: u64) -> Result<usize> {
        let done = self.contents()?.read_user(env.host, into, at)?;
        if let Some(damage) = env.machine.damage.take() {
            damage.of_read(env.host, into, done)?;
        }
        Ok(done)
    }

    /// On a description with `O_APPEND` Linux appends here too (pwrite(2), "BUGS").
    fn write_at(
        &self,
        env: &mut Env<'_>,
        file: &FileDescription,
        from: &[UserSlice],
        at: u64,
    ) -> Result<usize> {
        let appends = file.flags.get().contains(OpenFlags::APPEND);
        let at = if appends { self.size() } else { at };
        let asked = user::total_len(from) as u64;
        let len = env.machine.size_limit.room(at, asked)?;
        self.check_write(at.saturating_add(len))?;
        let room = env.will_write(&self.inode, at, len)?;
        let done = self.put(env, Reaching { len: room, at }, |contents, host, part| {
            if part.len == asked {
                contents.write_user(host, from, part.at)
            } else {
                contents.write_user(host, &user::first(from, part.len as usize), part.at)
            }
        })?;
        if done > 0 {
            self.was_written(env);
            self.synchronize_if_asked(env, file)?;
        }
        Ok(done)
    }

    fn seek(
        &self,
        env: &mut Env<'_>,
        file: &FileDescription,
        offset: i64,
        whence: Whence,
    ) -> Result<u64> {
        let base = match whence {
            Whence::Start => 0,
            Whence::Current => file.offset.get(),
            Whence::End => self.size(),
            Whence::Data | Whence::Hole => {
                let extent = if whence == Whence::Data { Extent::Data } else { Extent::Hole };
                let from = u64::try_from(offset).map_err(|_| Errno::ENXIO)?;
                let target = self.contents()?.next(env.host, extent, from)?;
                return file.seek_from(target, 0);
            }
        };
        file.seek_from(base, offset)
    }

    fn stat(&self, env: &mut Env<'_>) -> Result<HostStat> {
        Ok(self.inode.status(env.host))
    }

    fn seals(&self) -> Result<u32> {
        self.contents()?.seals()
    }

    fn add_seals(&self, _: &mut Env<'_>, seals: u32) -> Result<()> {
        self.contents()?.add_seals(seals)
    }

    fn release(&self, env: &mut Env<'_>) {
        self.inode.forget_description(self.token, env.machine);
        self.inode.count_writers(-self.writers);
        env.let_go(&self.inode);
    }
}
