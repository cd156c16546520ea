//! What a run wrote to its standard streams: `stdout` and `stderr` as they are, and `output.jsonl`, which tells when each
//! piece was written, and by whom.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufWriter, ErrorKind, Read, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use simrun_abi::event::Stream;

/// Names of the streams' files, by [`index`].
const NAMES: [&str; 2] = ["stdout", "stderr"];
/// Streams by their numbers.
const STREAMS: [Stream; 2] = [Stream::Stdout, Stream::Stderr];
/// Name of the file that tells when.
const PIECES: &str = "output.jsonl";
/// Most bytes of a stream that are kept.
const STREAM_MAX: u64 = 256 << 20;

/// Number of a stream, from zero.
pub fn index(stream: Stream) -> usize {
    match stream {
        Stream::Stdout => 0,
        Stream::Stderr => 1,
    }
}

/// The file of a stream.
pub fn stream_file(folder: &Path, stream: Stream) -> PathBuf {
    folder.join(NAMES[index(stream)])
}

/// Bytes that were written in one go, or in several by one process that had not ended its line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Piece {
    time_ns: u64,
    /// Number of the event; zero in what was written before events had numbers.
    #[serde(default)]
    event: u64,
    node: String,
    pid: u32,
    stream: Stream,
    len: u64,
}

/// Writes it all down.
pub struct Writer {
    folder: PathBuf,
    /// Names of the nodes.
    nodes: Vec<String>,
    streams: [Option<BufWriter<File>>; 2],
    lens: [u64; 2],
    pieces: Option<BufWriter<File>>,
    /// The last piece, while it may still grow.
    last: Option<Piece>,
    is_truncated: bool,
}

impl Writer {
    /// Into this folder; files are made when there is something to write.
    pub fn new(folder: &Path, nodes: Vec<String>) -> Self {
        Self {
            folder: folder.to_path_buf(),
            nodes,
            streams: [None, None],
            lens: [0; 2],
            pieces: None,
            last: None,
            is_truncated: false,
        }
    }

    /// Whether a stream was too long to be kept as a whole.
    pub fn is_truncated(&self) -> bool {
        self.is_truncated
    }

    /// The next bytes of a stream, at a time and as an event of this number, from a process of a node.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn write(
        &mut self,
        (time_ns, event): (u64, u64),
        (node, pid): (u16, u32),
        stream: Stream,
        bytes: &[u8],
    ) -> io::Result<()> {
        let number = index(stream);
        let room = (STREAM_MAX - self.lens[number]) as usize;
        let kept = &bytes[..bytes.len().min(room)];
        self.is_truncated |= kept.len() < bytes.len();
        if kept.is_empty() {
            return Ok(());
        }
        open(&mut self.streams[number], || stream_file(&self.folder, stream))?.write_all(kept)?;
        self.lens[number] += kept.len() as u64;
        let ends_line = kept.ends_with(b"\n");
        let node = self.nodes.get(usize::from(node)).map_or("", String::as_str);
        match &mut self.last {
            Some(last) if last.node == node && last.pid == pid && last.stream == stream => {
                last.len += kept.len() as u64;
            }
            _ => {
                let node = node.to_owned();
                self.write_last()?;
                let len = kept.len() as u64;
                self.last = Some(Piece { time_ns, event, node, pid, stream, len });
            }
        }
        if ends_line { self.write_last() } else { Ok(()) }
    }

    fn write_last(&mut self) -> io::Result<()> {
        let Some(piece) = self.last.take() else { return Ok(()) };
        let out = open(&mut self.pieces, || self.folder.join(PIECES))?;
        serde_json::to_writer(&mut *out, &piece)?;
        out.write_all(b"\n")
    }

    /// Lets everything out that is held back.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn flush(&mut self) -> io::Result<()> {
        self.write_last()?;
        // The bytes before the word of them.
        let files = self.streams.iter_mut().chain([&mut self.pieces]).flatten();
        files.into_iter().try_for_each(BufWriter::flush)
    }
}

fn open(
    file: &mut Option<BufWriter<File>>,
    path: impl FnOnce() -> PathBuf,
) -> io::Result<&mut BufWriter<File>> {
    match file {
        Some(file) => Ok(file),
        None => Ok(file.insert(BufWriter::new(File::create(path())?))),
    }
}

/// A line of a run's output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Simulated time at which it began.
    pub time_ns: u64,
    /// Number of the event with which it began.
    pub event: u64,
    /// The machine that wrote it.
    pub node: String,
    /// The process that did.
    pub pid: u32,
    /// Where to.
    pub stream: Stream,
    /// Its text, without the end.
    pub text: String,
}

/// Reads a run's output, also while it grows.
pub struct Reader {
    folder: PathBuf,
    pieces: Growing,
    streams: [Growing; 2],
    /// Lines that have begun.
    begun: Begun,
}

/// By node, process and stream: when and with which event a line began, and its bytes so far.
type Begun = BTreeMap<(String, u32, usize), ((u64, u64), Vec<u8>)>;

/// A file of which more may come, and that may not be there yet.
struct Growing {
    name: &'static str,
    file: Option<File>,
    /// Bytes read and not yet used.
    rest: Vec<u8>,
}

