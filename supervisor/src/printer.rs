//! What several machines write, line by line with their names, on simrun's own streams.

use std::{
    collections::BTreeMap,
    os::fd::{BorrowedFd, RawFd},
};

use nix::unistd::write;
use simrun_abi::{
    boot::{Boot, Detail, Streams as Kind},
    event::{Event, What},
    node::Node,
};

use crate::{launch::Streams, mocks::is_mock, sim, store::output};

/// So much is written at once.
const CHUNK: usize = 64 << 10;

/// See the module.
pub struct Printer {
    /// What stands before a line of each machine; mocks speak to the log only.
    prefixes: Vec<Option<String>>,
    /// Descriptors by the number of the stream.
    outputs: [RawFd; 2],
    /// Lines that have begun, by machine, process and stream.
    begun: BTreeMap<(u16, u32, usize), Vec<u8>>,
    /// Whole lines that are not written yet, all to one stream.
    waiting: (usize, Vec<u8>),
}

impl Printer {
    /// For a run whose output goes nowhere else.
    pub fn of(boot: &Boot, streams: &Streams) -> Option<Self> {
        let is_shown = |node: &Node| !is_mock(&node.tags) && !node.name.starts_with(sim::PROBE);
        let width =
            boot.nodes.iter().filter(|node| is_shown(node)).map(|node| node.name.len()).max();
        let width = width.unwrap_or(0);
        let prefix = |node: &Node| is_shown(node).then(|| format!("{:width$} | ", node.name));
        (boot.streams == Kind::Told).then(|| Self {
            prefixes: boot.nodes.iter().map(prefix).collect(),
            outputs: [streams.stdout, streams.stderr],
            begun: BTreeMap::new(),
            waiting: (0, Vec::new()),
        })
    }

    /// The least that has to be told of such a run.
    pub fn detail(boot: &Boot) -> Detail {
        match boot.streams {
            Kind::Told => Detail::Kept,
            Kind::OfHost => Detail::Summary,
        }
    }

    /// Takes in an event.
    pub fn hear(&mut self, event: &Event) {
        let What::Output { stream, bytes } = &event.what else { return };
        let key = (event.node, event.pid, output::index(*stream));
        for part in bytes.split_inclusive(|&byte| byte == b'\n') {
            let mut line = self.begun.remove(&key).unwrap_or_default();
            line.extend_from_slice(part);
            if part.ends_with(b"\n") {
                self.line(key, &line);
            } else {
                self.begun.insert(key, line);
            }
        }
    }

    fn line(&mut self, (node, _, stream): (u16, u32, usize), line: &[u8]) {
        // What comes first on either stream is written first.
        if self.waiting.0 != stream || self.waiting.1.len() > CHUNK {
            self.flush();
            self.waiting.0 = stream;
        }
        let Some(Some(prefix)) = self.prefixes.get(usize::from(node)) else { return };
        self.waiting.1.extend_from_slice(prefix.as_bytes());
        self.waiting.1.extend_from_slice(line);
    }

    /// Writes what is held back.
    pub fn flush(&mut self) {
        let (stream, bytes) = &mut self.waiting;
        // SAFETY: the streams of a run are open as long as it lasts.
        let output = unsafe { BorrowedFd::borrow_raw(self.outputs[*stream]) };
        let mut left = bytes.as_slice();
        while !left.is_empty() {
            match write(output, left) {
                Ok(written) if written > 0 => left = &left[written..],
                Err(nix::errno::Errno::EINTR) => {}
                // Whether anybody reads is not the run's concern.
                _ => break,
            }
        }
        bytes.clear();
    }

    /// Writes all that is left, also lines without an end.
    pub fn finish(mut self) {
        for (key, mut line) in std::mem::take(&mut self.begun) {
            line.push(b'\n');
            self.line(key, &line);
        }
        self.flush();
    }
}
