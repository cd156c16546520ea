//! The faults of a run as the kernel takes them: integers only, since the image has no floating point. The supervisor
//! makes them from fault files.

use alloc::{boxed::Box, string::String, vec::Vec};
use serde::{Deserialize, Serialize};

use crate::{
    node_faults::{Family, Moment, OnNodes, Raise, Victims},
    thread_faults::OnThreads,
};

/// A part of a whole, from none to all of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Share(u64);

impl Share {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// The whole.
    pub const WHOLE: Self = Self(1 << 32);

    /// So many parts of 2^32; more than the whole is the whole.
    #[must_use]
    pub const fn from_parts(parts: u64) -> Self {
        if parts > Self::WHOLE.0 { Self::WHOLE } else { Self(parts) }
    }

    /// How many of 2^32 parts.
    #[must_use]
    pub const fn parts(self) -> u64 {
        self.0
    }

    /// This share of a number, rounded down.
    #[must_use]
    pub const fn of(self, whole: u64) -> u64 {
        ((whole as u128 * self.0 as u128) >> 32) as u64
    }
}

/// A fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Name of its file and its own, as in `eintr/waits`: what its random numbers depend on besides the seed.
    pub name: String,
    /// What it is for.
    pub matches: Match,
    /// How often.
    pub chance: Chance,
    /// When.
    pub window: Window,
    /// How many of those that match are left alone before the first that may be hit.
    pub skip: u64,
    /// How often it fires at most.
    pub limit: u64,
    /// Whether it comes before or after the call that it is for.
    pub moment: Moment,
    /// Which machines it hits at its time, of those that it may hit.
    pub victims: Victims,
    /// Which others its firings raise, if they do.
    pub raises: Option<Raise>,
    /// The family that it belongs to.
    pub family: Option<Family>,
    /// What it does.
    pub effect: Effect,
}

impl Fault {
    /// One that does this wherever it can, for as long as the run lasts.
    #[must_use]
    pub fn always(name: String, effect: Effect) -> Self {
        Self {
            name,
            matches: Match::default(),
            chance: Chance::Probability { share: Share::WHOLE, correlation: Share::NONE },
            window: Window { after: Quantity::fixed(0), length: None, every: None, until: None },
            skip: 0,
            limit: u64::MAX,
            moment: Moment::Before,
            victims: Victims::One,
            raises: None,
            family: None,
            effect,
        }
    }
}

/// What a fault is for: all that is said must be so.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Match {
    /// Numbers of the calls. None for a fault that comes at its time.
    pub calls: Vec<u16>,
    /// What is done with the disk; none for anything, and for what is no use of it.
    pub disk: Vec<DiskOperation>,
    /// Programs, as patterns of their names, or of their paths where a pattern has a slash; none for any.
    pub processes: Vec<String>,
    /// Files, as patterns of their paths; none for any, and for what is no file.
    pub paths: Vec<String>,
    /// What the call's descriptor must be; none for anything, and for no descriptor.
    pub descriptors: Vec<Descriptor>,
    /// What its arguments must be.
    pub arguments: Vec<Argument>,
    /// Descriptors that the process must have open at least.
    pub open_descriptors: u64,
    /// The link, for a fault of links.
    pub link: LinkMatch,
    /// The nodes.
    pub nodes: NodeMatch,
    /// Links that are spared though all else fits.
    pub unless_links: Vec<LinkMatch>,
    /// Nodes, or pairs of them, that are spared though all else fits; none if nothing is said there.
    pub unless: Vec<NodeMatch>,
}

/// Which nodes a fault is for: all that is said must be so. Texts are patterns.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeMatch {
    /// Names or tags of the node that makes a call, is hit, or sends something; none for any.
    pub nodes: Vec<String>,
    /// Names or tags of the node that it sends something to; none for any.
    pub peers: Vec<String>,
    /// Tags that the first node must have one of; none for any.
    pub tags: Vec<String>,
}

/// Which links a fault is for, and which way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkMatch {
    /// Protocols; none for any.
    pub protocols: Vec<Protocol>,
    /// Addresses of the server; none for any.
    pub networks: Vec<Network>,
    /// Ports of the server; none for any.
    pub ports: Vec<u16>,
    /// Names of the server, as patterns; none for any.
    pub hosts: Vec<String>,
    /// Ways; none for both.
    pub ways: Vec<Way>,
}

/// What carries data over a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Protocol {
    /// Streams.
    Tcp,
    /// Datagrams.
    Udp,
    /// Echoes.
    Icmp,
}

/// Which way something goes over a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[repr(u8)]
pub enum Way {
    /// From the client to the server.
    Request,
    /// From the server to the client.
    Reply,
}

impl Way {
    /// How many there are.
    pub const COUNT: usize = 2;

    /// The other one.
    #[must_use]
    pub const fn back(self) -> Self {
        match self {
            Self::Request => Self::Reply,
            Self::Reply => Self::Request,
        }
    }
}

/// Addresses that begin alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    /// Its first address; one of IPv4 as mapped into IPv6.
    pub first: u128,
    /// How many bits are the same.
    pub prefix: u8,
}

