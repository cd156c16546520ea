//! Requests of HTTP/1.1 and HTTP/2, from a connection to their answers.

use std::{convert::Infallible, future::Future, rc::Rc};

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{body::Incoming, rt::Executor, service::service_fn};
use hyper_util::{rt::TokioIo, server::conn::auto};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    task::spawn_local,
};

use super::listen::Shared;
use crate::{
    answer::Answer,
    compile::{Route, Service},
    journal::Call,
    matching::Captures,
    request::Request,
};

/// Most bytes of a request's body.
const BODY_MAX: usize = 64 << 20;

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
pub async fn connection<S>(stream: S, scheme: &'static str, services: Shared)
where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let answer = service_fn(move |request| answer(request, scheme, Rc::clone(&services)));
    // What a client does wrong ends its connection and is no concern of others.
    let _ = auto::Builder::new(Local).serve_connection(TokioIo::new(stream), answer).await;
}

async fn answer(
    request: http::Request<Incoming>,
    scheme: &'static str,
    services: Shared,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let Ok(body) = Limited::new(body, BODY_MAX).collect().await else {
        let words = "the body of the request is too long, or did not come whole";
        return Ok(Answer::of_error(StatusCode::BAD_REQUEST, words).response());
    };
    let request = Request::new(parts, scheme, body.to_bytes());
    let service = services.iter().find(|service| service.has_host(&request.host));
    let service = service.unwrap_or(&services[0]);
    let call = Call::new(&service.name, &request);
    if let Some((route, _)) = find(service, &request) {
        call.took(&route.name, route.answer.status().as_u16()).tell();
        return Ok(route.answer.response());
    }
    let words = explain(service, &request);
    let answer = Answer::of_error(StatusCode::NOT_FOUND, &words);
    call.missed(&words, answer.status().as_u16()).tell();
    Ok(answer.response())
}

/// The first route that is for a request.
fn find<'a>(service: &'a Service, request: &Request) -> Option<(&'a Route, Captures)> {
    service.routes.iter().find_map(|route| Some((route, route.matcher.captures(request)?)))
}

/// Why no route is for a request: the one that nearly is, and what keeps it from it.
fn explain(service: &Service, request: &Request) -> String {
    let none = format!("no mock matched: {} {}", request.method, request.target());
    let misses = service.routes.iter().map(|route| (route, route.matcher.misses(request)));
    let nearest =
        misses.min_by_key(|(_, misses)| misses.iter().map(|miss| miss.weight).sum::<u32>());
    let Some((route, misses)) = nearest else { return none };
    let words: Vec<_> = misses.into_iter().map(|miss| miss.words).collect();
    format!("{none}; closest: route {}, {}", route.name, words.join(", "))
}
