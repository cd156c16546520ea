//! What must be so of the calls in the end.

use simrun_config::{Named, Spanned, Wrong};

use super::trouble::known_routes;
use crate::{
    answer::{Templates, Text},
    file::Expect as FileExpect,
    matching::{self, Matcher},
};

/// Something that must be so.
#[derive(Clone, Debug)]
pub struct Expect {
    /// Its name.
    pub name: String,
    /// Routes that it is about; all if there are none.
    pub routes: Vec<String>,
    /// Requests that it is about.
    pub matcher: Option<Matcher>,
    /// What calls are told apart by.
    pub each: Option<Text>,
    /// Whether they are.
    pub is_each: bool,
    /// What.
    pub wanted: Wanted,
}

/// What must be so.
#[derive(Clone, Debug)]
pub enum Wanted {
    /// A number of calls.
    Count {
        /// At least.
        least: Option<u64>,
        /// At most.
        most: Option<u64>,
    },
    /// Routes taken in this order.
    Order(Vec<String>),
}

/// Reads what must be so; `routes` are the names of those that there are.
///
/// # Errors
/// The first thing that cannot be.
pub fn compile(
    expects: Option<&Named<Spanned<FileExpect>>>,
    routes: &[&str],
    templates: &mut Templates,
) -> Result<Vec<Expect>, Wrong> {
    let mut all = Vec::new();
    for (name, expect) in expects.iter().flat_map(|expects| &expects.0) {
        if name.is_empty() || name.contains(char::is_whitespace) {
            return Err(name.wrong(format!("`{}` is no name: it is one word", name.value)));
        }
        all.push(Expect {
            name: name.value.clone(),
            routes: known_routes(expect.route.iter(), routes)?,
            matcher: expect.r#match.as_ref().map(matching::compile).transpose()?,
            each: expect.each.as_ref().map(|each| templates.text(each.at, each)).transpose()?,
            is_each: expect.each.is_some(),
            wanted: wanted(expect, routes)?,
        });
    }
    Ok(all)
}

fn wanted(expect: &Spanned<FileExpect>, routes: &[&str]) -> Result<Wanted, Wrong> {
    let ways = [
        expect.never,
        expect.exactly.is_some(),
        expect.at_least.is_some() || expect.at_most.is_some(),
        !expect.in_order.is_empty(),
    ];
    if ways.into_iter().filter(|&way| way).count() != 1 {
        let words =
            "one of `at-least` and `at-most`, `exactly`, `never` or `in-order` belongs here";
        return Err(expect.wrong(words));
    }
    if !expect.in_order.is_empty() {
        if !expect.route.is_empty() {
            return Err(expect.wrong("`in-order` names its routes by itself"));
        }
        return Ok(Wanted::Order(known_routes(expect.in_order.iter(), routes)?));
    }
    Ok(match (expect.never, expect.exactly) {
        (true, _) => Wanted::Count { least: None, most: Some(0) },
        (_, Some(count)) => Wanted::Count { least: Some(count), most: Some(count) },
        _ => Wanted::Count { least: expect.at_least, most: expect.at_most },
    })
}
