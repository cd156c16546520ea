//! Messages of netlink: headers, attributes, and what answers anything (netlink(7)).

use alloc::{vec, vec::Vec};

use crate::error::Errno;

pub(super) const NLMSG_ERROR: u16 = 2;
pub(super) const NLMSG_DONE: u16 = 3;
const NLM_F_MULTI: u16 = 2;
pub(super) const NLM_F_ACK: u16 = 4;
/// `NLM_F_DUMP`: all there is.
pub(super) const NLM_F_DUMP: u16 = 0x300;
/// Kinds below are the protocol's own (`NLMSG_MIN_TYPE`).
const KIND_MIN: u16 = 16;
/// Bytes in `struct nlmsghdr`.
const HEADER: usize = 16;
/// Messages and attributes are aligned to this.
pub(super) const ALIGNMENT: usize = 4;
/// Most bytes of messages in one datagram, unless one is longer (`NLMSG_GOODSIZE`).
const DATAGRAM_MAX: usize = 8192;

/// A message's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) len: usize,
    pub(super) kind: u16,
    pub(super) flags: u16,
    pub(super) sequence: u32,
}

impl Header {
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let half = |at: usize| Some(u16::from_ne_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
        let word = |at: usize| Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
        let len = word(0)? as usize;
        (HEADER..=bytes.len()).contains(&len).then_some(())?;
        Some(Self { len, kind: half(4)?, flags: half(6)?, sequence: word(8)? })
    }
}

/// A message under construction.
pub(super) struct Message(Vec<u8>);

impl Message {
    pub(super) fn new(kind: u16, flags: u16, sequence: u32, port: u32) -> Self {
        let mut bytes = vec![0; 4];
        bytes.extend_from_slice(&kind.to_ne_bytes());
        bytes.extend_from_slice(&flags.to_ne_bytes());
        bytes.extend_from_slice(&sequence.to_ne_bytes());
        bytes.extend_from_slice(&port.to_ne_bytes());
        Self(bytes)
    }

    pub(super) fn put(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    pub(super) fn attribute(&mut self, kind: u16, data: &[u8]) {
        let len = (2 * size_of::<u16>() + data.len()) as u16;
        self.put(&len.to_ne_bytes());
        self.put(&kind.to_ne_bytes());
        self.put(data);
        self.pad();
    }

    pub(super) fn text(&mut self, kind: u16, text: &str) {
        self.attribute(kind, &[text.as_bytes(), &[0]].concat());
    }

    fn pad(&mut self) {
        self.0.resize(self.0.len().next_multiple_of(ALIGNMENT), 0);
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        let len = self.0.len() as u32;
        self.0[..4].copy_from_slice(&len.to_ne_bytes());
        self.pad();
        self.0
    }
}

/// One question and who asks it.
pub(super) struct Question<'a> {
    pub(super) header: Header,
    pub(super) port: u32,
    pub(super) body: &'a [u8],
}

impl Question<'_> {
    /// The start of a message that answers it.
    pub(super) fn message(&self, kind: u16) -> Message {
        let flags = if self.is_dump() { NLM_F_MULTI } else { 0 };
        Message::new(kind, flags, self.header.sequence, self.port)
    }

    /// Whether it asks for all there is.
    pub(super) fn is_dump(&self) -> bool {
        self.header.flags & NLM_F_DUMP == NLM_F_DUMP
    }

    /// The family asked for; zero for any.
    pub(super) fn family(&self) -> u8 {
        self.body.first().copied().unwrap_or(0)
    }

    /// The message that says what came of it.
    pub(super) fn error(&self, errno: Option<Errno>) -> Vec<u8> {
        let mut message = Message::new(NLMSG_ERROR, 0, self.header.sequence, self.port);
        message.put(&number(errno).to_ne_bytes());
        let echo =
            Message::new(self.header.kind, self.header.flags, self.header.sequence, self.port);
        let at = message.0.len();
        message.put(&echo.0);
        message.0[at..at + 4].copy_from_slice(&(self.header.len as u32).to_ne_bytes());
        message.finish()
    }

    /// The message that says that this is all there is, or what kept it from being told.
    pub(super) fn done(&self, errno: Option<Errno>) -> Vec<u8> {
        let mut message = self.message(NLMSG_DONE);
        message.put(&number(errno).to_ne_bytes());
        message.finish()
    }

    /// Datagrams of all there is, with as many of the messages in each as fit, and its end.
    pub(super) fn dump(&self, messages: impl IntoIterator<Item = Vec<u8>>) -> Vec<Vec<u8>> {
        let mut datagrams: Vec<Vec<u8>> = Vec::new();
        for message in messages {
            match datagrams.last_mut() {
                Some(last) if last.len() + message.len() <= DATAGRAM_MAX => last.extend(message),
                _ => datagrams.push(message),
            }
        }
        datagrams.push(self.done(None));
        datagrams
    }
}

/// An error's number as messages have it; zero for none.
fn number(errno: Option<Errno>) -> i32 {
    errno.map_or(0, |errno| -i32::from(errno.number()))
}

/// The attributes that follow a header: kind and value of each, up to one that is cut off.
pub(super) fn attributes(mut rest: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    core::iter::from_fn(move || {
        let (&[a, b, c, d], data) = rest.split_first_chunk()?;
        let (len, kind) = (u16::from_ne_bytes([a, b]), u16::from_ne_bytes([c, d]));
        let len = usize::from(len);
        let value = data.get(..len.checked_sub(4)?)?;
        rest = rest.get(len.next_multiple_of(ALIGNMENT)..).unwrap_or_default();
        Some((kind, value))
    })
}

/// The datagrams that answer what a program sent from a port, given those that answer a question.
pub(super) fn answer(
    mut sent: &[u8],
    port: u32,
    answer_one: impl Fn(&Question<'_>) -> Vec<Vec<u8>>,
) -> Vec<Vec<u8>> {
    let mut datagrams = Vec::new();
    while let Some(header) = Header::read(sent) {
        let question = Question { header, port, body: &sent[HEADER..header.len] };
        if header.kind >= KIND_MIN {
            datagrams.extend(answer_one(&question));
        } else if header.flags & NLM_F_ACK != 0 {
            datagrams.push(question.error(None));
        }
        sent = sent.get(header.len.next_multiple_of(ALIGNMENT)..).unwrap_or_default();
    }
    datagrams
}
