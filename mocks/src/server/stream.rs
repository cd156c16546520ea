//! Conversations over connections.

use std::{io, rc::Rc};

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{
    talk::{Blow, Ending, Form, Heard, Held, Partner},
    wire::Line,
};
use crate::{
    compile::{Extent, Script},
    request::Request,
    serving::Serving,
};

/// Most bytes of what has no told length.
const OPEN_MAX: usize = 16 << 20;

/// A connection, and what came over it that nobody has asked for yet.
pub struct Stream<S: Line> {
    line: S,
    buffer: BytesMut,
}

impl<S: Line> Stream<S> {
    /// A connection where nothing has been heard.
    pub fn new(line: S) -> Self {
        Self { line, buffer: BytesMut::new() }
    }

    /// The connection, without what nobody has asked for.
    pub fn into_line(self) -> S {
        self.line
    }

    /// Resets it.
    pub fn reset(self) {
        // With nothing to linger for, close(2) resets.
        let _ = self.line.tcp().set_zero_linger();
    }

    /// Ends it.
    pub async fn close(mut self) {
        // Who is gone need not be told.
        let _ = self.line.shutdown().await;
    }

    /// All until this, without it; at the end, what there is.
    pub async fn until(&mut self, mark: &[u8], max: usize) -> io::Result<Heard> {
        let mut seen = 0;
        loop {
            let found = self.buffer[seen..].windows(mark.len()).position(|part| part == mark);
            if let Some(at) = found {
                let taken = self.buffer.split_to(seen + at).freeze();
                let _ = self.buffer.split_to(mark.len());
                return Ok(Heard::This(taken));
            }
            seen = (self.buffer.len() + 1).saturating_sub(mark.len());
            if self.buffer.len() > max {
                let words = format!("there are more than {max} bytes without an end");
                return Err(io::Error::other(words));
            }
            if self.more().await? == 0 {
                return Ok(self.rest());
            }
        }
    }

    /// Reads more; how much. Who ends TLS without saying so ends all the same.
    async fn more(&mut self) -> io::Result<usize> {
        match self.line.read_buf(&mut self.buffer).await {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(0),
            read => read,
        }
    }

    fn rest(&mut self) -> Heard {
        match self.buffer.is_empty() {
            true => Heard::End,
            false => Heard::This(self.buffer.split().freeze()),
        }
    }

    /// A line, without its end.
    pub async fn line(&mut self, max: usize) -> io::Result<Heard> {
        let heard = self.until(b"\n", max).await?;
        Ok(match heard {
            Heard::This(mut line) => {
                if line.last() == Some(&b'\r') {
                    line.truncate(line.len() - 1);
                }
                Heard::This(line)
            }
            Heard::End => Heard::End,
        })
    }

    /// Says something.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.line.write_all(bytes).await?;
        self.line.flush().await
    }
}

impl<S: Line> Partner for Stream<S> {
    async fn hear(&mut self, extent: &Extent) -> io::Result<Heard> {
        match extent {
            Extent::Usual => self.line(OPEN_MAX).await,
            Extent::Until(mark) => self.until(mark, OPEN_MAX).await,
            Extent::Bytes(count) => {
                while self.buffer.len() < *count {
                    if self.more().await? == 0 {
                        return Ok(self.rest());
                    }
                }
                Ok(Heard::This(self.buffer.split_to(*count).freeze()))
            }
        }
    }

    async fn say(&mut self, said: Bytes, _: Form) -> io::Result<()> {
        self.write(&said).await
    }
}

/// Holds the conversation of a connection.
pub async fn converse<S: Line>(line: S, script: &Script, serving: Rc<Serving>, index: usize) {
    let talk = &serving.service.talks[index];
    let scheme = talk.kind.protocol();
    let request = Request::of_talk(&serving.service.hosts[0]);
    let url = format!("{scheme}://{}:{}", serving.service.hosts[0], talk.port);
    let mut stream = Stream::new(line);
    let mut held = Held::new(serving.talk(index, request), "TCP", url);
    held.follow(script, &mut stream).await;
    match held.ending {
        Ending::Reset | Ending::Struck(Blow::Reset, _) => stream.reset(),
        _ => stream.close().await,
    }
}
