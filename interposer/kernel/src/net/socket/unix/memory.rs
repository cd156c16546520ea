//! The memory that messages take up while they wait to be read, by which Linux bounds what may be sent, and which programs
//! see (`SIOCOUTQ`). Socket buffers have a head, for which memory comes in powers of two, and pages (`alloc_skb_with_frags`
//! in net/core/skbuff.c; net/unix/af_unix.c).

/// Bytes of what describes a socket buffer (`struct sk_buff`, aligned).
const DESCRIPTION: usize = 256;
/// Bytes at the end of a head that describe the pages (`struct skb_shared_info`, aligned).
const SHARED: usize = 320;
/// To how many bytes heads are aligned.
const ALIGNMENT: usize = 64;
/// The smallest head, in bytes.
const HEAD_MIN: usize = 512;
/// Bytes of a page.
const PAGE: usize = 4096;
/// Most bytes of a stream in a head (`SKB_MAX_HEAD(0)`).
const STREAM_HEAD_MAX: usize = PAGE - SHARED;
/// Most bytes of a stream in pages (`UNIX_SKB_FRAGS_SZ`).
const STREAM_PAGES_MAX: usize = 8 * PAGE;
/// Bytes of a datagram in a head, if not all goes into pages (`SKB_MAX_ALLOC`).
const DATAGRAM_HEAD: usize = 4 * PAGE - SHARED;
/// Most bytes of a datagram in pages.
const DATAGRAM_PAGES_MAX: usize = 17 * PAGE;

/// Most bytes of a stream in one message, where the send buffer has so many.
pub(super) fn stream_message_max(send_buffer: usize) -> usize {
    (STREAM_HEAD_MAX + STREAM_PAGES_MAX).min((send_buffer / 2).saturating_sub(64)).max(1)
}

/// What a message of a stream with so many bytes takes up.
pub(super) fn of_stream(len: usize) -> usize {
    of_parts(len, len.saturating_sub(STREAM_HEAD_MAX).next_multiple_of(PAGE))
}

/// What a datagram with so many bytes takes up.
pub(super) fn of_datagram(len: usize) -> usize {
    let beyond = len.saturating_sub(DATAGRAM_HEAD).min(DATAGRAM_PAGES_MAX);
    of_parts(len, beyond.next_multiple_of(PAGE))
}

/// So many bytes, of which these at most are in pages.
fn of_parts(len: usize, pages: usize) -> usize {
    let pages = pages.min(len);
    let head = (len - pages).next_multiple_of(ALIGNMENT) + SHARED;
    DESCRIPTION + head.next_power_of_two().max(HEAD_MIN) + pages.next_multiple_of(PAGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_take_up_what_linux_says() {
        // As `SIOCOUTQ` says on Linux 6.18.
        let cases = [
            (0, 768, 768),
            (192, 768, 768),
            (193, 1280, 1280),
            (704, 1280, 1280),
            (705, 2304, 2304),
            (3776, 4352, 4352),
            (3777, 4864, 8448),
            (7873, 8960, 16640),
            (16065, 17152, 20736),
            (20000, 20736, 20736),
            (30000, 30976, 33024),
        ];
        for (len, stream, datagram) in cases {
            assert_eq!((of_stream(len), of_datagram(len)), (stream, datagram), "{len}");
        }
        assert_eq!(of_datagram(100_000), 102_656);
        assert_eq!(stream_message_max(212_992), 36_544);
        assert_eq!(of_stream(36_544), 37_120);
    }
}
