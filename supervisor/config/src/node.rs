//! What a file holds, with the place of each value.

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span};

use super::problem::{Position, Wrong};

/// How deep values may lie in each other.
const DEPTH_MAX: usize = 32;

/// A value and its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Where it begins.
    pub at: Position,
    /// The value.
    pub value: Value,
}

/// What YAML can say; of scalars only the text, since it depends on what is wanted whether they are numbers.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing.
    Null,
    /// A scalar, and how it is written.
    Scalar(String, Style),
    /// A list.
    List(Vec<Node>),
    /// A mapping. Each key is there once.
    Map(Vec<(Key, Node)>),
}

/// How a scalar is written: what looks like a number is one only where nothing says that it is text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// As it is.
    Plain,
    /// In quotes, or as a block.
    Quoted,
}

/// A key of a mapping.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    /// Where it begins.
    pub at: Position,
    /// Its text.
    pub text: String,
}

impl Node {
    /// Reads a file.
    ///
    /// # Errors
    /// The first thing that is no YAML, or that strict YAML does not have.
    pub fn parse(text: &str) -> Result<Self, Wrong> {
        let mut reader = Reader { parser: Parser::new_from_str(text) };
        let mut root = None;
        loop {
            let (event, at) = reader.next()?;
            match event {
                Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd => {}
                Event::StreamEnd | Event::Nothing => break,
                event if root.is_none() => root = Some(reader.node(event, at, 0)?),
                _ => return Err(Wrong::new(at, "one document is enough: this is a second one")),
            }
        }
        root.ok_or_else(|| Wrong::new(Position { line: 1, column: 1 }, "the file is empty"))
    }

    /// What it is, for messages.
    pub fn describe(&self) -> String {
        match &self.value {
            Value::Null => "nothing".into(),
            Value::Scalar(text, _) => format!("`{}`", shortened(text)),
            Value::List(_) => "a list".into(),
            Value::Map(_) => "a mapping".into(),
        }
    }
}

/// Most characters of a text that a message shows.
const SHOWN_MAX: usize = 60;

/// A text as messages show it.
fn shortened(text: &str) -> String {
    let line: String = text.chars().take(SHOWN_MAX).flat_map(char::escape_debug).collect();
    if text.chars().count() > SHOWN_MAX { format!("{line}...") } else { line }
}

struct Reader<'a> {
    parser: Parser<'a, saphyr_parser::StrInput<'a>>,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Position), Wrong> {
        match self.parser.next() {
            Some(Ok((event, span))) => Ok((event, position(&span))),
            Some(Err(error)) => Err(no_yaml(&error)),
            None => Ok((Event::StreamEnd, Position::default())),
        }
    }

    fn node(&mut self, event: Event<'a>, at: Position, depth: usize) -> Result<Node, Wrong> {
        if depth > DEPTH_MAX {
            return Err(Wrong::new(at, "this lies too deep"));
        }
        let value = match event {
            Event::Scalar(.., Some(_))
            | Event::SequenceStart(_, Some(_))
            | Event::MappingStart(_, Some(_)) => {
                return Err(Wrong::new(at, "tags are not used here"));
            }
            Event::Alias(_) => return Err(Wrong::new(at, "aliases are not used here")),
            Event::Scalar(_, _, anchor, _)
            | Event::SequenceStart(anchor, _)
            | Event::MappingStart(anchor, _)
                if anchor != 0 =>
            {
                return Err(Wrong::new(at, "anchors are not used here"));
            }
            Event::Scalar(text, ScalarStyle::Plain, ..) if matches!(&*text, "" | "~" | "null") => {
                Value::Null
            }
            Event::Scalar(text, ScalarStyle::Plain, ..) => {
                Value::Scalar(text.into_owned(), Style::Plain)
            }
            Event::Scalar(text, ..) => Value::Scalar(text.into_owned(), Style::Quoted),
            Event::SequenceStart(..) => Value::List(self.list(depth)?),
            Event::MappingStart(..) => Value::Map(self.map(depth)?),
            _ => return Err(Wrong::new(at, "the file ends too early")),
        };
        Ok(Node { at, value })
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Node>, Wrong> {
        let mut nodes = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(nodes),
                (event, at) => nodes.push(self.node(event, at, depth + 1)?),
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Vec<(Key, Node)>, Wrong> {
        let mut entries: Vec<(Key, Node)> = Vec::new();
        loop {
            let (event, at) = self.next()?;
            if event == Event::MappingEnd {
                return Ok(entries);
            }
            let Value::Scalar(text, _) = self.node(event, at, depth + 1)?.value else {
                return Err(Wrong::new(at, "a key is a word"));
            };
            if let Some((first, _)) = entries.iter().find(|(key, _)| key.text == text) {
                let words = format!("`{text}` is there twice: first in line {}", first.at.line);
                return Err(Wrong::new(at, words));
            }
            let (event, value_at) = self.next()?;
            let node = self.node(event, value_at, depth + 1)?;
            entries.push((Key { at, text }, node));
        }
    }
}

fn position(span: &Span) -> Position {
    let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    Position { line: number(span.start.line()), column: number(span.start.col()).saturating_add(1) }
}

fn no_yaml(error: &ScanError) -> Wrong {
    let marker = *error.marker();
    let at = position(&Span::new(marker, marker));
    Wrong::new(at, format!("this is no YAML: {}", error.info()))
}
