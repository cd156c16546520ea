//! Messages in bodies: whether it is compressed, its length, and itself.

use bytes::{Buf, BufMut, Bytes, BytesMut};

/// Bytes before a message.
const HEAD: usize = 5;

/// What is said of a body that ends within a message.
pub const CUT_OFF: &str = "the last message is cut off";

/// The first message of what has come of a body, which is without it then; nothing, if not all of it has come.
///
/// # Errors
/// When it cannot be taken, in words.
pub fn take(body: &mut BytesMut) -> Result<Option<Bytes>, &'static str> {
    let Some((mut head, rest)) = body.split_at_checked(HEAD) else { return Ok(None) };
    if head.get_u8() != 0 {
        return Err("compressed messages are not taken");
    }
    let len = head.get_u32() as usize;
    if rest.len() < len {
        return Ok(None);
    }
    body.advance(HEAD);
    Ok(Some(body.split_to(len).freeze()))
}

/// The messages of a body.
///
/// # Errors
/// When there is no such body, in words.
pub fn read(body: Bytes) -> Result<Vec<Bytes>, &'static str> {
    let (mut all, mut body) = (Vec::new(), BytesMut::from(body));
    while let Some(message) = take(&mut body)? {
        all.push(message);
    }
    if body.is_empty() { Ok(all) } else { Err(CUT_OFF) }
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
