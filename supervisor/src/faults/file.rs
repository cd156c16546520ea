//! What a fault file may say.

use schemars::JsonSchema;
use serde::Deserialize;
use simrun_config::{
    Named, OneOrMany, Quantity, Spanned,
    units::{Bandwidth, Frequency, Share, Size, Time},
};

use super::network::{Answer, Bursts, Partition, Slice, Tampering};

/// A file of faults
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FaultFile {
    /// What the file makes of the world, in a line
    pub about: String,
    /// Families of faults, by the name that their faults give: a run has some of them, and some are weaker than in others
    pub families: Option<Named<Family>>,
    /// How many seeds `simrun explore` runs under this file, unless it is told
    pub depth: Option<Spanned<u64>>,
    /// The faults by name. What a fault draws depends on the seed, the file's name and its own, so that another fault more
    /// or less does not change it
    pub faults: Named<Fault>,
}

/// A fault
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Fault {
    /// What it does
    pub r#do: Spanned<Action>,
    /// What it may hit: all that is said must be so. Without it, anything that it can hit
    #[serde(default)]
    pub r#match: Spanned<Match>,
    /// How likely each of them is hit; always, if neither this nor `rate` is given
    pub probability: Option<Spanned<Share>>,
    /// With this probability, a decision is the one before once more: faults come in bursts, and no more of them
    pub correlation: Option<Spanned<Share>>,
    /// How often it happens in simulated time, on average: to the next call that matches
    pub rate: Option<Spanned<Frequency>>,
    /// Whether what hits a thread, a process or a machine at a call comes before it, or when it has done what it does
    pub when: Option<Spanned<Moment>>,
    /// Which machines are hit by what hits machines at its time: one of those that match, drawn, or all of them together
    pub hits: Option<Spanned<Victims>>,
    /// What its firings make more likely
    pub raises: Option<Spanned<Raise>>,
    /// The family that it belongs to
    pub family: Option<Spanned<String>>,
    /// How many of those that match are left alone before the first that may be hit
    #[serde(default)]
    pub skip: u64,
    /// How often it happens at most
    pub limit: Option<Spanned<u64>>,
    /// How long after the start of the run its window opens. This and the other times are drawn once for a run
    pub after: Option<Spanned<Quantity<Time>>>,
    /// For how long the window stays open; to the end, without it
    pub r#for: Option<Spanned<Quantity<Time>>>,
    /// From one opening of the window to the next; it opens once, without it
    pub every: Option<Spanned<Quantity<Time>>>,
    /// How long after the start of the run the window closes for good
    pub until: Option<Spanned<Quantity<Time>>>,
}

/// What a fault may hit
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Match {
    /// Names of system calls; `*` stands for any letters
    pub call: OneOrMany<Spanned<String>>,
    /// The program: its file's name, or its path if there is a slash in it. `*` and `?` stand for letters within a name,
    /// `**` for anything
    pub process: OneOrMany<Spanned<String>>,
    /// Absolute path of the file, by name or behind the descriptor; patterns as of `process`
    pub path: OneOrMany<Spanned<String>>,
    /// What the descriptor refers to
    pub descriptor: OneOrMany<Descriptor>,
    /// What the call does with the disk
    pub disk: OneOrMany<DiskOperation>,
    /// What arguments must be
    pub argument: OneOrMany<Spanned<Argument>>,
    /// How many descriptors the process must have open, at least
    pub open_descriptors: Option<u64>,
    /// What carries data over the link
    pub protocol: OneOrMany<Protocol>,
    /// Address of the link's server, or a network, as in `127.0.0.0/8`
    pub address: OneOrMany<Spanned<String>>,
    /// Port of the link's server
    pub port: OneOrMany<u16>,
    /// Name of the link's server; `*` stands for any letters
    pub host: OneOrMany<Spanned<String>>,
    /// Which way over the link; both, without it
    pub direction: OneOrMany<Way>,
    /// Name of the node, or one of its tags: the one that makes the call, that is hit, or that sends. Patterns as of
    /// `process`
    pub node: OneOrMany<Spanned<String>>,
    /// The same of the node that something is sent to
    pub peer: OneOrMany<Spanned<String>>,
    /// A tag that the node must have besides
    pub tag: OneOrMany<Spanned<String>>,
    /// What is spared all the same: of several, what any of them is for
    pub not: OneOrMany<Spanned<Spared>>,
}

