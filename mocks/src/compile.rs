//! From a file of mocks to services that can answer. What cannot be is found here.

use std::fmt;

use http::Method;
use simrun_config::{Problem, Spanned, Wrong, spelling};

use crate::{
    answer::{self, Answer},
    file::{Mock, MocksFile, Route as FileRoute},
    matching::{Criterion, Matcher, Path},
};

/// What is spoken at a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// HTTP without encryption.
    Http,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http => "http",
        })
    }
}

/// A service, ready to answer.
#[derive(Clone, Debug)]
pub struct Service {
    /// Its name, unlike any other's of the file.
    pub name: String,
    /// Names that lead to it, as the simulated network takes them.
    pub hosts: Vec<String>,
    /// Where it listens, and what is spoken there.
    pub ports: Vec<(u16, Protocol)>,
    pub(crate) routes: Vec<Route>,
}

impl Service {
    /// Whether a name, in lower case, leads to it.
    pub fn has_host(&self, asked: &str) -> bool {
        self.hosts.iter().any(|host| match host.strip_prefix('*') {
            Some(end) => asked.len() > end.len() && asked.ends_with(end),
            None => asked == host,
        })
    }
}

/// Requests and what they are answered.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    pub name: String,
    pub matcher: Matcher,
    pub answer: Answer,
}

/// Reads a file of mocks; `shown` is what messages call it.
///
/// # Errors
/// The first thing that is wrong.
pub fn read(shown: &str, text: &str) -> Result<Vec<Service>, Problem> {
    let file: MocksFile = simrun_config::parse(shown, text)?;
    let services = file.mocks.0.iter().map(|(name, mock)| service(name, mock));
    services.collect::<Result<_, Wrong>>().map_err(|wrong| wrong.of(shown))
}

fn service(name: &Spanned<String>, mock: &Mock) -> Result<Service, Wrong> {
    if !is_name(name, "-_.") {
        let words = "is no name: letters, digits, `-`, `_` and `.` are";
        return Err(name.wrong(format!("`{}` {words}", name.value)));
    }
    let hosts = match mock.hosts.is_empty() {
        true => vec![name.value.clone()],
        false => mock.hosts.iter().map(host).collect::<Result<_, _>>()?,
    };
    let mut ports = Vec::new();
    match &mock.ports {
        None => ports.push((80, Protocol::Http)),
        Some(given) if given.http.is_empty() => return Err(given.wrong("there is no port in it")),
        Some(given) => {
            for port in given.http.iter() {
                if port.value == 0 || ports.iter().any(|(known, _)| *known == port.value) {
                    return Err(port.wrong(format!("port {} cannot be used", port.value)));
                }
                ports.push((port.value, Protocol::Http));
            }
        }
    }
    let routes = mock.routes.0.iter().map(|(name, route)| compile_route(name, route));
    Ok(Service {
        name: name.value.clone(),
        hosts,
        ports,
        routes: routes.collect::<Result<_, _>>()?,
    })
}

fn is_name(text: &str, marks: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || marks.contains(c))
}

fn host(host: &Spanned<String>) -> Result<String, Wrong> {
    match is_name(host.strip_prefix("*.").unwrap_or(host), "-_.") {
        true => Ok(host.to_ascii_lowercase()),
        false => Err(host.wrong(format!("`{}` is no host name", host.value))),
    }
}

fn compile_route(name: &Spanned<String>, route: &FileRoute) -> Result<Route, Wrong> {
    let mut criteria = Vec::new();
    if !route.r#match.method.is_empty() {
        let methods = route.r#match.method.iter().map(method);
        criteria.push(Criterion::Method(methods.collect::<Result<_, _>>()?));
    }
    if let Some(path) = &route.r#match.path {
        criteria.push(Criterion::Path(Path::new(path)?));
    }
    Ok(Route {
        name: name.value.clone(),
        matcher: Matcher::new(criteria),
        answer: answer::compile(&route.answer)?,
    })
}

/// Methods that are suggested (RFC 9110, section 9, and RFC 5789).
const METHODS: [&str; 9] =
    ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];

fn method(name: &Spanned<String>) -> Result<Method, Wrong> {
    let upper = name.to_ascii_uppercase();
    let near = spelling::nearest(name, METHODS);
    // Methods of other documents are methods, but one that is nearly one of these is misspelt.
    match (Method::from_bytes(upper.as_bytes()), near) {
        (Ok(method), None) => Ok(method),
        (Ok(method), Some(near)) if near == upper => Ok(method),
        (_, near) => {
            let hint = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
            Err(name.wrong(format!("there is no method `{}`{hint}", name.value)))
        }
    }
}
