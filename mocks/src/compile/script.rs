//! Conversations, step by step.

use std::time::Duration;

use simrun_abi::faults::Quantity;
use simrun_config::{
    Spanned, WordOr, Wrong,
    units::{Time, Unit},
};

use crate::{
    answer::{self, Content, Files, Templates},
    file::{Body, Case, Heard, Step},
    matching::{self, Matcher},
};

/// What is done one after the other.
#[derive(Clone, Debug, Default)]
pub struct Script(pub Vec<Instruction>);

/// Something that is done.
#[derive(Clone, Debug)]
pub enum Instruction {
    /// Something is taken, and it goes on at the place of the first of these that it is.
    Take(Take),
    /// Something is said, after a pause.
    Say(Option<Quantity>, Content),
    /// Nothing is done.
    Wait(Quantity),
    /// It goes on at this place.
    Go(usize),
    /// The client says that nothing more comes.
    End,
    /// The conversation ends.
    Close,
    /// The connection is reset.
    Reset,
}

/// Something that is taken.
#[derive(Clone, Debug)]
pub struct Take {
    /// How much.
    pub extent: Extent,
    /// How long it is waited for.
    pub within: Option<Duration>,
    /// What it may be, and where it goes on then.
    pub cases: Vec<(Matcher, usize)>,
    /// Its line in the file.
    pub line: u32,
    /// Whether a conversation that ends here is through.
    pub may_end: bool,
}

/// How much is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Extent {
    /// A line, or a message.
    Usual,
    /// All until this.
    Until(Vec<u8>),
    /// So many bytes.
    Bytes(usize),
}

/// What is spoken: bytes one after the other, or whole messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Bytes.
    Stream,
    /// Messages.
    Messages,
}

/// Most bytes that are waited for as one.
const TAKEN_MAX: u64 = 16 << 20;

/// Reads a conversation.
///
/// # Errors
/// The first step that cannot be.
pub fn compile(
    steps: &[Spanned<Step>],
    manner: Manner,
    templates: &mut Templates,
    files: Files<'_>,
) -> Result<Script, Wrong> {
    let mut writer = Writer { script: Vec::new(), manner, templates, files };
    writer.steps(steps, May::Fail)?;
    Ok(Script(writer.script))
}

/// What it means that a client leaves at a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum May {
    /// It leaves too early.
    Fail,
    /// It may do so.
    End,
}

struct Writer<'a> {
    script: Vec<Instruction>,
    manner: Manner,
    templates: &'a mut Templates,
    files: Files<'a>,
}

impl Writer<'_> {
    /// `first` is about the first of the steps; the others must be reached.
    fn steps(&mut self, steps: &[Spanned<Step>], first: May) -> Result<(), Wrong> {
        for (index, step) in steps.iter().enumerate() {
            self.step(step, if index == 0 { first } else { May::Fail })?;
        }
        Ok(())
    }

    fn step(&mut self, step: &Spanned<Step>, may: May) -> Result<(), Wrong> {
        match &step.value {
            Step::Expect(heard) => {
                let only = Heard::default();
                let (is, given) = match &heard.value {
                    WordOr::Word(word) => {
                        let word = WordOr::Word(word.clone());
                        (Some(Spanned { at: heard.at, value: word }), &only)
                    }
                    WordOr::More(more) => (more.is.clone(), more),
                };
                let extent = self.extent(&given.until, &given.bytes)?;
                let next = self.script.len() + 1;
                let cases = vec![(matcher(is.as_ref())?, next)];
                self.take(step, extent, given.within, cases, may);
            }
            Step::Either(either) => {
                let extent = self.extent(&either.until, &either.bytes)?;
                if either.of.is_empty() {
                    return Err(either.wrong("`of` is missing, which says what may come"));
                }
                self.take(step, extent, either.within, Vec::new(), may);
                self.cases(&either.of)?;
            }
            Step::Send(said) => {
                let (after, content) = answer::said(said, self.templates, self.files)?;
                self.script.push(Instruction::Say(after, content));
            }
            Step::Delay(time) => self.script.push(Instruction::Wait(time.compile())),
            Step::Repeat(steps) => {
                let start = self.script.len();
                self.steps(steps, May::End)?;
                if !self.script[start..].iter().any(Instruction::takes_time) {
                    return Err(step.wrong("what is repeated waits for nothing: it never ends"));
                }
                self.script.push(Instruction::Go(start));
            }
            Step::End => self.script.push(Instruction::End),
            Step::Close => self.script.push(Instruction::Close),
            Step::Reset => self.script.push(Instruction::Reset),
        }
        Ok(())
    }

    fn take(
        &mut self,
        step: &Spanned<Step>,
        extent: Extent,
        within: Option<Time>,
        cases: Vec<(Matcher, usize)>,
        may: May,
    ) {
        self.script.push(Instruction::Take(Take {
            extent,
            within: within.map(|time| Duration::from_nanos(time.number())),
            cases,
            line: step.at.line,
            may_end: may == May::End,
        }));
    }

    /// What follows each of several things, behind what takes one of them.
    fn cases(&mut self, cases: &[Spanned<Case>]) -> Result<(), Wrong> {
        let at = self.script.len() - 1;
        let mut ends = Vec::new();
        let mut entries = Vec::new();
        for case in cases {
            entries.push((matcher(case.is.as_ref())?, self.script.len()));
            self.steps(&case.then, May::Fail)?;
            ends.push(self.script.len());
            self.script.push(Instruction::Go(0));
        }
        let end = self.script.len();
        for place in ends {
            self.script[place] = Instruction::Go(end);
        }
        if let Instruction::Take(take) = &mut self.script[at] {
            take.cases = entries;
        }
        Ok(())
    }

    fn extent(
        &self,
        until: &Option<Spanned<String>>,
        bytes: &Option<Spanned<u64>>,
    ) -> Result<Extent, Wrong> {
        if let (Manner::Messages, Some(at)) =
            (self.manner, until.as_ref().map(|text| text.at).or(bytes.as_ref().map(|n| n.at)))
        {
            return Err(Wrong::new(at, "what comes here is a message, and taken as a whole"));
        }
        match (until, bytes) {
            (Some(until), Some(_)) => Err(until.wrong("it is `until` or `bytes`, not both")),
            (Some(until), None) if until.is_empty() => {
                Err(until.wrong("every text has nothing in it"))
            }
            (Some(until), None) => Ok(Extent::Until(until.as_bytes().to_vec())),
            (None, Some(bytes)) => match bytes.value {
                1..=TAKEN_MAX => Ok(Extent::Bytes(bytes.value as usize)),
                _ => Err(bytes.wrong(format!("it is 1 to {TAKEN_MAX} bytes"))),
            },
            (None, None) => Ok(Extent::Usual),
        }
    }
}

impl Instruction {
    /// Whether something must happen before it is done.
    fn takes_time(&self) -> bool {
        matches!(self, Self::Take(_) | Self::Wait(_) | Self::End | Self::Close | Self::Reset)
    }
}

fn matcher(is: Option<&Spanned<WordOr<Body>>>) -> Result<Matcher, Wrong> {
    match is {
        None => Ok(Matcher::new(Vec::new())),
        Some(is) => matching::body(is),
    }
}