/// What a fault spares: nodes, or links, for which all that is said is so. With `peer`, what is sent from the ones to the
/// others
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Spared {
    /// What carries data over the link
    pub protocol: OneOrMany<Protocol>,
    /// Address of the link's server, or a network
    pub address: OneOrMany<Spanned<String>>,
    /// Port of the link's server
    pub port: OneOrMany<u16>,
    /// Name of the link's server, or the name that is asked for
    pub host: OneOrMany<Spanned<String>>,
    /// Name of the node, or one of its tags
    pub node: OneOrMany<Spanned<String>>,
    /// Name of the node that something is sent to, or one of its tags
    pub peer: OneOrMany<Spanned<String>>,
    /// A tag that the node must have besides
    pub tag: OneOrMany<Spanned<String>>,
}

/// What carries data over a link
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// Streams
    Tcp,
    /// Datagrams
    Udp,
    /// Echoes, as `ping` asks for them
    Icmp,
}

/// Which way over a link
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// From the client to the server
    Request,
    /// From the server to the client
    Reply,
}

/// What an argument of the call must be, as the register has it
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Argument {
    /// Which, from 1 to 6
    #[serde(default)]
    pub number: u8,
    /// This and nothing else
    pub is: Option<u64>,
    /// The least it may be
    pub at_least: Option<u64>,
    /// The most it may be
    pub at_most: Option<u64>,
    /// Bits that must all be set
    pub has_bits: Option<u64>,
}

