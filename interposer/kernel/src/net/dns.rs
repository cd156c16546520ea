//! Names: the files that resolvers read, and the name server of the simulated machine (RFC 1035).

use alloc::{format, string::String, vec::Vec};
use core::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use super::{Network, Stack};
use crate::{
    fault::{Lie, NameVerdict},
    machine::Machine,
};

/// Where the name server answers.
pub const SERVER: SocketAddr =
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 53)), SERVER_PORT);
const SERVER_PORT: u16 = 53;
/// Seconds for which an answer may be kept.
const ANSWER_TTL: u32 = 60;
/// Bytes in a message's header.
const HEADER: usize = 12;
/// Longest label.
const LABEL_MAX: usize = 63;
const TYPE_A: u16 = 1;
const TYPE_PTR: u16 = 12;
const TYPE_AAAA: u16 = 28;
/// What the names end in by which addresses of IPv4 are asked for (RFC 1035, 3.5).
const REVERSE: &str = ".in-addr.arpa";
/// A response, recursion available; the low bits hold the result.
const RESPONSE: u16 = 0x8080;
/// Recursion desired: copied from the query.
const RECURSION_DESIRED: u16 = 0x0100;
const SERVER_FAILURE: u16 = 2;
const NAME_ERROR: u16 = 3;
/// An address that nobody has: what is sent there gets lost on its way.
pub const NOBODY: Ipv4Addr = Ipv4Addr::new(10, 255, 255, 254);

/// What makes a file, given the host name of the machine that reads it.
type Make = fn(&str, &Network) -> String;

/// Files that resolvers read, in `/etc`.
const FILES: [(&str, Make); 5] = [
    ("hosts", |hostname, network| {
        let loopback = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n";
        // The others are known to the name server, as in a network of containers.
        let own = network.hosts().into_iter().find(|(_, name)| name.eq_ignore_ascii_case(hostname));
        let line = own.map(|(address, name)| format!("{address}\t{name}\n"));
        [loopback.into()].into_iter().chain(line).collect()
    }),
    ("hostname", |hostname, _| format!("{hostname}\n")),
    ("resolv.conf", |_, _| format!("nameserver {}\n", SERVER.ip())),
    ("nsswitch.conf", |_, _| {
        "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nnetworks: files\nprotocols: files\nservices: files\n".into()
    }),
    ("host.conf", |_, _| "multi on\n".into()),
];

fn find(path: &str) -> Option<Make> {
    FILES.into_iter().find(|(name, _)| *name == path).map(|(_, make)| make)
}

/// Whether a resolver's file is at a path below `/etc`.
#[must_use]
pub fn is_file(path: &str) -> bool {
    find(path).is_some()
}

/// A resolver's file at a path below `/etc`; `None` where the host's own files show.
#[must_use]
pub fn file(path: &str, hostname: &str, network: &Network) -> Option<Vec<u8>> {
    find(path).map(|make| make(hostname, network).into_bytes())
}

/// A question to the name server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    id: u16,
    flags: u16,
    /// The name asked for, in lower case, without the last dot.
    pub name: String,
    kind: u16,
    /// The question as it lies in the message.
    question: Vec<u8>,
}

fn number(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]))
}

