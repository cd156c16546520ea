//! Which machines there are for a seed, by name.

use std::net::Ipv4Addr;

use simrun_config::{Named, Spanned, Wrong, spelling};

use super::{
    draw::Draw,
    file::{Machine, Ready, Request, SimulationFile},
    values::MACHINES_MAX,
};

/// Most letters of a name, its number not counted (RFC 1035: 63 in all).
const NAME_MAX: usize = 50;

/// What machines are to the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A test driver.
    Workload,
    /// Under test.
    Node,
}

/// The machines of one name.
pub struct Group<'a> {
    /// The name.
    pub name: &'a Spanned<String>,
    /// What they are to the run.
    pub kind: Kind,
    /// What the file says of them.
    pub machine: &'a Machine,
    /// Index of the first among all.
    pub first: usize,
    /// How many there are.
    pub count: usize,
}

/// One machine.
pub struct Instance {
    /// Index of its group.
    pub group: usize,
    /// Its number in the group, from one.
    pub number: usize,
    /// Its name, unlike any other's.
    pub name: String,
    /// Its address.
    pub address: Ipv4Addr,
}

/// All of them: workloads first, in the order of the file.
pub struct World<'a> {
    /// By name.
    pub groups: Vec<Group<'a>>,
    /// One by one.
    pub instances: Vec<Instance>,
}

impl<'a> World<'a> {
    /// Those of a file for a seed.
    ///
    /// # Errors
    /// Names that cannot be.
    pub fn new(file: &'a SimulationFile, draw: Draw) -> Result<Self, Wrong> {
        let mut world = Self { groups: Vec::new(), instances: Vec::new() };
        world.add(&file.workloads, Kind::Workload, draw)?;
        if let Some(nodes) = &file.nodes {
            world.add(nodes, Kind::Node, draw)?;
        }
        world.check_names()?;
        Ok(world)
    }

    fn add(&mut self, machines: &'a Named<Machine>, kind: Kind, draw: Draw) -> Result<(), Wrong> {
        let mut last = 0;
        for (name, machine) in &machines.0 {
            check_name(name)?;
            let group = self.groups.len();
            let count = machine.count.as_ref().map_or(1, |count| count.draw(draw, name)) as usize;
            self.groups.push(Group { name, kind, machine, first: self.instances.len(), count });
            // Whether it has a number does not depend on the seed.
            let is_one = machine.count.as_ref().is_none_or(|count| count.most == 1);
            for number in 1..=count {
                last += 1;
                let Some(host) = u8::try_from(last).ok().filter(|_| last <= MACHINES_MAX) else {
                    return Err(name.wrong(format!("there are more than {MACHINES_MAX} of them")));
                };
                let net = match kind {
                    Kind::Workload => 0,
                    Kind::Node => 1,
                };
                let own =
                    if is_one { name.value.clone() } else { format!("{}-{number}", name.value) };
                let address = Ipv4Addr::new(10, 0, net, host);
                self.instances.push(Instance { group, number, name: own, address });
            }
        }
        Ok(())
    }

    /// One name, one machine or group.
    fn check_names(&self) -> Result<(), Wrong> {
        let groups = || self.groups.iter().enumerate();
        let is_twice = |&(index, group): &(usize, &Group)| {
            self.groups[..index].iter().any(|other| other.name.value == group.name.value)
        };
        if let Some((_, Group { name, .. })) = groups().find(is_twice) {
            let words = format!("`{}` is a node and a workload: a name is one's only", name.value);
            return Err(name.wrong(words));
        }
        for (index, Group { name, .. }) in groups() {
            let is_other =
                |instance: &&Instance| instance.group != index && instance.name == name.value;
            if let Some(other) = self.instances.iter().find(is_other) {
                let whose = &self.groups[other.group].name.value;
                let words = format!("`{}` is one of the machines of `{whose}`, too", other.name);
                return Err(name.wrong(words));
            }
        }
        Ok(())
    }

    /// Those that are asked over HTTP whether they are ready, with what they are asked.
    pub fn asked(&self) -> impl Iterator<Item = (usize, &'a Request)> {
        self.instances.iter().enumerate().filter_map(|(index, instance)| {
            let ready = self.group_of(instance).machine.ready.as_ref()?;
            match &ready.value {
                Ready::Answers(request) => Some((index, request)),
                _ => None,
            }
        })
    }

    /// Index of the machine that asks this one: they come after all others.
    pub fn probe_of(&self, asked: usize) -> usize {
        self.instances.len() + self.asked().take_while(|(index, _)| *index < asked).count()
    }

    /// Those whose program is a folder of commands, by their indices.
    pub fn composed(&self) -> impl Iterator<Item = (usize, &Instance)> {
        let all = self.instances.iter().enumerate();
        all.filter(|(_, instance)| self.group_of(instance).machine.compose.is_some())
    }

    /// The group of a machine.
    pub fn group_of(&self, instance: &Instance) -> &Group<'a> {
        &self.groups[instance.group]
    }

    /// Indices of the machines of a group.
    pub fn members(&self, group: usize) -> std::ops::Range<usize> {
        let Group { first, count, .. } = self.groups[group];
        first..first + count
    }

    /// The machines that a name means: one, or all of a group. Also those of their group.
    pub fn named(&self, name: &str) -> Option<(usize, std::ops::Range<usize>)> {
        if let Some(group) = self.groups.iter().position(|group| group.name.value == name) {
            return Some((group, self.members(group)));
        }
        let one = self.instances.iter().position(|instance| instance.name == name)?;
        Some((self.instances[one].group, one..one + 1))
    }

    /// What to say of a name that nobody has.
    pub fn unknown(&self, name: &str) -> String {
        let groups = self.groups.iter().map(|group| group.name.as_str());
        let all = groups.chain(self.instances.iter().map(|instance| instance.name.as_str()));
        format!("there is no machine `{name}`{}", spelling::hint(name, all))
    }
}

/// A name leads to a machine, so it is a label of one.
fn check_name(name: &Spanned<String>) -> Result<(), Wrong> {
    let is_letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let is_label = name.starts_with(|c: char| c.is_ascii_lowercase())
        && !name.ends_with('-')
        && name.len() <= NAME_MAX
        && name.chars().all(is_letter);
    if !is_label {
        return Err(name.wrong(format!(
            "`{}` is no name of a machine: lower case letters, digits and `-`, a letter first, at most {NAME_MAX}",
            name.value
        )));
    }
    if ["peers", "self", "name", "index", "count", "localhost"].contains(&name.as_str()) {
        return Err(name.wrong(format!("`{}` means something else already", name.value)));
    }
    Ok(())
}
