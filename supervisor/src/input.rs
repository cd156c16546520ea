//! Standard input for several runs.

use std::{
    fs::File,
    io::{self, Read, Seek, Write},
    os::fd::AsRawFd,
};

use nix::sys::memfd::{MFdFlags, memfd_create};

use crate::{launch::Streams, verbs::Failure};

/// Standard input, the same for each run: what came from a pipe is kept, a terminal's is none.
pub struct Input {
    file: File,
}

impl Input {
    /// What comes on simrun's own.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn new(nowhere: &File) -> Result<Self, Failure> {
        let fail = |source| Failure::File { doing: "standard input cannot be kept", source };
        let stdin = io::stdin();
        if io::IsTerminal::is_terminal(&stdin) {
            return Ok(Self { file: nowhere.try_clone().map_err(fail)? });
        }
        let mut file = File::from(
            memfd_create(c"simrun-input", MFdFlags::MFD_CLOEXEC)
                .map_err(|error| fail(error.into()))?,
        );
        let mut bytes = Vec::new();
        stdin.lock().read_to_end(&mut bytes).map_err(fail)?;
        file.write_all(&bytes).map_err(fail)?;
        Ok(Self { file })
    }

    /// The streams of the next run: input from its start, output to `output` or simrun's own.
    ///
    /// # Errors
    /// When the file cannot be read again.
    pub fn streams(&self, output: Option<&File>) -> Result<Streams, Failure> {
        (&self.file).rewind().map_err(|source| Failure::File {
            doing: "standard input cannot be read again",
            source,
        })?;
        let mut streams = Streams { stdin: self.file.as_raw_fd(), ..Streams::own() };
        if let Some(output) = output {
            (streams.stdout, streams.stderr) = (output.as_raw_fd(), output.as_raw_fd());
        }
        Ok(streams)
    }
}
