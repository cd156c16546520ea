use super::*;
use crate::random::{Purpose, Random};

fn write(ring: &mut Ring, bytes: &[u8], framing: Framing) -> core::result::Result<usize, Errno> {
    ring.write(&mut &bytes[..], framing).map_err(|error| error.errno)
}

fn read(ring: &mut Ring, len: usize) -> core::result::Result<Vec<u8>, Errno> {
    let mut bytes = alloc::vec![0; len];
    let done = ring.read(&mut &mut bytes[..]).map_err(|error| error.errno)?;
    bytes.truncate(done);
    Ok(bytes)
}

/// What fits into an empty pipe by writes of one size, as measured on Linux 6.18.
#[test]
fn how_much_fits_depends_on_the_size_of_the_writes() {
    let cases =
        [(1, 65536), (512, 65536), (3000, 48000), (4096, 65536), (4097, 45066), (100_000, 65536)];
    for (size, fits) in cases {
        let mut ring = Ring::default();
        let bytes = alloc::vec![7; size];
        let mut total = 0;
        while let Ok(done) = write(&mut ring, &bytes, Framing::Stream) {
            total += done;
        }
        assert_eq!((total, ring.len()), (fits, fits), "writes of {size}");
    }
}

#[test]
fn a_packet_is_read_alone_and_its_rest_is_dropped() {
    let mut ring = Ring::default();
    for packet in [b"one".as_slice(), b"three", b"seventeen"] {
        assert_eq!(write(&mut ring, packet, Framing::Packet), Ok(packet.len()));
    }
    assert_eq!(read(&mut ring, 10), Ok(b"one".to_vec()));
    assert_eq!(read(&mut ring, 2), Ok(b"th".to_vec()));
    assert_eq!(read(&mut ring, 10), Ok(b"seventeen".to_vec()));
    assert_eq!(read(&mut ring, 10), Err(Errno::EAGAIN));
}

#[test]
fn slots_in_use_cannot_be_taken_away() {
    let mut ring = Ring::default();
    assert_eq!(write(&mut ring, &[0; 3 * PAGE], Framing::Stream), Ok(3 * PAGE));
    assert_eq!(ring.resize(2).map_err(|error| error.errno), Err(Errno::EBUSY));
    assert_eq!(ring.resize(3), Ok(()));
    assert!(ring.is_full());
}

/// Against a plain queue of bytes: nothing is lost, made up or reordered, and a write of up to a page is done whole
/// or not at all.
#[test]
fn a_stream_comes_out_as_it_went_in() {
    for seed in 0..40 {
        let mut random = Random::new(seed).derive(Purpose::Entropy, 0);
        let mut ring = Ring::default();
        let mut model: VecDeque<u8> = VecDeque::new();
        for _ in 0..400 {
            let scale = [1, 100, 5000, 80_000][random.below(4) as usize];
            let len = random.below(scale) as usize;
            if random.below(2) == 0 {
                let mut bytes = alloc::vec![0; len];
                random.fill(&mut bytes);
                let done = match write(&mut ring, &bytes, Framing::Stream) {
                    Ok(done) => done,
                    Err(errno) => {
                        assert_eq!((errno, ring.is_full()), (Errno::EAGAIN, true));
                        0
                    }
                };
                assert!(len > PAGE || done == 0 || done == len);
                model.extend(&bytes[..done]);
            } else {
                let expected: Vec<u8> = model.drain(..len.min(model.len())).collect();
                let mut peeked = alloc::vec![0; len];
                assert_eq!(ring.peek(&mut peeked), expected.len());
                assert_eq!(peeked[..expected.len()], expected);
                let nothing = expected.is_empty() && len > 0;
                let expected = if nothing { Err(Errno::EAGAIN) } else { Ok(expected) };
                assert_eq!(read(&mut ring, len), expected);
            }
            assert_eq!((ring.len(), ring.is_empty()), (model.len(), model.is_empty()));
        }
    }
}
