//! Serves services that stand in for others.

use std::{
    env, fs,
    net::{IpAddr, Ipv4Addr},
    path::Path,
};

use serde_json::Value;
use simrun_mocks::{Authority, MocksFile, Place, Ports, serve};

use super::{Failure, find_run, print, reference};
use crate::{
    cli::{Format, MocksArguments, MocksVerb, Stored, Tool},
    mocks::{Error, is_mock, read},
    report::say,
    store::output::Reader,
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
            services.iter_mut().for_each(|service| service.keep_troubles(trouble));
            serve(
                services,
                *seed,
                Place { address: *address, ports },
                |names, protocol, address| {
                    say(&format!("{protocol}://{address} {names}"));
                },
            )?;
        }
        MocksVerb::Node { file, name, trouble, .. } => {
            let mut services = read(file)?;
            services.retain(|service| service.name == *name);
            services.iter_mut().for_each(|service| service.keep_troubles(trouble));
            let address = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
            serve(services, own_seed(), Place { address, ports: Ports::Own }, |_, _, _| {})?;
        }
        MocksVerb::Calls { run, stored } => return calls(run, stored),
        MocksVerb::Import { file, from } => return import_file(file, *from),
        MocksVerb::Authority { seed } => return print(&Authority::new(*seed).pem()),
    }
    Ok(0)
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

/// Shows the calls that the mocks of a run took: what they wrote, a line for each.
fn calls(run: &str, stored: &Stored) -> Result<u8, Failure> {
    let folder = find_run(&stored.place()?, run)?;
    let record = folder.record()?;
    let mut reader = Reader::new(folder.path());
    let mut lines = reader
        .lines()
        .map_err(|error| crate::store::Error::File(folder.path().to_path_buf(), error))?;
    lines.extend(reader.unfinished());
    let nodes = record.pinned.nodes.iter().filter(|node| is_mock(&node.tags));
    let mocks: Vec<&str> = nodes.map(|node| node.name.as_str()).collect();
    let calls =
        lines.iter().filter(|line| mocks.contains(&line.node.as_str())).filter_map(|line| {
            let call: Value = serde_json::from_str(&line.text).ok()?;
            Some((line, call))
        });
    let text: String = calls
        .map(|(line, call)| match stored.format {
            Format::Json => {
                let mut call = call;
                call["time_ns"] = line.time_ns.into();
                format!("{call}\n")
            }
            Format::Text => shown(line.time_ns, &call),
        })
        .collect();
    print(&text)
}

/// A call on a line: when, which service, what was asked, what came, by which route, and why.
fn shown(time_ns: u64, call: &Value) -> String {
    let word = |name: &str| match &call[name] {
        Value::Null => String::new(),
        Value::String(text) => format!(" {text}"),
        value => format!(" {value}"),
    };
    let (seconds, micros) = (time_ns / 1_000_000_000, time_ns / 1000 % 1_000_000);
    let mut text = format!("{seconds:>6}.{micros:06}s");
    for name in ["mock", "method", "url", "webhook", "answer", "route", "trouble", "problem"] {
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
        ("`turn`", "Turn"),
        ("`chunks`", "Chunk"),
        ("`events`", "Event"),
        ("`resources`", "Resource"),
        ("`pages`", "Pages"),
        ("`by` of pages", "PageStyle"),
        ("`limit`", "Limit"),
        ("`idempotency`", "Idempotency"),
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
