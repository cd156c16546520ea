//! Fault files in JSON, as Workers IO has them: what netem(8) does to packets, by rules and at times.
//!
//! They are translated into a file of our own, so that there is one meaning of each fault.

use std::fmt::Write as _;

use serde::Deserialize;
use simrun_abi::faults as abi;
use simrun_config::{Position, Problem, Spanned, Wrong};

use super::{FaultFile, compile};

/// The version that is known.
const VERSION: u64 = 1;

/// A file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Netem {
    version: Spanned<u64>,
    #[serde(default)]
    lo: Interface,
    #[serde(default, rename = "serviceFaults", alias = "service_faults")]
    service_faults: Vec<Spanned<Impairment>>,
}

/// What happens on the loopback interface, where the services of a run are.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Interface {
    /// To what no rule is for.
    default: Option<Spanned<Impairment>>,
    /// The first rule that matches decides.
    rules: Vec<Spanned<Impairment>>,
}

/// What happens to some packets.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Impairment {
    name: Option<Spanned<String>>,
    r#match: Option<Spanned<Matching>>,
    delay: Option<Delay>,
    loss: Option<Spanned<Loss>>,
    corrupt: Option<Percent>,
    duplicate: Option<Percent>,
    reorder: Option<Reorder>,
    rate: Option<Spanned<Rate>>,
    /// Of a fault of a service: what it does.
    #[serde(alias = "type", alias = "mode")]
    kind: Option<Spanned<Kind>>,
    /// Its service's host name.
    service: Option<Spanned<String>>,
    /// When it begins.
    #[serde(alias = "after_ms")]
    start_ms: Option<Number>,
    /// How long it lasts.
    duration_ms: Option<Number>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    /// Nothing gets through.
    Blackhole,
    /// What the keys of netem say.
    Degrade,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Matching {
    protocol: Option<Spanned<String>>,
    #[serde(alias = "dst_port", alias = "dport")]
    port: Option<Number>,
    #[serde(alias = "dst", alias = "ip", alias = "cidr")]
    address: Option<Spanned<String>>,
    #[serde(alias = "hostname")]
    host: Option<Spanned<String>>,
}

