//! What is told of each call, as a line of JSON on standard output.

use std::io::{self, Write};

use http::StatusCode;
use serde::Serialize;

use crate::{
    compile::Service,
    request::Request,
    secrets::Secrets,
    server::{Held, TalkEnding},
    serving::{Conversation, Ending, Letter, Outbound, Reply},
};

/// A call.
#[derive(Debug, Serialize)]
struct Call<'a> {
    mock: &'a str,
    method: &'a str,
    url: String,
    /// Bytes of the request's body.
    body_len: usize,
    /// What is in it, if it is text.
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
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
    problem: Option<String>,
}

/// Tells of a call.
pub fn call(service: &Service, request: &Request, reply: &Reply<'_>) {
    tell(&Call {
        mock: &service.name,
        method: request.method.as_str(),
        url: masked(request, &service.secrets),
        body_len: request.body.len(),
        body: told_body(request, &service.secrets),
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
        problem: reply.problem.as_deref().map(|words| service.secrets.tell_text(words)),
    });
}

/// Most letters of a body that are told.
const BODY_MAX: usize = 4096;

/// What was asked for, without what is secret in it.
fn masked(request: &Request, secrets: &Secrets) -> String {
    let Request { scheme, host, path, query, .. } = request;
    match query.is_empty() {
        true => request.url(),
        false => format!("{scheme}://{host}{path}?{}", secrets.mask_form(query)),
    }
}

/// The body, without what is secret in it.
fn told_body(request: &Request, secrets: &Secrets) -> Option<String> {
    let text = secrets.tell_body(&request.body).filter(|text| !text.is_empty())?;
    Some(shortened(text))
}

fn shortened(text: String) -> String {
    match text.char_indices().nth(BODY_MAX) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}

/// A conversation that was not HTTP.
#[derive(Debug, Serialize)]
struct Talk<'a> {
    mock: &'a str,
    method: &'a str,
    url: String,
    route: &'a str,
    /// Bytes that came, and that were said.
    heard: usize,
    said: usize,
    done: bool,
    answer: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

/// Tells of a conversation.
pub fn talk(held: &Held) {
    let Service { name, secrets, .. } = &held.conversation.serving().service;
    let (answer, problem) = match &held.ending {
        TalkEnding::Open => ("open", None),
        TalkEnding::Through => ("end", None),
        TalkEnding::Reset => ("reset", None),
        TalkEnding::Left(line) => ("left", Some(format!("line {line}: the client has left"))),
        TalkEnding::Broken(words) => ("broken", Some(words.clone())),
    };
    tell(&Talk {
        mock: name,
        method: held.kind.0,
        url: secrets.tell_text(&held.kind.1),
        route: held.conversation.name(),
        heard: held.heard,
        said: held.said,
        done: matches!(held.ending, TalkEnding::Through | TalkEnding::Reset),
        answer,
        problem: problem.map(|words| secrets.tell_text(&words)),
    });
}

/// A mail.
#[derive(Debug, Serialize)]
struct Mail<'a> {
    mock: &'a str,
    method: &'a str,
    url: String,
    route: &'a str,
    from: &'a str,
    to: &'a [String],
    subject: String,
    /// What it says, without its header.
    text: String,
    /// Bytes of it all.
    body_len: usize,
    done: bool,
    answer: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

/// Tells of a mail.
pub fn mail(
    talk: &Conversation,
    letter: &Letter,
    subject: &str,
    port: u16,
    problem: Option<String>,
) {
    let Service { name, secrets, .. } = &talk.serving().service;
    tell(&Mail {
        mock: name,
        method: talk.request().method.as_str(),
        url: format!("smtp://{}:{port}", talk.request().host),
        route: talk.name(),
        from: &letter.from,
        to: &letter.to,
        subject: secrets.tell_text(subject),
        text: shortened(secrets.tell_text(talk.request().text())),
        body_len: letter.text.len(),
        done: true,
        answer: "250",
        problem,
    });
}

/// A request that a service made by itself.
#[derive(Debug, Serialize)]
struct Made<'a> {
    mock: &'a str,
    method: &'a str,
    webhook: String,
    /// How often it was made before.
    attempt: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<&'a str>,
}

/// Tells of a request that a service made by itself.
pub fn webhook(
    service: &Service,
    outbound: &Outbound,
    attempt: u32,
    result: &Result<StatusCode, String>,
) {
    tell(&Made {
        mock: &service.name,
        method: outbound.method.as_str(),
        webhook: service.secrets.tell_text(&outbound.url),
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
        assert_eq!(
            masked(&request, &Secrets::default()),
            "http://h.test/a?api_key=***&b=c&Token=***"
        );
    }
}
