//! Records of browsers and proxies (HTTP Archive 1.2).

use serde_json::Value;

use super::{
    draft::{Draft, body, headers, name_of},
    yaml::Yaml,
};

/// Fields that are nobody else's business.
const SECRET: [&str; 4] = ["set-cookie", "authorization", "cookie", "x-api-key"];

/// Takes over all entries: those of one request become one route, whose answers take turns.
pub fn read(value: &Value, draft: &mut Draft) {
    let mut seen: Vec<(String, String, String)> = Vec::new();
    for entry in value["log"]["entries"].as_array().into_iter().flatten() {
        let (request, response) = (&entry["request"], &entry["response"]);
        let url = request["url"].as_str().unwrap_or_default();
        let Some((scheme, rest)) = url.split_once("://") else { continue };
        let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let host = authority.split(':').next().unwrap_or_default().to_ascii_lowercase();
        if host.is_empty() || !matches!(scheme, "http" | "https") {
            draft.note(format!("`{url}` is left out: it is not over HTTP"));
            continue;
        }
        let method = request["method"].as_str().unwrap_or("GET").to_owned();
        let answer = answer(response, draft);
        let posted = request["postData"]["text"].as_str().unwrap_or_default();
        let key = format!("{method} {target} {posted}");
        let known = seen.iter().find(|(of, known, _)| *of == host && *known == key);
        if let Some((_, _, name)) = known {
            add_answer(draft, &host, name, answer);
            continue;
        }
        let route =
            Yaml::map().with("match", wanted(&method, target, posted)).with("answer", answer);
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

fn wanted(method: &str, target: &str, posted: &str) -> Yaml {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let path = if path.is_empty() { "/" } else { path };
    let mut wanted = Yaml::map().with("method", method);
    if path.contains(['{', '}']) {
        wanted.set("path", Yaml::map().with("is", crate::request::decode(path)));
    } else {
        wanted.set("path", path);
    }
    let mut parameters = Yaml::map();
    crate::request::decode_form(query)
        .into_iter()
        .for_each(|(name, value)| parameters.set(&name, value));
    if !parameters.is_empty() {
        wanted.set("query", parameters);
    }
    match serde_json::from_str::<Value>(posted) {
        Ok(json) if json.is_object() || json.is_array() => {
            wanted.set("body", Yaml::map().with("json", json));
        }
        _ if !posted.is_empty() => wanted.set("body", Yaml::map().with("text", posted)),
        _ => {}
    }
    wanted
}

fn answer(response: &Value, draft: &mut Draft) -> Yaml {
    let status = response["status"].as_u64().filter(|status| (200..600).contains(status));
    let mut answer = Yaml::map().with("status", status.unwrap_or(200));
    let mut fields: Vec<(&str, Vec<String>)> = Vec::new();
    for field in response["headers"].as_array().into_iter().flatten() {
        let (name, value) = (
            field["name"].as_str().unwrap_or_default(),
            field["value"].as_str().unwrap_or_default(),
        );
        if SECRET.contains(&name.to_ascii_lowercase().as_str()) {
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
        let is_json = content["mimeType"].as_str().is_some_and(|kind| kind.contains("json"));
        body(&mut answer, text, is_json);
    }
    answer
}
