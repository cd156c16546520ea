//! Takes requests, passes them on, and keeps what comes back.

use std::{
    cell::RefCell,
    convert::Infallible,
    net::{IpAddr, SocketAddr},
    rc::Rc,
};

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, TcpStream},
    runtime,
    task::{LocalSet, spawn_local},
};

use super::{
    exchange,
    upstream::{Answer, Error, Upstream},
};
use crate::{
    import::{Imported, of_har},
    secrets::Secrets,
    server::{BODY_MAX, told_to_end},
};

/// What is recorded.
#[derive(Clone, Debug)]
pub struct Recording<'a> {
    /// The address of the service.
    pub to: &'a str,
    /// What the mock's host is; the service's, without it.
    pub host: Option<&'a str>,
    /// Certificates of those who may vouch for the service.
    pub authorities: &'a [u8],
    /// Names of what is secret, besides the usual ones.
    pub secrets: &'a [String],
    /// Where requests are taken.
    pub at: (IpAddr, u16),
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// A file of mocks, if there was something to record.
    pub file: Option<Imported>,
    /// How many requests were answered.
    pub count: usize,
}

/// All that the connections share.
struct Shared {
    upstream: Upstream,
    /// What the mock is called in what is written down.
    authority: String,
    entries: RefCell<Vec<Value>>,
    note: Box<dyn Fn(&str)>,
}

/// Passes requests on until the process is told to end. `listening` is told where they are taken, `note` what happens.
///
/// # Errors
/// When nothing can be passed on.
pub fn record(
    recording: &Recording<'_>,
    listening: impl FnOnce(SocketAddr),
    note: impl Fn(&str) + 'static,
) -> Result<Recorded, Error> {
    let upstream = Upstream::new(recording.to, recording.authorities)?;
    let authority = match recording.host {
        Some(host) => host.to_owned(),
        None => upstream.authority(),
    };
    let entries = RefCell::default();
    let shared = Rc::new(Shared { upstream, authority, entries, note: Box::new(note) });
    let runtime =
        runtime::Builder::new_current_thread().enable_all().build().map_err(Error::Listen)?;
    LocalSet::new()
        .block_on(&runtime, async {
            let listener = TcpListener::bind(recording.at).await?;
            listening(listener.local_addr()?);
            let own = Rc::clone(&shared);
            spawn_local(async move {
                while let Ok((stream, _)) = listener.accept().await {
                    spawn_local(connection(stream, Rc::clone(&own)));
                }
            });
            told_to_end().await
        })
        .map_err(Error::Listen)?;
    let entries = shared.entries.take();
    let count = entries.len();
    let archive = json!({ "log": { "entries": entries } });
    let file = of_har(&archive, &Secrets::with(recording.secrets)).ok();
    Ok(Recorded { file, count })
}

async fn connection(stream: TcpStream, shared: Rc<Shared>) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| answer(request, Rc::clone(&shared)));
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new());
    // What a client does wrong ends its connection.
    let _ = builder.serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(
    request: Request<Incoming>,
    shared: Rc<Shared>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let Ok(body) = Limited::new(body, BODY_MAX).collect().await.map(|body| body.to_bytes()) else {
        return Ok(refusal(StatusCode::BAD_REQUEST, "the body of the request did not come whole"));
    };
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
    let asked = shared.upstream.ask(&parts.method, target, &parts.headers, body.clone()).await;
    let answer = match asked {
        Ok(answer) => answer,
        Err(why) => {
            (shared.note)(&format!("{} {target}: {why}", parts.method));
            return Ok(refusal(StatusCode::BAD_GATEWAY, &why));
        }
    };
    let url = format!("{}://{}{target}", shared.upstream.scheme, shared.authority);
    let entry = exchange::entry(&parts.method, &url, (&parts.headers, &body), &answer);
    shared.entries.borrow_mut().push(entry);
    Ok(passed_on(answer))
}

fn passed_on(answer: Answer) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(answer.body));
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    // They are made anew for the connection to the client.
    response.headers_mut().remove(header::TRANSFER_ENCODING);
    response.headers_mut().remove(header::CONNECTION);
    response
}

fn refusal(status: StatusCode, words: &str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(format!("{words}\n")));
    *response.status_mut() = status;
    response
}
