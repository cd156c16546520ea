//! From a fault file to the plan that the kernel takes. What cannot be is found here.

use simrun_abi::faults as abi;
use simrun_config::{
    OneOrMany, Quantity, Spanned, Wrong, spelling,
    units::{Share, Time, Unit},
};
use simrun_kernel::{error::Errno, uapi::signal::SIGNAL_NAMES};

use super::{
    calls::{self, Call},
    errors,
    file::{
        Action, Argument, Damage, Descriptor, DiskModel, DiskOperation, Fault, FaultFile, Jump,
        Match, Spared,
    },
    groups, links, machines, nodes, threads,
};

/// Registers that carry arguments.
const ARGUMENTS: u8 = 6;

/// The plan of a file; `name` is the file's.
///
/// # Errors
/// The first thing that cannot be.
pub fn compile(name: &str, file: &FaultFile) -> Result<Vec<abi::Fault>, Wrong> {
    groups::check_families(file)?;
    file.faults.0.iter().map(|(own, fault)| compile_fault(name, file, own, fault)).collect()
}

fn compile_fault(
    of: &str,
    file: &FaultFile,
    name: &Spanned<String>,
    fault: &Fault,
) -> Result<abi::Fault, Wrong> {
    if name.is_empty() || name.contains(|c: char| c == '/' || c.is_whitespace()) {
        return Err(
            name.wrong(format!("`{}` is no name: it has no slash and no space", name.value))
        );
    }
    let (effect, calls) = effect(fault)?;
    Ok(abi::Fault {
        name: format!("{of}/{}", name.value),
        moment: groups::moment(fault, !calls.is_empty(), strikes(&effect))?,
        victims: groups::victims(fault, !calls.is_empty())?,
        raises: groups::raises(of, file, fault)?,
        family: groups::family(of, file, fault)?,
        matches: matches(&fault.r#match, &calls)?,
        chance: chance(fault)?,
        window: window(fault)?,
        skip: fault.skip,
        limit: limit(fault)?,
        effect,
    })
}

/// Calls that may have a time-out, of their own or of their socket.
const WITH_DEADLINE: [&str; 25] = [
    "accept",
    "accept4",
    "clock_nanosleep",
    "connect",
    "epoll_pwait",
    "epoll_pwait2",
    "epoll_wait",
    "futex",
    "futex_waitv",
    "mq_timedreceive",
    "mq_timedsend",
    "nanosleep",
    "poll",
    "ppoll",
    "pselect6",
    "read",
    "recvfrom",
    "recvmmsg",
    "recvmsg",
    "rt_sigtimedwait",
    "select",
    "semtimedop",
    "sendmsg",
    "sendto",
    "write",
];

impl Match {
    /// Whether it is about calls: without a word on them, what hits processes comes at its time.
    pub(super) fn is_about_calls(&self) -> bool {
        !(self.call.is_empty()
            && self.path.is_empty()
            && self.descriptor.is_empty()
            && self.disk.is_empty()
            && self.argument.is_empty()
            && self.open_descriptors.is_none())
    }

    /// Whether it is about links.
    pub(super) fn is_about_links(&self) -> bool {
        !(self.protocol.is_empty()
            && self.address.is_empty()
            && self.port.is_empty()
            && self.host.is_empty()
            && self.direction.is_empty()
            && !self.has_peers()
            && !self.not.iter().any(|not| not.is_about_links()))
    }

    /// Whether it says whom something is sent to.
    pub(super) fn has_peers(&self) -> bool {
        self.not.iter().any(|not| !not.peer.is_empty()) || !self.peer.is_empty()
    }

    /// Whether it is about nodes, if about anything.
    fn is_about_nodes_alone(&self) -> bool {
        let nodes = Self {
            node: self.node.clone(),
            tag: self.tag.clone(),
            not: self.not.clone(),
            ..Self::default()
        };
        *self == nodes
    }
}

impl Spared {
    /// Whether it is about links by themselves, whatever their nodes.
    pub(super) fn is_about_links(&self) -> bool {
        !(self.protocol.is_empty()
            && self.address.is_empty()
            && self.port.is_empty()
            && self.host.is_empty())
    }
}

/// Whether a fault comes at its time, not at a call.
fn is_timed(fault: &Fault) -> bool {
    match &fault.r#do.value {
        Action::JumpClock(_)
        | Action::Attrition(_)
        | Action::SkewClock(_)
        | Action::LeapSecond
        | Action::TimeZone(_) => true,
        Action::Kill(_)
        | Action::Pause(_)
        | Action::Starve(_)
        | Action::Crash(_)
        | Action::Stop(_)
        | Action::PauseNode(_)
        | Action::LosePower(_) => !fault.r#match.is_about_calls(),
        _ => false,
    }
}

