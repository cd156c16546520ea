//! How machines that run folders of commands wait for each other. It runs inside of a simulation.

use std::{
    collections::BTreeSet,
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    thread,
    time::Duration,
};

/// Where who has run what comes first waits.
pub const BEGINNING: u16 = 20_301;
/// Where who has no more drivers waits.
pub const END: u16 = 20_302;
/// How long to wait for an answer, and before asking again.
const PATIENCE: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(100);

/// Waits until all others wait at this port, too. Who has reached another one knows that it has come, and so does that one. It
/// may leave then, and refuse whoever it has reached: they know.
///
/// # Errors
/// When the port cannot be listened at.
pub fn meet(port: u16, others: &[Ipv4Addr]) -> io::Result<()> {
    let mut missing = others.to_vec();
    if missing.is_empty() {
        return Ok(());
    }
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port))?;
    listener.set_nonblocking(true)?;
    let mut came = BTreeSet::new();
    loop {
        while let Ok((_, from)) = listener.accept() {
            came.insert(from.ip());
        }
        missing.retain(|&other| {
            let place = SocketAddr::from((other, port));
            match TcpStream::connect_timeout(&place, PATIENCE) {
                Ok(_) => false,
                Err(error) => {
                    error.kind() != io::ErrorKind::ConnectionRefused || !came.contains(&place.ip())
                }
            }
        });
        if missing.is_empty() {
            return Ok(());
        }
        thread::sleep(PAUSE);
    }
}
