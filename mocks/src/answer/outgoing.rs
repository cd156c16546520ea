//! The body of an answer, as it is sent: pieces, and pauses between them.

use std::{
    collections::VecDeque,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use tokio::{
    sync::mpsc::Receiver,
    time::{Sleep, sleep},
};

use crate::server::{Ended, Order, Orders};

/// Part of a body.
#[derive(Clone, Debug, PartialEq)]
pub enum Piece {
    /// Nothing, for so long.
    Pause(Duration),
    /// Bytes.
    Data(Bytes),
    /// Fields after the body.
    Trailers(HeaderMap),
    /// Nothing, for ever.
    Forever,
    /// The connection ends.
    Close,
    /// The connection is reset.
    Reset,
}

/// A body that is being sent.
#[derive(Debug)]
pub struct Outgoing {
    left: VecDeque<Piece>,
    /// To the connection that carries it.
    orders: Arc<Orders>,
    pause: Option<Pin<Box<Sleep>>>,
    /// What more there is, as it comes.
    more: Option<Receiver<Piece>>,
    /// Its length is not told beforehand.
    is_open: bool,
}

impl Outgoing {
    /// A body of these pieces; its length is told if they come at once.
    pub fn new(pieces: Vec<Piece>, orders: Arc<Orders>) -> Self {
        let is_open = pieces.iter().any(|piece| !matches!(piece, Piece::Data(_)));
        Self { left: pieces.into(), orders, pause: None, more: None, is_open }
    }

    /// The same, and then pieces as they come.
    pub fn followed_by(self, more: Receiver<Piece>) -> Self {
        Self { more: Some(more), is_open: true, ..self }
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = Ended;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Ended>>> {
        loop {
            if let Some(pause) = &mut self.pause {
                ready!(pause.as_mut().poll(context));
                self.pause = None;
            }
            let frame = match self.left.pop_front() {
                Some(Piece::Pause(time)) => {
                    self.pause = Some(Box::pin(sleep(time)));
                    continue;
                }
                Some(Piece::Data(bytes)) => Frame::data(bytes),
                Some(Piece::Trailers(fields)) => Frame::trailers(fields),
                // Nobody wakes it any more; the connection notices when the client leaves.
                Some(Piece::Forever) => {
                    self.left.push_front(Piece::Forever);
                    return Poll::Pending;
                }
                Some(Piece::Close) => return Poll::Ready(Some(Err(self.orders.end(Order::Close)))),
                Some(Piece::Reset) => return Poll::Ready(Some(Err(self.orders.end(Order::Reset)))),
                None => match &mut self.more {
                    Some(more) => match ready!(more.poll_recv(context)) {
                        Some(piece) => {
                            self.left.push_back(piece);
                            continue;
                        }
                        None => return Poll::Ready(None),
                    },
                    None => return Poll::Ready(None),
                },
            };
            return Poll::Ready(Some(Ok(frame)));
        }
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty() && self.pause.is_none() && self.more.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        let data =
            |piece: &Piece| if let Piece::Data(bytes) = piece { bytes.len() as u64 } else { 0 };
        match self.is_open {
            true => SizeHint::new(),
            false => SizeHint::with_exact(self.left.iter().map(data).sum()),
        }
    }
}
