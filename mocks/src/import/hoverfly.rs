//! Hoverfly simulations, version 5 (docs.hoverfly.io, "Simulation schema").

use serde_json::Value;

use super::{
    draft::{Draft, body, headers, name_of, raw},
    yaml::Yaml,
};

/// Host of pairs that are for any.
const ANYWHERE: &str = "service";

/// Takes over all pairs.
pub fn read(value: &Value, draft: &mut Draft) {
    for pair in list(&value["data"]["pairs"]) {
        read_pair(pair, draft);
    }
    if !list(&value["data"]["globalActions"]["delays"]).is_empty() {
        draft.note("`globalActions.delays` is left out: `delay` of a service says as much");
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn read_pair(pair: &Value, draft: &mut Draft) {
    let (request, response) = (&pair["request"], &pair["response"]);
    let mut wanted = Yaml::map();
    let mut count = 0;
    let mut one = |key: &str, wanted: &mut Yaml, draft: &mut Draft| {
        let matchers = list(&request[key]);
        if let Some(text) = text(matchers, draft) {
            count += matchers.len() as u64;
            wanted.set(key, text);
        }
    };
    one("method", &mut wanted, draft);
    one("path", &mut wanted, draft);
    if list(&request["scheme"]).len() == 1
        && let Some(scheme @ ("http" | "https")) = request["scheme"][0]["value"].as_str()
    {
        wanted.set("scheme", scheme);
    }
    for (key, ours) in [("query", "query"), ("headers", "headers")] {
        let mut all = Yaml::map();
        for (name, matchers) in request[key].as_object().into_iter().flatten() {
            if let Some(text) = text(list(matchers), draft) {
                count += 1;
                all.set(name, text);
            }
        }
        if !all.is_empty() {
            wanted.set(ours, all);
        }
    }
    if let Some(body) = body_match(list(&request["body"]), draft) {
        count += 1;
        wanted.set("body", body);
    }
    let mut route = Yaml::map();
    if !wanted.is_empty() {
        route.set("match", wanted);
    }
    // Hoverfly lets the strongest match win: the one that wants most.
    if count > 0 {
        route.set("priority", count);
    }
    for (key, ours) in [("requiresState", "when"), ("transitionsState", "then")] {
        let states = request[key].as_object().or(response[key].as_object());
        let mut all = Yaml::map();
        for (name, state) in states.into_iter().flatten() {
            all.set(name, state.as_str().unwrap_or_default());
        }
        if !all.is_empty() {
            route.set(ours, all);
        }
    }
    route.set("answer", answer(response, draft));
    let name = format!("{} {}", first(&request["method"]), first(&request["path"]));
    let host = host(list(&request["destination"]), draft);
    draft.mock(&host).add(&name_of(&name), route);
}

fn first(matchers: &Value) -> &str {
    matchers[0]["value"].as_str().unwrap_or("any")
}

/// The host that a pair is for.
fn host(matchers: &[Value], draft: &mut Draft) -> String {
    let Some(matcher) = matchers.first() else { return ANYWHERE.into() };
    let value = matcher["value"].as_str().unwrap_or_default();
    let name = value.split(':').next().unwrap_or_default().to_ascii_lowercase();
    let stem = name.strip_prefix("*.").unwrap_or(&name);
    let is_name =
        !stem.is_empty() && stem.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    if is_name && matches!(kind(matcher), "exact" | "glob") {
        return name;
    }
    draft.note(format!(
        "the destination `{value}` is no host name: its pairs are in the service `{ANYWHERE}`"
    ));
    ANYWHERE.into()
}

fn kind(matcher: &Value) -> &str {
    matcher["matcher"].as_str().unwrap_or("exact")
}

/// What a text must be, of matchers that must all hold.
fn text(matchers: &[Value], draft: &mut Draft) -> Option<Yaml> {
    if let [only] = matchers
        && kind(only) == "exact"
        && let Some(value) = only["value"].as_str().filter(|value| !value.contains(['{', '}']))
    {
        return Some(Yaml::text(value));
    }
    let mut all = Yaml::map();
    for matcher in matchers {
        let value = match &matcher["value"] {
            Value::String(value) => Yaml::text(value.as_str()),
            Value::Array(values) => Yaml::List(values.iter().cloned().map(Yaml::Value).collect()),
            value => Yaml::text(value.to_string()),
        };
        match kind(matcher) {
            "exact" | "array" => all.set("is", value),
            "negate" => all.set("is-not", value),
            "glob" => all.set("glob", value),
            "regex" => all.set("regex", value),
            kind => {
                draft.note(format!("the matcher `{kind}` is left out where it is about a text"))
            }
        }
    }
    (!all.is_empty()).then_some(all)
}

fn body_match(matchers: &[Value], draft: &mut Draft) -> Option<Yaml> {
    let mut body = Yaml::map();
    let mut texts = Vec::new();
    for matcher in matchers {
        let value = matcher["value"].as_str().unwrap_or_default();
        let json = || serde_json::from_str::<Value>(value);
        match (kind(matcher), json()) {
            ("json", Ok(json)) => body.set("json", json),
            ("jsonpartial", Ok(json)) => body.set("json-has", json),
            ("jsonpath", _) => {
                let there = Yaml::map().with("regex", "");
                body.set("json-path", Yaml::map().with(value, there));
            }
            ("form", _) => {
                let mut form = Yaml::map();
                for (name, matchers) in matcher["value"].as_object().into_iter().flatten() {
                    if let Some(text) = text(list(matchers), draft) {
                        form.set(name, text);
                    }
                }
                body.set("form", form);
            }
            ("exact" | "glob" | "regex" | "negate", _) => texts.push(matcher.clone()),
            (kind, _) => {
                draft.note(format!("the matcher `{kind}` is left out where it is about a body"))
            }
        }
    }
    if let Some(text) = text(&texts, draft) {
        body.set("text", text);
    }
    (!body.is_empty()).then_some(body)
}

fn answer(response: &Value, draft: &mut Draft) -> Yaml {
    let mut answer = Yaml::map();
    answer.set("status", response["status"].as_u64().unwrap_or(200));
    let fields = response["headers"].as_object();
    let fields = fields.into_iter().flatten().map(|(name, values)| {
        let values = list(values).iter().filter_map(Value::as_str).map(str::to_owned).collect();
        (name.as_str(), values)
    });
    let fields = headers(fields);
    if !fields.is_empty() {
        answer.set("headers", fields);
    }
    let text = response["body"].as_str().unwrap_or_default();
    if let Some(file) = response["bodyFile"].as_str().filter(|file| !file.is_empty()) {
        answer.set("file", file);
    } else if response["encodedBody"].as_bool() == Some(true) {
        answer.set("base64", text);
    } else if response["templated"].as_bool() == Some(true) && raw(text) != text {
        draft.note("bodies with places of Hoverfly's are taken as they are: `{{ }}` has to be written anew");
        answer.set("text", raw(text));
    } else {
        body(&mut answer, text, true);
    }
    if let Some(delay) = response["fixedDelay"].as_u64().filter(|delay| *delay > 0) {
        answer.set("delay", format!("{delay}ms"));
    }
    let spread = &response["logNormalDelay"];
    if let (Some(median), Some(mean)) = (spread["median"].as_f64(), spread["mean"].as_f64())
        && median > 0.0
        && mean > median
    {
        // The mean of a lognormal quantity is its median times exp(sigma^2 / 2).
        let sigma = (2.0 * (mean / median).ln()).sqrt();
        let lognormal = Yaml::map()
            .with("median", format!("{median}ms"))
            .with("sigma", Yaml::Value(((sigma * 1000.0).round() / 1000.0).into()));
        answer.set("delay", Yaml::map().with("lognormal", lognormal));
    }
    answer
}
