//! What faults of a file have to do with each other: families, and those that raise others.

use simrun_abi::node_faults as abi;
use simrun_config::{Spanned, Wrong, spelling, units::Unit};
use simrun_kernel::fault::Pattern;

use super::file::{Action, Family, Fault, FaultFile, Moment, Victims};

/// The most that a fault can be made more likely.
const FACTOR_MAX: u64 = 1_000_000;

/// The family that a fault belongs to.
///
/// # Errors
/// When there is no such family, or it is never there.
pub fn family(name: &str, file: &FaultFile, fault: &Fault) -> Result<Option<abi::Family>, Wrong> {
    let Some(wanted) = &fault.family else { return Ok(None) };
    let families = || file.families.iter().flat_map(|families| &families.0);
    let Some((_, found)) = families().find(|(known, _)| known.value == wanted.value) else {
        let hint = spelling::hint(wanted, families().map(|(known, _)| known.as_str()));
        return Err(wanted.wrong(format!("there is no family `{}`{hint}", wanted.value)));
    };
    let Family { presence, strength } = found;
    if presence.number() == 0 {
        return Err(presence.wrong("a family of presence 0% is never there"));
    }
    Ok(Some(abi::Family {
        name: format!("{name}/{}", wanted.value),
        presence: presence.parts(),
        strength: strength.as_ref().map(|strength| strength.compile()),
    }))
}

/// Whether each family has faults, and there is a run to make.
///
/// # Errors
/// The first that has none.
pub fn check_families(file: &FaultFile) -> Result<(), Wrong> {
    if let Some(none) = file.depth.as_ref().filter(|depth| depth.value == 0) {
        return Err(none.wrong("a depth of 0 is no run"));
    }
    for (name, _) in file.families.iter().flat_map(|families| &families.0) {
        let has = |fault: &Fault| fault.family.as_ref().is_some_and(|of| of.value == name.value);
        if !file.faults.0.iter().any(|(_, fault)| has(fault)) {
            return Err(name.wrong(format!("no fault belongs to the family `{}`", name.value)));
        }
    }
    Ok(())
}

/// Which faults a fault raises, if it does.
///
/// # Errors
/// When it raises none, or nothing happens to them.
pub fn raises(name: &str, file: &FaultFile, fault: &Fault) -> Result<Option<abi::Raise>, Wrong> {
    let Some(raise) = &fault.raises else { return Ok(None) };
    if !(2..=FACTOR_MAX).contains(&raise.factor) {
        return Err(raise.wrong(format!("a factor from 2 to {FACTOR_MAX} belongs here")));
    }
    if raise.r#for.most() == 0 {
        return Err(raise.wrong("raised for no time, nothing changes"));
    }
    let known = || file.faults.0.iter().map(|(known, _)| known.as_str());
    for wanted in raise.faults.iter() {
        let pattern = Pattern::new(wanted);
        if !known().any(|known| pattern.matches(known.as_bytes())) {
            let hint = spelling::hint(wanted, known());
            return Err(wanted.wrong(format!("the file has no fault `{}`{hint}", wanted.value)));
        }
    }
    let full = |own: &Spanned<String>| format!("{name}/{}", own.value);
    let faults = match raise.faults.is_empty() {
        true => vec![format!("{name}/*")],
        false => raise.faults.iter().map(full).collect(),
    };
    Ok(Some(abi::Raise { faults, factor: raise.factor, length: raise.r#for.compile() }))
}

/// Whether a fault comes before or after the call that it is for.
///
/// # Errors
/// When it comes at no call, or makes no difference.
pub fn moment(fault: &Fault, at_calls: bool, strikes: bool) -> Result<abi::Moment, Wrong> {
    let Some(when) = &fault.when else { return Ok(abi::Moment::Before) };
    if !at_calls {
        return Err(when.wrong("it comes at its time and not at a call"));
    }
    if !strikes {
        return Err(when.wrong("it is for what hits a thread, a process or a machine"));
    }
    Ok(match when.value {
        Moment::Before => abi::Moment::Before,
        Moment::After => abi::Moment::After,
    })
}

/// Which machines a fault hits.
///
/// # Errors
/// When it hits no machines at its time, or knows itself which.
pub fn victims(fault: &Fault, at_calls: bool) -> Result<abi::Victims, Wrong> {
    let Some(hits) = &fault.hits else { return Ok(abi::Victims::One) };
    if at_calls {
        return Err(hits.wrong("at a call it hits the machine that calls"));
    }
    match fault.r#do.value {
        Action::Crash(_) | Action::Stop(_) | Action::PauseNode(_) | Action::LosePower(_) => {}
        _ => {
            return Err(hits.wrong("it is for `crash`, `stop`, `pause-node` and `lose-power`"));
        }
    }
    Ok(match hits.value {
        Victims::One => abi::Victims::One,
        Victims::All => abi::Victims::All,
    })
}
