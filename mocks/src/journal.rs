//! What is told of each call, as a line of JSON on standard output.

use std::io::{self, Write};

use serde::Serialize;

use crate::request::Request;

/// A call.
#[derive(Debug, Serialize)]
pub struct Call<'a> {
    /// The service.
    mock: &'a str,
    method: &'a str,
    scheme: &'a str,
    host: &'a str,
    path: String,
    /// Bytes of the request's body.
    body_len: usize,
    /// The route that was taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    route: Option<&'a str>,
    status: u16,
    /// Why no route was taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    miss: Option<&'a str>,
}

impl<'a> Call<'a> {
    /// A request of a service.
    pub fn new(mock: &'a str, request: &'a Request) -> Self {
        Self {
            mock,
            method: request.method.as_str(),
            scheme: request.scheme,
            host: &request.host,
            path: request.target(),
            body_len: request.body.len(),
            route: None,
            status: 0,
            miss: None,
        }
    }

    /// It took a route.
    pub fn took(self, route: &'a str, status: u16) -> Self {
        Self { route: Some(route), status, ..self }
    }

    /// It took none.
    pub fn missed(self, miss: &'a str, status: u16) -> Self {
        Self { miss: Some(miss), status, ..self }
    }

    /// Tells of it.
    pub fn tell(&self) {
        let mut line = serde_json::to_vec(self).unwrap_or_default();
        line.push(b'\n');
        // Nobody may listen any more.
        let _ = io::stdout().write_all(&line);
    }
}
