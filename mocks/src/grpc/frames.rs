//! Messages in bodies: whether it is compressed, its length, and itself.

use bytes::{Buf, BufMut, Bytes, BytesMut};

/// Bytes before a message.
const HEAD: usize = 5;

/// The messages of a body.
///
/// # Errors
/// When there is no such body, in words.
pub fn read(mut body: Bytes) -> Result<Vec<Bytes>, &'static str> {
    let mut all = Vec::new();
    while !body.is_empty() {
        if body.len() < HEAD {
            return Err("the last message is cut off");
        }
        if body.get_u8() != 0 {
            return Err("compressed messages are not taken");
        }
        let len = body.get_u32() as usize;
        if body.len() < len {
            return Err("the last message is cut off");
        }
        all.push(body.split_to(len));
    }
    Ok(all)
}

/// A message as part of a body.
pub fn write(message: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(HEAD + message.len());
    frame.put_u8(0);
    frame.put_u32(message.len() as u32);
    frame.put_slice(message);
    frame.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_read_as_they_were_written() {
        let body = [write(b"one"), write(b""), write(b"three")].concat();
        let read_of = |len: usize| read(Bytes::copy_from_slice(&body[..len]));
        assert_eq!(read_of(body.len()), Ok(vec!["one".into(), "".into(), "three".into()]));
        assert_eq!(read_of(body.len() - 1), Err("the last message is cut off"));
        assert_eq!(read_of(3), Err("the last message is cut off"));
        assert_eq!(
            read(Bytes::from_static(&[1, 0, 0, 0, 0])),
            Err("compressed messages are not taken")
        );
    }
}