impl Growing {
    fn new(name: &'static str) -> Self {
        Self { name, file: None, rest: Vec::new() }
    }

    fn fetch(&mut self, folder: &Path) -> io::Result<()> {
        if self.file.is_none() {
            self.file = match File::open(folder.join(self.name)) {
                Ok(file) => Some(file),
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
                Err(error) => return Err(error),
            };
        }
        match &mut self.file {
            Some(file) => file.read_to_end(&mut self.rest).map(drop),
            None => Ok(()),
        }
    }
}

impl Reader {
    /// Of the run in this folder.
    pub fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_path_buf(),
            pieces: Growing::new(PIECES),
            streams: NAMES.map(Growing::new),
            begun: BTreeMap::new(),
        }
    }

    /// The lines that have ended since the last call, as they began.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn lines(&mut self) -> io::Result<Vec<Line>> {
        // The word of the bytes before them: they were written in the other order.
        self.pieces.fetch(&self.folder)?;
        for stream in &mut self.streams {
            stream.fetch(&self.folder)?;
        }
        let mut lines = Vec::new();
        let mut used = 0;
        let mut taken = [0; 2];
        while let Some(len) = self.pieces.rest[used..].iter().position(|&byte| byte == b'\n') {
            let piece: Piece = serde_json::from_slice(&self.pieces.rest[used..used + len])?;
            used += len + 1;
            let number = index(piece.stream);
            let start = taken[number];
            let end = self.streams[number].rest.len().min(start + piece.len as usize);
            taken[number] = end;
            take_lines(&mut self.begun, &piece, &self.streams[number].rest[start..end], &mut lines);
        }
        self.pieces.rest.drain(..used);
        for (stream, taken) in self.streams.iter_mut().zip(taken) {
            stream.rest.drain(..taken);
        }
        lines.sort_by_key(|line| line.time_ns);
        Ok(lines)
    }

    /// The lines that have begun, when nothing more comes.
    pub fn unfinished(&mut self) -> Vec<Line> {
        let begun = std::mem::take(&mut self.begun).into_iter();
        let lines = begun.map(|((node, pid, number), (start, bytes))| {
            finished(start, node, pid, STREAMS[number], &bytes)
        });
        let mut lines: Vec<_> = lines.collect();
        lines.sort_by_key(|line| line.time_ns);
        lines
    }
}

fn take_lines(begun: &mut Begun, piece: &Piece, bytes: &[u8], lines: &mut Vec<Line>) {
    let key = (piece.node.clone(), piece.pid, index(piece.stream));
    for part in bytes.split_inclusive(|&byte| byte == b'\n') {
        let start = (piece.time_ns, piece.event);
        let (start, line) = begun.entry(key.clone()).or_insert((start, Vec::new()));
        line.extend_from_slice(part);
        if part.ends_with(b"\n") {
            line.pop();
            lines.push(finished(*start, key.0.clone(), piece.pid, piece.stream, line));
            begun.remove(&key);
        }
    }
}

fn finished(
    (time_ns, event): (u64, u64),
    node: String,
    pid: u32,
    stream: Stream,
    bytes: &[u8],
) -> Line {
    Line { time_ns, event, node, pid, stream, text: String::from_utf8_lossy(bytes).into_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_put_together_and_merged_by_time() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut writer = Writer::new(folder.path(), vec!["simrun".into()]);
        let mut reader = Reader::new(folder.path());
        assert_eq!(reader.lines().expect("nothing"), []);
        let pieces: [(u64, u32, Stream, &str); 5] = [
            (1, 1, Stream::Stdout, "a"),
            (2, 1, Stream::Stdout, "b"),
            (3, 2, Stream::Stderr, "x\ny\n"),
            (4, 1, Stream::Stdout, "c\n"),
            (5, 2, Stream::Stdout, "end"),
        ];
        for (time, pid, stream, text) in pieces {
            writer.write((time, 10 * time), (0, pid), stream, text.as_bytes()).expect("room");
        }
        writer.flush().expect("room");
        let told = |lines: Vec<Line>| -> Vec<(u64, u32, String)> {
            lines.into_iter().map(|line| (line.time_ns, line.pid, line.text)).collect()
        };
        let line = |time, pid, text: &str| (time, pid, text.to_owned());
        let lines = told(reader.lines().expect("lines"));
        assert_eq!(lines, [line(1, 1, "abc"), line(3, 2, "x"), line(3, 2, "y")]);
        assert_eq!(told(reader.unfinished()), [line(5, 2, "end")]);
        let stdout = std::fs::read(stream_file(folder.path(), Stream::Stdout)).expect("a file");
        assert_eq!(stdout, b"abc\nend");
        let pieces = std::fs::read_to_string(folder.path().join(PIECES)).expect("a file");
        assert_eq!(pieces.lines().count(), 4, "what one process goes on writing is one piece");

        writer.write((6, 60), (0, 2), Stream::Stdout, b" of it\n").expect("room");
        writer.flush().expect("room");
        assert_eq!(told(reader.lines().expect("lines")), [line(6, 2, " of it")]);
    }
}