impl Network {
    /// Whether an address is in it.
    #[must_use]
    pub const fn contains(self, address: u128) -> bool {
        let free = 128 - self.prefix as u32;
        match (self.first ^ address).checked_shr(free) {
            Some(differing) => differing == 0,
            None => true,
        }
    }
}

/// What an argument must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Argument {
    /// Which, from zero.
    pub index: u8,
    /// The least it may be.
    pub least: u64,
    /// The most it may be.
    pub most: u64,
    /// Bits of which all must be set.
    pub bits: u64,
}

/// What a descriptor refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[repr(u8)]
pub enum Descriptor {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A pipe or FIFO.
    Pipe,
    /// A standard stream that comes from outside the run.
    Stream,
    /// A TCP socket.
    Tcp,
    /// A UDP socket.
    Udp,
    /// A unix socket.
    Unix,
    /// A netlink socket.
    Netlink,
    /// A terminal.
    Terminal,
    /// A device without state, such as `/dev/null`.
    Device,
    /// Anything else: ICMP socket, eventfd, timerfd, signalfd, inotify, epoll, pidfd, message queue, a file of `/proc`.
    Other,
}

/// How often a fault hits what it matches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Chance {
    /// With a probability.
    Probability {
        /// Of each.
        share: Share,
        /// With this probability, a decision is the one before once more.
        correlation: Share,
    },
    /// At the next that matches after a time that is drawn anew each time, in nanoseconds.
    Rate {
        /// The time between two.
        interval: Quantity,
    },
}

/// When a fault may fire, in nanoseconds from the start of the run. What is random is drawn once, at the start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// When it opens.
    pub after: Quantity,
    /// For how long it stays open; without it, to the end.
    pub length: Option<Quantity>,
    /// From one opening to the next; without it, there is one.
    pub every: Option<Quantity>,
    /// When it closes for good.
    pub until: Option<Quantity>,
}

/// A number, or how it is drawn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quantity {
    /// How.
    pub draw: Draw,
    /// With this probability, what was drawn before is drawn once more.
    pub correlation: Share,
}

impl Quantity {
    /// Always this.
    #[must_use]
    pub const fn fixed(value: u64) -> Self {
        Self { draw: Draw::Fixed(value), correlation: Share::NONE }
    }
}

/// Parts into which a level of [`Draw::Table`] divides its range.
pub const TABLE_PARTS: usize = 256;

/// How a number is drawn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Draw {
    /// It is this one.
    Fixed(u64),
    /// Any from the first to the second, each as likely.
    Uniform(u64, u64),
    /// By the quantiles of a distribution. The first level has those of 0, 1/256, ... 1; each further level has those of
    /// the last part of the one before, so that a long tail is not cut off. [`TABLE_PARTS`] and one numbers each.
    Table(Vec<Vec<u64>>),
    /// One of two.
    Either {
        /// The first.
        usual: Box<Draw>,
        /// The second.
        rare: Box<Draw>,
        /// Probability of the second.
        share: Share,
    },
}

/// What a fault does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Effect {
    /// The call fails with one of these error numbers, each as likely, and does nothing.
    Fail(Vec<u16>),
    /// A call that begins to wait is interrupted as by a signal.
    Interrupt,
    /// The call moves this share of the bytes that it was asked for, in parts of 2^32, and at least one.
    Shorten(Quantity),
    /// The call begins so much later, in nanoseconds.
    Delay(Quantity),
    /// Calls move so many bytes in a second, all together: each begins when those before it are through.
    Throttle(u64),
    /// A wait that has a time-out lasts so much longer when that has come, in nanoseconds.
    Oversleep(Quantity),
    /// A thread that waits for a futex is woken though nobody woke it.
    Wake,
    /// The process gets this signal: before a call, if the fault is for calls, else at its time.
    Kill(u8),
    /// All threads of the process stand still for so long, in nanoseconds: before a call or at a time, as above.
    Pause(Quantity),
    /// At its time, the wall clock shows another time.
    JumpClock {
        /// By how much, in nanoseconds.
        by: Quantity,
        /// Which way.
        direction: Direction,
    },
    /// The disk damages the bytes of a file that a call reads or writes, and says nothing.
    Damage(DamageKind),
    /// The machine loses power and starts again: before a call or at a time, as above.
    LosePower {
        /// How long it is off, in nanoseconds.
        off: Quantity,
        /// What its disk promises; the same for all faults of a run.
        disk: Disk,
    },
    /// It hits whole machines.
    Nodes(OnNodes),
    /// It changes whose turn it is, or how long that takes.
    Threads(OnThreads),
    /// What is sent over a link arrives so much later, in nanoseconds.
    Latency(Quantity),
    /// A link carries so many bytes in a second each way, for all that it is for.
    Bandwidth {
        /// The bytes.
        rate: u64,
        /// Bytes that may wait for it; datagrams beyond that are lost, streams are held back by the sender.
        queue: u64,
    },
    /// A connection is not made.
    Connect(Refusal),
    /// A connection is reset once it has carried so many bytes, both ways together. The chance is of a connection.
    Reset(Quantity),
    /// Nothing gets through any more once a connection has carried so many bytes. The chance is of a connection.
    Vanish(Quantity),
    /// That nothing follows on a stream arrives so much later, in nanoseconds.
    SlowClose(Quantity),
    /// Both ends are told that nothing follows once a connection has carried so many bytes. The chance is of a connection.
    Close(Quantity),
    /// What is sent is lost; of streams it is sent again.
    Lose,
    /// What is sent is lost more often at some times than at others.
    LoseInBursts(Bursts),
    /// A datagram arrives once more, so much later, in nanoseconds.
    Duplicate(Quantity),
    /// What is sent arrives so much later, in nanoseconds, and a datagram does not hold up those behind it.
    Reorder(Quantity),
    /// A datagram arrives with a bit that is wrong; what belongs to a stream is found out and sent again, and an echo lost.
    Corrupt,
    /// What is written to a stream arrives in pieces.
    Slice {
        /// Bytes in each.
        size: Quantity,
        /// Time from one to the next, in nanoseconds.
        gap: Quantity,
    },
    /// Nodes cannot reach each other.
    Partition(Partition),
    /// Somebody in the middle changes what is written to a stream or sent as a datagram.
    Tamper(Tampering),
    /// The name server does not answer as it should.
    Name(NameFault),
}

