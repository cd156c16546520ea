//! What is told of each call, as a line of JSON on standard output.

use std::io::{self, Write};

use http::StatusCode;
use serde::Serialize;

use crate::{
    request::Request,
    serving::{Ending, Outbound, Reply},
};

/// A call.
#[derive(Debug, Serialize)]
struct Call<'a> {
    mock: &'a str,
    method: &'a str,
    url: String,
    /// Bytes of the request's body.
    body_len: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    route: Option<&'a str>,
    /// Whether what was asked for was done.
    done: bool,
    /// The status, or what came instead of an answer.
    answer: String,
    /// What went wrong on purpose.
    #[serde(skip_serializing_if = "Option::is_none")]
    trouble: Option<&'a str>,
    /// Why there is no other answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<&'a str>,
}

/// Tells of a call.
pub fn call(mock: &str, request: &Request, reply: &Reply<'_>) {
    tell(&Call {
        mock,
        method: request.method.as_str(),
        url: masked(request),
        body_len: request.body.len(),
        route: reply.route,
        done: reply.is_done,
        answer: match &reply.ending {
            Ending::Answer(answer) | Ending::Short(answer, _) => answer.status.as_u16().to_string(),
            Ending::Nothing => "none".into(),
            Ending::Reset => "reset".into(),
            Ending::Bytes(bytes) if bytes.is_empty() => "end".into(),
            Ending::Bytes(_) => "garbage".into(),
        },
        trouble: reply.trouble,
        problem: reply.problem.as_deref(),
    });
}

/// Parameters whose values are nobody else's business, by a part of their names.
const SECRET: [&str; 5] = ["key", "password", "secret", "signature", "token"];

/// What was asked for, without what is secret in it.
fn masked(request: &Request) -> String {
    let is_secret = |name: &str| {
        let name = name.to_ascii_lowercase();
        SECRET.iter().any(|part| name.contains(part))
    };
    let pairs = request.query.split('&').map(|pair| match pair.split_once('=') {
        Some((name, _)) if is_secret(name) => format!("{name}=***"),
        _ => pair.to_owned(),
    });
    match request.query.is_empty() {
        true => request.url(),
        false => {
            let Request { scheme, host, path, .. } = request;
            format!("{scheme}://{host}{path}?{}", pairs.collect::<Vec<_>>().join("&"))
        }
    }
}

/// A request that a service made by itself.
#[derive(Debug, Serialize)]
struct Made<'a> {
    mock: &'a str,
    method: &'a str,
    webhook: &'a str,
    /// How often it was made before.
    attempt: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<&'a str>,
}

/// Tells of a request that a service made by itself.
pub fn webhook(mock: &str, outbound: &Outbound, attempt: u32, result: &Result<StatusCode, String>) {
    tell(&Made {
        mock,
        method: outbound.method.as_str(),
        webhook: &outbound.url,
        attempt,
        answer: result.as_ref().ok().map(StatusCode::as_u16),
        problem: result.as_ref().err().map(String::as_str),
    });
}

fn tell(entry: &impl Serialize) {
    let mut line = serde_json::to_vec(entry).unwrap_or_default();
    line.push(b'\n');
    // Nobody may listen any more.
    let _ = io::stdout().write_all(&line);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked() {
        let request = Request::read("GET /a?api_key=x&b=c&Token=y\nhost: h.test");
        assert_eq!(masked(&request), "http://h.test/a?api_key=***&b=c&Token=***");
    }
}
