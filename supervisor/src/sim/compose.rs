//! From a Compose file to the text of a simulation file. What cannot be taken over is said there and told.

use std::fmt::Write;

use serde_json::Value;

use super::words;

/// A simulation file, and what could not be taken over.
pub struct Taken {
    /// Its text.
    pub text: String,
    /// What is not in it, in words.
    pub lost: Vec<String>,
}

/// Keys of a service that say how its image is made or kept, and mean nothing to a machine that has the files of this one.
const OF_IMAGES: [&str; 5] = ["build", "image", "pull_policy", "platform", "init"];
/// Keys of a service that are taken over.
const TAKEN: [&str; 16] = [
    "command",
    "entrypoint",
    "environment",
    "depends_on",
    "hostname",
    "container_name",
    "restart",
    "stop_grace_period",
    "ulimits",
    "deploy",
    "scale",
    "mem_limit",
    "ports",
    "expose",
    "healthcheck",
    "profiles",
];

/// The text of a simulation with the services of a Compose file.
pub fn take_over(compose: &Value, file: &str) -> Taken {
    let mut taken = Taken { text: String::new(), lost: Vec::new() };
    let services = compose["services"].as_object();
    let _ = writeln!(
        taken.text,
        "about: {}\n\n# The services of {file}. Each is a machine with the files of this one: no image is used.\nnodes:",
        quoted(&format!("The services of {file}")),
    );
    for (name, service) in services.into_iter().flatten() {
        taken.service(name, service, compose);
    }
    taken.text += "\n# What drives them: the run lasts until it ends, and fails if it does.\nworkloads:\n  test:\n    command: CHANGE-ME\n";
    for key in compose.as_object().into_iter().flatten().map(|(key, _)| key) {
        if !["services", "version", "name"].contains(&key.as_str()) && !key.starts_with("x-") {
            taken.lost.push(format!("`{key}`"));
        }
    }
    taken
}

/// A text as YAML has it.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("text")
}

fn list(words: &[String]) -> String {
    let words: Vec<_> = words.iter().map(|word| quoted(word)).collect();
    format!("[{}]", words.join(", "))
}

/// A name that machines may have.
fn machine(name: &str) -> String {
    let lower = name.to_lowercase();
    let letters = lower.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' });
    let name: String = letters.collect();
    let name = name.trim_matches('-');
    if name.starts_with(|c: char| c.is_ascii_lowercase()) {
        name.into()
    } else {
        format!("n{name}")
    }
}

impl Taken {
    fn service(&mut self, name: &str, service: &Value, compose: &Value) {
        let own = machine(name);
        let _ = writeln!(self.text, "  {own}:");
        self.command(name, service);
        if own != name {
            self.line("names", &list(&[name.to_owned()]));
        }
        if let Some(hostname) = service["hostname"].as_str() {
            self.line("hostname", &quoted(hostname));
        }
        if let Some(further) = service["container_name"].as_str().filter(|other| *other != name) {
            self.line("names", &list(&[further.to_owned()]));
        }
        let count = [&service["scale"], &service["deploy"]["replicas"]];
        if let Some(count) = count.into_iter().find_map(Value::as_str).filter(|count| *count != "1")
        {
            self.line("count", count);
        }
        self.environment(name, &service["environment"]);
        self.after(name, &service["depends_on"], compose);
        if let Some(port) = port(service) {
            self.line("ready", &format!("{{ listens: {port} }}"));
        }
        self.restart(&service["restart"]);
        let memory = [&service["mem_limit"], &service["deploy"]["resources"]["limits"]["memory"]];
        if let Some(size) = memory.into_iter().find_map(Value::as_str).and_then(memory_size) {
            self.line("memory", &size);
        }
        if let Some(grace) = service["stop_grace_period"].as_str() {
            match humantime::parse_duration(grace) {
                Ok(grace) => self.line("stop-grace", &format!("{}ms", grace.as_millis())),
                Err(_) => self.lose(name, "`stop_grace_period`"),
            }
        }
        self.descriptors(name, &service["ulimits"]);
        let is_lost =
            |key: &&String| !TAKEN.contains(&key.as_str()) && !OF_IMAGES.contains(&key.as_str());
        let keys = service.as_object().into_iter().flatten().map(|(key, _)| key);
        let lost: Vec<String> = keys.filter(is_lost).map(|key| format!("`{key}`")).collect();
        if !lost.is_empty() {
            self.lose(name, &lost.join(", "));
        }
    }

