//! Pipes, unix sockets, TCP and the descriptor table against models that a page explains.
//!
//! What Linux says in every detail is compared by `supervisor/tests/fidelity/**/random_*.c`; here it is what must hold
//! whatever the details: bytes come out as they went in, ends are seen after the last byte, numbers are the lowest free.

use alloc::{
    collections::{BTreeMap, VecDeque},
    vec::Vec,
};

use linux_raw_sys::{general as nr, net};

use super::program::{BUFFER_SIZE, Game};
use crate::{
    error::Errno,
    random::{Purpose, Random, Stream},
};

/// Runs of each model.
const SEEDS: u64 = 40;
/// Steps of each run.
const STEPS: u32 = 300;
/// Most open descriptors in a run.
const DESCRIPTORS_MAX: usize = 24;

/// How two ends are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Pipe,
    Unix,
    Tcp,
}

/// One direction: what was written and not read.
#[derive(Default)]
struct Direction {
    bytes: VecDeque<u8>,
    /// Whether what writes it is shut or closed.
    is_over: bool,
    /// Whether what reads it is shut or closed.
    is_deaf: bool,
}

/// An end that descriptors name.
struct End {
    joint: usize,
    kind: Kind,
    /// The directions it reads and writes.
    reads: Option<usize>,
    writes: Option<usize>,
    descriptors: usize,
}

struct Model {
    game: Game,
    random: Stream,
    directions: Vec<Direction>,
    ends: Vec<End>,
    /// Ends by descriptor.
    table: BTreeMap<u64, usize>,
    /// Joints of which an end was closed with bytes unread: the other end may be told of a reset at any time.
    cut: Vec<bool>,
    /// Bytes read, by kind.
    moved: [usize; 3],
}

fn errno(result: i64) -> Option<Errno> {
    [Errno::EAGAIN, Errno::EPIPE, Errno::ECONNRESET, Errno::EBADF, Errno::ENOTCONN]
        .into_iter()
        .find(|errno| errno.as_result() as i64 == result)
}

impl Model {
    fn new(seed: u64) -> Self {
        let mut table = BTreeMap::new();
        let ends = Vec::from([0, 1, 2].map(|fd| {
            table.insert(fd, fd as usize);
            End { joint: 0, kind: Kind::Pipe, reads: None, writes: None, descriptors: 1 }
        }));
        let random = Random::new(seed).derive(Purpose::Entropy, 0);
        let (game, directions) = (Game::start(seed), Vec::new());
        Self { game, random, directions, ends, table, cut: Vec::from([false]), moved: [0; 3] }
    }

    fn lowest_free(&self, from: u64) -> u64 {
        (from..).find(|fd| !self.table.contains_key(fd)).expect("there are enough numbers")
    }

    fn call(&mut self, number: u32, arguments: [u64; 3]) -> i64 {
        let [a, b, c] = arguments;
        self.game.result(number, [a, b, c, 0, 0, 0])
    }

    fn any_descriptor(&mut self) -> Option<u64> {
        let open: Vec<u64> = self.table.keys().copied().filter(|&fd| fd > 2).collect();
        match open.len() as u64 {
            0 => None,
            len => Some(open[self.random.below(len) as usize]),
        }
    }

    fn add(&mut self, fd: i64, end: End) {
        assert_eq!(fd as u64, self.lowest_free(0), "the lowest free number");
        self.table.insert(fd as u64, self.ends.len());
        self.ends.push(end);
    }

    fn join(&mut self, kind: Kind) {
        let (joint, first) = (self.cut.len(), self.directions.len());
        self.cut.push(false);
        self.directions.push(Direction::default());
        let end = |reads, writes| End { joint, kind, reads, writes, descriptors: 1 };
        if kind == Kind::Pipe {
            let buffer = self.game.buffer();
            assert_eq!(self.call(nr::__NR_pipe2, [buffer, nr::O_NONBLOCK.into(), 0]), 0);
            let [reader, writer] = self.two_numbers();
            self.add(reader, end(Some(first), None));
            return self.add(writer, end(None, Some(first)));
        }
        self.directions.push(Direction::default());
        let (one, other) = (end(Some(first), Some(first + 1)), end(Some(first + 1), Some(first)));
        let [a, b] = if kind == Kind::Unix { self.pair() } else { self.connection() };
        self.add(a, one);
        self.add(b, other);
    }

