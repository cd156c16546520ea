//! What goes wrong.

use std::{fmt, time::Duration};

use simrun_abi::faults::{Quantity, Share};
use simrun_config::{Named, Spanned, Wrong, spelling};

use crate::{
    file::{Misdeed, Moment, Trouble as FileTrouble},
    matching::{self, Matcher},
};

/// When what was asked for may happen, from the start of the run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Chaos {
    /// From then on; a trouble's own times are from here.
    pub opens: Duration,
    /// Until then.
    pub closes: Option<Duration>,
}

/// Something that goes wrong.
#[derive(Clone, Debug)]
pub struct Trouble {
    /// Its name.
    pub name: String,
    /// What happens.
    pub misdeed: Misdeed,
    /// Routes and conversations that it hits; all that it can if there are none.
    pub routes: Vec<String>,
    /// Requests that it hits.
    pub matcher: Option<Matcher>,
    /// Whether it happens only when it is asked for.
    pub is_asked: bool,
    /// When it may happen, whatever its own times are.
    pub chaos: Chaos,
    /// How likely each of them is hit.
    pub probability: Option<Share>,
    /// How many are left alone first.
    pub skip: u64,
    /// How often it happens at most.
    pub limit: Option<u64>,
    /// When its window opens.
    pub after: Option<Quantity>,
    /// For how long.
    pub lasts: Option<Quantity>,
    /// How often.
    pub every: Option<Quantity>,
}

/// What is spoken where something goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Realm {
    /// HTTP, and what comes of it.
    Http,
    /// A script over TCP.
    Stream,
    /// A script over UDP.
    Datagrams,
    /// Mail.
    Mail,
}

impl Realm {
    /// Whether this can go wrong there.
    pub fn knows(self, misdeed: &Misdeed) -> bool {
        match misdeed {
            Misdeed::Delay(_) | Misdeed::Truncate(_) | Misdeed::Garbage(_) => true,
            Misdeed::Hang(moment) => self != Self::Datagrams || *moment != Moment::Middle,
            // Datagrams have no connection.
            Misdeed::Reset(_) | Misdeed::Empty(_) | Misdeed::Drip(_) => self != Self::Datagrams,
            Misdeed::Status(_) => matches!(self, Self::Http | Self::Mail),
            Misdeed::Busy(_) | Misdeed::TooLong(_) | Misdeed::TooShort(_) | Misdeed::Stale(_) => {
                self == Self::Http
            }
        }
    }
}

impl fmt::Display for Realm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http => "HTTP",
            Self::Stream => "a script over TCP",
            Self::Datagrams => "a script over UDP",
            Self::Mail => "mail",
        })
    }
}

/// Reads what goes wrong; `routes` are the names of those that there are, conversations included.
///
/// # Errors
/// The first thing that cannot be.
pub fn compile(
    troubles: Option<&Named<FileTrouble>>,
    routes: &[(&str, Realm)],
) -> Result<Vec<Trouble>, Wrong> {
    troubles.iter().flat_map(|troubles| &troubles.0).map(|one| compile_one(one, routes)).collect()
}

fn compile_one(
    (name, trouble): &(Spanned<String>, FileTrouble),
    routes: &[(&str, Realm)],
) -> Result<Trouble, Wrong> {
    let misdeed = &trouble.r#do;
    let names: Vec<&str> = routes.iter().map(|(name, _)| *name).collect();
    let hit = known_routes(trouble.route.iter(), &names)?;
    for (name, named) in trouble.route.iter().zip(&hit) {
        let realm = routes.iter().find(|(known, _)| known == named).map(|(_, realm)| *realm);
        if let Some(realm) = realm.filter(|realm| !realm.knows(misdeed)) {
            return Err(name.wrong(format!("`{named}` is {realm}: this cannot go wrong there")));
        }
    }
    if hit.is_empty() && !routes.iter().any(|(_, realm)| realm.knows(misdeed)) {
        return Err(misdeed.wrong("this cannot go wrong in anything that the service speaks"));
    }
    match &trouble.r#do.value {
        Misdeed::Status(status) if !(200..=599).contains(&status.value) => {
            return Err(status.wrong(format!("{} is no status of an answer", status.value)));
        }
        Misdeed::Drip(drip) if drip.bytes.value == 0 => {
            return Err(drip.bytes.wrong("no bytes at a time never end"));
        }
        _ => {}
    }
    if trouble.every.is_some() && trouble.r#for.is_none() {
        return Err(name.wrong("a window that never closes cannot open again: `for` is missing"));
    }
    let time = |given: &Option<simrun_config::Quantity<_>>| {
        given.as_ref().map(simrun_config::Quantity::compile)
    };
    Ok(Trouble {
        name: name.value.clone(),
        misdeed: trouble.r#do.value.clone(),
        routes: hit,
        matcher: trouble.r#match.as_ref().map(matching::compile).transpose()?,
        is_asked: trouble.asked,
        chaos: Chaos::default(),
        probability: trouble.probability.map(simrun_config::units::Share::parts),
        skip: trouble.skip,
        limit: trouble.limit,
        after: time(&trouble.after),
        lasts: time(&trouble.r#for),
        every: time(&trouble.every),
    })
}

/// Names of routes, if there are such.
///
/// # Errors
/// The first that is not there, with the nearest that is.
pub fn known_routes<'a>(
    named: impl Iterator<Item = &'a Spanned<String>>,
    routes: &[&str],
) -> Result<Vec<String>, Wrong> {
    let known = |name: &Spanned<String>| match routes.contains(&name.as_str()) {
        true => Ok(name.value.clone()),
        false => {
            let hint = spelling::hint(name, routes.iter().copied());
            Err(name.wrong(format!("there is no route `{}`{hint}", name.value)))
        }
    };
    named.map(known).collect()
}
