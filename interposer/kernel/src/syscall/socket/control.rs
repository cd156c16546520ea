//! Ancillary data (cmsg(3)).

use alloc::{rc::Rc, vec, vec::Vec};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use linux_raw_sys::net as raw;

use super::caller;
use crate::{
    context::Context,
    error::{Errno, Result},
    file::FileDescription,
    net::socket::{Caller, Control, Kind, MessageFlags, PacketChoices},
    process::Tid,
    uapi::{
        socket::{Cmsghdr, Msghdr, Ucred},
        udp::UDP_SEGMENT,
    },
    user,
};

/// Most bytes of ancillary data in one call (`net.core.optmem_max`).
const CONTROL_MAX: u64 = 131_072;
/// Most descriptors in one message (`SCM_MAX_FD`).
const RIGHTS_MAX: usize = 253;
const HEADER: usize = size_of::<Cmsghdr>();
/// Ancillary data is aligned to this.
const ALIGNMENT: usize = 8;

/// What a program sends along.
pub(super) struct Sent {
    /// Open files.
    pub(super) rights: Vec<Rc<FileDescription>>,
    /// Who it says it is.
    pub(super) caller: Caller,
    /// What it asks of the packets.
    pub(super) packet: PacketChoices,
}

/// Reads what a program sends along. Every kind of socket passes over levels that are not its own.
pub(super) fn read(cx: &mut Context<'_>, header: &Msghdr, kind: Kind) -> Result<Sent> {
    let mut sent =
        Sent { rights: Vec::new(), caller: caller(cx), packet: PacketChoices::default() };
    if header.control == 0 || header.control_len == 0 {
        return Ok(sent);
    }
    if header.control_len > CONTROL_MAX {
        return Err(Errno::ENOBUFS.into());
    }
    let mut bytes = vec![0; header.control_len as usize];
    user::read_bytes(cx.host, header.control, &mut bytes)?;
    let mut rest = &bytes[..];
    while rest.len() >= HEADER {
        let item: Cmsghdr = bytemuck::pod_read_unaligned(&rest[..HEADER]);
        let len = item.len as usize;
        if len < HEADER || len > rest.len() {
            return Err(Errno::EINVAL.into());
        }
        let data = &rest[HEADER..len];
        match (kind.domain, kind.kind, item.level) {
            (raw::AF_UNIX | raw::AF_NETLINK, _, raw::SOL_SOCKET) => {
                read_for_process(cx, item.kind, data, &mut sent)?;
            }
            (raw::AF_INET | raw::AF_INET6, _, raw::SOL_SOCKET) => check_for_packet(item.kind)?,
            (raw::AF_INET | raw::AF_INET6, raw::SOCK_DGRAM, raw::SOL_UDP) if !kind.is_icmp() => {
                sent.packet.segment = Some(read_segment(item.kind, data)?);
            }
            (raw::AF_INET | raw::AF_INET6, raw::SOCK_DGRAM | raw::SOCK_RAW, raw::SOL_IP) => {
                read_for_ip(item.kind, data, &mut sent.packet)?;
            }
            (raw::AF_INET6, raw::SOCK_DGRAM | raw::SOCK_RAW, raw::SOL_IPV6) => {
                read_for_ipv6(item.kind, data, &mut sent.packet)?;
            }
            _ => {}
        }
        rest = rest.get(len.next_multiple_of(ALIGNMENT)..).unwrap_or_default();
    }
    Ok(sent)
}

/// What goes from process to process (`__scm_send` in net/core/scm.c).
fn read_for_process(cx: &mut Context<'_>, kind: u32, data: &[u8], sent: &mut Sent) -> Result<()> {
    match kind {
        raw::SCM_RIGHTS => {
            for fd in data.chunks_exact(4) {
                let fd = u32::from_ne_bytes([fd[0], fd[1], fd[2], fd[3]]);
                sent.rights.push(cx.description_or_place(u64::from(fd))?);
            }
            if sent.rights.len() > RIGHTS_MAX {
                return Err(Errno::EINVAL.into());
            }
        }
        raw::SCM_CREDENTIALS => {
            let Ok(said) = bytemuck::try_pod_read_unaligned::<Ucred>(data) else {
                return Err(Errno::EINVAL.into());
            };
            let credentials = &cx.process().credentials;
            let uids = [credentials.uid, credentials.euid, credentials.suid];
            let gids = [credentials.gid, credentials.egid, credentials.sgid];
            let is_root = credentials.euid == 0;
            let is_own = said.pid == sent.caller.pid.raw()
                && uids.contains(&said.uid)
                && gids.contains(&said.gid);
            if !is_own && !is_root {
                return Err(Errno::EPERM.into());
            }
            sent.caller = Caller { pid: Tid::new(said.pid), uid: said.uid, gid: said.gid };
        }
        _ => return Err(Errno::EINVAL.into()),
    }
    Ok(())
}

/// What the socket itself is told of a packet: nothing that matters here, and what belongs to unix sockets passes
/// (`__sock_cmsg_send` in net/core/sock.c).
fn check_for_packet(kind: u32) -> Result<()> {
    match kind {
        raw::SCM_RIGHTS | raw::SCM_CREDENTIALS | raw::SO_PRIORITY | raw::SO_TIMESTAMPING => Ok(()),
        _ => Err(Errno::EINVAL.into()),
    }
}

/// How UDP cuts a message (`__udp_cmsg_send` in net/ipv4/udp.c).
fn read_segment(kind: u32, data: &[u8]) -> Result<u16> {
    match (kind, data) {
        (UDP_SEGMENT, &[low, high]) => Ok(u16::from_ne_bytes([low, high])),
        _ => Err(Errno::EINVAL.into()),
    }
}

