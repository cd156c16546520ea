//! OpenAPI documents, version 3: each operation is a route that is answered with its example, or with one made from its
//! schema.

use serde_json::{Map, Value, json};

use super::{
    draft::{Draft, name_of},
    yaml::Yaml,
};

/// Host of a document that names no server.
const HOST: &str = "service";
/// How deep schemas are followed: some refer to themselves.
const DEPTH_MAX: usize = 8;
/// Methods that an operation may have.
const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// Takes over all operations.
pub fn read(document: &Value, draft: &mut Draft) {
    let server = document["servers"][0]["url"].as_str().unwrap_or_default();
    let rest = server.split_once("://").map_or("", |(_, rest)| rest);
    let (authority, base) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let base = if rest.is_empty() { server } else { base }.trim_end_matches('/').to_owned();
    let (host, port) = authority.split_once(':').unwrap_or((authority, ""));
    let host = if host.is_empty() || host.contains('{') { HOST } else { host }.to_owned();
    if let Ok(port) = port.parse() {
        draft.mock(&host).ports.push(("http", port));
    }
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for method in METHODS {
            if let Some(operation) = item.get(method) {
                let name = operation["operationId"]
                    .as_str()
                    .map_or_else(|| format!("{method} {path}"), str::to_owned);
                let wanted = Yaml::map()
                    .with("method", method.to_uppercase())
                    .with("path", format!("{base}{}", places(path, draft)));
                let answer = answer(document, operation, draft);
                let mut route = Yaml::map().with("match", wanted);
                // What is named goes before what is only a place.
                if !path.contains('{') {
                    route.set("priority", 1u64);
                }
                draft.mock(&host).add(&name_of(&name), route.with("answer", answer));
            }
        }
    }
    if document.get("security").is_some() {
        draft.note("`security` is left out: `needs-token` of a route asks for tokens");
    }
}

/// Names of places are made of letters, digits and underscores.
fn places(path: &str, draft: &mut Draft) -> String {
    let mut out = String::new();
    for part in path.split('/').skip(1) {
        out.push('/');
        match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            Some(name) => {
                let name: String =
                    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
                out.push_str(&format!("{{{name}}}"));
            }
            None if part.contains('{') => {
                draft.note(format!("`{part}` of a path is a place as a whole here"));
                out.push_str("{part}");
            }
            None => out.push_str(part),
        }
    }
    out
}

/// What a reference within the document leads to.
fn follow<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let target = value["$ref"].as_str().and_then(|target| target.strip_prefix('#'));
    target.and_then(|target| document.pointer(target)).unwrap_or(value)
}

fn answer(document: &Value, operation: &Value, draft: &mut Draft) -> Yaml {
    let responses = operation["responses"].as_object();
    let all = || responses.into_iter().flatten();
    let found = all().find(|(code, _)| code.starts_with('2')).or_else(|| all().next());
    let Some((code, response)) = found else { return Yaml::map().with("status", 200u64) };
    let response = follow(document, response);
    let status = code.replace(['X', 'x'], "0").parse::<u64>().unwrap_or(200);
    let mut answer = Yaml::map().with("status", status);
    let content = response["content"].as_object();
    let Some((kind, media)) = content
        .into_iter()
        .flatten()
        .find(|(kind, _)| kind.contains("json"))
        .or_else(|| content?.iter().next())
    else {
        return answer;
    };
    let named = media["examples"].as_object().and_then(|all| all.values().next());
    let example = media
        .get("example")
        .cloned()
        .or_else(|| follow(document, named?).get("value").cloned())
        .unwrap_or_else(|| make(document, &media["schema"], 0));
    if !kind.contains("json") {
        answer.set("headers", Yaml::map().with("content-type", kind.as_str()));
    }
    match example {
        Value::String(text) if !kind.contains("json") => {
            answer.set("text", super::draft::raw(&text))
        }
        Value::Null => draft.note("an answer without example and schema has no body"),
        value => answer.set("json", value),
    }
    answer
}

/// A value that a schema allows.
fn make(document: &Value, schema: &Value, depth: usize) -> Value {
    let schema = follow(document, schema);
    if let Some(value) =
        schema.get("example").or_else(|| schema.get("default")).or_else(|| schema.get("const"))
    {
        return value.clone();
    }
    if let Some(value) = schema["enum"].as_array().and_then(|all| all.first()) {
        return value.clone();
    }
    if depth > DEPTH_MAX {
        return Value::Null;
    }
    if let Some(all) = schema["allOf"].as_array() {
        let mut whole = Map::new();
        for part in all {
            if let Value::Object(part) = make(document, part, depth + 1) {
                whole.extend(part);
            }
        }
        return Value::Object(whole);
    }
    for key in ["oneOf", "anyOf"] {
        if let Some(first) = schema[key].as_array().and_then(|all| all.first()) {
            return make(document, first, depth + 1);
        }
    }
    let kind = schema["type"].as_str().or_else(|| schema["type"][0].as_str());
    match kind.unwrap_or(if schema.get("properties").is_some() { "object" } else { "" }) {
        "object" => {
            let properties = schema["properties"].as_object().into_iter().flatten();
            Value::Object(
                properties
                    .map(|(name, one)| (name.clone(), make(document, one, depth + 1)))
                    .collect(),
            )
        }
        "array" => json!([make(document, &schema["items"], depth + 1)]),
        "integer" | "number" => schema.get("minimum").cloned().unwrap_or(json!(1)),
        "boolean" => json!(true),
        "string" => match schema["format"].as_str() {
            Some("date-time") => json!("2030-01-01T00:00:00Z"),
            Some("date") => json!("2030-01-01"),
            Some("uuid") => json!("00000000-0000-4000-8000-000000000000"),
            Some("email") => json!("somebody@example.com"),
            Some("uri") => json!("https://example.com/"),
            _ => json!("text"),
        },
        _ => Value::Null,
    }
}