/// What a fault does
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// The call fails with this error, or with one of these, and does nothing. Only calls that Linux lets fail so are hit,
    /// on descriptors where it can: `ENOSPC` needs a file, `EAGAIN` a descriptor that does not block, `EINTR` a call that
    /// begins to wait, in a process that handles signals
    Fail(OneOrMany<Spanned<String>>),
    /// The call moves only this share of the bytes that it was asked to read or write, and at least one
    Shorten(Quantity<Share>),
    /// The call begins so much later
    Delay(Quantity<Time>),
    /// All calls together move no more bytes in a second, as through one narrow pipe
    Throttle(Spanned<Bandwidth>),
    /// A wait with a time-out lasts so much longer when that has come: late timers
    Oversleep(Quantity<Time>),
    /// A thread that waits for a futex, as in a mutex or a condition variable, is woken though nobody woke it
    Wake,
    /// The process gets this signal, before the call if `match` is about calls; else at the time when the window opens, or
    /// at the rate, any process that matches
    Kill(Spanned<String>),
    /// All threads of the process stand still for so long, and nobody can see that they do; before a call or at a time, as
    /// with `kill`
    Pause(Quantity<Time>),
    /// The wall clock jumps when the window opens, or at the rate; the monotonic clock goes on
    JumpClock(Jump),
    /// The disk damages the bytes of a file, and the call succeeds all the same
    Damage(Damage),
    /// The machine loses power and starts again, with the files that its disk has left: every process is gone, and the
    /// command is run anew. As with `crash`
    LosePower(LosePower),
    /// All processes of a machine are killed, and its command is run anew; its files stay. The machine that calls, if
    /// `match` is about calls; else, when the window opens or at the rate, one of those that match, or all with `hits: all`
    Crash(Crash),
    /// A machine's program gets `SIGTERM`, and all its processes are killed if it has not ended in time; then its command is
    /// run anew. As with `crash`
    Stop(Stop),
    /// All processes of a machine stand still for so long; as with `crash`
    PauseNode(Quantity<Time>),
    /// Machines die at the rate, in one way or another, and come back; workloads are spared, unless there is nothing else
    Attrition(Attrition),
    /// The clocks of machines go wrong when the window opens: each of all that match has its own error
    SkewClock(Skew),
    /// A second is inserted when the window opens, and that is at midnight UTC: the run's wall clock is set accordingly. As
    /// on Linux, the last second of the day happens twice
    LeapSecond,
    /// The machine is in this time zone, or in one of these, for the whole run: `/etc/localtime` says so, and `TZ`, unless
    /// the command is given another one
    TimeZone(OneOrMany<Spanned<String>>),
    /// A thread has no turn for so long, while others can run: the one that calls, if `match` is about calls; else at a
    /// time, as with `kill`, any one of the process
    Starve(Quantity<Time>),
    /// A thread that waits in a call goes on so much later once it has been woken
    DelayWakeup(Quantity<Time>),
    /// When threads that wait for a futex are woken, who came last is first
    ReverseWakes,
    /// Of the threads that can run, the one of highest priority does, for the whole run; each draws its own
    Prioritize(Priorities),
    /// So many times the time passes with what the process does: a call takes a microsecond, with a factor of 1000 a
    /// millisecond
    SlowCpu(Spanned<u64>),
    /// What is sent over a link arrives so much later. Neither streams nor datagrams to one endpoint get out of order
    Latency(Quantity<Time>),
    /// A link carries no more bytes in a second each way, for all that match together
    Bandwidth(Line),
    /// A connection of TCP is not made
    Connect(Refusal),
    /// A connection of TCP is reset once it has carried so many bytes, both ways together. `probability` and `skip` are of
    /// connections; with a `rate`, it is the next connection that has carried so many and sends something
    Reset(Quantity<Size>),
    /// Nothing gets through any more once a connection of TCP has carried so many bytes, and neither end is told; else as
    /// `reset`
    Vanish(Quantity<Size>),
    /// The end of a stream of TCP arrives so much later
    SlowClose(Quantity<Time>),
    /// Both ends of a connection of TCP are told that nothing follows, once it has carried so many bytes; else as `reset`
    Close(Quantity<Size>),
    /// What is sent is lost. TCP sends it again: a request for a connection after a second, anything else after 200ms, or
    /// after the time there and back if three more were sent behind it; then after twice as long each time
    Lose,
    /// What is sent is lost in bursts (Gilbert and Elliott's model), all that matches together
    LoseInBursts(Bursts),
    /// A datagram arrives once more, so much later
    Duplicate(Quantity<Time>),
    /// What is sent arrives so much later, and datagrams behind it before it; of a stream all behind it waits
    Reorder(Quantity<Time>),
    /// A datagram arrives with a bit that is wrong; of a stream, or an echo, it is lost, as the checksum shows it
    Corrupt,
    /// What is written to a stream of TCP arrives in small pieces
    Slice(Slice),
    /// Nodes cannot reach each other: what they send is lost
    Partition(Partition),
    /// Somebody in the middle changes messages. `probability` is of messages
    Tamper(Tampering),
    /// The name server answers questions so
    Resolve(Answer),
    /// The name server answers so much later
    ResolveLate(Quantity<Time>),
}

/// When what comes at a call comes
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Moment {
    /// Before it has done anything
    Before,
    /// When it has done what it does, before the program knows
    After,
}

/// Which machines are hit, of those that match
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Victims {
    /// One, drawn each time
    One,
    /// All together, as in a rack
    All,
}

/// What the firings of a fault make more likely
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Raise {
    /// Names of other faults of the file; `*` stands for any letters. All others, without it
    #[serde(default)]
    pub faults: OneOrMany<Spanned<String>>,
    /// How many times as often they come
    pub factor: u64,
    /// For how long after each firing
    pub r#for: Quantity<Time>,
}

/// A family of faults
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Family {
    /// In how many of the runs its faults are there
    pub presence: Spanned<Share>,
    /// Share of their probabilities and rates that is left, drawn once for a run; all, without it
    pub strength: Option<Quantity<Share>>,
}

/// How a machine's processes are killed
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Crash {
    /// How long after its command is run anew
    pub off: Quantity<Time>,
    /// Whether its disk is empty then: it finds what it found first
    #[serde(default)]
    pub wipe: bool,
}

/// How a machine is stopped
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Stop {
    /// How long its program has to end; as long as the machine's `stop-grace` says, without it, or else ten seconds
    pub grace: Option<Quantity<Time>>,
    /// How long after its end its command is run anew
    pub off: Quantity<Time>,
}

