//! `{{...}}` in commands and variables: addresses and names of machines.

use super::world::World;

/// Two of them stand for two braces.
const OPEN: &str = "{{";
const CLOSE: &str = "}}";

/// A text with what its references stand for, as a machine reads it.
///
/// # Errors
/// What is wrong with one, in words.
pub fn replace(world: &World, own: usize, text: &str) -> Result<String, String> {
    let mut replaced = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(OPEN) {
        replaced += &rest[..start];
        rest = &rest[start + OPEN.len()..];
        if let Some(after) = rest.strip_prefix(OPEN) {
            replaced += OPEN;
            rest = after;
            continue;
        }
        let end = rest.find(CLOSE).ok_or_else(|| {
            format!("`{OPEN}` has no `{CLOSE}`; for two braces as such write `{OPEN}{OPEN}`")
        })?;
        replaced += &value(world, own, rest[..end].trim())?;
        rest = &rest[end + CLOSE.len()..];
    }
    Ok(replaced + rest)
}

fn value(world: &World, own: usize, reference: &str) -> Result<String, String> {
    let (name, port) = match reference.split_once(':') {
        Some((name, port)) => (name, Some(port)),
        None => (reference, None),
    };
    if let Some(port) = port
        && port.parse::<u16>().is_err()
    {
        return Err(format!("`{port}` is no port, from 0 to 65535"));
    }
    let instance = &world.instances[own];
    let group = world.group_of(instance);
    let text = match name {
        "name" => instance.name.clone(),
        "index" => instance.number.to_string(),
        "count" => group.count.to_string(),
        _ => return addresses(world, own, name, port),
    };
    if port.is_some() { Err(format!("`{name}` has no port")) } else { Ok(text) }
}

fn addresses(world: &World, own: usize, name: &str, port: Option<&str>) -> Result<String, String> {
    let machines: Vec<usize> = match name {
        "self" => vec![own],
        "peers" => {
            world.members(world.instances[own].group).filter(|&other| other != own).collect()
        }
        _ => world.named(name).ok_or_else(|| world.unknown(name))?.1.collect(),
    };
    let address = |machine: usize| {
        let address = world.instances[machine].address;
        port.map_or_else(|| address.to_string(), |port| format!("{address}:{port}"))
    };
    Ok(machines.into_iter().map(address).collect::<Vec<_>>().join(","))
}
