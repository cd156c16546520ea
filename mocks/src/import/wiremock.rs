//! Stub mappings of WireMock (wiremock.org/docs/stubbing, /docs/request-matching).

use serde_json::Value;

use super::{
    draft::{Draft, body, headers, name_of, raw},
    handlebars,
    yaml::Yaml,
};

/// Priority of a mapping that has none; smaller ones go first.
const PRIORITY: i64 = 5;
/// Host of the service, as mappings seldom name one.
const HOST: &str = "service";

/// Takes over all mappings.
pub fn read(value: &Value, draft: &mut Draft) {
    match value["mappings"].as_array() {
        // Of mappings that match equally, WireMock takes the one that was added last.
        Some(all) => all.iter().rev().for_each(|mapping| read_mapping(mapping, draft)),
        None => read_mapping(value, draft),
    }
}

fn read_mapping(mapping: &Value, draft: &mut Draft) {
    let (request, response) = (&mapping["request"], &mapping["response"]);
    let mut route = Yaml::map();
    let wanted = wanted(request, draft);
    if !wanted.is_empty() {
        route.set("match", wanted);
    }
    let priority = PRIORITY - mapping["priority"].as_i64().unwrap_or(PRIORITY);
    if priority != 0 {
        route.set("priority", Value::from(priority));
    }
    if let Some(scenario) = mapping["scenarioName"].as_str() {
        let state = |name: &str| match name {
            "Started" => "start".to_owned(),
            name => name.to_owned(),
        };
        if let Some(required) = mapping["requiredScenarioState"].as_str() {
            route.set("when", Yaml::map().with(scenario, state(required)));
        }
        if let Some(new) = mapping["newScenarioState"].as_str() {
            route.set("then", Yaml::map().with(scenario, state(new)));
        }
    }
    route.set("answer", answer(response, draft));
    for key in ["postServeActions", "serveEventListeners"] {
        if mapping.get(key).is_some() {
            draft.note(format!("`{key}` is left out: `webhooks` of a route say as much"));
        }
    }
    let target = target(request).map_or("any", |(_, target)| target);
    let method = request["method"].as_str().unwrap_or("any");
    let name = mapping["name"].as_str().map_or_else(|| format!("{method} {target}"), str::to_owned);
    let trouble = trouble(response, draft);
    let host = request["host"]["equalTo"].as_str().unwrap_or(HOST);
    let mock = draft.mock(host);
    let name = mock.add(&name_of(&name), route);
    if let Some(what) = trouble {
        let trouble = Yaml::map().with("do", what).with("route", name.as_str());
        mock.troubles.push((name, trouble));
    }
}

/// How WireMock writes what is asked for.
const TARGETS: [&str; 5] = ["url", "urlPath", "urlPattern", "urlPathPattern", "urlPathTemplate"];

fn target(request: &Value) -> Option<(&'static str, &str)> {
    TARGETS.into_iter().find_map(|key| Some((key, request[key].as_str()?)))
}

fn wanted(request: &Value, draft: &mut Draft) -> Yaml {
    let mut wanted = Yaml::map();
    if let Some(method) = request["method"].as_str().filter(|method| *method != "ANY") {
        wanted.set("method", method);
    }
    let mut query = Yaml::map();
    match target(request) {
        Some(("url" | "urlPath", text)) => {
            let (path, parameters) = text.split_once('?').unwrap_or((text, ""));
            if path.contains(['{', '}']) {
                wanted.set("path", Yaml::map().with("is", path));
            } else {
                wanted.set("path", path);
            }
            for (name, value) in crate::request::decode_form(parameters) {
                query.set(&name, value);
            }
        }
        Some(("urlPathTemplate", text)) => wanted.set("path", text),
        Some((key, text)) => {
            if key == "urlPattern" && text.contains("\\?") {
                draft.note(format!("the pattern `{text}` is about the path alone here"));
            }
            wanted.set("path", Yaml::map().with("regex", whole(text)));
        }
        None => {}
    }
    for (name, matcher) in entries(&request["queryParameters"]) {
        query.set(name, text(matcher, draft));
    }
    let fields = |key: &str, draft: &mut Draft| {
        let mut all = Yaml::map();
        entries(&request[key]).for_each(|(name, matcher)| all.set(name, text(matcher, draft)));
        all
    };
    let mut heads = fields("headers", draft);
    let basic = &request["basicAuthCredentials"];
    if let (Some(user), Some(password)) = (basic["username"].as_str(), basic["password"].as_str()) {
        use base64::{Engine, engine::general_purpose::STANDARD};
        let code = STANDARD.encode(format!("{user}:{password}"));
        heads.set("authorization", format!("Basic {code}"));
    }
    let mut body = bodies(&request["bodyPatterns"], draft);
    let form = fields("formParameters", draft);
    if !form.is_empty() {
        body.set("form", form);
    }
    let cookies = fields("cookies", draft);
    for (key, all) in [("query", query), ("headers", heads), ("cookies", cookies), ("body", body)] {
        if !all.is_empty() {
            wanted.set(key, all);
        }
    }
    wanted
}

fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

/// Java's `matches` is about all of a text.
fn whole(pattern: &str) -> String {
    format!("^(?:{pattern})$")
}

/// What a text must be.
fn text(matcher: &Value, draft: &mut Draft) -> Yaml {
    let mut all = Yaml::map();
    add_text(matcher, &mut all, draft);
    if let Yaml::Map(entries) = &all
        && let [(key, only)] = entries.as_slice()
        && key == "is"
    {
        return only.clone();
    }
    all
}

