//! Conversations over calls of gRPC whose clients stream: each side speaks when it likes.

use std::{io, rc::Rc, sync::Arc};

use bytes::{Bytes, BytesMut};
use http::Response;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::{
    sync::mpsc::{Sender, channel},
    task::spawn_local,
    time::sleep,
};

use super::{
    Blow, Orders,
    http::BODY_MAX,
    talk::{Ending, Form, Heard, Held, Partner},
};
use crate::{
    answer::{Outgoing, Piece, Prepared},
    compile::{Action, Extent},
    file::GrpcStatus,
    grpc::{self, Call},
    request::Request,
    serving::Serving,
};

/// Most messages that wait for the connection.
const WAITING_MAX: usize = 64;

/// Who calls.
struct Caller {
    call: Call,
    body: Incoming,
    /// What has come of it that nobody has asked for yet.
    buffer: BytesMut,
    answers: Sender<Piece>,
}

impl Caller {
    async fn send(&self, piece: Piece) -> io::Result<()> {
        self.answers.send(piece).await.map_err(io::Error::other)
    }
}

impl Partner for Caller {
    async fn hear(&mut self, _: &Extent) -> io::Result<Heard> {
        loop {
            if let Some(message) = grpc::take(&mut self.buffer).map_err(io::Error::other)? {
                return self.call.read(&message).map(Heard::This).map_err(io::Error::other);
            }
            match self.body.frame().await {
                Some(Ok(frame)) => self.buffer.extend(frame.into_data()),
                Some(Err(error)) => return Err(io::Error::other(error)),
                None if self.buffer.is_empty() => return Ok(Heard::End),
                None => return Err(io::Error::other(grpc::CUT_OFF)),
            }
            if self.buffer.len() > BODY_MAX {
                return Err(io::Error::other("a message is too long"));
            }
        }
    }

    async fn say(&mut self, said: Bytes, _: Form) -> io::Result<()> {
        let frame = self.call.frame(&said).map_err(io::Error::other)?;
        self.send(Piece::Data(frame)).await
    }
}

/// Answers a call whose route has been taken, and holds its conversation.
pub async fn answer(
    (call, body): (Call, Incoming),
    (serving, route): (Rc<Serving>, usize),
    request: Request,
    answer: Prepared,
    orders: &Arc<Orders>,
) -> Response<Outgoing> {
    sleep(answer.delay).await;
    let begin = Prepared { pieces: answer.pieces, ..call.begin() };
    let (answers, more) = channel(WAITING_MAX);
    let caller = Caller { call, body, buffer: BytesMut::new(), answers };
    spawn_local(converse(caller, serving, route, request));
    begin.response(orders).map(|body| body.followed_by(more))
}

async fn converse(mut caller: Caller, serving: Rc<Serving>, route: usize, request: Request) {
    let Action::Stream(script) = &serving.service.routes[route].action else { return };
    let url = request.url();
    let mut held = Held::new(serving.socket(route, request), "GRPC", url);
    held.follow(script, &mut caller).await;
    let (status, words) = match &held.ending {
        Ending::Reset | Ending::Struck(Blow::Reset, _) => {
            let _ = caller.send(Piece::Reset).await;
            return;
        }
        Ending::Left(line) => {
            (GrpcStatus::InvalidArgument, format!("line {line}: there is no more message"))
        }
        Ending::Broken(words) => (GrpcStatus::InvalidArgument, words.clone()),
        Ending::Open | Ending::Through | Ending::Struck(..) => (GrpcStatus::Ok, String::new()),
    };
    // Who is gone need not be told.
    let _ = caller.send(Piece::Trailers(grpc::fields(status, &words))).await;
}
