//! Services while they are gathered.

use super::yaml::Yaml;

/// A file of mocks that grows.
#[derive(Debug, Default)]
pub struct Draft {
    /// Services by host.
    pub mocks: Vec<(String, Mock)>,
    /// What could not be taken over as it is.
    pub notes: Vec<String>,
}

/// A service that grows.
#[derive(Debug, Default)]
pub struct Mock {
    /// Routes by name.
    pub routes: Vec<(String, Yaml)>,
    /// What goes wrong, by name.
    pub troubles: Vec<(String, Yaml)>,
    /// Its ports and what is spoken there; the usual ones, if it is empty.
    pub ports: Vec<(&'static str, u64)>,
}

impl Draft {
    /// The service of a host.
    pub fn mock(&mut self, host: &str) -> &mut Mock {
        let at = match self.mocks.iter().position(|(known, _)| known == host) {
            Some(at) => at,
            None => {
                self.mocks.push((host.to_owned(), Mock::default()));
                self.mocks.len() - 1
            }
        };
        &mut self.mocks[at].1
    }

    /// Says once that something could not be taken over.
    pub fn note(&mut self, words: impl Into<String>) {
        let words = words.into();
        if !self.notes.contains(&words) {
            self.notes.push(words);
        }
    }

    /// The text of the file.
    pub fn yaml(&self) -> String {
        let mut mocks = Yaml::map();
        for (host, mock) in &self.mocks {
            let mut one = Yaml::map().with("hosts", host.as_str());
            let usual = [("http", 80), ("https", 443)];
            if mock.ports.iter().any(|port| !usual.contains(port)) {
                let of = |scheme: &str| {
                    let own = mock.ports.iter().filter(|(known, _)| *known == scheme);
                    own.map(|(_, port)| Yaml::from(*port)).collect::<Vec<_>>()
                };
                let mut ports = Yaml::map();
                for scheme in ["http", "https"] {
                    match &of(scheme)[..] {
                        [] => {}
                        [port] => ports.set(scheme, port.clone()),
                        all => ports.set(scheme, Yaml::List(all.to_vec())),
                    }
                }
                one.set("ports", ports);
            }
            one.set("routes", Yaml::Map(mock.routes.clone()));
            if !mock.troubles.is_empty() {
                one.set("troubles", Yaml::Map(mock.troubles.clone()));
            }
            mocks.set(&name_of(host.trim_start_matches("*.")), one);
        }
        let mut text = String::new();
        Yaml::map().with("mocks", mocks).write(&mut text, 0);
        text.trim_start().to_owned()
    }
}

impl Mock {
    /// Adds a route; its name is made unlike the others.
    pub fn add(&mut self, name: &str, route: Yaml) -> String {
        let base = name_of(name);
        let mut name = base.clone();
        let mut number = 1;
        while self.routes.iter().any(|(known, _)| *known == name) {
            number += 1;
            name = format!("{base}-{number}");
        }
        self.routes.push((name.clone(), route));
        name
    }
}

/// A name made of letters, digits and marks.
pub fn name_of(text: &str) -> String {
    let mut name = String::new();
    for c in text.chars() {
        match c {
            c if c.is_ascii_alphanumeric() || c == '.' || c == '_' => {
                name.push(c.to_ascii_lowercase())
            }
            _ if name.ends_with('-') || name.is_empty() => {}
            _ => name.push('-'),
        }
    }
    let name = name.trim_matches(['-', '.']);
    if name.is_empty() { "service".into() } else { name.into() }
}

/// Text in which nothing is filled in.
pub fn raw(text: &str) -> String {
    match ["{{", "{%", "{#"].iter().any(|begin| text.contains(begin)) {
        true => format!("{{% raw %}}{text}{{% endraw %}}"),
        false => text.to_owned(),
    }
}

/// A body: JSON where the kind says so and it is some, else text.
pub fn body(answer: &mut Yaml, text: &str, is_json: bool) {
    if text.is_empty() {
        return;
    }
    match serde_json::from_str::<serde_json::Value>(text) {
        Ok(value) if is_json && raw(text) == text => answer.set("json", value),
        _ => answer.set("text", raw(text)),
    }
}

/// Fields that are made anew for each answer.
const MADE: [&str; 6] =
    ["content-length", "content-encoding", "transfer-encoding", "connection", "date", "keep-alive"];

/// Fields of an answer, without those that are made anew.
pub fn headers<'a>(fields: impl Iterator<Item = (&'a str, Vec<String>)>) -> Yaml {
    let mut all = Yaml::map();
    for (name, values) in fields {
        let name = name.to_ascii_lowercase();
        if MADE.contains(&name.as_str()) || name.starts_with(':') {
            continue;
        }
        let mut values: Vec<Yaml> = values.iter().map(|value| Yaml::text(raw(value))).collect();
        match values.len() {
            0 => {}
            1 => all.set(&name, values.remove(0)),
            _ => all.set(&name, Yaml::List(values)),
        }
    }
    all
}
