//! From a fault file to the plan that the kernel takes. What cannot be is found here.

use simrun_abi::faults as abi;
use simrun_kernel::error::Errno;

use super::{
    calls::{self, Call},
    errors,
    file::{Action, Argument, Descriptor, Fault, FaultFile, Match},
};
use crate::config::{
    OneOrMany, Quantity, Spanned, Wrong, spelling,
    units::{Share, Time, Unit},
};

/// Registers that carry arguments.
const ARGUMENTS: u8 = 6;

/// The plan of a file; `name` is the file's.
///
/// # Errors
/// The first thing that cannot be.
pub fn compile(name: &str, file: &FaultFile) -> Result<Vec<abi::Fault>, Wrong> {
    file.faults.0.iter().map(|(own, fault)| compile_fault(name, own, fault)).collect()
}

fn compile_fault(file: &str, name: &Spanned<String>, fault: &Fault) -> Result<abi::Fault, Wrong> {
    if name.is_empty() || name.contains(|c: char| c == '/' || c.is_whitespace()) {
        return Err(
            name.wrong(format!("`{}` is no name: it has no slash and no space", name.value))
        );
    }
    let (effect, calls) = effect(fault)?;
    Ok(abi::Fault {
        name: format!("{file}/{}", name.value),
        matches: matches(&fault.r#match, &calls)?,
        chance: chance(fault)?,
        window: window(fault)?,
        skip: fault.skip,
        limit: limit(fault)?,
        effect,
    })
}

/// What a fault needs of the calls that it is for, and what to say of one that has it not.
struct Need<'a> {
    has: &'a dyn Fn(Call) -> bool,
    lacks: &'a dyn Fn(Call) -> String,
}

/// The calls that a fault is for: of those that are named, all must do; of all others, those that do.
fn calls(wanted: &Spanned<Match>, needs: &[Need]) -> Result<Vec<Call>, Wrong> {
    let mut found = Vec::new();
    for name in &*wanted.call {
        for call in calls::named(name)? {
            match needs.iter().find(|need| !(need.has)(call)) {
                // A pattern stands for those that do.
                Some(_) if name.contains('*') => {}
                Some(need) => return Err(name.wrong((need.lacks)(call))),
                None => found.push(call),
            }
        }
        if found.is_empty() {
            return Err(name.wrong(format!("no call like `{}` can be hit so", name.value)));
        }
    }
    if wanted.call.is_empty() {
        found = calls::all();
        found.retain(|&call| needs.iter().all(|need| (need.has)(call)));
    }
    if found.is_empty() {
        return Err(wanted.wrong("no call can be hit so"));
    }
    Ok(found)
}

/// What a fault does, and the calls that it can do it to.
fn effect(fault: &Fault) -> Result<(abi::Effect, Vec<Call>), Wrong> {
    let wanted = &fault.r#match;
    let has_subject = |call: Call| {
        let subject = call.subject();
        wanted.path.is_empty() || subject.descriptor.is_some() || !subject.paths.is_empty()
    };
    let has_descriptor =
        |call: Call| wanted.descriptor.is_empty() || call.subject().descriptor.is_some();
    let place =
        Need { has: &has_subject, lacks: &|call| format!("`{}` is about no file", call.name) };
    let descriptor =
        Need { has: &has_descriptor, lacks: &|call| format!("`{}` has no descriptor", call.name) };
    let moves = Need {
        has: &|call| call.subject().transfer.is_some(),
        lacks: &|call| format!("`{}` moves no bytes that could be counted", call.name),
    };
    match &fault.r#do.value {
        Action::Fail(names) => {
            let (effect, errors) = failure(names)?;
            let fails = Need {
                has: &|call| {
                    let possible = errors::of(call.name);
                    errors.iter().all(|errno| possible.contains(&errno.name()))
                },
                lacks: &|call| cannot_fail(call, &errors),
            };
            Ok((effect, calls(wanted, &[fails, place, descriptor])?))
        }
        Action::Shorten(to) => {
            Ok((abi::Effect::Shorten(to.compile()), calls(wanted, &[moves, place, descriptor])?))
        }
        Action::Delay(by) => {
            if by.most() == 0 {
                return Err(fault.r#do.wrong("a delay of nothing does nothing"));
            }
            Ok((abi::Effect::Delay(by.compile()), calls(wanted, &[place, descriptor])?))
        }
        Action::Throttle(rate) => {
            if rate.number() == 0 {
                return Err(rate.wrong("nothing could ever be moved"));
            }
            let effect = abi::Effect::Throttle(rate.number());
            Ok((effect, calls(wanted, &[moves, place, descriptor])?))
        }
    }
}

fn failure(names: &OneOrMany<Spanned<String>>) -> Result<(abi::Effect, Vec<Errno>), Wrong> {
    let errors = names.iter().map(errors::named).collect::<Result<Vec<_>, _>>()?;
    if let [Errno::EINTR] = errors.as_slice() {
        return Ok((abi::Effect::Interrupt, errors));
    }
    if let Some(index) = errors.iter().position(|&errno| errno == Errno::EINTR) {
        return Err(names[index].wrong(
            "`EINTR` stands alone: it comes when a call begins to wait, the others before it is made",
        ));
    }
    Ok((abi::Effect::Fail(errors.iter().map(|errno| errno.number()).collect()), errors))
}

fn cannot_fail(call: Call, errors: &[Errno]) -> String {
    let possible = errors::of(call.name);
    let wrong = errors.iter().find(|errno| !possible.contains(&errno.name()));
    let wrong = wrong.map_or("this", |errno| errno.name());
    match possible.as_slice() {
        [] => format!("`{}` cannot fail with `{wrong}`, nor otherwise", call.name),
        _ => format!(
            "`{}` cannot fail with `{wrong}`; it can with {}",
            call.name,
            spelling::alternatives(possible.iter().copied())
        ),
    }
}