/// How machines die
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Attrition {
    /// How many may be dead at a time
    pub max_dead: Spanned<u64>,
    /// How long each is
    pub off: Quantity<Time>,
    /// How long one that is stopped has to end; as with `stop`, without it
    pub grace: Option<Quantity<Time>>,
    /// How often they die in which way, to one another; by `crash` alone, without it
    pub deaths: Option<Spanned<Deaths>>,
}

/// How often machines die in which way, to one another
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Deaths {
    /// All processes are killed
    pub crash: u64,
    /// It is asked to end, and killed if it does not
    pub stop: u64,
    /// It loses power, and has a disk like ext4
    pub lose_power: u64,
    /// All processes are killed, and its disk is empty
    pub wipe: u64,
}

/// How clocks are wrong
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Skew {
    /// How far the wall clock is off
    pub offset: Option<Quantity<Time>>,
    /// How much too fast or slow all clocks of the machine are, as an oscillator: `50ppm` are four seconds a day
    pub drift: Option<Quantity<Share>>,
    /// Which way; drawn for each machine, without it
    pub direction: Option<Direction>,
}

/// Which way clocks are wrong
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// Ahead, and fast
    Forward,
    /// Behind, and slow
    Backward,
}

/// Turns by priority, as in probabilistic concurrency testing
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Priorities {
    /// How often the thread that runs lets all others go first
    pub changes: u64,
    /// Among how many of the first decisions on turns these are drawn; there is one at about each call while others wait.
    /// 10000, without it
    pub steps: Option<Spanned<u64>>,
}

/// A link that is narrow
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Line {
    /// How much it carries
    pub rate: Spanned<Bandwidth>,
    /// How much may wait for it: datagrams beyond that are lost, streams are held back by their senders. 256KiB, without it
    pub queue: Option<Size>,
}

/// How a connection is not made
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// As if nobody listened: `ECONNREFUSED`
    Refuse,
    /// No answer ever comes: `ETIMEDOUT` after two minutes
    Hang,
    /// A router says that there is no way to the host: `EHOSTUNREACH`
    Unreachable,
    /// The listener's queue is full, so that the request is dropped, and made again after a second, two more, four more
    Overflow,
}

/// What a bad disk does
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Damage {
    /// One bit of what is read is wrong
    FlipBit,
    /// What is written reaches the disk only up to a sector that is drawn; the rest stays as it was
    Tear,
    /// What is written does not reach the disk
    Lose,
    /// What is written reaches another place in the file
    Misdirect,
}

/// How power is lost
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LosePower {
    /// How long the machine is off
    pub off: Quantity<Time>,
    /// What the disk promises of what was not synchronized
    #[serde(default)]
    pub disk: DiskModel,
}

/// What a disk promises of what was not synchronized
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DiskModel {
    /// As ext4 with `data=ordered`: names become durable in their order, when any file is synchronized or after five
    /// seconds; a file grows when its bytes are there; of what was overwritten each sector is old or new
    #[default]
    Ext4,
    /// Nothing but what POSIX promises: bytes when the file was synchronized, names when their directory was
    Strict,
}

/// Which way a clock jumps, and how far
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Jump {
    /// To later
    Forward(Quantity<Time>),
    /// To earlier, not beyond the machine's boot
    Backward(Quantity<Time>),
}

/// What is done with the disk
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DiskOperation {
    /// Contents of a file are read
    Read,
    /// Contents of a file are written, or room is made for them
    Write,
    /// What was written is made durable
    Sync,
    /// A name is made, changed or removed, or a file is cut
    Change,
}

/// What a descriptor refers to
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Descriptor {
    /// A regular file
    File,
    /// A directory
    Directory,
    /// A pipe or FIFO
    Pipe,
    /// A standard stream that comes from outside the run
    Stream,
    /// A TCP socket
    Tcp,
    /// A UDP socket
    Udp,
    /// A unix socket
    Unix,
    /// A netlink socket
    Netlink,
    /// A terminal
    Terminal,
    /// A device such as `/dev/null`
    Device,
    /// Anything else: ICMP socket, eventfd, timerfd, signalfd, inotify, epoll, pidfd, message queue, a file of `/proc`
    Other,
}