/// When what is sent is lost in bursts (Gilbert 1960, Elliott 1963): at each thing that is sent, bad times may begin or end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bursts {
    /// Probability that bad times begin.
    pub begin: Share,
    /// Probability that they end.
    pub end: Share,
    /// Of what is sent in bad times, what is lost.
    pub lost: Share,
    /// Of what is sent in good times, what is lost.
    pub lost_between: Share,
}

/// Which nodes cannot reach each other. Who is on which side is drawn, unless it follows from the fault's match.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partition {
    /// How they are divided.
    pub shape: Shape,
    /// What is cut.
    pub cut: Cut,
    /// How long it lasts, if it comes at a rate, in nanoseconds.
    pub length: Option<Quantity>,
}

/// How nodes are divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Shape {
    /// Two that cannot reach each other.
    Pair,
    /// One that can reach no other.
    Isolate,
    /// Two halves.
    Halves,
    /// The larger half and the smaller one.
    Majority,
    /// Two halves, and one node that both can reach.
    Bridge,
    /// Each can reach those next to it in a ring, as many as make up a majority with it.
    Ring,
}

/// Which way between two sides is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cut {
    /// Both.
    Both,
    /// What the first side sends: of a pair the first, the one that is isolated, the smaller half.
    Out,
    /// What it is sent.
    In,
    /// One of these, drawn.
    Either,
}

/// What somebody in the middle does to a message: to what one call writes to a stream, or to a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tampering {
    /// It arrives twice.
    Duplicate,
    /// A byte of it is another one.
    Modify,
    /// One that was sent before arrives once more after it.
    Replay,
}

/// What the name server does wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NameFault {
    /// It says that there is no such name.
    NotFound,
    /// It says that it failed.
    Failure,
    /// It does not answer.
    Silence,
    /// It answers so much later, in nanoseconds.
    Delay(Quantity),
    /// It answers with the address of a machine that is there no more.
    Stale,
    /// It answers with the address of another machine of the run, drawn for each answer.
    Changed,
}

impl Effect {
    /// Whether it is one on links.
    #[must_use]
    pub const fn is_of_links(&self) -> bool {
        matches!(
            self,
            Self::Latency(_)
                | Self::Bandwidth { .. }
                | Self::Connect(_)
                | Self::Reset(_)
                | Self::Vanish(_)
                | Self::SlowClose(_)
                | Self::Close(_)
                | Self::Lose
                | Self::LoseInBursts(_)
                | Self::Duplicate(_)
                | Self::Reorder(_)
                | Self::Corrupt
                | Self::Slice { .. }
                | Self::Partition(_)
                | Self::Tamper(_)
                | Self::Name(_)
        )
    }
}

/// How a connection is not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refusal {
    /// As if nobody listened.
    Refuse,
    /// No answer comes.
    Hang,
    /// A router says that there is no way to the host.
    Unreachable,
    /// The request is dropped, as by a listener whose queue is full, and made again after a second, two more, four more.
    Overflow,
}

/// What a bad disk does to the bytes of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DamageKind {
    /// A bit that is read is wrong.
    FlipBit,
    /// What is written is written up to some sector only.
    Tear,
    /// What is written is not.
    Lose,
    /// What is written is written elsewhere in the file.
    Misdirect,
}

/// What a disk promises of what was not synchronized.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Disk {
    /// What ext4 with `data=ordered` does.
    Ext4,
    /// Nothing.
    Strict,
}

/// Which way a clock jumps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Direction {
    /// To later.
    Forward,
    /// To earlier.
    Backward,
}

/// What is done with a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[repr(u8)]
pub enum DiskOperation {
    /// Contents of a file are read.
    Read,
    /// Contents of a file are written, or room is made for them.
    Write,
    /// What was written is made durable.
    Sync,
    /// A name is made, changed or removed, or a file is cut.
    Change,
}

impl DiskOperation {
    /// How many there are.
    pub const COUNT: usize = 4;
}
