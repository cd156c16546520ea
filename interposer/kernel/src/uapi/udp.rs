//! <linux/udp.h> and `net/udplite.h`: options at `SOL_UDP`.

/// Gather messages to one datagram.
pub const UDP_CORK: u32 = 1;
/// Send no checksum with IPv6.
pub const UDP_NO_CHECK6_TX: u32 = 101;
/// Want no checksum with IPv6.
pub const UDP_NO_CHECK6_RX: u32 = 102;
/// Cut messages into datagrams of this many bytes.
pub const UDP_SEGMENT: u32 = 103;
/// How much of a datagram's bytes the checksum covers.
pub const UDPLITE_SEND_CSCOV: u32 = 10;
/// How much of them it must cover at least.
pub const UDPLITE_RECV_CSCOV: u32 = 11;
