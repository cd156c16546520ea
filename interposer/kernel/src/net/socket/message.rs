//! What goes into a socket and comes out of it.

use alloc::{rc::Rc, vec::Vec};

use core::net::IpAddr;

use linux_raw_sys::net as raw;

use crate::{
    file::FileDescription, machine::Machine, net::address::Address, process::Tid, user::UserSlice,
};

bitflags::bitflags! {
    /// send(2)'s and recv(2)'s flags.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
    pub struct MessageFlags: u32 {
        /// `MSG_OOB`.
        const URGENT = raw::MSG_OOB;
        /// `MSG_PEEK`.
        const PEEK = raw::MSG_PEEK;
        /// `MSG_DONTROUTE`.
        const DONT_ROUTE = raw::MSG_DONTROUTE;
        /// `MSG_CTRUNC`.
        const CONTROL_TRUNCATED = raw::MSG_CTRUNC;
        /// `MSG_TRUNC`.
        const TRUNCATED = raw::MSG_TRUNC;
        /// `MSG_DONTWAIT`.
        const DONT_WAIT = raw::MSG_DONTWAIT;
        /// `MSG_EOR`.
        const END_OF_RECORD = raw::MSG_EOR;
        /// `MSG_WAITALL`.
        const WAIT_ALL = raw::MSG_WAITALL;
        /// `MSG_ERRQUEUE`.
        const ERROR_QUEUE = raw::MSG_ERRQUEUE;
        /// `MSG_NOSIGNAL`.
        const NO_SIGNAL = raw::MSG_NOSIGNAL;
        /// `MSG_MORE`.
        const MORE = raw::MSG_MORE;
        /// `MSG_CMSG_CLOEXEC`.
        const CLOSE_ON_EXEC = raw::MSG_CMSG_CLOEXEC;
        /// `MSG_WAITFORONE`.
        const WAIT_FOR_ONE = 0x10000;
        const _ = !0;
    }
}

/// Who makes a call, as far as sockets care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Its process.
    pub pid: Tid,
    /// Its effective user.
    pub uid: u32,
    /// Its effective group.
    pub gid: u32,
}

/// Ancillary data that comes with a message (cmsg(3)).
#[derive(Clone)]
pub enum Control {
    /// Who sent it (`SCM_CREDENTIALS`).
    Credentials(Caller),
    /// Open files (`SCM_RIGHTS`).
    Rights(Vec<Rc<FileDescription>>),
    /// Anything else, as it lies in memory.
    Plain {
        /// `cmsg_level`.
        level: u32,
        /// `cmsg_type`.
        kind: u32,
        /// What follows the header.
        data: Vec<u8>,
    },
}

/// What goes in.
#[derive(Clone, Copy)]
pub struct Outgoing<'a> {
    /// The bytes.
    pub data: &'a [UserSlice],
    /// Where to, unless that is settled.
    pub to: Option<&'a Address>,
    /// How.
    pub flags: MessageFlags,
    /// From whom.
    pub caller: Caller,
    /// Open files that go with it.
    pub rights: &'a [Rc<FileDescription>],
    /// What it asks of the packets that carry it.
    pub packet: PacketChoices,
}

impl<'a> Outgoing<'a> {
    /// Bytes and nothing else, as write(2) and sendfile(2) send them.
    #[must_use]
    pub fn plain(data: &'a [UserSlice], machine: &Machine) -> Self {
        let caller = Caller { pid: Tid::new(machine.actor.0), uid: 0, gid: 0 };
        let (flags, packet) = (MessageFlags::empty(), PacketChoices::default());
        Self { data, to: None, flags, caller, rights: &[], packet }
    }
}

/// What a program asks of the packets that carry one message, where that differs from what the socket's options say.
#[derive(Clone, Copy, Debug, Default)]
pub struct PacketChoices {
    /// The address it shall seem to come from (`IP_PKTINFO`, `IPV6_PKTINFO`).
    pub source: Option<IpAddr>,
    /// `IP_TOS`.
    pub type_of_service: Option<u32>,
    /// `IP_TTL`.
    pub time_to_live: Option<u32>,
    /// `IPV6_TCLASS`.
    pub traffic_class: Option<u32>,
    /// `IPV6_HOPLIMIT`.
    pub hops: Option<u32>,
    /// Bytes of each datagram that it is cut into (`UDP_SEGMENT`).
    pub segment: Option<u16>,
}

/// What comes out.
#[derive(Default)]
pub struct Received {
    /// Bytes written to the program's buffers.
    pub moved: usize,
    /// Bytes that the message had; more than `moved` if it was cut.
    pub full: usize,
    /// What else there is to say.
    pub flags: MessageFlags,
    /// Where from.
    pub from: Option<Address>,
    /// What came with it.
    pub control: Vec<Control>,
}