    fn two_numbers(&mut self) -> [i64; 2] {
        let bytes = self.game.look(8);
        [0, 4].map(|at| i64::from(i32::from_le_bytes(core::array::from_fn(|i| bytes[at + i]))))
    }

    fn pair(&mut self) -> [i64; 2] {
        let kind = u64::from(net::SOCK_STREAM | nr::O_NONBLOCK);
        let arguments = [net::AF_UNIX.into(), kind, 0, self.game.buffer(), 0, 0];
        assert_eq!(self.game.result(nr::__NR_socketpair, arguments), 0);
        self.two_numbers()
    }

    /// Both ends of a connection, moved to the lowest numbers once the listener is gone.
    fn connection(&mut self) -> [i64; 2] {
        let (buffer, kind) = (self.game.buffer(), u64::from(net::SOCK_STREAM));
        let listener = self.call(nr::__NR_socket, [net::AF_INET.into(), kind, 0]) as u64;
        let mut address = [0; 16];
        address[0] = net::AF_INET as u8;
        address[4..8].copy_from_slice(&[127, 0, 0, 1]);
        self.game.fill(&address);
        assert_eq!(self.call(nr::__NR_bind, [listener, buffer, 16]), 0);
        assert_eq!(self.call(nr::__NR_listen, [listener, 1, 0]), 0);
        self.game.fill(&[&address[..], &16u32.to_le_bytes()].concat());
        assert_eq!(self.call(nr::__NR_getsockname, [listener, buffer, buffer + 16]), 0);
        let client = self.call(nr::__NR_socket, [net::AF_INET.into(), kind, 0]) as u64;
        assert_eq!(self.call(nr::__NR_connect, [client, buffer, 16]), 0);
        let server = self.call(nr::__NR_accept, [listener, 0, 0]) as u64;
        assert_eq!(self.call(nr::__NR_close, [listener, 0, 0]), 0);
        [client, server].map(|fd| {
            let set = [fd, nr::F_SETFL.into(), nr::O_NONBLOCK.into()];
            assert_eq!(self.call(nr::__NR_fcntl, set), 0);
            let moved = self.call(nr::__NR_dup, [fd, 0, 0]);
            if moved as u64 > fd {
                // It was the lowest already.
                assert_eq!(self.call(nr::__NR_close, [moved as u64, 0, 0]), 0);
                return fd as i64;
            }
            assert_eq!(self.call(nr::__NR_close, [fd, 0, 0]), 0);
            moved
        })
    }

    fn read(&mut self, fd: u64) {
        let len = self.random.below(BUFFER_SIZE) as usize >> self.random.below(12);
        let buffer = self.game.buffer();
        let result = self.call(nr::__NR_read, [fd, buffer, len as u64]);
        let end = &self.ends[self.table[&fd]];
        let (kind, is_cut) = (end.kind, self.cut[end.joint]);
        let Some(direction) = end.reads.map(|reads| &mut self.directions[reads]) else {
            return assert_eq!(errno(result), Some(Errno::EBADF));
        };
        if result < 0 {
            return match errno(result) {
                Some(Errno::EAGAIN) => {
                    assert!(direction.bytes.is_empty() && !direction.is_over, "{kind:?} {len}");
                }
                Some(Errno::ECONNRESET | Errno::EPIPE) => {
                    assert!(is_cut && kind != Kind::Pipe, "{kind:?}");
                }
                _ => panic!("{kind:?}: {result}"),
            };
        }
        let expected: Vec<u8> = direction.bytes.drain(..result as usize).collect();
        let ends_here = direction.is_over || direction.is_deaf || is_cut || len == 0;
        assert!(result > 0 || ends_here, "{kind:?}: an end before the end");
        self.moved[kind as usize] += expected.len();
        assert_eq!(self.game.look(expected.len()), expected, "{kind:?}");
    }

