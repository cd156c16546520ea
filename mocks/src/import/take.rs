//! From the text of a file to that of a file of mocks.

use serde_json::Value;
use simrun_config::Json;

use super::{draft::Draft, har, hoverfly, openapi, wiremock};
use crate::secrets::Secrets;

/// Tools whose files can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// Hoverfly simulations, version 5.
    Hoverfly,
    /// Stub mappings of WireMock.
    WireMock,
    /// OpenAPI documents, version 3.
    OpenApi,
    /// Records of browsers and proxies (HTTP Archive).
    Har,
}

/// A file of mocks.
#[derive(Clone, Debug)]
pub struct Imported {
    /// Its text.
    pub yaml: String,
    /// What could not be taken over as it is.
    pub notes: Vec<String>,
}

/// Why a file cannot be imported.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is neither JSON nor YAML.
    #[error("{0}")]
    Text(String),
    /// Nobody knows what it is.
    #[error(
        "this is no Hoverfly simulation, no WireMock mapping, no OpenAPI document and no HAR file"
    )]
    Unknown,
    /// There is nothing in it.
    #[error("there is nothing in it that could be answered")]
    Empty,
}

impl Tool {
    /// The tool whose file this looks like.
    fn of(value: &Value) -> Option<Self> {
        let has = |pointer: &str| value.pointer(pointer).is_some();
        if has("/data/pairs") {
            Some(Self::Hoverfly)
        } else if has("/log/entries") {
            Some(Self::Har)
        } else if has("/openapi") || has("/paths") {
            Some(Self::OpenApi)
        } else if has("/mappings") || has("/request") {
            Some(Self::WireMock)
        } else {
            None
        }
    }
}

/// Reads a file of a tool; of whichever it looks like, if none is said.
///
/// # Errors
/// When it is none.
pub fn import(shown: &str, text: &str, tool: Option<Tool>) -> Result<Imported, Error> {
    let value = match serde_json::from_str(text) {
        Ok(value) => value,
        Err(error) if text.trim_start().starts_with('{') => {
            return Err(Error::Text(format!("{shown}: this is no JSON: {error}")));
        }
        Err(_) => {
            let read = simrun_config::parse::<Json>(shown, text);
            read.map_err(|problem| Error::Text(problem.to_string()))?.0
        }
    };
    let mut draft = Draft::default();
    match tool.or_else(|| Tool::of(&value)).ok_or(Error::Unknown)? {
        Tool::Hoverfly => hoverfly::read(&value, &mut draft),
        Tool::WireMock => wiremock::read(&value, &mut draft),
        Tool::OpenApi => openapi::read(&value, &mut draft),
        Tool::Har => har::read(&value, &mut draft, &Secrets::default()),
    }
    finish(draft)
}

/// Reads a record of requests and answers; what is secret is left out.
///
/// # Errors
/// When there is nothing in it.
pub fn of_har(value: &Value, secrets: &Secrets) -> Result<Imported, Error> {
    let mut draft = Draft::default();
    har::read(value, &mut draft, secrets);
    finish(draft)
}

fn finish(draft: Draft) -> Result<Imported, Error> {
    if draft.mocks.is_empty() {
        return Err(Error::Empty);
    }
    Ok(Imported { yaml: draft.yaml(), notes: draft.notes })
}
