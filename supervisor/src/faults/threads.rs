//! Faults of the turns of threads: from the file to the plan.

use simrun_abi::{faults as abi, thread_faults::OnThreads};
use simrun_config::{Spanned, Wrong};

use super::{
    calls::Call,
    compile::{Need, calls, places},
    errors,
    file::{Action, Fault, Match},
};

/// Most times the time that something can take: a call would take a second.
const FACTOR_MAX: u64 = 1_000_000;

/// Decisions among which changes of priority are drawn unless the file says otherwise.
const STEPS: u64 = 10_000;

/// What a fault does to the turns of threads, and the calls that it can do it to; `None` if it is for something else.
///
/// # Errors
/// What cannot be.
pub fn effect(fault: &Fault) -> Result<Option<(abi::Effect, Vec<Call>)>, Wrong> {
    let action = &fault.r#do;
    let (effect, found) = match &action.value {
        Action::Starve(by) | Action::DelayWakeup(by) if by.most() == 0 => {
            return Err(action.wrong("a delay of nothing does nothing"));
        }
        Action::Starve(by) => {
            let at_calls = fault.r#match.is_about_calls();
            let found = if at_calls { calls(&fault.r#match, &places(fault))? } else { Vec::new() };
            (OnThreads::Starve(by.compile()), found)
        }
        Action::DelayWakeup(by) => {
            let waits = Need {
                has: Box::new(|call| errors::of(call.name).contains(&"EINTR")),
                lacks: Box::new(|call| format!("`{}` never waits", call.name)),
            };
            (OnThreads::DelayWakeup(by.compile()), chosen(fault, waits)?)
        }
        Action::ReverseWakes => {
            let wakes = Need {
                has: Box::new(|call| call.name == "futex"),
                lacks: Box::new(|call| format!("`{}` wakes nobody in some order", call.name)),
            };
            (OnThreads::ReverseWakes, chosen(fault, wakes)?)
        }
        Action::Prioritize(priorities) => {
            is_for_the_whole_run(fault)?;
            if let Some(none) = priorities.steps.as_ref().filter(|steps| steps.value == 0) {
                return Err(none.wrong("among no decisions there is none to draw"));
            }
            let changes = abi::Quantity::fixed(priorities.changes);
            let steps = priorities.steps.as_ref().map_or(STEPS, |steps| steps.value);
            (OnThreads::Prioritize { changes, steps }, Vec::new())
        }
        Action::SlowCpu(factor) => {
            if !(2..=FACTOR_MAX).contains(&factor.value) {
                return Err(factor.wrong(format!("a factor from 2 to {FACTOR_MAX} belongs here")));
            }
            if fault.r#match.is_about_calls() {
                return Err(fault.r#match.wrong("a slow processor is not about calls"));
            }
            is_a_state(fault)?;
            (OnThreads::SlowProcessor(factor.value), Vec::new())
        }
        _ => return Ok(None),
    };
    Ok(Some((abi::Effect::Threads(effect), found)))
}

fn chosen(fault: &Fault, need: Need) -> Result<Vec<Call>, Wrong> {
    let needs: Vec<_> = [need].into_iter().chain(places(fault)).collect();
    calls(&fault.r#match, &needs)
}

/// What is so while its window is open happens neither with a probability nor so and so often.
///
/// # Errors
/// What is said of that all the same.
pub(super) fn is_a_state(fault: &Fault) -> Result<(), Wrong> {
    const WORDS: &str = "it is so for as long as the window is open";
    nothing(&fault.probability, WORDS)?;
    nothing(&fault.rate, WORDS)?;
    nothing(&fault.limit, WORDS)
}

fn is_for_the_whole_run(fault: &Fault) -> Result<(), Wrong> {
    const WORDS: &str = "it is so from the start of the run to its end, for all threads";
    is_a_state(fault)?;
    nothing(&fault.after, WORDS)?;
    nothing(&fault.r#for, WORDS)?;
    nothing(&fault.until, WORDS)?;
    match fault.r#match.value == Match::default() {
        true => Ok(()),
        false => Err(fault.r#match.wrong(WORDS)),
    }
}

fn nothing<T>(said: &Option<Spanned<T>>, words: &str) -> Result<(), Wrong> {
    said.as_ref().map_or(Ok(()), |said| Err(said.wrong(words)))
}
