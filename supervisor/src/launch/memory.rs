//! The memory files that all processes of a run share.

use std::{
    fs::File,
    io,
    os::{
        fd::{AsRawFd, OwnedFd},
        unix::fs::FileExt,
    },
    ptr::{self, NonNull},
    sync::atomic::Ordering,
};

use nix::sys::memfd::{MFdFlags, memfd_create};
use simrun_abi::{
    boot::{Boot, SearchedFile},
    control::{BOOT_OFFSET, BOOT_SIZE_MAX, Control},
    event::Stamp,
    layout,
};

use super::image::{self, OwnFile};
use crate::store::digest;

/// The memory of a run: image, arena, and the control mapping, which the supervisor sees too.
pub struct Memory {
    /// Segments of the image, each at its distance from the base; not those that are mapped from simrun's own file.
    pub image: File,
    /// simrun's own file, where segments that nobody writes to can be mapped from it: that saves a copy.
    pub own_file: Option<OwnFile>,
    /// The kernel's heap.
    pub arena: File,
    /// Control block, boot parameters and ring.
    pub control_file: File,
    /// The preload library, which programs may map.
    pub preload: File,
    /// Where the kernel writes what the run has done to its files.
    pub capture: File,
    mapping: NonNull<u8>,
}

/// The embedded preload library.
static PRELOAD: &[u8] = include_bytes!(env!("SIMRUN_PRELOAD"));

fn memory_file(name: &std::ffi::CStr, size: u64) -> io::Result<File> {
    let fd: OwnedFd = memfd_create(name, MFdFlags::MFD_CLOEXEC)?;
    let file = File::from(fd);
    file.set_len(size)?;
    Ok(file)
}

/// What a search of the preload library's code would find: nothing, as its test shows.
fn found_in_preload(library: &File) -> io::Result<SearchedFile> {
    let Stamp { device, inode, size, modified_ns, .. } = digest::stamp(&library.metadata()?);
    Ok(SearchedFile { device, inode, size, modified_ns, sites: Vec::new() })
}

impl Memory {
    /// The memory of a new run.
    pub fn new(mut boot: Boot) -> io::Result<Self> {
        let image = memory_file(c"simrun-image", layout::IMAGE_SIZE)?;
        let own_file = OwnFile::find();
        for segment in image::segments() {
            if own_file.is_some() && segment.is_constant() {
                continue;
            }
            image.write_all_at(segment.bytes, segment.address - layout::IMAGE_BASE)?;
        }
        let arena = memory_file(c"simrun-arena", layout::ARENA_SIZE)?;
        let control_file = memory_file(c"simrun-control", layout::CONTROL_SIZE)?;
        let preload = memory_file(c"simrun-preload", PRELOAD.len() as u64)?;
        preload.write_all_at(PRELOAD, 0)?;
        let capture = memory_file(c"simrun-capture", 0)?;
        boot.searched.push(found_in_preload(&preload)?);
        let parameters = boot.encode();
        if parameters.len() > BOOT_SIZE_MAX {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "arguments and environment are too long",
            ));
        }
        control_file.write_all_at(&parameters, BOOT_OFFSET as u64)?;
        // SAFETY: a new mapping of a file of that size.
        let mapping = unsafe {
            libc::mmap(
                ptr::null_mut(),
                layout::CONTROL_SIZE as usize,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                control_file.as_raw_fd(),
                0,
            )
        };
        if mapping == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let mapping = NonNull::new(mapping.cast()).expect("a mapping is not null");
        let memory = Self { image, own_file, arena, control_file, preload, capture, mapping };
        memory.control().boot_len.store(parameters.len() as u32, Ordering::Release);
        memory.control().supervisor.store(std::process::id() as i32, Ordering::Release);
        Ok(memory)
    }

    /// The control block.
    pub fn control(&self) -> &Control {
        // SAFETY: the mapping is large enough, aligned to a page, and all fields are atomic.
        unsafe { self.mapping.cast::<Control>().as_ref() }
    }

    /// Start of the control mapping.
    pub fn base(&self) -> NonNull<u8> {
        self.mapping
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: the mapping is this value's own and nobody borrows from it any more.
        unsafe { libc::munmap(self.mapping.as_ptr().cast(), layout::CONTROL_SIZE as usize) };
    }
}

// SAFETY: the mapping may be used from any thread: what it holds is atomic, or the ring that has one reader.
unsafe impl Send for Memory {}
// SAFETY: as above.
unsafe impl Sync for Memory {}