    fn line(&mut self, key: &str, value: &str) {
        let _ = writeln!(self.text, "    {key}: {value}");
    }

    fn lose(&mut self, service: &str, what: &str) {
        let _ = writeln!(self.text, "    # not taken over: {what}");
        self.lost.push(format!("{what} of {service}"));
    }

    fn command(&mut self, name: &str, service: &Value) {
        let mut words = Vec::new();
        for part in [&service["entrypoint"], &service["command"]] {
            match words_of(part) {
                Ok(more) => words.extend(more),
                Err(text) => words.extend(["sh".into(), "-c".into(), text]),
            }
        }
        if !words.is_empty() {
            self.line("command", &list(&words));
            return;
        }
        let image = service["image"].as_str().unwrap_or("that is built");
        let _ =
            writeln!(self.text, "    # the image {image} knows its command, this file must say it");
        self.line("command", "CHANGE-ME");
        self.lost.push(format!("the command of {name}, which its image knows"));
    }

    fn environment(&mut self, name: &str, environment: &Value) {
        let mut variables: Vec<(String, String)> = Vec::new();
        for (key, value) in environment.as_object().into_iter().flatten() {
            variables.extend(value.as_str().map(|value| (key.clone(), value.to_owned())));
        }
        for line in environment.as_array().into_iter().flatten().filter_map(Value::as_str) {
            let pair = line.split_once('=');
            variables.extend(pair.map(|(key, value)| (key.to_owned(), value.to_owned())));
        }
        if variables.is_empty() {
            return;
        }
        self.text += "    env:\n";
        for (key, value) in &variables {
            let value = interpolated(value);
            let _ = writeln!(
                self.text,
                "      {}: {}",
                quoted(key),
                quoted(&value.replace("{{", "{{{{"))
            );
            if value.contains("${") {
                self.lost.push(format!("what `{value}` stands for in {key} of {name}"));
            }
        }
    }

    fn after(&mut self, name: &str, depends: &Value, compose: &Value) {
        let mut waits: Vec<(String, &str)> = Vec::new();
        for other in depends.as_array().into_iter().flatten().filter_map(Value::as_str) {
            waits.push((other.to_owned(), "started"));
        }
        for (other, how) in depends.as_object().into_iter().flatten() {
            let milestone = match how["condition"].as_str() {
                Some("service_completed_successfully") => "succeeded",
                Some("service_healthy") if port(&compose["services"][other]).is_some() => "ready",
                Some("service_healthy") => {
                    self.lost.push(format!("the health of {other}, for which {name} waits"));
                    "started"
                }
                _ => "started",
            };
            waits.push((other.clone(), milestone));
        }
        if !waits.is_empty() {
            let all = waits.iter().map(|(other, how)| format!("{}: {how}", machine(other)));
            self.line("after", &format!("{{ {} }}", all.collect::<Vec<_>>().join(", ")));
        }
    }

    /// Of the limits of a service, that of descriptors: a number, or a soft one and a hard one.
    fn descriptors(&mut self, name: &str, limits: &Value) {
        for (limit, value) in limits.as_object().into_iter().flatten() {
            let most = value.as_str().or_else(|| value["soft"].as_str());
            match (limit.as_str(), most) {
                ("nofile", Some(most)) => self.line("descriptors", most),
                _ => self.lose(name, &format!("the limit `{limit}`")),
            }
        }
    }

    fn restart(&mut self, restart: &Value) {
        match restart.as_str().map(|text| text.split(':').next().unwrap_or(text)) {
            Some("always" | "unless-stopped") => self.line("restart", "always"),
            Some("on-failure") => self.line("restart", "on-failure"),
            _ => {}
        }
    }
}

/// A command's words; the text if only a shell knows them.
fn words_of(command: &Value) -> Result<Vec<String>, String> {
    if let Some(list) = command.as_array() {
        let words = list.iter().filter_map(Value::as_str);
        return Ok(words.map(|word| escaped(&interpolated(word))).collect());
    }
    let Some(text) = command.as_str() else { return Ok(Vec::new()) };
    let text = interpolated(text);
    match words::split(&text) {
        Ok(words) => Ok(words.iter().map(|word| escaped(word)).collect()),
        Err(_) => Err(escaped(&text)),
    }
}

/// Two braces mean something in simulation files.
fn escaped(text: &str) -> String {
    text.replace("{{", "{{{{")
}

