//! Services and their routes.

use std::{cmp::Reverse, fmt, path::Path};

use simrun_abi::faults::Quantity;
use simrun_config::{Problem, Spanned, Wrong};

use super::{
    Chaos, Expect, Idempotency, Kind, Limit, Operation, Realm, Resource, Script, Talk, Tokens,
    Trouble, WebSocket, Webhook, expect, resource, state, talk, trouble,
};
use crate::{
    answer::{self, Answers, Files, Templates},
    file::{Mock, MocksFile, Ports, Route as FileRoute},
    grpc::Methods,
    matching::{self, Index, Matcher},
    secrets::Secrets,
};

/// What is spoken at a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// HTTP without encryption.
    Http,
    /// HTTP over TLS.
    Https,
    /// A script over TCP.
    Tcp,
    /// A script over TLS.
    Tls,
    /// A script over UDP.
    Udp,
    /// Mail.
    Smtp,
    /// Mail over TLS.
    Smtps,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Udp => "udp",
            Self::Smtp => "smtp",
            Self::Smtps => "smtps",
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
    /// Where it listens for requests of HTTP, encrypted or not.
    pub(crate) ports: Vec<(u16, Protocol)>,
    pub(crate) talks: Vec<Talk>,
    /// In the order in which they are asked.
    pub(crate) routes: Vec<Route>,
    /// Routes by their paths.
    pub(crate) index: Index,
    pub(crate) templates: Templates,
    pub(crate) resources: Vec<Resource>,
    pub(crate) tokens: Option<Tokens>,
    pub(crate) limit: Option<Limit>,
    pub(crate) delay: Option<Quantity>,
    pub(crate) troubles: Vec<Trouble>,
    pub(crate) expects: Vec<Expect>,
    pub(crate) secrets: Secrets,
    /// What can be asked for over gRPC.
    pub(crate) methods: Methods,
}

impl Service {
    /// Names of what goes wrong only if it is asked for.
    pub fn asked_troubles(&self) -> impl Iterator<Item = &str> {
        self.troubles.iter().filter(|trouble| trouble.is_asked).map(|trouble| trouble.name.as_str())
    }

    /// Leaves out what goes wrong only if it is asked for, but for these, which may happen only then.
    pub fn keep_troubles(&mut self, asked: &[String], chaos: Chaos) {
        self.troubles.retain(|trouble| !trouble.is_asked || asked.contains(&trouble.name));
        let asked = self.troubles.iter_mut().filter(|trouble| trouble.is_asked);
        asked.for_each(|trouble| trouble.chaos = chaos);
    }

    /// Where it listens, and what is spoken there.
    pub fn ports(&self) -> impl Iterator<Item = (u16, Protocol)> {
        let talks = self.talks.iter().map(|talk| (talk.port, talk.kind.protocol()));
        self.ports.iter().copied().chain(talks)
    }

    /// Whether nothing is filled in where a request takes the route of this index.
    pub(crate) fn is_fixed(&self, index: usize) -> bool {
        let route = &self.routes[index];
        let limits = [&self.limit, &route.limit];
        matches!(&route.action, Action::Answer(answers) if answers.are_fixed())
            && route.webhooks.is_empty()
            && limits.into_iter().flatten().all(|limit| limit.by.is_none())
            && self.expects.iter().all(|expect| expect.each.is_none())
    }

    /// Whether a name, in lower case, leads to it.
    #[must_use]
    pub fn has_host(&self, asked: &str) -> bool {
        self.hosts.iter().any(|host| match host.strip_prefix('*') {
            Some(end) => asked.len() > end.len() && asked.ends_with(end),
            None => asked == host,
        })
    }
}

/// Requests and what is done with them.
#[derive(Clone, Debug)]
pub struct Route {
    /// Its name.
    pub name: String,
    /// Those of a higher one go first.
    pub priority: i32,
    /// Which requests.
    pub matcher: Matcher,
    /// States that scenarios must be in.
    pub when: Vec<(String, Vec<String>)>,
    /// States that they are in afterwards.
    pub then: Vec<(String, String)>,
    /// Whether requests need a token.
    pub needs_token: bool,
    /// How many requests it takes.
    pub limit: Option<Limit>,
    /// How requests are known again.
    pub idempotency: Option<Idempotency>,
    /// What is done.
    pub action: Action,
    /// Requests that it makes afterwards.
    pub webhooks: Vec<Webhook>,
}

