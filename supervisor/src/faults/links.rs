//! Faults of links: from the file to the plan.

use std::net::IpAddr;

use simrun_abi::faults as abi;
use simrun_config::{Spanned, Wrong, units::Unit};

use super::{
    file::{Action, Fault, Match, Protocol, Refusal, Spared, Way},
    network,
};

/// Bytes that may wait for a narrow link unless the file says otherwise.
const QUEUE_BYTES: u64 = 256 << 10;

/// What a fault does to links; `None` if it is for something else.
///
/// # Errors
/// What cannot be.
pub fn effect(fault: &Fault) -> Result<Option<abi::Effect>, Wrong> {
    let (action, wanted) = (&fault.r#do, &fault.r#match);
    let Some(effect) = effect_on_links(fault)? else {
        return match wanted.is_about_links() {
            true => Err(wanted.wrong("this is no fault of links: there is no link to match")),
            false => Ok(None),
        };
    };
    if wanted.is_about_calls() {
        return Err(wanted.wrong("a fault of links is not about calls, descriptors or files"));
    }
    match &action.value {
        Action::Connect(_)
        | Action::Reset(_)
        | Action::Vanish(_)
        | Action::Close(_)
        | Action::SlowClose(_)
        | Action::Slice(_)
            if wanted.protocol.iter().any(|&protocol| protocol != Protocol::Tcp) =>
        {
            Err(wanted.wrong("datagrams have no connection: this is for `tcp` alone"))
        }
        Action::Duplicate(_) if wanted.protocol.contains(&Protocol::Tcp) => {
            Err(wanted
                .wrong("what TCP gets twice it throws away: this is for `udp` and `icmp` alone"))
        }
        Action::Tamper(_) if wanted.protocol.contains(&Protocol::Icmp) => {
            Err(wanted
                .wrong("an echo is no message of a program: this is for `tcp` and `udp` alone"))
        }
        Action::Resolve(_) | Action::ResolveLate(_) => {
            network::check_names(wanted).map(|()| Some(effect))
        }
        _ => Ok(Some(effect)),
    }
}

fn effect_on_links(fault: &Fault) -> Result<Option<abi::Effect>, Wrong> {
    let action = &fault.r#do;
    Ok(Some(match &action.value {
        Action::Latency(by) | Action::SlowClose(by) | Action::Reorder(by) if by.most() == 0 => {
            return Err(action.wrong("a delay of nothing does nothing"));
        }
        Action::ResolveLate(by) if by.most() == 0 => {
            return Err(action.wrong("a delay of nothing does nothing"));
        }
        Action::Latency(by) => abi::Effect::Latency(by.compile()),
        Action::SlowClose(by) => abi::Effect::SlowClose(by.compile()),
        Action::Reorder(by) => abi::Effect::Reorder(by.compile()),
        Action::Duplicate(by) => abi::Effect::Duplicate(by.compile()),
        Action::ResolveLate(by) => abi::Effect::Name(abi::NameFault::Delay(by.compile())),
        Action::Resolve(answer) => (*answer).into(),
        Action::Lose => abi::Effect::Lose,
        Action::LoseInBursts(bursts) => abi::Effect::LoseInBursts(bursts.compile()?),
        Action::Corrupt => abi::Effect::Corrupt,
        Action::Slice(slice) => slice.compile()?,
        Action::Partition(partition) => partition.compile(fault)?,
        Action::Tamper(how) => (*how).into(),
        Action::Bandwidth(line) if line.rate.number() == 0 => {
            return Err(line.rate.wrong("nothing could ever be sent"));
        }
        Action::Bandwidth(line) => abi::Effect::Bandwidth {
            rate: line.rate.number(),
            queue: line.queue.map_or(QUEUE_BYTES, Unit::number),
        },
        Action::Connect(refusal) => abi::Effect::Connect((*refusal).into()),
        Action::Reset(after) => abi::Effect::Reset(after.compile()),
        Action::Vanish(after) => abi::Effect::Vanish(after.compile()),
        Action::Close(after) => abi::Effect::Close(after.compile()),
        _ => return Ok(None),
    }))
}

/// The links of a match.
///
/// # Errors
/// What cannot be.
pub fn matches(wanted: &Match) -> Result<abi::LinkMatch, Wrong> {
    if let Some(host) = wanted.host.iter().find(|host| host.is_empty()) {
        return Err(host.wrong("a host has a name"));
    }
    Ok(abi::LinkMatch {
        protocols: wanted.protocol.iter().map(|&protocol| protocol.into()).collect(),
        networks: wanted.address.iter().map(network).collect::<Result<_, _>>()?,
        ports: wanted.port.to_vec(),
        hosts: wanted.host.iter().map(|host| host.value.to_lowercase()).collect(),
        ways: wanted.direction.iter().map(|&way| way.into()).collect(),
    })
}

/// The links that a fault spares.
///
/// # Errors
/// What cannot be.
pub fn spared(unless: &Spanned<Spared>) -> Result<abi::LinkMatch, Wrong> {
    if !(unless.node.is_empty() && unless.peer.is_empty() && unless.tag.is_empty()) {
        return Err(unless
            .wrong("it spares links or nodes: for what is either, `not` takes a list of both"));
    }
    matches(&Match {
        protocol: unless.protocol.clone(),
        address: unless.address.clone(),
        port: unless.port.clone(),
        host: unless.host.clone(),
        ..Match::default()
    })
}

fn network(text: &Spanned<String>) -> Result<abi::Network, Wrong> {
    let wrong = || {
        let words = "is no address, as in 127.0.0.1, or network, as in 127.0.0.0/8";
        text.wrong(format!("`{}` {words}", text.value))
    };
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix.parse::<u8>().map_err(|_| wrong())?)),
        None => (text.as_str(), None),
    };
    let (first, bits) = match address.parse().map_err(|_| wrong())? {
        IpAddr::V4(v4) => (v4.to_ipv6_mapped(), 32),
        IpAddr::V6(v6) => (v6, 128),
    };
    let prefix = prefix.unwrap_or(bits);
    if prefix > bits {
        return Err(wrong());
    }
    Ok(abi::Network { first: first.to_bits(), prefix: 128 - bits + prefix })
}

impl From<Refusal> for abi::Refusal {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Refuse => Self::Refuse,
            Refusal::Hang => Self::Hang,
            Refusal::Unreachable => Self::Unreachable,
            Refusal::Overflow => Self::Overflow,
        }
    }
}

impl From<Protocol> for abi::Protocol {
    fn from(protocol: Protocol) -> Self {
        match protocol {
            Protocol::Tcp => Self::Tcp,
            Protocol::Udp => Self::Udp,
            Protocol::Icmp => Self::Icmp,
        }
    }
}

impl From<Way> for abi::Way {
    fn from(way: Way) -> Self {
        match way {
            Way::Request => Self::Request,
            Way::Reply => Self::Reply,
        }
    }
}
