//! What makes programs trust services that stand in for others: the authority of the seed, where programs look for
//! authorities. Since nothing else can be reached, no other is there.

use std::env;

use simrun_abi::boot::{Boot, PlacedFile};
use simrun_mocks::Authority;

/// The authority by itself.
const FILE: &str = "/run/simrun/authority.pem";
/// A folder with nothing else in it.
const FOLDER: &str = "/run/simrun/authorities";
/// As Java keeps authorities.
const JAVA: &str = "/run/simrun/authority.jks";
/// The system's files (Debian and those like it).
const SYSTEM: [&str; 2] = ["/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/cert.pem"];
/// The system's file for Java.
const SYSTEM_JAVA: &str = "/etc/ssl/certs/java/cacerts";

/// Variables by which programs are told of authorities.
const VARIABLES: [(&str, &str); 7] = [
    ("SSL_CERT_FILE", FILE),
    ("SSL_CERT_DIR", FOLDER),
    ("REQUESTS_CA_BUNDLE", FILE),
    ("CURL_CA_BUNDLE", FILE),
    ("NODE_EXTRA_CA_CERTS", FILE),
    ("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", FILE),
    (
        "JAVA_TOOL_OPTIONS",
        "-Djavax.net.ssl.trustStore=/run/simrun/authority.jks -Djavax.net.ssl.trustStorePassword=changeit",
    ),
];

/// Has the programs of the first so many nodes trust the authority of the run's seed.
pub fn establish(boot: &mut Boot, nodes: usize) {
    let authority = Authority::new(boot.seed);
    let (pem, java) = (authority.pem().into_bytes(), authority.java_store());
    let hashed =
        [FOLDER, "/etc/ssl/certs"].map(|folder| format!("{folder}/{}", authority.file_name()));
    let pems = [FILE].into_iter().chain(SYSTEM).chain(hashed.iter().map(String::as_str));
    let javas = [JAVA, SYSTEM_JAVA].into_iter().map(|path| (path, &java));
    for (path, bytes) in pems.map(|path| (path, &pem)).chain(javas) {
        let path = path.as_bytes().to_vec();
        // With another seed, there is another authority.
        boot.files.retain(|file| file.path != path);
        boot.files.push(PlacedFile { node: None, path, mode: 0o644, bytes: bytes.clone() });
    }
    for node in &mut boot.nodes[..nodes] {
        for (name, value) in VARIABLES {
            set(&mut node.environment, name, value);
        }
    }
}

/// Sets a variable, unless it was set for the run: what simrun itself was started with is about the host.
fn set(environment: &mut Vec<Vec<u8>>, name: &str, value: &str) {
    let line = |value: &str| format!("{name}={value}").into_bytes();
    let start = format!("{name}=").into_bytes();
    let own = env::var(name).ok().map(|value| line(&value));
    let known = environment.iter().position(|variable| variable.starts_with(&start));
    match known {
        Some(at) if Some(&environment[at]) == own.as_ref() => environment[at] = line(value),
        Some(_) => {}
        None => environment.push(line(value)),
    }
}
