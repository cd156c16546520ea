//! Records of browsers and proxies (HTTP Archive 1.2).

use serde_json::Value;

use super::{
    draft::{Draft, body, headers, name_of},
    yaml::Yaml,
};
use crate::{
    request::{decode, decode_form},
    secrets::{MASK, Secrets},
};

/// Takes over all entries: those of one request become one route, whose answers take turns.
/// What is secret is left out of what is asked for, and masked in what is answered.
pub fn read(value: &Value, draft: &mut Draft, secrets: &Secrets) {
    let mut seen: Vec<(String, String, String)> = Vec::new();
    for entry in value["log"]["entries"].as_array().into_iter().flatten() {
        let (request, response) = (&entry["request"], &entry["response"]);
        let url = request["url"].as_str().unwrap_or_default();
        let Some((scheme, rest)) = url.split_once("://") else { continue };
        let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let (host, port) = authority.split_once(':').unwrap_or((authority, ""));
        let host = host.to_ascii_lowercase();
        let (scheme, usual) = match scheme {
            "http" if !host.is_empty() => ("http", 80),
            "https" if !host.is_empty() => ("https", 443),
            _ => {
                draft.note(format!("`{url}` is left out: it is not over HTTP"));
                continue;
            }
        };
        let port = (scheme, port.parse().unwrap_or(usual));
        if !draft.mock(&host).ports.contains(&port) {
            draft.mock(&host).ports.push(port);
        }
        let method = request["method"].as_str().unwrap_or("GET").to_owned();
        let answer = answer(response, draft, secrets);
        let wanted = Wanted { draft, secrets }.of(&method, target, &request["postData"]);
        let key = format!("{wanted:?}");
        let known = seen.iter().find(|(of, known, _)| *of == host && *known == key);
        if let Some((_, _, name)) = known {
            add_answer(draft, &host, name, answer);
            continue;
        }
        let route = Yaml::map().with("match", wanted).with("answer", answer);
        let path = target.split('?').next().unwrap_or_default();
        let name = draft.mock(&host).add(&name_of(&format!("{method} {path}")), route);
        seen.push((host, key, name));
    }
}

fn add_answer(draft: &mut Draft, host: &str, name: &str, answer: Yaml) {
    let mock = draft.mock(host);
    let route = mock.routes.iter_mut().find(|(known, _)| known == name);
    let Some((_, Yaml::Map(entries))) = route else { return };
    let Some((_, answers)) = entries.iter_mut().find(|(key, _)| key == "answer") else { return };
    match answers {
        Yaml::List(all) => all.push(answer),
        first => *first = Yaml::List(vec![first.clone(), answer]),
    }
}

/// Reads what is asked for.
struct Wanted<'a> {
    draft: &'a mut Draft,
    secrets: &'a Secrets,
}

impl Wanted<'_> {
    fn of(&mut self, method: &str, target: &str, posted: &Value) -> Yaml {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let path = if path.is_empty() { "/" } else { path };
        let mut wanted = Yaml::map().with("method", method);
        if path.contains(['{', '}']) {
            wanted.set("path", Yaml::map().with("is", decode(path)));
        } else {
            wanted.set("path", path);
        }
        let parameters = self.fields(query);
        if !parameters.is_empty() {
            wanted.set("query", parameters);
        }
        let text = posted["text"].as_str().unwrap_or_default();
        let is_form = posted["mimeType"].as_str().is_some_and(|kind| kind.contains("form-urlenc"));
        match serde_json::from_str::<Value>(text) {
            _ if posted["encoding"] == "base64" => {
                self.draft.note("bodies of requests that are no text are left out");
            }
            Ok(mut json) if json.is_object() || json.is_array() => {
                let has_secrets = self.secrets.cut_json(&mut json);
                let how = if has_secrets { "json-has" } else { "json" };
                self.note_if(has_secrets, "fields of requests");
                wanted.set("body", Yaml::map().with(how, json));
            }
            _ if is_form => {
                let fields = self.fields(text);
                if !fields.is_empty() {
                    wanted.set("body", Yaml::map().with("form", fields));
                }
            }
            _ if !text.is_empty() => wanted.set("body", Yaml::map().with("text", text)),
            _ => {}
        }
        wanted
    }

    /// Fields of a form, without those that are secret.
    fn fields(&mut self, form: &str) -> Yaml {
        let mut fields = Yaml::map();
        for (name, value) in decode_form(form) {
            if self.secrets.has(&name) {
                self.note_if(true, &format!("the parameter `{name}`"));
            } else {
                fields.set(&name, value);
            }
        }
        fields
    }

    fn note_if(&mut self, is_so: bool, what: &str) {
        if is_so {
            self.draft.note(format!("{what} that may hold a secret: left out"));
        }
    }
}

fn answer(response: &Value, draft: &mut Draft, secrets: &Secrets) -> Yaml {
    let status = response["status"].as_u64().filter(|status| (200..600).contains(status));
    let mut answer = Yaml::map().with("status", status.unwrap_or(200));
    let mut fields: Vec<(&str, Vec<String>)> = Vec::new();
    for field in response["headers"].as_array().into_iter().flatten() {
        let (name, value) = (
            field["name"].as_str().unwrap_or_default(),
            field["value"].as_str().unwrap_or_default(),
        );
        if secrets.has(name) {
            draft.note(format!("`{name}` is left out: it may hold a secret"));
            continue;
        }
        match fields.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
            Some((_, values)) => values.push(value.to_owned()),
            None => fields.push((name, vec![value.to_owned()])),
        }
    }
    let fields = headers(fields.into_iter());
    if !fields.is_empty() {
        answer.set("headers", fields);
    }
    let content = &response["content"];
    let text = content["text"].as_str().unwrap_or_default();
    if content["encoding"] == "base64" {
        answer.set("base64", text);
    } else {
        let masked = secrets.mask_body(text.as_bytes()).unwrap_or_default();
        if masked != text {
            draft.note(format!("secrets in bodies of answers are `{MASK}`"));
        }
        let text = masked.as_str();
        let is_json = content["mimeType"].as_str().is_some_and(|kind| kind.contains("json"));
        body(&mut answer, text, is_json);
    }
    answer
}
