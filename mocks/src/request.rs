//! A request as routes and answers see it.

use std::cell::OnceCell;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, Method, header, request::Parts};
use serde_json::Value;

use crate::grpc::Call;

/// A request, all of it.
#[derive(Debug)]
pub struct Request {
    /// Its method.
    pub method: Method,
    /// `http` or `https`.
    pub scheme: &'static str,
    /// The host that is asked, in lower case, without the port.
    pub host: String,
    /// Its path, as it was sent.
    pub path: String,
    /// Its path as text.
    pub plain_path: String,
    /// What follows the question mark, as it was sent.
    pub query: String,
    /// Parameters after the question mark.
    pub parameters: Vec<(String, String)>,
    /// Its header.
    pub headers: HeaderMap,
    /// Its body; of a call of gRPC, its messages as JSON.
    pub body: Bytes,
    /// The call of gRPC that it is.
    pub grpc: Option<Call>,
    text: OnceCell<String>,
    json: OnceCell<Result<Value, String>>,
    form: OnceCell<Vec<(String, String)>>,
}

impl Request {
    /// From the parts of one.
    pub fn new(parts: Parts, scheme: &'static str, body: Bytes) -> Self {
        let named = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let authority = parts.uri.authority().map(http::uri::Authority::as_str).or(named);
        let query = parts.uri.query().unwrap_or_default();
        Self {
            scheme,
            host: without_port(authority.unwrap_or_default()).to_ascii_lowercase(),
            plain_path: decode(parts.uri.path()),
            path: parts.uri.path().to_owned(),
            parameters: decode_form(query),
            query: query.to_owned(),
            method: parts.method,
            headers: parts.headers,
            body,
            grpc: None,
            text: OnceCell::new(),
            json: OnceCell::new(),
            form: OnceCell::new(),
        }
    }

    /// What begins a conversation that is not HTTP: nothing but the host.
    pub fn of_talk(host: &str) -> Self {
        let mut request = Self::new(http::Request::new(()).into_parts().0, "", Bytes::new());
        request.host = host.to_owned();
        request
    }

    /// Has another body.
    pub fn replace_body(&mut self, body: Bytes) {
        self.body = body;
        (self.text, self.json, self.form) = Default::default();
    }

    /// What was asked for.
    pub fn url(&self) -> String {
        format!("{}://{}{}", self.scheme, self.host, self.target())
    }

    /// The values of a header field; one that is no text is left out.
    pub fn header<'a>(&'a self, name: &'a HeaderName) -> impl Iterator<Item = &'a str> {
        self.headers
            .get_all(name)
            .iter()
            .filter_map(|value| std::str::from_utf8(value.as_bytes()).ok())
    }

    /// The cookies (RFC 6265, section 4.2).
    pub fn cookies(&self) -> impl Iterator<Item = (&str, &str)> {
        let pairs = self.header(&header::COOKIE).flat_map(|line| line.split(';'));
        pairs.filter_map(|pair| {
            let (name, value) = pair.trim().split_once('=')?;
            Some((name, value.trim_matches('"')))
        })
    }

    /// The body as text.
    pub fn text(&self) -> &str {
        self.text.get_or_init(|| String::from_utf8_lossy(&self.body).into_owned())
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// Why it is none, in words.
    pub fn json(&self) -> Result<&Value, &str> {
        let parsed = self
            .json
            .get_or_init(|| serde_json::from_slice(&self.body).map_err(|error| error.to_string()));
        parsed.as_ref().map_err(String::as_str)
    }

    /// The fields of a form in the body.
    pub fn form(&self) -> &[(String, String)] {
        self.form.get_or_init(|| decode_form(self.text()))
    }

    /// From a line, header fields, an empty line and the body.
    #[cfg(test)]
    pub fn read(text: &str) -> Self {
        let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
        let mut lines = head.lines();
        let (method, target) = lines.next().and_then(|line| line.split_once(' ')).expect("a line");
        let mut builder = http::Request::builder().method(method).uri(target);
        for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
            builder = builder.header(name, value);
        }
        let (parts, ()) = builder.body(()).expect("a request").into_parts();
        Self::new(parts, "http", Bytes::from(body.to_owned()))
    }

    /// Path and query, as they were sent.
    pub fn target(&self) -> String {
        match self.query.as_str() {
            "" => self.path.clone(),
            query => format!("{}?{query}", self.path),
        }
    }
}

fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    }
}

/// Text whose percent signs have been made into what they stand for (RFC 3986, section 2.1).
pub fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if first == b'%' => {
                bytes.push(byte);
                rest = &after[2..];
            }
            _ => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Names and values of `application/x-www-form-urlencoded`.
pub fn decode_form(text: &str) -> Vec<(String, String)> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    let plain = |text: &str| decode(&text.replace('+', " "));
    pairs
        .map(|pair| match pair.split_once('=') {
            Some((name, value)) => (plain(name), plain(value)),
            None => (plain(pair), String::new()),
        })
        .collect()
}

/// The values of a name among pairs.
pub fn values<'a>(pairs: &'a [(String, String)], name: &'a str) -> impl Iterator<Item = &'a str> {
    pairs.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
}