/// Whether an effect hits whoever makes a call, and leaves the call as it is.
fn strikes(effect: &abi::Effect) -> bool {
    use simrun_abi::{faults::Effect, thread_faults::OnThreads};
    matches!(
        effect,
        Effect::Kill(_)
            | Effect::Pause(_)
            | Effect::LosePower { .. }
            | Effect::Nodes(_)
            | Effect::Threads(OnThreads::Starve(_))
    )
}

/// What a fault needs of the calls that it is for, and what to say of one that has it not.
pub(super) struct Need<'a> {
    pub has: Box<dyn Fn(Call) -> bool + 'a>,
    pub lacks: Box<dyn Fn(Call) -> String + 'a>,
}

/// The calls that a fault is for: of those that are named, all must do; of all others, those that do.
pub(super) fn calls(wanted: &Spanned<Match>, needs: &[Need]) -> Result<Vec<Call>, Wrong> {
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

/// What a fault does, and the calls that it can do it to; none if it comes at its time, or is one of links.
fn effect(fault: &Fault) -> Result<(abi::Effect, Vec<Call>), Wrong> {
    if let Some(effect) = links::effect(fault)? {
        return Ok((effect, Vec::new()));
    }
    if let Some(found) = threads::effect(fault)? {
        return Ok(found);
    }
    if let Some(found) = machines::effect(fault)? {
        return Ok(found);
    }
    let action = &fault.r#do;
    let effect = match &action.value {
        Action::Kill(name) => abi::Effect::Kill(signal(name)?),
        Action::Pause(by) if by.most() == 0 => {
            return Err(action.wrong("a pause of no time does nothing"));
        }
        Action::Pause(by) => abi::Effect::Pause(by.compile()),
        Action::LosePower(power) => abi::Effect::LosePower {
            off: power.off.compile(),
            disk: match power.disk {
                DiskModel::Ext4 => abi::Disk::Ext4,
                DiskModel::Strict => abi::Disk::Strict,
            },
        },
        Action::JumpClock(_) if !fault.r#match.is_about_nodes_alone() => {
            return Err(fault.r#match.wrong("a node has one wall clock for all of its programs"));
        }
        Action::JumpClock(Jump::Forward(by)) => {
            abi::Effect::JumpClock { by: by.compile(), direction: abi::Direction::Forward }
        }
        Action::JumpClock(Jump::Backward(by)) => {
            abi::Effect::JumpClock { by: by.compile(), direction: abi::Direction::Backward }
        }
        _ => return effect_on_calls(fault),
    };
    let calls = if is_timed(fault) { Vec::new() } else { calls(&fault.r#match, &places(fault))? };
    Ok((effect, calls))
}

fn signal(name: &Spanned<String>) -> Result<u8, Wrong> {
    let found = SIGNAL_NAMES.iter().find(|(_, known)| *known == name.value);
    found.map(|(number, _)| *number).ok_or_else(|| {
        let known = || SIGNAL_NAMES.iter().map(|(_, known)| *known);
        let whole = format!("SIG{}", name.trim_start_matches("SIG").to_uppercase());
        let hint = match known().any(|known| known == whole) {
            true => format!("; did you mean `{whole}`?"),
            false => spelling::hint(name, known()),
        };
        name.wrong(format!("there is no signal `{}`{hint}", name.value))
    })
}

/// What the match demands of calls besides their names.
pub(super) fn places(fault: &Fault) -> [Need<'_>; 3] {
    let wanted = &fault.r#match;
    [
        Need {
            has: Box::new(|call| {
                let subject = call.subject();
                wanted.path.is_empty() || subject.descriptor.is_some() || !subject.paths.is_empty()
            }),
            lacks: Box::new(|call| format!("`{}` is about no file", call.name)),
        },
        Need {
            has: Box::new(|call| {
                wanted.descriptor.is_empty() || call.subject().descriptor.is_some()
            }),
            lacks: Box::new(|call| format!("`{}` has no descriptor", call.name)),
        },
        Need {
            has: Box::new(|call| {
                let wants = |operation: &DiskOperation| {
                    call.subject().disk == Some(abi::DiskOperation::from(*operation))
                };
                wanted.disk.is_empty() || wanted.disk.iter().any(wants)
            }),
            lacks: Box::new(|call| format!("`{}` does nothing of that with the disk", call.name)),
        },
    ]
}

fn effect_on_calls(fault: &Fault) -> Result<(abi::Effect, Vec<Call>), Wrong> {
    let chosen = |need: Option<Need>| {
        let needs: Vec<_> = need.into_iter().chain(places(fault)).collect();
        calls(&fault.r#match, &needs)
    };
    let moves = Need {
        has: Box::new(|call| call.subject().transfer.is_some()),
        lacks: Box::new(|call| format!("`{}` moves no bytes that could be counted", call.name)),
    };
    Ok(match &fault.r#do.value {
        Action::Fail(names) => {
            let (effect, errors) = failure(names)?;
            let fails = Need {
                has: Box::new(|call| {
                    let possible = errors::of(call.name);
                    errors.iter().all(|errno| possible.contains(&errno.name()))
                }),
                lacks: Box::new(|call| cannot_fail(call, &errors)),
            };
            (effect, chosen(Some(fails))?)
        }
        Action::Shorten(to) => (abi::Effect::Shorten(to.compile()), chosen(Some(moves))?),
        Action::Delay(by) | Action::Oversleep(by) if by.most() == 0 => {
            return Err(fault.r#do.wrong("a delay of nothing does nothing"));
        }
        Action::Delay(by) => (abi::Effect::Delay(by.compile()), chosen(None)?),
        Action::Throttle(rate) if rate.number() == 0 => {
            return Err(rate.wrong("nothing could ever be moved"));
        }
        Action::Throttle(rate) => (abi::Effect::Throttle(rate.number()), chosen(Some(moves))?),
        Action::Oversleep(by) => {
            let waits = Need {
                has: Box::new(|call| WITH_DEADLINE.contains(&call.name)),
                lacks: Box::new(|call| format!("`{}` has no time-out", call.name)),
            };
            (abi::Effect::Oversleep(by.compile()), chosen(Some(waits))?)
        }
        Action::Damage(damage) => {
            let (kind, operation) = match damage {
                Damage::FlipBit => (abi::DamageKind::FlipBit, abi::DiskOperation::Read),
                Damage::Tear => (abi::DamageKind::Tear, abi::DiskOperation::Write),
                Damage::Lose => (abi::DamageKind::Lose, abi::DiskOperation::Write),
                Damage::Misdirect => (abi::DamageKind::Misdirect, abi::DiskOperation::Write),
            };
            let on_disk = Need {
                has: Box::new(move |call| {
                    let subject = call.subject();
                    subject.disk == Some(operation) && subject.transfer.is_some()
                }),
                lacks: Box::new(|call| format!("`{}` moves no bytes of files so", call.name)),
            };
            (abi::Effect::Damage(kind), chosen(Some(on_disk))?)
        }
        Action::Wake => {
            let waits = Need {
                has: Box::new(|call| call.name == "futex"),
                lacks: Box::new(|call| format!("`{}` is never woken for no reason", call.name)),
            };
            (abi::Effect::Wake, chosen(Some(waits))?)
        }
        _ => unreachable!("it hits a process, the machine or a link"),
    })
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
    let (nodes, unless) = nodes::matches(wanted)?;
    let unless_links = wanted.not.iter().filter(|not| not.is_about_links());
    let unless_links = unless_links.map(links::spared).collect::<Result<_, _>>()?;
    let texts = |texts: &[Spanned<String>]| texts.iter().map(|text| text.value.clone()).collect();
    Ok(abi::Match {
        calls: calls.iter().map(|call| call.number).collect(),
        processes: texts(&wanted.process),
        paths: texts(&wanted.path),
        disk: wanted.disk.iter().map(|&operation| operation.into()).collect(),
        descriptors: wanted.descriptor.iter().map(|&kind| kind.into()).collect(),
        arguments: wanted.argument.iter().map(argument).collect::<Result<_, _>>()?,
        open_descriptors: wanted.open_descriptors.unwrap_or_default(),
        link: links::matches(wanted)?,
        unless_links,
        nodes,
        unless,
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
    // Without a rate, what comes at its time comes when the window opens.
    let is_moment = is_timed(fault) && fault.rate.is_none();
    if let Some(length) = r#for.as_ref().filter(|_| is_moment) {
        return Err(length.wrong("it happens at once when the window opens: `for` says nothing"));
    }
    if let Some(every) = every.as_ref().filter(|_| !is_moment) {
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

impl From<DiskOperation> for abi::DiskOperation {
    fn from(operation: DiskOperation) -> Self {
        match operation {
            DiskOperation::Read => Self::Read,
            DiskOperation::Write => Self::Write,
            DiskOperation::Sync => Self::Sync,
            DiskOperation::Change => Self::Change,
        }
    }
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