/// A number that must be an `int` within these bounds.
fn read_bounded(data: &[u8], least: i32, most: i32) -> Result<i32> {
    let number = i32::from_ne_bytes(data.try_into().map_err(|_| Errno::EINVAL)?);
    if (least..=most).contains(&number) { Ok(number) } else { Err(Errno::EINVAL.into()) }
}

/// What a packet of IPv4 shall be (`ip_cmsg_send` in net/ipv4/ip_sockglue.c).
fn read_for_ip(kind: u32, data: &[u8], packet: &mut PacketChoices) -> Result<()> {
    match kind {
        raw::IP_PKTINFO => {
            let [_, _, _, _, source @ .., _, _, _, _] =
                <[u8; 12]>::try_from(data).map_err(|_| Errno::EINVAL)?;
            let source = Ipv4Addr::from(source);
            packet.source = (!source.is_unspecified()).then_some(IpAddr::V4(source));
        }
        raw::IP_TTL => packet.time_to_live = Some(read_bounded(data, 1, 255)? as u32),
        raw::IP_TOS => {
            packet.type_of_service = Some(match data {
                [byte] => u32::from(*byte),
                _ => read_bounded(data, 0, 255)? as u32,
            });
        }
        raw::IP_RETOPTS => {}
        _ => return Err(Errno::EINVAL.into()),
    }
    Ok(())
}

/// What a packet of IPv6 shall be (`ip6_datagram_send_ctl` in net/ipv6/datagram.c). Minus one is the socket's choice.
fn read_for_ipv6(kind: u32, data: &[u8], packet: &mut PacketChoices) -> Result<()> {
    match kind {
        raw::IPV6_PKTINFO | raw::IPV6_2292PKTINFO => {
            let source = data.get(..20).and_then(|info| <[u8; 16]>::try_from(&info[..16]).ok());
            let source = Ipv6Addr::from(source.ok_or(Errno::EINVAL)?);
            packet.source = (!source.is_unspecified()).then_some(source.to_canonical());
        }
        raw::IPV6_HOPLIMIT | raw::IPV6_2292HOPLIMIT => {
            packet.hops = u32::try_from(read_bounded(data, -1, 255)?).ok();
        }
        raw::IPV6_TCLASS => {
            packet.traffic_class = u32::try_from(read_bounded(data, -1, 255)?).ok();
        }
        raw::IPV6_DONTFRAG | raw::IPV6_FLOWINFO => {}
        _ => return Err(Errno::EINVAL.into()),
    }
    Ok(())
}

/// Writes what came with a message; bytes written, and whether something did not fit.
pub(super) fn write(
    cx: &mut Context<'_>,
    header: &Msghdr,
    items: Vec<Control>,
    flags: MessageFlags,
) -> Result<(u64, MessageFlags)> {
    let mut place =
        Place { at: header.control, room: header.control_len as usize, used: 0, cut: false };
    if place.at == 0 {
        place.room = 0;
    }
    for item in items {
        match item {
            Control::Credentials(who) => {
                let raw = Ucred { pid: who.pid.raw(), uid: who.uid, gid: who.gid };
                place.put(cx, raw::SOL_SOCKET, raw::SCM_CREDENTIALS, bytemuck::bytes_of(&raw))?;
            }
            Control::Plain { level, kind, data } => place.put(cx, level, kind, &data)?,
            Control::Rights(rights) => place.put_rights(cx, rights, flags)?,
        }
    }
    let mut shown = MessageFlags::empty();
    shown.set(MessageFlags::CONTROL_TRUNCATED, place.cut);
    Ok((place.used as u64, shown))
}

/// Closes files that came with a message whose receiver does not take them.
pub(super) fn drop_rights(cx: &mut Context<'_>, items: Vec<Control>) {
    for item in items {
        if let Control::Rights(rights) = item {
            rights.into_iter().for_each(|right| cx.release(right));
        }
    }
}

/// Where ancillary data goes.
struct Place {
    at: u64,
    room: usize,
    used: usize,
    cut: bool,
}

impl Place {
    fn put(&mut self, cx: &mut Context<'_>, level: u32, kind: u32, data: &[u8]) -> Result<()> {
        let left = self.room - self.used;
        if left < HEADER {
            self.cut = true;
            return Ok(());
        }
        let len = (HEADER + data.len()).min(left);
        self.cut |= len < HEADER + data.len();
        let header = Cmsghdr { len: len as u64, level, kind };
        let at = self.at + self.used as u64;
        user::write_bytes(cx.host, at, bytemuck::bytes_of(&header))?;
        user::write_bytes(cx.host, at + HEADER as u64, &data[..len - HEADER])?;
        self.used += len.next_multiple_of(ALIGNMENT).min(left);
        Ok(())
    }

    /// Gives the program as many of the files as it has room for, and closes the others.
    fn put_rights(
        &mut self,
        cx: &mut Context<'_>,
        rights: Vec<Rc<FileDescription>>,
        flags: MessageFlags,
    ) -> Result<()> {
        let fitting = (self.room - self.used).saturating_sub(HEADER) / size_of::<u32>();
        let close_on_exec = flags.contains(MessageFlags::CLOSE_ON_EXEC);
        let mut numbers = Vec::new();
        for right in rights {
            if numbers.len() >= fitting * size_of::<u32>() || self.cut {
                self.cut = true;
                cx.release(right);
                continue;
            }
            match cx.add_descriptor(right, close_on_exec) {
                Ok(fd) => numbers.extend_from_slice(&(fd as u32).to_ne_bytes()),
                Err(_) => self.cut = true,
            }
        }
        if numbers.is_empty() {
            return Ok(());
        }
        let cut = self.cut;
        self.put(cx, raw::SOL_SOCKET, raw::SCM_RIGHTS, &numbers)?;
        self.cut |= cut;
        Ok(())
    }
}