/// What is done with a request.
#[derive(Clone, Debug)]
pub enum Action {
    /// It is answered.
    Answer(Answers),
    /// Something is done with a collection, by its index.
    Resource(usize, Operation),
    /// A token is given.
    Token,
    /// The connection becomes one of WebSocket.
    WebSocket(WebSocket),
    /// Something is said over a call of gRPC while its client streams.
    Stream(Script),
}

impl Route {
    /// A route that does this and nothing else.
    pub(super) fn new(name: String, matcher: Matcher, action: Action) -> Self {
        Self {
            name,
            priority: 0,
            matcher,
            when: Vec::new(),
            then: Vec::new(),
            needs_token: false,
            limit: None,
            idempotency: None,
            action,
            webhooks: Vec::new(),
        }
    }
}

/// Reads a file of mocks; `shown` is what messages call it, `files` reads those that bodies are in.
///
/// # Errors
/// The first thing that is wrong.
pub fn read(shown: &str, text: &str, files: Files<'_>) -> Result<Vec<Service>, Problem> {
    let file: MocksFile = simrun_config::parse(shown, text)?;
    let services = file.mocks.0.iter().map(|(name, mock)| service(name, mock, files));
    services.collect::<Result<_, Wrong>>().map_err(|wrong| wrong.of(shown))
}

fn service(
    name: &Spanned<String>,
    mock: &Spanned<Mock>,
    files: Files<'_>,
) -> Result<Service, Wrong> {
    if !is_name(name, "-_.") {
        let words = "is no name: letters, digits, `-`, `_` and `.` are";
        return Err(name.wrong(format!("`{}` {words}", name.value)));
    }
    let hosts = match mock.hosts.is_empty() {
        true => vec![name.to_ascii_lowercase()],
        false => mock.hosts.iter().map(host).collect::<Result<_, _>>()?,
    };
    let mut templates = Templates::default();
    let mut routes = Vec::new();
    if let Some(tokens) = &mock.tokens {
        routes.push(state::token_route(tokens)?);
    }
    for route in mock.routes.iter().flat_map(|routes| &routes.0) {
        routes.push(compile_route(route, mock, &mut templates, files)?);
    }
    let mut resources = Vec::new();
    for (name, given) in mock.resources.iter().flat_map(|resources| &resources.0) {
        check_token(name, given.needs_token, mock)?;
        resources.push(resource::compile(name, given, &mut templates)?);
        routes.extend(resource::routes(name, given, resources.len() - 1, &mut templates)?);
    }
    let talks = talk::compile(mock, &mut templates, files)?;
    if routes.is_empty() && talks.is_empty() {
        return Err(mock.wrong("it answers nothing: `routes`, `resources` or `tokens` are missing"));
    }
    // Those of one priority stay in their order.
    routes.sort_by_key(|route| Reverse(route.priority));
    let of_talks = talks.iter().map(|talk| (talk.name.as_str(), talk.kind.realm()));
    let all: Vec<(&str, Realm)> =
        routes.iter().map(|route| (route.name.as_str(), Realm::Http)).chain(of_talks).collect();
    let troubles = trouble::compile(mock.troubles.as_ref(), &all)?;
    let names: Vec<&str> = all.into_iter().map(|(name, _)| name).collect();
    Ok(Service {
        name: name.value.clone(),
        hosts,
        ports: ports(mock.ports.as_ref(), &routes, &talks)?,
        troubles,
        expects: expect::compile(mock.expect.as_ref(), &names, &mut templates)?,
        limit: mock.limit.as_ref().map(|limit| state::limit(limit, &mut templates)).transpose()?,
        delay: mock.delay.as_ref().map(simrun_config::Quantity::compile),
        tokens: mock.tokens.as_ref().map(state::tokens),
        secrets: Secrets::with(&mock.secrets),
        methods: methods(mock, files)?,
        index: Index::new(routes.iter().map(|route| &route.matcher)),
        routes,
        talks,
        templates,
        resources,
    })
}

/// What can be asked for over gRPC.
fn methods(mock: &Mock, files: Files<'_>) -> Result<Methods, Wrong> {
    let mut methods = Methods::default();
    for path in mock.descriptors.iter() {
        let cannot = |why: String| path.wrong(format!("`{}` cannot be read: {why}", path.value));
        let set = files(Path::new(&path.value)).map_err(|error| cannot(error.to_string()))?;
        methods.add(&set).map_err(cannot)?;
    }
    Ok(methods)
}

