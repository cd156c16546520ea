//! A host in memory: a tree of files, and a stretch of user memory.

use alloc::{collections::BTreeMap, format, vec, vec::Vec};

use linux_raw_sys::general as raw;

use crate::{
    error::Errno,
    fs::walk,
    host::{
        Backing, Fault, FileArgument, FileCall, Follow, Host, HostEntry, HostFd, HostResult,
        HostStat, ProgramPlaces,
    },
    mm::{MapFlags, Protection},
    user::UserSlice,
};

/// Most bytes of a file.
const FILE_SIZE_MAX: usize = 16 << 20;

/// A file of a [`FakeHost`].
#[derive(Clone, Debug)]
enum FakeFile {
    Directory,
    Regular(Vec<u8>),
    Link(Vec<u8>),
    Fifo,
}

impl FakeFile {
    /// `DT_*`.
    fn kind(&self) -> u8 {
        (match self {
            Self::Directory => raw::DT_DIR,
            Self::Regular(_) => raw::DT_REG,
            Self::Link(_) => raw::DT_LNK,
            Self::Fifo => raw::DT_FIFO,
        }) as u8
    }
}

/// A host in memory. It never follows links but in last place, as the kernel must not ask for that; what it does not
/// do fails with `ENOSYS`.
#[derive(Debug, Default)]
pub struct FakeHost {
    files: BTreeMap<Vec<u8>, (u64, FakeFile)>,
    open: Vec<Option<Vec<u8>>>,
    extended_state: [u8; 1],
    /// User memory, from address [`FakeHost::MEMORY`] on.
    pub memory: Vec<u8>,
    /// Encoded events.
    pub events: Vec<Vec<u8>>,
    /// Questions about paths so far.
    pub questions: usize,
}

impl FakeHost {
    /// Where user memory starts.
    pub const MEMORY: u64 = 0x20_0000;

    /// With a root directory and these files: `path/` makes a directory, `path -> target` a symbolic link, `path|` a
    /// FIFO, any other an empty file.
    #[must_use]
    pub fn with_files(files: &[&str]) -> Self {
        let mut host = Self::default();
        host.add(b"/", FakeFile::Directory);
        for file in files {
            if let Some((path, target)) = file.split_once(" -> ") {
                host.add(path.as_bytes(), FakeFile::Link(target.into()));
            } else if let Some(path) = file.strip_suffix('/') {
                host.add(path.as_bytes(), FakeFile::Directory);
            } else if let Some(path) = file.strip_suffix('|') {
                host.add(path.as_bytes(), FakeFile::Fifo);
            } else {
                host.add(file.as_bytes(), FakeFile::Regular(Vec::new()));
            }
        }
        host
    }

    fn add(&mut self, path: &[u8], file: FakeFile) {
        let number = self.files.len() as u64 + 1;
        self.files.insert(path.to_vec(), (number, file));
    }

    fn find(&mut self, path: &[u8]) -> HostResult<&mut (u64, FakeFile)> {
        self.questions += 1;
        let parent = walk::parent(path).to_vec();
        match self.files.get(&parent) {
            Some((_, FakeFile::Directory)) => {}
            Some(_) => return Err(Errno::ENOTDIR),
            None => return Err(Errno::ENOENT),
        }
        self.files.get_mut(path).ok_or(Errno::ENOENT)
    }

    /// Paths of what is open.
    pub fn open_paths(&self) -> Vec<&[u8]> {
        self.open.iter().flatten().map(Vec::as_slice).collect()
    }

    fn opened(&mut self, fd: HostFd) -> HostResult<&mut (u64, FakeFile)> {
        let path = self.open.get(fd.0 as usize).cloned().flatten().ok_or(Errno::EBADF)?;
        self.find(&path)
    }

    fn contents(&mut self, fd: HostFd) -> HostResult<&mut Vec<u8>> {
        match &mut self.opened(fd)?.1 {
            FakeFile::Regular(contents) => Ok(contents),
            _ => Err(Errno::EISDIR),
        }
    }

    fn user(&mut self, address: u64, len: usize) -> Result<&mut [u8], Fault> {
        let start = address.checked_sub(Self::MEMORY).ok_or(Fault)? as usize;
        self.memory.get_mut(start..start.checked_add(len).ok_or(Fault)?).ok_or(Fault)
    }
}

fn status((ino, file): &(u64, FakeFile)) -> HostStat {
    let (mode, size) = match file {
        FakeFile::Directory => (raw::S_IFDIR | 0o755, 0),
        FakeFile::Regular(contents) => (raw::S_IFREG | 0o755, contents.len()),
        FakeFile::Link(target) => (raw::S_IFLNK | 0o777, target.len()),
        FakeFile::Fifo => (raw::S_IFIFO | 0o644, 0),
    };
    HostStat { dev: 1, ino: *ino, mode, nlink: 1, size: size as u64, ..HostStat::default() }
}

impl Host for FakeHost {
    fn read_user(&mut self, address: u64, into: &mut [u8]) -> Result<(), Fault> {
        into.copy_from_slice(self.user(address, into.len())?);
        Ok(())
    }

    fn write_user(&mut self, address: u64, bytes: &[u8]) -> Result<(), Fault> {
        self.user(address, bytes.len())?.copy_from_slice(bytes);
        Ok(())
    }

    fn extended_state(&mut self) -> &mut [u8] {
        &mut self.extended_state
    }

    fn reset_extended_state(&mut self) {}

    fn segment_bases(&mut self) -> (u64, u64) {
        (0, 0)
    }

    fn set_segment_bases(&mut self, _: u64, _: u64) {}

