//! <linux/icmp.h> and <linux/icmpv6.h>: messages and options.

/// `IPPROTO_ICMP`.
pub const IPPROTO_ICMP: u32 = 1;
/// `IPPROTO_ICMPV6`, which is the level of its options, too.
pub const IPPROTO_ICMPV6: u32 = 58;
/// Answers to echoes.
pub const ICMP_ECHOREPLY: u8 = 0;
/// Echoes.
pub const ICMP_ECHO: u8 = 8;
/// Echoes that ask about an interface (RFC 8335).
pub const ICMP_EXT_ECHO: u8 = 42;
/// Echoes, with IPv6.
pub const ICMPV6_ECHO_REQUEST: u8 = 128;
/// Answers to echoes, with IPv6.
pub const ICMPV6_ECHO_REPLY: u8 = 129;
/// Echoes that ask about an interface, with IPv6.
pub const ICMPV6_EXT_ECHO_REQUEST: u8 = 160;
/// Where a message's checksum is, at `SOL_RAW`; less than zero for messages without one that the kernel makes.
pub const IPV6_CHECKSUM: u32 = 7;
/// Kinds of messages that a raw socket does not want, at `SOL_RAW` (raw(7)).
pub const ICMP_FILTER: u32 = 1;
/// The same at `IPPROTO_ICMPV6`.
pub const ICMPV6_FILTER: u32 = 1;
