//! The records that the kernel writes at the end of a run.

use std::{
    fs::File,
    io::{self, BufReader, Read, Seek, SeekFrom},
};

use simrun_abi::capture::Captured;

/// A captured name, and where the bytes of its file are in the memory file of the capture.
#[derive(Debug)]
pub struct Record {
    /// What the kernel said.
    pub captured: Captured,
    /// Offset and length of the bytes, where they are kept.
    pub content: Option<(u64, u64)>,
}

/// Longest record: a path, a target, and some numbers.
const RECORD_MAX: u32 = 64 << 10;

/// All of them, in the order of nodes and their paths.
///
/// # Errors
/// When the file cannot be read, or does not hold what it should.
pub fn records(capture: &File) -> io::Result<Vec<Record>> {
    let mut file = BufReader::new(capture.try_clone()?);
    file.seek(SeekFrom::Start(0))?;
    let mut records = Vec::new();
    let mut length = [0; 4];
    loop {
        match file.read_exact(&mut length) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => break,
            result => result?,
        }
        let length = u32::from_le_bytes(length);
        if length > RECORD_MAX {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut bytes = vec![0; length as usize];
        file.read_exact(&mut bytes)?;
        let captured = Captured::decode(&bytes).ok_or(io::ErrorKind::InvalidData)?;
        let content = match captured.content_len() {
            0 => None,
            len => {
                let at = file.stream_position()?;
                file.seek_relative(i64::try_from(len).map_err(io::Error::other)?)?;
                Some((at, len))
            }
        };
        records.push(Record { captured, content });
    }
    records.sort_by(|Record { captured: a, .. }, Record { captured: b, .. }| {
        (a.node, &a.path).cmp(&(b.node, &b.path))
    });
    Ok(records)
}

impl Record {
    /// Copies the file's bytes.
    ///
    /// # Errors
    /// When either file fails.
    pub fn copy(&self, capture: &File, to: &mut impl io::Write) -> io::Result<()> {
        let Some((at, len)) = self.content else { return Ok(()) };
        let mut file = capture.try_clone()?;
        file.seek(SeekFrom::Start(at))?;
        match io::copy(&mut file.take(len), to)? {
            copied if copied == len => Ok(()),
            _ => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}
