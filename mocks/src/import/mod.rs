//! From files of other tools to files of mocks.
//!
//! - [`yaml`]: what is written.
//! - [`draft`]: services while they are gathered.
//! - [`hoverfly`], [`wiremock`], [`openapi`], [`har`]: the tools.
//! - [`handlebars`]: places that are filled in, as WireMock writes them.

mod draft;
mod handlebars;
mod har;
mod hoverfly;
mod openapi;
mod take;
mod wiremock;
mod yaml;
pub use take::{Error, Imported, Tool, import, of_har};

#[cfg(test)]
mod tests;