fn matches(wanted: &Match, calls: &[Call]) -> Result<abi::Match, Wrong> {
    for path in &*wanted.path {
        if !path.starts_with('/') && !path.starts_with("**") {
            let words = format!(
                "`{0}` matches nothing: a path is absolute; did you mean `**/{0}`?",
                path.value
            );
            return Err(path.wrong(words));
        }
    }
    if let Some(process) = wanted.process.iter().find(|process| process.is_empty()) {
        return Err(process.wrong("a program has a name"));
    }
    let texts = |texts: &[Spanned<String>]| texts.iter().map(|text| text.value.clone()).collect();
    Ok(abi::Match {
        calls: calls.iter().map(|call| call.number).collect(),
        processes: texts(&wanted.process),
        paths: texts(&wanted.path),
        descriptors: wanted.descriptor.iter().map(|&kind| kind.into()).collect(),
        arguments: wanted.argument.iter().map(argument).collect::<Result<_, _>>()?,
        open_descriptors: wanted.open_descriptors.unwrap_or_default(),
    })
}

fn argument(wanted: &Spanned<Argument>) -> Result<abi::Argument, Wrong> {
    let Argument { number, is, at_least, at_most, has_bits } = wanted.value;
    if !(1..=ARGUMENTS).contains(&number) {
        return Err(wanted.wrong("`number` says which argument, from 1 to 6"));
    }
    if is.is_some() && (at_least.is_some() || at_most.is_some()) {
        return Err(wanted.wrong("`is` stands without `at-least` and `at-most`"));
    }
    let least = is.or(at_least).unwrap_or(0);
    let most = is.or(at_most).unwrap_or(u64::MAX);
    if least > most {
        return Err(wanted.wrong(format!("the range from {least} to {most} is empty")));
    }
    let bits = has_bits.unwrap_or(0);
    if [is, at_least, at_most, has_bits].iter().all(Option::is_none) {
        return Err(wanted.wrong("one of `is`, `at-least`, `at-most` or `has-bits` belongs here"));
    }
    Ok(abi::Argument { index: number - 1, least, most, bits })
}

fn chance(fault: &Fault) -> Result<abi::Chance, Wrong> {
    let correlation = fault.correlation.as_ref();
    match (&fault.probability, &fault.rate) {
        (Some(_), Some(rate)) => Err(rate.wrong("`rate` and `probability` exclude each other")),
        (None, Some(rate)) => {
            if let Some(correlation) = correlation {
                return Err(
                    correlation.wrong("`correlation` goes with `probability`, not with `rate`")
                );
            }
            let interval = Quantity::<Time>::exponential(Time::from_number(rate.number()));
            Ok(abi::Chance::Rate { interval: interval.compile() })
        }
        (probability, None) => {
            if let Some(zero) = probability.as_ref().filter(|share| share.number() == 0) {
                return Err(zero.wrong("a fault of probability 0% never happens"));
            }
            if let (None, Some(correlation)) = (probability, correlation) {
                return Err(correlation.wrong("`correlation` needs a `probability`"));
            }
            if let Some(all) = correlation.filter(|share| share.parts() == abi::Share::WHOLE) {
                return Err(all.wrong("with a correlation of 100% nothing would ever change"));
            }
            let parts = |share: &Spanned<Share>| share.parts();
            Ok(abi::Chance::Probability {
                share: probability.as_ref().map_or(abi::Share::WHOLE, parts),
                correlation: correlation.map_or(abi::Share::NONE, parts),
            })
        }
    }
}

fn limit(fault: &Fault) -> Result<u64, Wrong> {
    match &fault.limit {
        Some(limit) if limit.value == 0 => Err(limit.wrong("a fault with limit 0 never happens")),
        Some(limit) => Ok(limit.value),
        None => Ok(u64::MAX),
    }
}

fn window(fault: &Fault) -> Result<abi::Window, Wrong> {
    let Fault { after, r#for, every, until, .. } = fault;
    if let Some(length) = r#for.as_ref().filter(|length| length.most() == 0) {
        return Err(length.wrong("a window that is open for no time never opens"));
    }
    if let Some(every) = every {
        let Some(length) = r#for else {
            return Err(every.wrong("`every` needs a `for`: without it the window never closes"));
        };
        if length.least() >= every.most() {
            return Err(
                length.wrong("the window is open for longer than from one opening to the next")
            );
        }
    }
    if let Some(until) = until {
        let opens = after.as_ref().map_or(0, |after| after.least());
        if until.most() <= opens {
            return Err(until.wrong("the window closes for good before it opens"));
        }
    }
    let compiled =
        |time: &Option<Spanned<Quantity<Time>>>| time.as_ref().map(|time| time.compile());
    Ok(abi::Window {
        after: compiled(after).unwrap_or(abi::Quantity::fixed(0)),
        length: compiled(r#for),
        every: compiled(every),
        until: compiled(until),
    })
}

impl From<Descriptor> for abi::Descriptor {
    fn from(kind: Descriptor) -> Self {
        match kind {
            Descriptor::File => Self::File,
            Descriptor::Directory => Self::Directory,
            Descriptor::Pipe => Self::Pipe,
            Descriptor::Stream => Self::Stream,
            Descriptor::Tcp => Self::Tcp,
            Descriptor::Udp => Self::Udp,
            Descriptor::Unix => Self::Unix,
            Descriptor::Netlink => Self::Netlink,
            Descriptor::Terminal => Self::Terminal,
            Descriptor::Device => Self::Device,
            Descriptor::Other => Self::Other,
        }
    }
}
