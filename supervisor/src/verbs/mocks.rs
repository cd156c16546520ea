//! Serves services that stand in for others.

use std::{
    env, fs,
    net::{IpAddr, Ipv4Addr},
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::Value;
use simrun_mocks::{
    Authority, Chaos, MocksFile, Place, Ports, Protocol, Recording, Service, record, serve,
};

use super::{Failure, find_run, print, reference};
use crate::{
    cli::{Format, MocksArguments, MocksVerb, Stored, Tool},
    mocks::{Error, HEARS_DATAGRAMS, read},
    report::say,
    store::calls,
};

/// Does what is asked for.
///
/// # Errors
/// When a file is wrong, or nothing can be served.
pub fn mocks(arguments: &MocksArguments) -> Result<u8, Failure> {
    match &arguments.verb {
        MocksVerb::Serve { file, address, free_ports, seed, trouble } => {
            let ports = if *free_ports { Ports::Free } else { Ports::Own };
            let mut services = read(file)?;
            let always = Chaos::default();
            services.iter_mut().for_each(|service| service.keep_troubles(trouble, always));
            serve(
                services,
                *seed,
                Place { address: *address, ports },
                |names, protocol, address| {
                    say(&format!("{protocol}://{address} {names}"));
                },
            )?;
        }
        MocksVerb::Node { file, name, opens, closes, trouble, .. } => {
            let mut services = read(file)?;
            services.retain(|service| service.name == *name);
            let chaos = Chaos {
                opens: Duration::from_nanos(*opens),
                closes: closes.map(Duration::from_nanos),
            };
            services.iter_mut().for_each(|service| service.keep_troubles(trouble, chaos));
            let address = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
            let hears = services.iter().flat_map(Service::ports);
            let count = hears.filter(|(_, protocol)| *protocol == Protocol::Udp).count();
            let mut sockets = 0;
            let place = Place { address, ports: Ports::Own };
            serve(services, own_seed(), place, |_, protocol, _| {
                sockets += usize::from(protocol == Protocol::Udp);
                if sockets == count && protocol == Protocol::Udp {
                    println!("{HEARS_DATAGRAMS}");
                }
            })?;
        }
        MocksVerb::Record { .. } => return record_service(&arguments.verb),
        MocksVerb::Calls { run, stored } => return calls(run, stored),
        MocksVerb::Import { file, from } => return import_file(file, *from),
        MocksVerb::Authority { seed } => return print(&Authority::new(*seed).pem()),
    }
    Ok(0)
}

/// Where systems keep the certificates of those whom they trust (Debian, Fedora, Alpine and those like them).
const AUTHORITIES: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

/// Passes requests on until it is stopped, and writes down what was answered.
fn record_service(verb: &MocksVerb) -> Result<u8, Failure> {
    let MocksVerb::Record { url, output, host, address, port, authority, secret } = verb else {
        unreachable!("it is asked to record");
    };
    let own = env::var_os("SSL_CERT_FILE").map(PathBuf::from);
    let authorities = match authority {
        Some(path) => fs::read(path).map_err(|source| Error::Unreadable(path.clone(), source))?,
        None => {
            let mut paths = own.into_iter().chain(AUTHORITIES.map(PathBuf::from));
            paths.find_map(|path| fs::read(path).ok()).unwrap_or_default()
        }
    };
    let recording = Recording {
        to: url,
        host: host.as_deref(),
        authorities: &authorities,
        secrets: secret,
        at: (*address, *port),
    };
    let listening = |at| say(&format!("http://{at} passes on to {url}; stop it to have the file"));
    let recorded = record(&recording, listening, |words| say(&format!("warning: {words}")))?;
    let Some(file) = recorded.file else {
        say("nothing was asked for: there is nothing to write");
        return Ok(1);
    };
    file.notes.iter().for_each(|note| say(&format!("note: {note}")));
    match output {
        None => print(&file.yaml),
        Some(path) => {
            fs::write(path, &file.yaml)
                .map_err(|source| Error::Unwritable(path.clone(), source))?;
            say(&format!("{} has {} answers", path.display(), recorded.count));
            Ok(0)
        }
    }
}

/// Prints what a file of another tool becomes, and says what could not be taken over.
fn import_file(path: &Path, from: Option<Tool>) -> Result<u8, Failure> {
    let unreadable = |source| Error::Unreadable(path.into(), source);
    let text = fs::read_to_string(path).map_err(unreadable)?;
    let tool = from.map(|tool| match tool {
        Tool::Hoverfly => simrun_mocks::Tool::Hoverfly,
        Tool::Wiremock => simrun_mocks::Tool::WireMock,
        Tool::Openapi => simrun_mocks::Tool::OpenApi,
        Tool::Har => simrun_mocks::Tool::Har,
    });
    let imported = simrun_mocks::import(&path.display().to_string(), &text, tool)
        .map_err(|source| Error::Foreign(path.into(), source))?;
    imported.notes.iter().for_each(|note| say(&format!("note: {note}")));
    print(&imported.yaml)
}

/// Shows the calls that the mocks of a run took.
fn calls(run: &str, stored: &Stored) -> Result<u8, Failure> {
    let folder = find_run(&stored.place()?, run)?;
    let calls = calls::read(folder.path(), &folder.record()?.pinned);
    let calls =
        calls.map_err(|error| crate::store::Error::File(folder.path().to_path_buf(), error))?;
    let text: String = match stored.format {
        Format::Json => calls.iter().map(|call| format!("{call}\n")).collect(),
        Format::Text => calls.iter().map(shown).collect(),
    };
    print(&text)
}

/// A call on a line: when, which service, what was asked, what came, by which route, and why.
fn shown(call: &Value) -> String {
    let time_ns = call["time_ns"].as_u64().unwrap_or_default();
    let word = |name: &str| match &call[name] {
        Value::Null => String::new(),
        Value::String(text) => format!(" {text}"),
        value => format!(" {value}"),
    };
    let (seconds, micros) = (time_ns / 1_000_000_000, time_ns / 1000 % 1_000_000);
    let mut text = format!("{seconds:>6}.{micros:06}s");
    for name in [
        "mock", "method", "url", "webhook", "from", "to", "subject", "answer", "route", "trouble",
        "problem",
    ] {
        text.push_str(&word(name));
    }
    text + "\n"
}

/// What the page says before what is generated.
const HEAD: &str = include_str!("mocks_head.md");

/// The page of files of mocks.
pub fn page() -> String {
    let mut text = String::from(HEAD);
    let schema = schemars::schema_for!(MocksFile).to_value();
    let types = [
        ("A service", "Mock"),
        ("`ports`", "Ports"),
        ("A route", "Route"),
        ("`match`", "Match"),
        ("What a text must be", "Text"),
        ("`body`", "Body"),
        ("`answer`", "Answer"),
        ("`grpc`", "Grpc"),
        ("A status of gRPC", "GrpcStatus"),
        ("`turn`", "Turn"),
        ("`chunks`", "Chunk"),
        ("`events`", "Event"),
        ("`resources`", "Resource"),
        ("`pages`", "Pages"),
        ("`by` of pages", "PageStyle"),
        ("`limit`", "Limit"),
        ("`idempotency`", "Idempotency"),
        ("A port of `tcp`", "Tcp"),
        ("A port of `udp`", "Udp"),
        ("`websocket`", "WebSocket"),
        ("`stream`", "Stream"),
        ("A step of a `script`", "Step"),
        ("`expect` of a script", "Heard"),
        ("`either`", "Either"),
        ("One of `either`", "Case"),
        ("`smtp`", "Smtp"),
        ("`tokens`", "Tokens"),
        ("`webhooks`", "Webhook"),
        ("`sign`", "Signature"),
        ("`troubles`", "Trouble"),
        ("`do`", "Misdeed"),
        ("When an answer is lost", "Moment"),
        ("Whether something has been done", "Side"),
        ("`drip`", "Drip"),
        ("`expect`", "Expect"),
    ];
    reference::keys(&mut text, &schema, &types);
    reference::units(&mut text, &schema, &["Time", "Share"]);
    text
}

/// The seed of the run that this is a machine of.
fn own_seed() -> u64 {
    env::var("SIMRUN_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_default()
}
