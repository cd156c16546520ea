//! Asks over HTTP until there is an answer that all is well. It runs inside of a simulation, as a machine of its own.

use std::{
    io::{self, BufRead, BufReader, Write},
    net::{SocketAddr, TcpStream},
    thread,
    time::Duration,
};

use super::Failure;
use crate::cli::ProbeArguments;

/// Between two requests.
const INTERVAL: Duration = Duration::from_millis(100);
/// For so long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(1);

/// Asks until it is so.
///
/// # Errors
/// None: whoever asks too often is ended.
pub fn probe(arguments: &ProbeArguments) -> Result<u8, Failure> {
    while !ask(arguments).is_ok_and(|status| (200..400).contains(&status)) {
        thread::sleep(INTERVAL);
    }
    Ok(0)
}

fn ask(arguments: &ProbeArguments) -> io::Result<u16> {
    let ProbeArguments { address, port, path } = arguments;
    let mut stream = TcpStream::connect_timeout(&SocketAddr::new(*address, *port), PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line)?;
    let status =
        line.strip_prefix("HTTP/1.").and_then(|rest| rest.split(' ').nth(1)?.trim().parse().ok());
    status.ok_or(io::ErrorKind::InvalidData.into())
}
