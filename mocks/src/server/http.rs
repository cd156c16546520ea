//! Requests of HTTP/1.1 and HTTP/2, from a connection to their answers.

use std::{convert::Infallible, future::pending, rc::Rc, sync::Arc};

use bytes::{BufMut, Bytes, BytesMut};
use http::{Response, StatusCode, Version, header};
use http_body_util::{BodyExt, Limited};
use hyper::{body::Incoming, rt::Executor, service::service_fn, upgrade::OnUpgrade};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::conn::auto,
};
use tokio::{task::spawn_local, time::sleep};

use super::{
    calls,
    listen::Shared,
    webhook, websocket,
    wire::{Line, Order, Orders, Wire},
};
use crate::{
    answer::{Outgoing, Piece, Prepared},
    grpc::Call,
    journal,
    request::Request,
    serving::{Ending, Serving},
};

/// Most bytes of a request's body.
pub const BODY_MAX: usize = 64 << 20;

/// Runs what a connection needs, on this thread.
#[derive(Clone, Copy, Debug)]
struct Local;

impl<F: Future + 'static> Executor<F> for Local
where
    F::Output: 'static,
{
    fn execute(&self, future: F) {
        spawn_local(future);
    }
}

/// Serves the requests of a connection until it ends.
pub async fn connection<S: Line>(line: S, scheme: &'static str, services: Shared) {
    let orders = Arc::new(Orders::default());
    let wire = TokioIo::new(Wire::new(line, Arc::clone(&orders)));
    let answer = service_fn(move |request| {
        answer(request, scheme, Rc::clone(&services), Arc::clone(&orders))
    });
    let mut builder = auto::Builder::new(Local);
    builder.http1().timer(TokioTimer::new());
    builder.http2().timer(TokioTimer::new());
    // What a client does wrong ends its connection and is no concern of others.
    let _ = builder.serve_connection_with_upgrades(wire, answer).await;
}

async fn answer(
    request: http::Request<Incoming>,
    scheme: &'static str,
    services: Shared,
    orders: Arc<Orders>,
) -> Result<Response<Outgoing>, Infallible> {
    let (mut parts, body) = request.into_parts();
    let upgrade = parts.extensions.remove::<OnUpgrade>();
    let version = parts.version;
    let mut request = Request::new(parts, scheme, Bytes::new());
    let asked = services.iter().find(|serving| serving.service.has_host(&request.host));
    let serving = asked.unwrap_or(&services[0]);
    if let Some(call) = Call::of_stream(&serving.service.methods, &request)
        && serving.answers_meanwhile(&request)
    {
        return Ok(stream(call, body, serving, request, &orders).await);
    }
    let Ok(body) = Limited::new(body, BODY_MAX).collect().await else {
        let words = "the body of the request is too long, or did not come whole";
        return Ok(Prepared::of_error(StatusCode::BAD_REQUEST, words).response(&orders));
    };
    request.replace_body(body.to_bytes());
    match Call::open(&serving.service.methods, &mut request) {
        Ok(call) => request.grpc = call,
        Err(refusal) => return Ok(refusal.response(&orders)),
    }
    let reply = serving.reply(&request);
    journal::call(&serving.service, &request, &reply);
    if let (Some(route), Some(upgrade)) = (reply.socket, upgrade) {
        websocket::converse(upgrade, Rc::clone(serving), route, request, Arc::clone(&orders));
    }
    for outbound in reply.webhooks {
        webhook::send(Rc::clone(serving), outbound);
    }
    Ok(finish(reply.ending, version, &orders).await)
}

/// Answers a call of gRPC while its messages come.
async fn stream(
    call: Call,
    body: Incoming,
    serving: &Rc<Serving>,
    mut request: Request,
    orders: &Arc<Orders>,
) -> Response<Outgoing> {
    request.grpc = Some(call.clone());
    let reply = serving.reply(&request);
    journal::call(&serving.service, &request, &reply);
    match (reply.ending, reply.socket) {
        (Ending::Answer(answer), Some(route)) => {
            calls::answer((call, body), (Rc::clone(serving), route), request, answer, orders).await
        }
        (ending, _) => finish(ending, Version::HTTP_2, orders).await,
    }
}

/// What is sent.
async fn finish(ending: Ending, version: Version, orders: &Arc<Orders>) -> Response<Outgoing> {
    match ending {
        Ending::Answer(answer) => late(answer).await.response(orders),
        Ending::Short(answer, less) if version == Version::HTTP_2 => {
            let mut answer = late(answer).await;
            answer.tell_length((answer.body_len() as u64).saturating_sub(less));
            answer.response(orders)
        }
        Ending::Short(answer, less) => {
            let answer = late(answer).await;
            broken(Order::Say(plain(&answer, less)), orders)
        }
        Ending::Nothing => pending().await,
        Ending::Reset => broken(Order::Reset, orders),
        Ending::Bytes(bytes) => broken(Order::Say(bytes), orders),
    }
}

/// The answer, when its time has come.
async fn late(answer: Prepared) -> Prepared {
    if !answer.delay.is_zero() {
        sleep(answer.delay).await;
    }
    answer
}

/// An answer that never gets through: the connection obeys as soon as it would say something.
fn broken(order: Order, orders: &Arc<Orders>) -> Response<Outgoing> {
    orders.give(order);
    Prepared::empty(StatusCode::OK).response(orders)
}

/// An answer of HTTP/1.1 as bytes, whose length is told as so many less.
fn plain(answer: &Prepared, less: u64) -> Bytes {
    let mut bytes = BytesMut::new();
    bytes.put(format!("HTTP/1.1 {}\r\n", answer.status).as_bytes());
    for (name, value) in &answer.headers {
        if *name != header::CONTENT_LENGTH {
            bytes.put(format!("{name}: ").as_bytes());
            bytes.put(value.as_bytes());
            bytes.put(&b"\r\n"[..]);
        }
    }
    let told = (answer.body_len() as u64).saturating_sub(less);
    bytes.put(format!("content-length: {told}\r\n\r\n").as_bytes());
    for piece in &answer.pieces {
        if let Piece::Data(data) = piece {
            bytes.put(data.clone());
        }
    }
    bytes.freeze()
}
