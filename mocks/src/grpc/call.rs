//! A call: its messages are JSON for routes and answers.

use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, header};
use prost_reflect::MethodDescriptor;
use serde_json::Value;
use simrun_config::spelling;

use super::{
    Methods, frames,
    methods::{from_json, to_json},
    status::{self, FIELD},
};
use crate::{
    answer::{Piece, Prepared},
    file::GrpcStatus,
    request::Request,
};

/// A call of a method.
#[derive(Clone, Debug)]
pub struct Call {
    method: MethodDescriptor,
}

/// How a kind of content begins that gRPC has.
const KIND: &str = "application/grpc";

impl Call {
    /// The call that a request is, if it is one; its body becomes JSON: the message, or a list if the client streams.
    ///
    /// # Errors
    /// What is answered to a call that cannot be taken.
    pub fn open(methods: &Methods, request: &mut Request) -> Result<Option<Self>, Box<Prepared>> {
        if !is_call(request) || methods.is_empty() {
            return Ok(None);
        }
        let Some(method) = methods.find(&request.plain_path) else {
            let (asked, paths) = (&request.plain_path, methods.paths().collect::<Vec<_>>());
            let hint = spelling::hint(asked, paths.iter().map(String::as_str));
            let words = format!("there is no method {asked}{hint}");
            return Err(Box::new(end(GrpcStatus::Unimplemented, &words)));
        };
        match messages(&method, request.body.clone()) {
            Ok(json) => request.replace_body(json.to_string().into()),
            Err(words) => return Err(Box::new(end(GrpcStatus::InvalidArgument, &words))),
        }
        Ok(Some(Self { method }))
    }

    /// The call that a request is whose body has not come yet, if its client may send more than one message.
    pub fn of_stream(methods: &Methods, request: &Request) -> Option<Self> {
        let method = methods.find(&request.plain_path).filter(|_| is_call(request))?;
        method.is_client_streaming().then_some(Self { method })
    }

    /// A message as JSON.
    ///
    /// # Errors
    /// When it is none, in words.
    pub fn read(&self, message: &[u8]) -> Result<Bytes, String> {
        to_json(self.method.input(), message).map(|value| value.to_string().into())
    }

    /// What an answer begins with whose messages follow.
    pub fn begin(&self) -> Prepared {
        let mut answer = Prepared::empty(StatusCode::OK);
        answer.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(KIND));
        answer
    }

    /// What is sent of an answer.
    pub fn dress(&self, answer: Prepared) -> Prepared {
        if !answer.status.is_success() {
            let text: Vec<u8> = answer.pieces.iter().flat_map(data).copied().collect();
            let words = String::from_utf8_lossy(&text).trim().to_owned();
            return Prepared { delay: answer.delay, ..end(status::of_http(answer.status), &words) };
        }
        let mut pieces = Vec::new();
        let mut last = None;
        for piece in answer.pieces {
            match piece {
                Piece::Data(bytes) => match self.frame(&bytes) {
                    Ok(frame) => pieces.push(Piece::Data(frame)),
                    Err(words) => {
                        let delay = answer.delay;
                        return Prepared { delay, ..end(GrpcStatus::Internal, &words) };
                    }
                },
                Piece::Trailers(fields) => last = Some(fields),
                piece => pieces.push(piece),
            }
        }
        let mut last = last.unwrap_or_default();
        let is_fine = last.get(FIELD).is_none_or(|status| status == "0");
        if pieces.is_empty() && is_fine && !self.method.is_server_streaming() {
            // The empty message is one, too.
            pieces.push(Piece::Data(frames::write(&[])));
        }
        last.entry(FIELD).or_insert(HeaderValue::from(GrpcStatus::Ok as u16));
        pieces.push(Piece::Trailers(last));
        let mut headers = answer.headers;
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(KIND));
        Prepared { delay: answer.delay, status: StatusCode::OK, headers, pieces }
    }

    /// JSON as a message as it is sent.
    ///
    /// # Errors
    /// When it is no such message, in words.
    pub fn frame(&self, json: &Bytes) -> Result<Bytes, String> {
        let value: Value = serde_json::from_slice(json)
            .map_err(|error| format!("the answer is no JSON: {error}"))?;
        let kind = self.method.output();
        let name = kind.full_name().to_owned();
        let message = from_json(kind, &value);
        message
            .map(|message| frames::write(&message))
            .map_err(|why| format!("the answer is no {name}: {why}"))
    }
}

fn is_call(request: &Request) -> bool {
    request.method == Method::POST
        && request.header(&header::CONTENT_TYPE).any(|kind| kind.starts_with(KIND))
}

fn messages(method: &MethodDescriptor, body: Bytes) -> Result<Value, String> {
    let mut all = Vec::new();
    for message in frames::read(body)? {
        all.push(to_json(method.input(), &message)?);
    }
    match (method.is_client_streaming(), all.len()) {
        (true, _) => Ok(Value::Array(all)),
        (false, 1) => Ok(all.remove(0)),
        (false, len) => Err(format!("it has one message, not {len}")),
    }
}

/// An answer that is nothing but an end.
fn end(status: GrpcStatus, words: &str) -> Prepared {
    let mut answer = Prepared::empty(StatusCode::OK);
    answer.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(KIND));
    answer.pieces.push(Piece::Trailers(status::fields(status, words)));
    answer
}

fn data(piece: &Piece) -> &[u8] {
    if let Piece::Data(bytes) = piece { bytes } else { &[] }
}