    fn map(&mut self, _: u64, _: u64, _: Protection, _: MapFlags, _: Backing) -> HostResult<()> {
        Ok(())
    }

    fn unmap(&mut self, _: u64, _: u64) -> HostResult<()> {
        Ok(())
    }

    fn protect(&mut self, _: u64, _: u64, _: Protection) -> HostResult<()> {
        Ok(())
    }

    fn remap(&mut self, _: u64, _: u64, _: u64, _: u64, _: bool) -> HostResult<()> {
        Ok(())
    }

    fn advise(&mut self, _: u64, _: u64, _: i32) -> HostResult<()> {
        Ok(())
    }

    fn sync_memory(&mut self, _: u64, _: u64, _: i32) -> HostResult<()> {
        Ok(())
    }

    fn unmap_program(&mut self) {}

    fn describe_program(&mut self, _: &ProgramPlaces<'_>) {}

    fn call_entry(&self) -> u64 {
        0
    }

    fn traps_at(&mut self, _: u64) -> u64 {
        1
    }

    fn open(&mut self, path: &[u8], flags: u32, _: u32) -> HostResult<HostFd> {
        match self.find(path) {
            Ok((_, FakeFile::Link(_))) => return Err(Errno::ELOOP),
            Ok(_) if flags & raw::O_EXCL != 0 => return Err(Errno::EEXIST),
            Ok((_, FakeFile::Regular(_))) if flags & raw::O_DIRECTORY != 0 => {
                return Err(Errno::ENOTDIR);
            }
            Ok(_) => {}
            Err(Errno::ENOENT) if flags & raw::O_CREAT != 0 => {
                self.add(path, FakeFile::Regular(Vec::new()));
            }
            Err(error) => return Err(error),
        }
        self.open.push(Some(path.to_vec()));
        Ok(HostFd(self.open.len() as i32 - 1))
    }

    fn close(&mut self, fd: HostFd) {
        if let Some(place) = self.open.get_mut(fd.0 as usize) {
            *place = None;
        }
    }

    fn pread_user(&mut self, fd: HostFd, into: UserSlice, offset: u64) -> HostResult<usize> {
        let mut buffer = vec![0; into.len];
        let len = self.pread(fd, &mut buffer, offset)?;
        self.write_user(into.address, &buffer[..len]).map_err(|_| Errno::EFAULT)?;
        Ok(len)
    }

    fn pwrite_user(&mut self, fd: HostFd, from: UserSlice, offset: u64) -> HostResult<usize> {
        let mut buffer = vec![0; from.len];
        self.read_user(from.address, &mut buffer).map_err(|_| Errno::EFAULT)?;
        self.pwrite(fd, &buffer, offset)
    }

    fn pread(&mut self, fd: HostFd, into: &mut [u8], offset: u64) -> HostResult<usize> {
        let contents = self.contents(fd)?;
        let start = (offset as usize).min(contents.len());
        let len = into.len().min(contents.len() - start);
        into[..len].copy_from_slice(&contents[start..start + len]);
        Ok(len)
    }

    fn pwrite(&mut self, fd: HostFd, from: &[u8], offset: u64) -> HostResult<usize> {
        let contents = self.contents(fd)?;
        let end = (offset as usize).saturating_add(from.len());
        if end > FILE_SIZE_MAX {
            return Err(Errno::EFBIG);
        }
        contents.resize(contents.len().max(end), 0);
        contents[offset as usize..end].copy_from_slice(from);
        Ok(from.len())
    }

    fn read_stream(&mut self, _: HostFd, _: &mut [u8]) -> HostResult<usize> {
        Ok(0)
    }

    fn write_stream(&mut self, _: HostFd, from: &[u8]) -> HostResult<usize> {
        Ok(from.len())
    }

    fn stat(&mut self, path: &[u8], _: Follow) -> HostResult<HostStat> {
        self.find(path).map(|file| status(file))
    }

    fn fstat(&mut self, fd: HostFd) -> HostResult<HostStat> {
        self.opened(fd).map(|file| status(file))
    }

    fn read_link(&mut self, path: &[u8]) -> HostResult<Vec<u8>> {
        match &self.find(path)?.1 {
            FakeFile::Link(target) => Ok(target.clone()),
            _ => Err(Errno::EINVAL),
        }
    }

    fn read_directory(
        &mut self,
        fd: HostFd,
        each: &mut dyn FnMut(HostEntry<'_>),
    ) -> HostResult<()> {
        let path = self.open.get(fd.0 as usize).cloned().flatten().ok_or(Errno::EBADF)?;
        let inside = |name: &[u8]| name != b"/" && walk::parent(name) == path;
        for (name, (ino, file)) in self.files.iter().filter(|(name, _)| inside(name)) {
            each(HostEntry { name: walk::name(name), ino: *ino, kind: file.kind() });
        }
        Ok(())
    }

    fn memory_file(&mut self, _: &[u8]) -> HostResult<HostFd> {
        let path = format!("/memory {}", self.files.len());
        self.open(path.as_bytes(), raw::O_CREAT, 0)
    }

    fn file_call(&mut self, call: FileCall<'_>) -> HostResult<u64> {
        match (call.number, &call.arguments) {
            (raw::__NR_ftruncate, [FileArgument::Number(file), FileArgument::Number(len), ..]) => {
                let contents = self.contents(HostFd(*file as i32))?;
                let len = usize::try_from(*len).ok().filter(|&len| len <= FILE_SIZE_MAX);
                contents.resize(len.ok_or(Errno::EFBIG)?, 0);
                Ok(0)
            }
            _ => Err(Errno::ENOSYS),
        }
    }

    fn emit(&mut self, event: &[u8]) {
        self.events.push(event.to_vec());
    }
}