type Number = Spanned<f64>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Delay {
    time_ms: Number,
    jitter_ms: Option<Number>,
    #[serde(alias = "correlation_percent", alias = "correlation_pct")]
    correlation: Option<Number>,
    distribution: Option<Spanned<Distribution>>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Distribution {
    Uniform,
    Normal,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Loss {
    #[serde(alias = "pct", alias = "random")]
    percent: Option<Number>,
    #[serde(alias = "correlation_percent", alias = "correlation_pct")]
    correlation: Option<Number>,
    gemodel: Option<GilbertElliott>,
}

/// In percent, as netem(8) takes them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct GilbertElliott {
    /// From good times to bad ones.
    #[serde(alias = "p_percent", alias = "p_pct")]
    p: Number,
    /// From bad times to good ones; all else, without it.
    #[serde(alias = "r_percent", alias = "r_pct")]
    r: Option<Number>,
    /// What is lost in bad times.
    #[serde(rename = "1-h", alias = "one_minus_h", alias = "loss_bad")]
    lost: Option<Number>,
    /// What is lost in good times.
    #[serde(rename = "1-k", alias = "one_minus_k", alias = "loss_good")]
    lost_between: Option<Number>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Percent {
    #[serde(alias = "pct")]
    percent: Number,
    #[serde(alias = "correlation_percent", alias = "correlation_pct")]
    correlation: Option<Number>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reorder {
    #[serde(alias = "pct")]
    percent: Number,
    #[serde(alias = "correlation_percent", alias = "correlation_pct")]
    correlation: Option<Number>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Rate {
    #[serde(alias = "rate_kbit", alias = "kbps")]
    kbit: Option<Number>,
    #[serde(alias = "rate_mbit", alias = "mbps")]
    mbit: Option<Number>,
}

/// Reads a file, as one of our own and as the kernel takes it. `name` is the file's, `shown` what messages call it.
///
/// # Errors
/// The first thing that is wrong.
pub fn read(name: &str, shown: &str, text: &str) -> Result<(FaultFile, Vec<abi::Fault>), Problem> {
    let netem: Netem = simrun_config::parse(shown, text)?;
    let written = translate(&netem).map_err(|wrong| wrong.of(shown))?;
    let place = |problem: Problem| Problem { at: written.place(problem.at), ..problem };
    let mut file: FaultFile = simrun_config::parse(shown, &written.text).map_err(place)?;
    let mut plan = compile(name, &file).map_err(|wrong| place(wrong.of(shown)))?;
    // What a rule is for is its own.
    let links: Vec<Vec<abi::LinkMatch>> = (0..netem.lo.rules.len())
        .map(|rule| link_of(&plan, name, &format!("rule-{}-", rule + 1)))
        .collect();
    for (fault, spared) in plan.iter_mut().zip(&written.spared) {
        fault.matches.unless_links = links[..*spared].concat();
    }
    plan.retain(|fault| !fault.name.ends_with(MARK));
    file.faults.0.retain(|(own, _)| !own.ends_with(MARK));
    for (_, fault) in &mut file.faults.0 {
        let hosts = &mut fault.r#match.value.host.0;
        hosts.iter_mut().for_each(|host| host.at = written.place(host.at));
    }
    Ok((file, plan))
}

/// The end of the name of a fault that only says what a rule is for.
const MARK: &str = "-is-for";

fn link_of(plan: &[abi::Fault], file: &str, rule: &str) -> Vec<abi::LinkMatch> {
    let of_rule = |fault: &&abi::Fault| fault.name.starts_with(&format!("{file}/{rule}"));
    plan.iter().find(of_rule).map(|fault| fault.matches.link.clone()).into_iter().collect()
}

/// A file of our own.
#[derive(Default)]
struct Written {
    text: String,
    /// How many of the rules' links each fault spares.
    spared: Vec<usize>,
    /// Which line each part of it begins in, and what it was translated from.
    places: Vec<(usize, Position)>,
}

fn translate(netem: &Netem) -> Result<Written, Wrong> {
    if netem.version.value != VERSION {
        return Err(netem.version.wrong(format!("this is version {VERSION} of the format")));
    }
    let mut written = Written::default();
    written.text.push_str("about: Translated from the JSON of netem's words.\nfaults:\n");
    let rules = &netem.lo.rules;
    for (index, rule) in rules.iter().enumerate() {
        let Some(matching) = &rule.r#match else {
            return Err(rule.wrong("a rule says what it is for: `match` is missing"));
        };
        check_untimed(rule)?;
        let place = format!("rule-{}", index + 1);
        let scope = Scope::of(matching, index);
        // The rule itself, also if it is only there to spare something.
        written.add(&scope, &format!("{place}{MARK}"), rule.at, "lose", "");
        written.add_all(&scope, &place, rule)?;
    }
    if let Some(default) = &netem.lo.default {
        check_untimed(default)?;
        if default.r#match.is_some() {
            return Err(default.wrong("what has a `match` is one of the `rules`"));
        }
        let all = Scope { at: default.at, spared: rules.len(), ..Scope::default() };
        written.add_all(&all, "default", default)?;
    }
    for (index, fault) in netem.service_faults.iter().enumerate() {
        written.add_service(&format!("service-{}", index + 1), fault)?;
    }
    match written.spared.is_empty() {
        true => Err(netem.version.wrong("the file has no faults")),
        false => Ok(written),
    }
}

fn check_untimed(impairment: &Spanned<Impairment>) -> Result<(), Wrong> {
    let Impairment { kind, service, start_ms, duration_ms, .. } = &impairment.value;
    let timed = kind.is_some() || service.is_some() || start_ms.is_some() || duration_ms.is_some();
    match timed {
        true => Err(impairment.wrong("`kind`, `service` and times belong to `serviceFaults`")),
        false => Ok(()),
    }
}

impl Impairment {
    /// Whether it says in netem's words that anything gets worse.
    fn worsens(&self) -> bool {
        let Self { delay, loss, corrupt, duplicate, reorder, rate, .. } = self;
        let counted = corrupt.is_some() || duplicate.is_some() || reorder.is_some();
        delay.is_some() || loss.is_some() || counted || rate.is_some()
    }
}

/// What faults are for, and when.
#[derive(Default)]
struct Scope {
    /// What our own files say for a match.
    matches: String,
    /// Where it is said.
    at: Position,
    /// How many of the rules' links they spare.
    spared: usize,
    /// Keys of our own that say when.
    window: String,
}

impl Scope {
    fn of(matching: &Spanned<Matching>, spared: usize) -> Self {
        let mut parts = Vec::new();
        let mut text = |key: &str, value: &Option<Spanned<String>>| {
            if let Some(value) = value {
                parts.push(format!("{key}: {:?}", value.value));
            }
        };
        text("protocol", &matching.protocol);
        text("address", &matching.address);
        text("host", &matching.host);
        if let Some(port) = &matching.port {
            parts.push(format!("port: {}", port.value));
        }
        Self { matches: parts.join(", "), at: matching.at, spared, ..Self::default() }
    }
}

/// A share, or what is wrong with it.
fn percent(number: &Number) -> Result<String, Wrong> {
    match (0.0..=100.0).contains(&number.value) {
        true => Ok(format!("{}%", number.value)),
        false => Err(number.wrong(format!("{} percent is none", number.value))),
    }
}

fn milliseconds(number: f64) -> String {
    format!("{:.0}ns", number.max(0.0) * 1e6)
}

/// How likely each is hit, as keys of our own.
fn chance(share: &Number, correlation: &Option<Number>) -> Result<String, Wrong> {
    let mut text = format!("    probability: {}\n", percent(share)?);
    if let Some(correlation) = correlation.as_ref().filter(|correlation| correlation.value > 0.0) {
        let _ = writeln!(text, "    correlation: {}", percent(correlation)?);
    }
    Ok(text)
}

impl Delay {
    fn translate(&self) -> Result<String, Wrong> {
        let Self { time_ms, jitter_ms, correlation, distribution } = self;
        let jitter = jitter_ms.as_ref().map_or(0.0, |jitter| jitter.value);
        if time_ms.value < 0.0 || jitter < 0.0 {
            return Err(time_ms.wrong("a delay is not less than nothing"));
        }
        let time = time_ms.value;
        if jitter == 0.0 {
            return Ok(milliseconds(time));
        }
        let mut drawn = match distribution.as_ref().map(|distribution| distribution.value) {
            Some(Distribution::Normal) => format!(
                "normal: {{ mean: {}, deviation: {} }}",
                milliseconds(time),
                milliseconds(jitter)
            ),
            // As without one: any between time less jitter and time and jitter (`get_dist` in net/sched/sch_netem.c).
            _ => format!(
                "uniform: {{ from: {}, to: {} }}",
                milliseconds(time - jitter),
                milliseconds(time + jitter)
            ),
        };
        if let Some(correlation) = correlation {
            let _ = write!(drawn, ", correlation: {}", percent(correlation)?);
        }
        Ok(format!("{{ {drawn} }}"))
    }
}

fn lose(loss: &Spanned<Loss>) -> Result<(String, String), Wrong> {
    match (&loss.percent, &loss.gemodel) {
        (Some(share), None) => Ok(("lose".into(), chance(share, &loss.correlation)?)),
        (None, Some(model)) => {
            let all = |number: &Option<Number>, other: &str| {
                number.as_ref().map_or(Ok(other.to_owned()), percent)
            };
            let p = percent(&model.p)?;
            let r = match &model.r {
                Some(r) => percent(r)?,
                None => format!("{}%", 100.0 - model.p.value),
            };
            let (lost, between) = (all(&model.lost, "100%")?, all(&model.lost_between, "0%")?);
            let bursts = format!(
                "{{ lose-in-bursts: {{ begin: {p}, end: {r}, lost: {lost}, lost-between: {between} }} }}"
            );
            Ok((bursts, String::new()))
        }
        _ => Err(loss.wrong("one of `percent` or `gemodel` belongs here")),
    }
}

impl Written {
    fn add(&mut self, scope: &Scope, name: &str, at: Position, action: &str, chance: &str) {
        let line = self.text.lines().count() + 1;
        let Scope { matches, window, .. } = scope;
        let _ = write!(
            self.text,
            "  {name}:\n    do: {action}\n    match: {{ {matches} }}\n{chance}{window}"
        );
        self.places.extend([(line, at), (line + 2, scope.at), (line + 3, at)]);
        self.spared.push(scope.spared);
    }

    /// Where in the file in netem's words is what was translated into this.
    fn place(&self, translated: Position) -> Position {
        let before = self.places.iter().take_while(|(line, _)| *line <= translated.line as usize);
        before.last().map_or(translated, |(_, at)| *at)
    }

    /// What an impairment says in netem's words.
    fn add_all(
        &mut self,
        scope: &Scope,
        place: &str,
        impairment: &Spanned<Impairment>,
    ) -> Result<(), Wrong> {
        let Impairment { delay, loss, corrupt, duplicate, reorder, rate, .. } = &impairment.value;
        let mut add = |own: &str, action: &str, chance: &str| {
            let name = format!("{place}-{own}");
            self.add(scope, &name, impairment.at, action, chance);
        };
        if let Some(reorder) = reorder {
            let Some(delay) = delay else {
                return Err(reorder
                    .percent
                    .wrong("`reorder` needs a `delay`: what is not late cannot be overtaken"));
            };
            // Those that are not reordered are late (netem(8), "reorder").
            let late = Spanned { at: reorder.percent.at, value: 100.0 - reorder.percent.value };
            let chance = chance(&late, &reorder.correlation)?;
            add("reorder", &format!("{{ reorder: {} }}", delay.translate()?), &chance);
        } else if let Some(delay) = delay {
            add("delay", &format!("{{ latency: {} }}", delay.translate()?), "");
        }
        if let Some(loss) = loss {
            let (action, chance) = lose(loss)?;
            add("loss", &action, &chance);
        }
        if let Some(Percent { percent, correlation }) = corrupt {
            add("corrupt", "corrupt", &chance(percent, correlation)?);
        }
        if let Some(Percent { percent, correlation }) = duplicate {
            add("duplicate", "{ duplicate: 0ms }", &chance(percent, correlation)?);
        }
        if let Some(rate) = rate {
            let bytes = match (&rate.kbit, &rate.mbit) {
                (Some(kbit), None) => kbit.value * 1e3 / 8.0,
                (None, Some(mbit)) => mbit.value * 1e6 / 8.0,
                _ => return Err(rate.wrong("one of `kbit` or `mbit` belongs here")),
            };
            add("rate", &format!("{{ bandwidth: {{ rate: {bytes:.0}B/s }} }}"), "");
        }
        Ok(())
    }

    /// A fault of a service, which comes and goes at its time.
    fn add_service(&mut self, place: &str, fault: &Spanned<Impairment>) -> Result<(), Wrong> {
        let Some(kind) = &fault.kind else {
            return Err(fault
                .wrong("a fault of a service is a `blackhole` or a `degrade`: `kind` is missing"));
        };
        let mut scope = match (&fault.r#match, &fault.service) {
            (Some(matching), None) => Scope::of(matching, 0),
            (None, Some(service)) => Scope {
                matches: format!("host: {:?}", service.value),
                at: service.at,
                ..Scope::default()
            },
            _ => return Err(fault.wrong("one of `match` or `service` belongs here")),
        };
        for (key, number) in [("after", &fault.start_ms), ("for", &fault.duration_ms)] {
            if let Some(number) = number {
                let _ = writeln!(scope.window, "    {key}: {}", milliseconds(number.value));
            }
        }
        match kind.value {
            Kind::Blackhole if fault.worsens() => {
                Err(kind.wrong("of a `blackhole` there is nothing more to say: nothing gets through"))
            }
            Kind::Degrade if !fault.worsens() => Err(kind.wrong(
                "a `degrade` says what gets worse: `delay`, `loss`, `corrupt`, `duplicate`, `reorder` or `rate`",
            )),
            Kind::Blackhole => {
                self.add(&scope, &format!("{place}-blackhole"), fault.at, "lose", "");
                Ok(())
            }
            Kind::Degrade => self.add_all(&scope, place, fault),
        }
    }
}

#[cfg(test)]
mod tests;