/// What Compose makes of `${NAME:-default}` and `$$`; a variable without a default stays as it is.
fn interpolated(text: &str) -> String {
    let mut made = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        made += &rest[..at];
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            made.push('$');
            rest = after;
            continue;
        }
        let inner = rest.strip_prefix('{').and_then(|inner| inner.split_once('}'));
        let default = inner.and_then(|(inner, after)| {
            let (_, default) = inner.split_once(":-").or_else(|| inner.split_once('-'))?;
            Some((default, after))
        });
        match default {
            Some((default, after)) => {
                made += default;
                rest = after;
            }
            None => made.push('$'),
        }
    }
    made + rest
}

/// The first port of a container that others reach.
fn port(service: &Value) -> Option<u16> {
    let all = [&service["expose"], &service["ports"]];
    let entries = all.into_iter().filter_map(Value::as_array).flatten();
    let port = |entry: &Value| {
        let text = entry["target"].as_str().or(entry.as_str())?;
        text.split('/').next()?.rsplit(':').next()?.parse().ok()
    };
    entries.filter_map(port).next()
}

/// A size as Compose writes it, as simulation files do.
fn memory_size(text: &str) -> Option<String> {
    let lower = text.to_lowercase();
    let end = lower.find(|c: char| !c.is_ascii_digit()).unwrap_or(lower.len());
    let (number, unit) = lower.split_at(end);
    let unit = match unit.trim_end_matches('b') {
        "" => "B",
        "k" => "KiB",
        "m" => "MiB",
        "g" => "GiB",
        _ => return None,
    };
    (!number.is_empty()).then(|| format!("{number}{unit}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPOSE: &str = r#"
version: "3"
services:
  web_app:
    build: .
    command: python3 -m http.server ${PORT:-8080}
    ports: ["80:8080"]
    environment: { A: "${B:-c}", SECRET: "${SECRET}", N: 3, P: "$$5" }
    depends_on:
      db: { condition: service_healthy }
      migrate: { condition: service_completed_successfully }
      cache: { condition: service_healthy }
    volumes: ["./data:/data"]
    deploy: { replicas: 3 }
    mem_limit: 512m
    restart: unless-stopped
  db:
    image: postgres:16
    hostname: postgres
    stop_grace_period: 1m30s
    ulimits: { nproc: 65535, nofile: { soft: 2000, hard: 4000 } }
    expose: ["5432"]
    environment: ["USER=me", "EMPTY"]
  migrate: { image: x, entrypoint: [./migrate], command: "up && down", depends_on: [db], restart: "on-failure:3" }
  cache: { image: redis }
volumes: {}
"#;

    #[test]
    fn services_become_nodes_and_what_is_lost_is_said() {
        let compose = simrun_config::parse("compose.yaml", COMPOSE).expect("it is YAML");
        let Taken { text, lost } = take_over(&compose, "compose.yaml");
        let expected = r#"about: "The services of compose.yaml"

# The services of compose.yaml. Each is a machine with the files of this one: no image is used.
nodes:
  web-app:
    command: ["python3", "-m", "http.server", "8080"]
    names: ["web_app"]
    count: 3
    env:
      "A": "c"
      "SECRET": "${SECRET}"
      "N": "3"
      "P": "$5"
    after: { db: ready, migrate: succeeded, cache: started }
    ready: { listens: 8080 }
    restart: always
    memory: 512MiB
    # not taken over: `volumes`
  db:
    # the image postgres:16 knows its command, this file must say it
    command: CHANGE-ME
    hostname: "postgres"
    env:
      "USER": "me"
    ready: { listens: 5432 }
    stop-grace: 90000ms
    # not taken over: the limit `nproc`
    descriptors: 2000
  migrate:
    command: ["./migrate", "sh", "-c", "up && down"]
    after: { db: started }
    restart: on-failure
  cache:
    # the image redis knows its command, this file must say it
    command: CHANGE-ME

# What drives them: the run lasts until it ends, and fails if it does.
workloads:
  test:
    command: CHANGE-ME
"#;
        assert_eq!(text, expected);
        assert_eq!(
            lost,
            [
                "what `${SECRET}` stands for in SECRET of web_app",
                "the health of cache, for which web_app waits",
                "`volumes` of web_app",
                "the command of db, which its image knows",
                "the limit `nproc` of db",
                "the command of cache, which its image knows",
                "`volumes`",
            ]
        );
        let file: super::super::SimulationFile =
            simrun_config::parse("sim.yaml", &text).unwrap_or_else(|problem| panic!("{problem}"));
        assert_eq!(file.nodes.map(|nodes| nodes.0.len()), Some(4));
    }
}