impl Query {
    /// Reads a message with one question; `None` for anything else.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let (id, flags, questions) = (number(bytes, 0)?, number(bytes, 2)?, number(bytes, 4)?);
        if flags & 0x8000 != 0 || questions != 1 {
            return None;
        }
        let (mut name, mut at) = (String::new(), HEADER);
        loop {
            let len = usize::from(*bytes.get(at)?);
            at += 1;
            match len {
                0 => break,
                1..=LABEL_MAX => {
                    if !name.is_empty() {
                        name.push('.');
                    }
                    let label = bytes.get(at..at + len)?;
                    name.push_str(&String::from_utf8_lossy(label).to_lowercase());
                    at += len;
                }
                _ => return None,
            }
        }
        let question = bytes.get(HEADER..at + 4)?.to_vec();
        Some(Self { id, flags, name, kind: number(bytes, at)?, question })
    }

    /// The addresses of that name; `None` if there is no such name.
    #[must_use]
    pub fn addresses(&self, network: &Network) -> Option<Vec<IpAddr>> {
        let is_local = self.name == "localhost" || self.name.ends_with(".localhost");
        if is_local {
            let (v4, v6) = (Ipv4Addr::LOCALHOST, Ipv6Addr::LOCALHOST);
            return Some([IpAddr::V4(v4), IpAddr::V6(v6)].to_vec());
        }
        Some(network.addresses(&self.name)).filter(|addresses| !addresses.is_empty())
    }

    /// The address whose name is asked for, if it is.
    fn reverse(&self) -> Option<Ipv4Addr> {
        let address: Ipv4Addr = self.name.strip_suffix(REVERSE)?.parse().ok()?;
        let [d, c, b, a] = address.octets();
        Some(Ipv4Addr::new(a, b, c, d))
    }

    /// The name of the address that is asked for, as it lies in a message.
    fn host(&self, network: &Network) -> Option<Vec<u8>> {
        let address = self.reverse()?;
        let (_, name) = network.hosts().into_iter().find(|(found, _)| *found == address)?;
        let label = |label: &str| {
            let label = &label.as_bytes()[..label.len().min(LABEL_MAX)];
            [&[label.len() as u8], label].concat()
        };
        let labels: Vec<u8> = name.split('.').flat_map(label).collect();
        Some([labels, [0].to_vec()].concat())
    }

    /// Whether the simulation knows the answer.
    #[must_use]
    pub fn is_known(&self, network: &Network) -> bool {
        self.addresses(network).is_some() || self.host(network).is_some()
    }

    /// The name server's answer.
    #[must_use]
    pub fn answer(&self, network: &Network) -> Vec<u8> {
        if let Some(host) = self.host(network) {
            let records = if self.kind == TYPE_PTR { [host].to_vec() } else { Vec::new() };
            return self.write_records(0, &records);
        }
        match self.addresses(network) {
            Some(addresses) => self.write_answer(0, &addresses),
            None => self.write_answer(NAME_ERROR, &[]),
        }
    }

    /// The name server's answer when it does not tell the truth.
    fn lie(&self, network: &Network, lie: Lie) -> Option<Vec<u8>> {
        Some(match lie {
            Lie::Silence => return None,
            Lie::NotFound => self.write_answer(NAME_ERROR, &[]),
            Lie::Failure => self.write_answer(SERVER_FAILURE, &[]),
            Lie::Stale => self.write_answer(0, &[NOBODY.into()]),
            Lie::Changed(random) => {
                let right = self.addresses(network).unwrap_or_default();
                let others = network.hosts().into_iter().map(|(address, _)| address.into());
                let others: Vec<IpAddr> =
                    others.filter(|address| !right.contains(address)).collect();
                let chosen = random.checked_rem(others.len() as u64);
                match chosen.and_then(|index| others.get(index as usize)) {
                    Some(other) => self.write_answer(0, &[*other]),
                    None => self.write_answer(0, &[NOBODY.into()]),
                }
            }
        })
    }

    fn write_answer(&self, result: u16, addresses: &[IpAddr]) -> Vec<u8> {
        let records: Vec<Vec<u8>> = addresses
            .iter()
            .filter_map(|address| match (address, self.kind) {
                (IpAddr::V4(v4), TYPE_A) => Some(v4.octets().to_vec()),
                (IpAddr::V6(v6), TYPE_AAAA) => Some(v6.octets().to_vec()),
                _ => None,
            })
            .collect();
        self.write_records(result, &records)
    }

    fn write_records(&self, result: u16, records: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let flags = RESPONSE | self.flags & RECURSION_DESIRED | result;
        for word in [self.id, flags, 1, records.len() as u16, 0, 0] {
            bytes.extend_from_slice(&word.to_be_bytes());
        }
        bytes.extend_from_slice(&self.question);
        for record in records {
            // A pointer to the name in the question.
            bytes.extend_from_slice(&[0xc0, HEADER as u8]);
            bytes.extend_from_slice(&self.kind.to_be_bytes());
            bytes.extend_from_slice(&1u16.to_be_bytes());
            bytes.extend_from_slice(&ANSWER_TTL.to_be_bytes());
            bytes.extend_from_slice(&(record.len() as u16).to_be_bytes());
            bytes.extend_from_slice(record);
        }
        bytes
    }
}

