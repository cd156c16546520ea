//! Faults of whole machines and their clocks: from the file to the plan.

use simrun_abi::{
    faults as abi,
    node_faults::{self, Files, OnNodes},
};
use simrun_config::{OneOrMany, Quantity, Spanned, Wrong};

use super::{
    calls::Call,
    compile::{calls, places},
    file::{Action, Attrition, Crash, Deaths, Direction, Fault, Skew, Stop},
    threads::is_a_state,
    zones,
};

/// The most that a clock may be too fast or slow.
const DRIFT_MAX: u64 = abi::Share::WHOLE.parts() / 4;

/// What a fault does to machines, and the calls at which it does; `None` if it is for something else.
///
/// # Errors
/// What cannot be.
pub fn effect(fault: &Fault) -> Result<Option<(abi::Effect, Vec<Call>)>, Wrong> {
    let action = &fault.r#do;
    let effect = match &action.value {
        Action::Crash(Crash { off, wipe }) => OnNodes::Crash {
            off: off.compile(),
            files: if *wipe { Files::Wiped } else { Files::Stay },
        },
        Action::Stop(Stop { grace, off }) => {
            OnNodes::Stop { grace: grace.as_ref().map(Quantity::compile), off: off.compile() }
        }
        Action::PauseNode(by) if by.most() == 0 => {
            return Err(action.wrong("a pause of no time does nothing"));
        }
        Action::PauseNode(by) => OnNodes::Pause(by.compile()),
        Action::Attrition(attrition) => OnNodes::Attrition(attrition_of(attrition)?),
        Action::SkewClock(skew) => skew_of(action, skew)?,
        Action::LeapSecond => OnNodes::LeapSecond,
        Action::TimeZone(names) => time_zones(fault, names)?,
        _ => return Ok(None),
    };
    let at_calls = fault.r#match.is_about_calls();
    let may_come_at_calls =
        matches!(effect, OnNodes::Crash { .. } | OnNodes::Stop { .. } | OnNodes::Pause(_));
    if at_calls && !may_come_at_calls {
        return Err(fault.r#match.wrong("it comes at its time and not at a call"));
    }
    if !fault.r#match.process.is_empty() && !at_calls {
        return Err(fault.r#match.wrong("it hits machines: `node` and `tag` say which"));
    }
    let happens_once = matches!(effect, OnNodes::LeapSecond);
    if let Some(rate) = fault.rate.as_ref().filter(|_| happens_once) {
        return Err(rate.wrong("it happens once, when the window opens"));
    }
    if let Some(every) = fault.every.as_ref().filter(|_| happens_once) {
        return Err(every.wrong("it happens once, when the window opens"));
    }
    let found = if at_calls { calls(&fault.r#match, &places(fault))? } else { Vec::new() };
    Ok(Some((abi::Effect::Nodes(effect), found)))
}

fn attrition_of(attrition: &Attrition) -> Result<node_faults::Attrition, Wrong> {
    if attrition.max_dead.value == 0 {
        return Err(attrition.max_dead.wrong("then no machine ever dies"));
    }
    let deaths =
        attrition.deaths.as_ref().map_or(Deaths { crash: 1, ..Deaths::default() }, |d| d.value);
    let weights = [deaths.crash, deaths.stop, deaths.lose_power, deaths.wipe];
    let total = weights.iter().try_fold(0u64, |sum, &weight| sum.checked_add(weight));
    if let (Some(said), None | Some(0)) = (&attrition.deaths, total) {
        return Err(said.wrong("the weights add up to nothing that could be drawn"));
    }
    Ok(node_faults::Attrition {
        max_dead: attrition.max_dead.value,
        off: attrition.off.compile(),
        grace: attrition.grace.as_ref().map(Quantity::compile),
        weights,
    })
}

fn skew_of(action: &Spanned<Action>, skew: &Skew) -> Result<OnNodes, Wrong> {
    let (offset, drift) = (&skew.offset, &skew.drift);
    let is_nothing = |most: Option<u64>| most.is_none_or(|most| most == 0);
    if is_nothing(offset.as_ref().map(|offset| offset.most()))
        && is_nothing(drift.as_ref().map(|drift| drift.most()))
    {
        return Err(action.wrong("an `offset` or a `drift` belongs here"));
    }
    if drift.as_ref().is_some_and(|drift| drift.most() > DRIFT_MAX) {
        return Err(action.wrong("no clock drifts by more than 25%"));
    }
    let nothing = || abi::Quantity::fixed(0);
    Ok(OnNodes::SkewClock {
        offset: offset.as_ref().map_or_else(nothing, |offset| offset.compile()),
        drift: drift.as_ref().map_or_else(nothing, |drift| drift.compile()),
        direction: skew.direction.map(|direction| match direction {
            Direction::Forward => abi::Direction::Forward,
            Direction::Backward => abi::Direction::Backward,
        }),
    })
}

fn time_zones(fault: &Fault, names: &OneOrMany<Spanned<String>>) -> Result<OnNodes, Wrong> {
    is_a_state(fault)?;
    if let Some(wrong) = fault.after.as_ref().or(fault.until.as_ref()) {
        return Err(wrong.wrong("a time zone is there from the start of the run to its end"));
    }
    Ok(OnNodes::TimeZone(names.iter().map(zones::read).collect::<Result<_, _>>()?))
}
