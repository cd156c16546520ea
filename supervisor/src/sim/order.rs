//! Which machine waits for which.

use simrun_abi::node::{Condition, Milestone as Reached};
use simrun_config::{Spanned, Wrong};

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
    let mut conditions = Vec::new();
    for (name, milestone) in &after.0 {
        let (other, machines) = world.named(name).ok_or_else(|| name.wrong(world.unknown(name)))?;
        let reached = reached(world, other, milestone)?;
        conditions.extend(machines.map(|node| condition(node, reached.clone())));
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
            let reached = when_ready(ready);
            conditions.extend(world.members(index).map(|node| condition(node, reached.clone())));
        }
    }
    conditions
}

fn when_ready(ready: &Ready) -> Reached {
    match ready {
        Ready::Listens(port) => Reached::Listens(*port),
        Ready::Prints(text) => Reached::Printed(text.clone().into_bytes()),
    }
}

fn reached(world: &World, group: usize, milestone: &Spanned<Milestone>) -> Result<Reached, Wrong> {
    Ok(match &milestone.value {
        Milestone::Started => Reached::Started,
        Milestone::Succeeded => Reached::Succeeded,
        Milestone::Listens(port) => Reached::Listens(*port),
        Milestone::Prints(text) => Reached::Printed(text.clone().into_bytes()),
        Milestone::Ready => match &world.groups[group].machine.ready {
            Some(ready) => when_ready(ready),
            None => {
                let name = &world.groups[group].name.value;
                return Err(milestone.wrong(format!("`{name}` does not say when it is `ready`")));
            }
        },
    })
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
