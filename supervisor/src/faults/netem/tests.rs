use super::*;

fn plan(text: &str) -> Result<Vec<abi::Fault>, String> {
    read("f", "f.json", text).map(|(_, plan)| plan).map_err(|problem| problem.to_string())
}

fn names(plan: &[abi::Fault]) -> Vec<&str> {
    plan.iter().map(|fault| fault.name.as_str()).collect()
}

#[test]
fn a_delay_varies_by_its_jitter_each_way() {
    let text = r#"{
      "version": 1,
      "lo": { "default": { "delay": { "time_ms": 100, "jitter_ms": 25 } } }
    }"#;
    let plan = plan(text).expect("it is right");
    assert_eq!(names(&plan), ["f/default-delay"]);
    let draw = abi::Draw::Uniform(75_000_000, 125_000_000);
    let latency = abi::Quantity { draw, correlation: abi::Share::NONE };
    assert_eq!(plan[0].effect, abi::Effect::Latency(latency));
}

#[test]
fn rules_take_links_away_from_those_behind_them() {
    let text = r#"{
      "version": 1,
      "lo": {
        "default": { "loss": { "gemodel": { "p": 1, "r": 20 } }, "rate": { "kbit": 800 } },
        "rules": [
          { "match": { "port": 5432 } },
          { "match": { "protocol": "udp" }, "corrupt": { "percent": 0.5 }, "duplicate": { "percent": 2 },
            "delay": { "time_ms": 10 }, "reorder": { "percent": 75, "correlation": 50 } }
        ]
      },
      "serviceFaults": [
        { "kind": "blackhole", "service": "payment", "start_ms": 1000, "duration_ms": 2500 },
        { "kind": "degrade", "match": { "port": 80 }, "start_ms": 5000, "loss": { "percent": 30 } }
      ]
    }"#;
    let plan = plan(text).expect("it is right");
    assert_eq!(
        names(&plan),
        [
            "f/rule-2-reorder",
            "f/rule-2-corrupt",
            "f/rule-2-duplicate",
            "f/default-loss",
            "f/default-rate",
            "f/service-1-blackhole",
            "f/service-2-loss",
        ]
    );
    let spared: Vec<usize> = plan.iter().map(|fault| fault.matches.unless_links.len()).collect();
    assert_eq!(spared, [1, 1, 1, 2, 2, 0, 0]);
    assert_eq!(plan[3].matches.unless_links[0].ports, [5432]);
    assert_eq!(plan[3].matches.unless_links[1].protocols, [abi::Protocol::Udp]);
    assert_eq!(plan[4].effect, abi::Effect::Bandwidth { rate: 100_000, queue: 256 << 10 });
    assert_eq!(plan[5].matches.link.hosts, ["payment"]);
    assert_eq!(plan[5].window.length, Some(abi::Quantity::fixed(2_500_000_000)));
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let cases = [
        (r#"{ "version": 2 }"#, "f.json:1:14: this is version 1 of the format"),
        (r#"{ "version": 1 }"#, "f.json:1:14: the file has no faults"),
        (r#"{ "version": 1, "eth0": {} }"#, "f.json:1:17: unknown key `eth0`"),
        (
            r#"{ "version": 1, "lo": { "default": { "delya": {} } } }"#,
            "f.json:1:38: unknown key `delya`; did you mean `delay`?",
        ),
        (
            r#"{ "version": 1, "lo": { "default": { "loss": { "percent": 120 } } } }"#,
            "f.json:1:59: 120 percent is none",
        ),
        (
            r#"{ "version": 1, "lo": { "default": { "loss": {} } } }"#,
            "f.json:1:46: one of `percent` or `gemodel` belongs here",
        ),
        (
            r#"{ "version": 1, "lo": { "default": { "reorder": { "percent": 5 } } } }"#,
            "f.json:1:62: `reorder` needs a `delay`",
        ),
        (r#"{ "version": 1, "lo": { "rules": [{}] } }"#, "f.json:1:35: a rule says what it is for"),
        (
            r#"{ "version": 1, "serviceFaults": [{ "service": "x" }] }"#,
            "f.json:1:35: a fault of a service is a `blackhole` or a `degrade`",
        ),
        (
            r#"{ "version": 1, "lo": { "default": { "start_ms": 5 } } }"#,
            "f.json:1:36: `kind`, `service` and times belong to `serviceFaults`",
        ),
        (
            r#"{ "version": 1, "serviceFaults": [{ "service": "x", "kind": "degrade" }] }"#,
            "f.json:1:61: a `degrade` says what gets worse",
        ),
        (
            r#"{ "version": 1, "serviceFaults": [{ "service": "x", "kind": "blackhole", "loss": { "percent": 1 } }] }"#,
            "f.json:1:61: of a `blackhole` there is nothing more to say",
        ),
        // What only shows in what it is translated into.
        (
            "{ \"version\": 1, \"lo\": { \"rules\": [\n{ \"match\": { \"address\": \"payment\" }, \"loss\": { \"percent\": 1 } }] } }",
            "f.json:2:12: `payment` is no address",
        ),
        (
            "{ \"version\": 1, \"lo\": { \"rules\": [{ \"match\": { \"port\": 80 } },\n{ \"match\": { \"protocol\": \"tpc\" } }] } }",
            "f.json:2:12: unknown word `tpc`; did you mean `tcp`?",
        ),
        (
            "{ \"version\": 1, \"lo\": {\n\"default\": { \"delay\": { \"time_ms\": 0 } } } }",
            "f.json:2:12: a delay of nothing does nothing",
        ),
        (
            "{ \"version\": 1, \"serviceFaults\": [\n{ \"service\": \"x\", \"kind\": \"blackhole\", \"duration_ms\": 0 }] }",
            "f.json:2:1: a window that is open for no time never opens",
        ),
    ];
    for (text, words) in cases {
        let found = plan(text).err().unwrap_or_default();
        assert!(found.starts_with(words), "{text}\n{found}");
    }
}
