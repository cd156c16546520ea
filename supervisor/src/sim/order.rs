//! Which machine waits for which.

use simrun_abi::node::{Condition, Milestone as Reached};
use simrun_config::{Named, Spanned, Wrong};

use super::{
    file::{Milestone, Ready},
    world::{Kind, World},
};

/// What must be so before the machines of a group start.
///
/// # Errors
/// What names nothing, or can never be.
pub fn conditions(world: &World, group: usize) -> Result<Vec<Condition>, Wrong> {
    let own = &world.groups[group];
    let Some(after) = &own.machine.after else {
        return Ok(match own.kind {
            Kind::Node => Vec::new(),
            Kind::Workload => all_ready(world),
        });
    };
    reached_by(world, after)
}

/// What is said of other machines, by their names.
///
/// # Errors
/// What names nothing, or can never be.
pub fn reached_by(
    world: &World,
    named: &Named<Spanned<Milestone>>,
) -> Result<Vec<Condition>, Wrong> {
    let mut conditions = Vec::new();
    for (name, milestone) in &named.0 {
        let (other, machines) = world.named(name).ok_or_else(|| name.wrong(world.unknown(name)))?;
        for node in machines {
            conditions.push(reached(world, other, node, milestone)?);
        }
    }
    Ok(conditions)
}

fn condition(node: usize, reached: Reached) -> Condition {
    Condition { node: node as u16, reached }
}

/// Every node that says when it is ready is so.
fn all_ready(world: &World) -> Vec<Condition> {
    let mut conditions = Vec::new();
    for (index, group) in world.groups.iter().enumerate() {
        if let (Kind::Node, Some(ready)) = (group.kind, &group.machine.ready) {
            conditions.extend(world.members(index).map(|node| when_ready(world, node, ready)));
        }
    }
    conditions
}

fn when_ready(world: &World, node: usize, ready: &Ready) -> Condition {
    match ready {
        Ready::Listens(port) => condition(node, Reached::Listens(*port)),
        Ready::Prints(text) => condition(node, Reached::Printed(text.clone().into_bytes())),
        Ready::Answers(_) => condition(world.probe_of(node), Reached::Succeeded),
    }
}

fn reached(
    world: &World,
    group: usize,
    node: usize,
    milestone: &Spanned<Milestone>,
) -> Result<Condition, Wrong> {
    let reached = match &milestone.value {
        Milestone::Started => Reached::Started,
        Milestone::Succeeded => Reached::Succeeded,
        Milestone::Listens(port) => Reached::Listens(*port),
        Milestone::Prints(text) => Reached::Printed(text.clone().into_bytes()),
        Milestone::Ready => match &world.groups[group].machine.ready {
            Some(ready) => return Ok(when_ready(world, node, ready)),
            None => {
                let name = &world.groups[group].name.value;
                return Err(milestone.wrong(format!("`{name}` does not say when it is `ready`")));
            }
        },
    };
    Ok(condition(node, reached))
}

/// Finds machines that wait for each other.
///
/// # Errors
/// The first of them.
pub fn check_circles(world: &World) -> Result<(), Wrong> {
    for start in 0..world.groups.len() {
        let mut way = vec![start];
        look(world, &mut way, &mut vec![false; world.groups.len()])?;
    }
    Ok(())
}

/// Follows what the last of a way waits for; fails if that leads to the first.
fn look(world: &World, way: &mut Vec<usize>, seen: &mut [bool]) -> Result<(), Wrong> {
    let last = way[way.len() - 1];
    for (name, _) in world.groups[last].machine.after.iter().flat_map(|after| &after.0) {
        let Some((next, _)) = world.named(name) else { continue };
        if next == way[0] {
            let names = way.iter().chain([&next]).map(|&group| world.groups[group].name.as_str());
            let names = names.collect::<Vec<_>>().join("` waits for `");
            return Err(name.wrong(format!("nobody could start: `{names}`")));
        }
        if !std::mem::replace(&mut seen[next], true) {
            way.push(next);
            look(world, way, seen)?;
            way.pop();
        }
    }
    Ok(())
}
