//! Open files whose contents the simulation makes: those of `/proc` and `/sys`.

use alloc::{rc::Rc, vec::Vec};
use core::cell::RefCell;

use super::{FileDescription, FileObject, Whence};
use crate::{
    error::{Errno, Result},
    host::HostStat,
    machine::Env,
    user::{self, UserSlice},
    wait::Readiness,
};

/// Most bytes that one write to a setting takes.
const WRITE_MAX: usize = 4096;

/// An open text.
#[derive(Clone, Debug)]
pub struct TextFile {
    contents: RefCell<Rc<[u8]>>,
    status: HostStat,
    /// Whether programs may wait for it to change, as of the list of mounts.
    is_watched: bool,
}

impl TextFile {
    /// With these contents.
    #[must_use]
    pub fn new(contents: Vec<u8>, status: HostStat) -> Self {
        Self { contents: RefCell::new(contents.into()), status, is_watched: false }
    }

    /// The same, but programs may wait for it to change.
    #[must_use]
    pub fn watched(self) -> Self {
        Self { is_watched: true, ..self }
    }

    /// Gives it other contents.
    pub fn replace(&self, contents: Vec<u8>) {
        *self.contents.borrow_mut() = contents.into();
    }

    /// Its contents from an offset on, at most `max` bytes of them.
    fn part(&self, at: u64, max: usize) -> Vec<u8> {
        let contents = self.contents.borrow();
        let start = usize::try_from(at).unwrap_or(usize::MAX).min(contents.len());
        contents[start..start + max.min(contents.len() - start)].to_vec()
    }

    fn note(&self, env: &mut Env<'_>, file: &FileDescription, bytes: &[u8]) -> Result<usize> {
        let written = bytes.split(|&byte| byte == 0).next().unwrap_or_default();
        if is_number(&self.contents.borrow()) && !is_number(written) {
            return Err(Errno::EINVAL.into());
        }
        let path = Rc::clone(&file.path.borrow());
        env.machine.written.push((path, written.to_vec()));
        Ok(bytes.len())
    }
}

impl FileObject for TextFile {
    fn readiness(&self) -> Readiness {
        let more = if self.is_watched { Readiness::empty() } else { Readiness::WRITABLE };
        Readiness::READABLE | more
    }

    fn is_pollable(&self) -> bool {
        self.is_watched
    }

    fn read(&self, env: &mut Env<'_>, file: &FileDescription, into: &[UserSlice]) -> Result<usize> {
        let at = file.offset.get();
        let done = self.read_at(env, into, at)?;
        file.offset.set(at + done as u64);
        Ok(done)
    }

    fn read_at(&self, env: &mut Env<'_>, into: &[UserSlice], at: u64) -> Result<usize> {
        user::scatter(env.host, into, &self.part(at, user::total_len(into)))
    }

    fn read_kernel(
        &self,
        _env: &mut Env<'_>,
        file: &FileDescription,
        into: &mut [u8],
    ) -> Result<usize> {
        let part = self.part(file.offset.get(), into.len());
        into[..part.len()].copy_from_slice(&part);
        file.offset.set(file.offset.get() + part.len() as u64);
        Ok(part.len())
    }

    /// Notes what is written to a setting; the kernel acts on it when the handler is through.
    fn write(
        &self,
        env: &mut Env<'_>,
        file: &FileDescription,
        from: &[UserSlice],
    ) -> Result<usize> {
        let bytes = user::gather(env.host, from, WRITE_MAX)?;
        self.note(env, file, &bytes)
    }

    fn write_kernel(
        &self,
        env: &mut Env<'_>,
        file: &FileDescription,
        from: &[u8],
    ) -> Result<usize> {
        self.note(env, file, from)
    }

    fn write_at(
        &self,
        env: &mut Env<'_>,
        file: &FileDescription,
        from: &[UserSlice],
        _at: u64,
    ) -> Result<usize> {
        self.write(env, file, from)
    }

    fn seek(
        &self,
        _env: &mut Env<'_>,
        file: &FileDescription,
        offset: i64,
        whence: Whence,
    ) -> Result<u64> {
        match whence {
            Whence::Start => file.seek_from(0, offset),
            Whence::Current => file.seek_from(file.offset.get(), offset),
            Whence::End | Whence::Data | Whence::Hole => Err(Errno::EINVAL.into()),
        }
    }

    fn stat(&self, _env: &mut Env<'_>) -> Result<HostStat> {
        Ok(self.status)
    }
}

/// Whether a text is numbers: what holds them takes nothing else.
fn is_number(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    !text.is_empty() && text.iter().all(|byte| byte.is_ascii_digit() || b"-\t ".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_replace_numbers() {
        let cases: [(&[u8], bool); 6] = [
            (b"12\n", true),
            (b"32768\t60999\n", true),
            (b"-17", true),
            (b"core", false),
            (b"", false),
            (b"12x", false),
        ];
        for (text, number) in cases {
            assert_eq!(is_number(text), number, "{text:?}");
        }
    }

    #[test]
    fn reading_past_the_end_gives_nothing() {
        let text = TextFile::new(b"hello".to_vec(), HostStat::default());
        let cases: [(u64, usize, &[u8]); 5] =
            [(0, 9, b"hello"), (1, 2, b"el"), (5, 9, b""), (u64::MAX, 9, b""), (4, 0, b"")];
        for (at, max, part) in cases {
            assert_eq!(text.part(at, max), part);
        }
    }
}