/// The name server's answer to a program of a node, and how late it is; `None` if there is none.
pub fn serve(
    stack: &Stack,
    machine: &mut Machine,
    query: &Query,
    program: &[u8],
) -> Option<(Vec<u8>, Duration)> {
    let elapsed = machine.clock.elapsed().as_nanos() as u64;
    let asked = machine.faults.as_mut();
    let verdict = asked.map(|faults| faults.names.ask(&query.name, (stack.node, program), elapsed));
    let NameVerdict { delay, lie, reports } = verdict.unwrap_or_default();
    machine.raise_after(reports.iter().map(|report| (&*report.fault, report.count)));
    for report in reports {
        machine.injections.push(report.event("name", query.name.clone()));
    }
    let network = stack.network();
    let bytes = match lie {
        Some(lie) => query.lie(&network, lie)?,
        None => query.answer(&network),
    };
    Some((bytes, delay))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str, address: &str) -> simrun_abi::node::Node {
        let address = address.parse::<Ipv4Addr>().expect("an address").octets();
        let names = ["*.objects.test".into()].to_vec();
        let node = crate::testing::node();
        simrun_abi::node::Node { name: name.into(), hostname: name.into(), names, address, ..node }
    }

    fn query(name: &str, kind: u16) -> Vec<u8> {
        let mut bytes = [0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0].to_vec();
        for label in name.split('.') {
            bytes.push(label.len() as u8);
            bytes.extend_from_slice(label.as_bytes());
        }
        bytes.push(0);
        bytes.extend_from_slice(&kind.to_be_bytes());
        bytes.extend_from_slice(&[0, 1]);
        bytes
    }

    #[test]
    fn own_names_have_addresses_and_others_do_not_exist() {
        let network = Network::new(&[node("machine", "10.0.0.1"), node("other", "10.0.1.1")]);
        let cases = [
            ("localhost", TYPE_A, 0, 1),
            ("LocalHost", TYPE_AAAA, 0, 1),
            ("machine", TYPE_A, 0, 1),
            ("machine", TYPE_AAAA, 0, 0),
            ("OTHER", TYPE_A, 0, 1),
            ("eu.objects.test", TYPE_A, 0, 2),
            ("objects.test", TYPE_A, NAME_ERROR, 0),
            ("example.com", TYPE_A, NAME_ERROR, 0),
        ];
        for (name, kind, result, count) in cases {
            let query = Query::read(&query(name, kind)).expect("a query");
            let answer = query.answer(&network);
            assert_eq!(number(&answer, 2), Some(RESPONSE | RECURSION_DESIRED | result), "{name}");
            assert_eq!(number(&answer, 6), Some(count), "{name}");
        }
    }

    #[test]
    fn addresses_of_machines_have_the_name_that_comes_first() {
        let network = Network::new(&[node("machine", "10.0.0.1"), node("other.test", "10.0.1.1")]);
        for (name, kind, result, expected) in [
            ("1.1.0.10.in-addr.arpa", TYPE_PTR, 0, Some(&b"\x05other\x04test\0"[..])),
            ("1.0.0.10.IN-ADDR.arpa", TYPE_PTR, 0, Some(b"\x07machine\0")),
            ("1.0.0.10.in-addr.arpa", TYPE_A, 0, None),
            ("2.0.0.10.in-addr.arpa", TYPE_PTR, NAME_ERROR, None),
            ("0.0.10.in-addr.arpa", TYPE_PTR, NAME_ERROR, None),
            ("in-addr.arpa", TYPE_PTR, NAME_ERROR, None),
        ] {
            let query = Query::read(&query(name, kind)).expect("a query");
            assert_eq!(query.is_known(&network), result == 0, "{name}");
            let answer = query.answer(&network);
            assert_eq!(number(&answer, 2), Some(RESPONSE | RECURSION_DESIRED | result), "{name}");
            assert_eq!(number(&answer, 6), Some(u16::from(expected.is_some())), "{name}");
            assert!(expected.is_none_or(|expected| answer.ends_with(expected)), "{name}");
        }
    }

    #[test]
    fn what_is_no_query_is_ignored() {
        let whole = query("a.b", TYPE_A);
        for len in 0..whole.len() {
            assert_eq!(Query::read(&whole[..len]), None, "{len}");
        }
    }
}