/// Ports of HTTP and HTTPS where nothing else is said.
const DEFAULT_PORTS: [(u16, Protocol); 2] = [(80, Protocol::Http), (443, Protocol::Https)];

fn ports(
    given: Option<&Spanned<Ports>>,
    routes: &[Route],
    talks: &[Talk],
) -> Result<Vec<(u16, Protocol)>, Wrong> {
    let taken: Vec<u16> = talks
        .iter()
        .filter(|talk| !matches!(talk.kind, Kind::Udp(_)))
        .map(|talk| talk.port)
        .collect();
    let Some(given) = given else {
        let free = DEFAULT_PORTS.into_iter().filter(|(port, _)| !taken.contains(port));
        return Ok(free.filter(|_| !routes.is_empty()).collect());
    };
    let http = given.http.iter().map(|port| (port, Protocol::Http));
    let https = given.https.iter().map(|port| (port, Protocol::Https));
    let mut ports: Vec<(u16, Protocol)> = Vec::new();
    for (port, protocol) in http.chain(https) {
        if port.value == 0
            || taken.contains(&port.value)
            || ports.iter().any(|(known, _)| *known == port.value)
        {
            return Err(
                port.wrong(format!("port {} cannot be used, or is there twice", port.value))
            );
        }
        ports.push((port.value, protocol));
    }
    if ports.is_empty() { Err(given.wrong("there is no port in it")) } else { Ok(ports) }
}

/// Whether a text is made of letters, digits and these marks.
fn is_name(text: &str, marks: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || marks.contains(c))
}

fn host(host: &Spanned<String>) -> Result<String, Wrong> {
    match is_name(host.strip_prefix("*.").unwrap_or(host), "-_.") {
        true => Ok(host.to_ascii_lowercase()),
        false => Err(host.wrong(format!("`{}` is no host name", host.value))),
    }
}

fn check_token(at: &Spanned<String>, needs_token: bool, mock: &Mock) -> Result<(), Wrong> {
    match needs_token && mock.tokens.is_none() {
        true => Err(at.wrong("it needs a token, and there is no `tokens` to give one")),
        false => Ok(()),
    }
}

fn compile_route(
    (name, route): &(Spanned<String>, FileRoute),
    mock: &Mock,
    templates: &mut Templates,
    files: Files<'_>,
) -> Result<Route, Wrong> {
    check_token(name, route.needs_token, mock)?;
    let when = route.when.iter().flat_map(|when| &when.0);
    let then = route.then.iter().flat_map(|then| &then.0);
    let webhooks = route.webhooks.iter().map(|webhook| state::webhook(webhook, templates));
    let webhooks = webhooks.collect::<Result<_, _>>()?;
    let talks = route.websocket.as_ref().map(|it| it.at).or(route.stream.as_ref().map(|it| it.at));
    let action = match (&route.websocket, &route.stream) {
        (Some(_), Some(given)) => {
            return Err(given.wrong("it is `websocket` or `stream`, not both"));
        }
        (_, Some(given)) if mock.descriptors.is_empty() => {
            return Err(given.wrong("calls of gRPC need `descriptors`"));
        }
        (Some(given), None) => Action::WebSocket(talk::websocket(given, templates, files)?),
        (None, Some(given)) => Action::Stream(talk::stream(given, templates, files)?),
        (None, None) => {
            Action::Answer(answer::compile(&route.answer, route.turn, templates, files)?)
        }
    };
    if let Some(at) = talks.filter(|_| !route.answer.is_empty()) {
        return Err(Wrong::new(at, "it is this or `answer`, not both"));
    }
    Ok(Route {
        priority: route.priority,
        when: when.map(|(name, states)| (name.value.clone(), states.0.clone())).collect(),
        then: then.map(|(name, state)| (name.value.clone(), state.clone())).collect(),
        needs_token: route.needs_token,
        limit: route.limit.as_ref().map(|limit| state::limit(limit, templates)).transpose()?,
        idempotency: route.idempotency.as_ref().map(state::idempotency).transpose()?,
        webhooks,
        ..Route::new(name.value.clone(), matching::compile(&route.r#match)?, action)
    })
}