fn add_text(matcher: &Value, all: &mut Yaml, draft: &mut Draft) {
    for (key, value) in entries(matcher) {
        let word = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        match key.as_str() {
            "equalTo" => all.set("is", word),
            "contains" => all.set("contains", word),
            "matches" => all.set("regex", whole(&word)),
            "doesNotMatch" => all.set("regex-not", whole(&word)),
            "doesNotContain" => all.set("regex-not", regex::escape(&word)),
            "absent" => all.set("absent", value.clone()),
            "caseInsensitive" => all.set("ignore-case", value.clone()),
            "and" => {
                value.as_array().into_iter().flatten().for_each(|one| add_text(one, all, draft))
            }
            "or" | "hasExactly" | "includes" => {
                let words = value.as_array().into_iter().flatten();
                let words: Option<Vec<Yaml>> =
                    words.map(|one| Some(Yaml::text(one["equalTo"].as_str()?))).collect();
                match words {
                    Some(words) => all.set("is", Yaml::List(words)),
                    None => draft.note(format!("`{key}` is left out where not all are `equalTo`")),
                }
            }
            key => draft.note(format!("the matcher `{key}` is left out")),
        }
    }
}

fn bodies(patterns: &Value, draft: &mut Draft) -> Yaml {
    let mut body = Yaml::map();
    let mut text = Yaml::map();
    let mut paths = Yaml::map();
    for pattern in patterns.as_array().into_iter().flatten() {
        if let Some(json) = pattern.get("equalToJson") {
            let parsed = json.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
            let json = parsed.unwrap_or_else(|| json.clone());
            let is_part = pattern["ignoreExtraElements"].as_bool() == Some(true);
            body.set(if is_part { "json-has" } else { "json" }, json);
            if pattern["ignoreArrayOrder"].as_bool() == Some(true) {
                draft.note("`ignoreArrayOrder` is left out: elements are in their order here");
            }
        } else if let Some(path) = pattern.get("matchesJsonPath") {
            let there = || Yaml::map().with("regex", "");
            match (path.as_str(), path["expression"].as_str()) {
                (Some(path), _) => paths.set(&json_path(path), there()),
                (_, Some(expression)) => {
                    let mut inner = path.clone();
                    inner
                        .as_object_mut()
                        .into_iter()
                        .for_each(|all| drop(all.remove("expression")));
                    let wanted = self::text(&inner, draft);
                    paths.set(
                        &json_path(expression),
                        if wanted.is_empty() { there() } else { wanted },
                    );
                }
                _ => {}
            }
        } else {
            add_text(pattern, &mut text, draft);
        }
    }
    if !text.is_empty() {
        body.set("text", text);
    }
    if !paths.is_empty() {
        body.set("json-path", paths);
    }
    body
}

/// A path as RFC 9535 has it: Jayway's may have a dot before a bracket.
fn json_path(path: &str) -> String {
    path.replace("$.[", "$[")
}

fn answer(response: &Value, draft: &mut Draft) -> Yaml {
    let mut answer = Yaml::map();
    answer.set("status", response["status"].as_u64().unwrap_or(200));
    let fields = entries(&response["headers"]).map(|(name, values)| {
        let values = match values {
            Value::Array(all) => all.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            value => vec![value.as_str().map_or_else(|| value.to_string(), str::to_owned)],
        };
        (name.as_str(), values)
    });
    let fields = headers(fields);
    if !fields.is_empty() {
        answer.set("headers", fields);
    }
    let transformers = response["transformers"].as_array();
    let is_filled =
        transformers.is_some_and(|all| all.iter().any(|one| one == "response-template"));
    if let Some(json) = response.get("jsonBody") {
        answer.set("json", json.clone());
    } else if let Some(bytes) = response["base64Body"].as_str() {
        answer.set("base64", bytes);
    } else if let Some(file) = response["bodyFileName"].as_str() {
        answer.set("file", format!("__files/{file}"));
    } else if let Some(text) = response["body"].as_str() {
        if is_filled {
            let mut unknown = Vec::new();
            answer.set("text", handlebars::translate(text, &mut unknown));
            unknown.iter().for_each(|one| draft.note(format!("`{{{{{one}}}}}` is not filled in")));
        } else if raw(text) == text {
            body(&mut answer, text, true);
        } else {
            answer.set("text", raw(text));
        }
    }
    if let Some(delay) = response["fixedDelayMilliseconds"].as_u64().filter(|delay| *delay > 0) {
        answer.set("delay", format!("{delay}ms"));
    }
    let spread = &response["delayDistribution"];
    match spread["type"].as_str() {
        Some("lognormal") => {
            let lognormal = Yaml::map()
                .with("median", format!("{}ms", spread["median"]))
                .with("sigma", spread["sigma"].clone());
            answer.set("delay", Yaml::map().with("lognormal", lognormal));
        }
        Some("uniform") => {
            let uniform = Yaml::map()
                .with("from", format!("{}ms", spread["lower"]))
                .with("to", format!("{}ms", spread["upper"]));
            answer.set("delay", Yaml::map().with("uniform", uniform));
        }
        Some(kind) => draft.note(format!("the distribution `{kind}` of delays is left out")),
        None => {}
    }
    if response.get("proxyBaseUrl").is_some() {
        draft.note("`proxyBaseUrl` is left out: there is nothing behind a mock");
    }
    answer
}

/// What goes wrong with an answer.
fn trouble(response: &Value, draft: &mut Draft) -> Option<Yaml> {
    let what = match response["fault"].as_str()? {
        "EMPTY_RESPONSE" => Yaml::map().with("empty", "after"),
        "MALFORMED_RESPONSE_CHUNK" | "RANDOM_DATA_THEN_CLOSE" => {
            Yaml::map().with("garbage", "after")
        }
        "CONNECTION_RESET_BY_PEER" => Yaml::map().with("reset", "after"),
        fault => {
            draft.note(format!("the fault `{fault}` is left out"));
            return None;
        }
    };
    Some(what)
}