    fn write(&mut self, fd: u64) {
        let len = 1 + (self.random.below(BUFFER_SIZE - 1) as usize >> self.random.below(12));
        let mut bytes = alloc::vec![0; len];
        self.random.fill(&mut bytes);
        self.game.fill(&bytes);
        let buffer = self.game.buffer();
        let result = self.call(nr::__NR_write, [fd, buffer, len as u64]);
        let end = &self.ends[self.table[&fd]];
        let (kind, joint) = (end.kind, end.joint);
        let Some(direction) = end.writes.map(|writes| &mut self.directions[writes]) else {
            return assert_eq!(errno(result), Some(Errno::EBADF));
        };
        match errno(result) {
            Some(Errno::EAGAIN) => {
                assert!(!direction.bytes.is_empty(), "{kind:?}: full, yet empty")
            }
            Some(Errno::EPIPE | Errno::ECONNRESET) => {
                assert!(direction.is_deaf || direction.is_over || self.cut[joint], "{kind:?}");
            }
            None if result > 0 && result as usize <= len => {
                if direction.is_deaf {
                    // Only a connection may find out later.
                    assert_eq!(kind, Kind::Tcp);
                    self.cut[joint] = true;
                } else {
                    direction.bytes.extend(&bytes[..result as usize]);
                }
            }
            _ => panic!("{kind:?}: {result}"),
        }
    }

    fn copy(&mut self, fd: u64) {
        let copy = self.call(nr::__NR_dup, [fd, 0, 0]);
        assert_eq!(copy as u64, self.lowest_free(0));
        let end = self.table[&fd];
        self.table.insert(copy as u64, end);
        self.ends[end].descriptors += 1;
    }

    fn close(&mut self, fd: u64) {
        assert_eq!(self.call(nr::__NR_close, [fd, 0, 0]), 0);
        assert_eq!(errno(self.call(nr::__NR_close, [fd, 0, 0])), Some(Errno::EBADF));
        let index = self.table.remove(&fd).expect("it was open");
        let end = &mut self.ends[index];
        end.descriptors -= 1;
        if end.descriptors > 0 {
            return;
        }
        let (joint, reads, writes) = (end.joint, end.reads, end.writes);
        if let Some(reads) = reads {
            let direction = &mut self.directions[reads];
            direction.is_deaf = true;
            self.cut[joint] |= !direction.bytes.is_empty();
        }
        if let Some(writes) = writes {
            self.directions[writes].is_over = true;
        }
    }

    fn step(&mut self) {
        let kind = [Kind::Pipe, Kind::Unix, Kind::Tcp][self.random.below(3) as usize];
        match (self.any_descriptor(), self.random.below(20)) {
            (None, _) => self.join(kind),
            (_, 0 | 1) if self.table.len() < DESCRIPTORS_MAX => self.join(kind),
            (Some(fd), 2) if self.table.len() < DESCRIPTORS_MAX => self.copy(fd),
            (Some(fd), 3 | 4) => self.close(fd),
            (Some(fd), 5..=11) => self.write(fd),
            (Some(fd), _) => self.read(fd),
        }
    }
}

#[test]
fn streams_and_numbers_keep_to_their_models() {
    let mut moved = [0; 3];
    for seed in 0..SEEDS {
        let mut model = Model::new(seed);
        for _ in 0..STEPS {
            model.step();
        }
        moved = core::array::from_fn(|kind| moved[kind] + model.moved[kind]);
    }
    assert!(moved.iter().all(|&bytes| bytes > 100_000), "each kind is used: {moved:?}");
}
