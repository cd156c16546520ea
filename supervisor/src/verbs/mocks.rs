//! Serves services that stand in for others.

use std::net::{IpAddr, Ipv4Addr};

use simrun_mocks::{MocksFile, Place, Ports, serve};

use super::{Failure, reference};
use crate::{
    cli::{MocksArguments, MocksVerb},
    mocks::read,
    report::say,
};

/// Does what is asked for.
///
/// # Errors
/// When a file is wrong, or nothing can be served.
pub fn mocks(arguments: &MocksArguments) -> Result<u8, Failure> {
    match &arguments.verb {
        MocksVerb::Serve { file, address, free_ports } => {
            let ports = if *free_ports { Ports::Free } else { Ports::Own };
            let place = Place { address: *address, ports };
            serve(read(file)?, place, |services, protocol, address| {
                let names: Vec<&str> =
                    services.iter().map(|service| service.name.as_str()).collect();
                say(&format!("{protocol}://{address} {}", names.join(", ")));
            })?;
        }
        MocksVerb::Node { file, name } => {
            let mut services = read(file)?;
            services.retain(|service| service.name == *name);
            let address = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
            serve(services, Place { address, ports: Ports::Own }, |_, _, _| {})?;
        }
    }
    Ok(0)
}

/// The page of files of mocks.
pub fn page() -> String {
    let mut text = String::from("# Mocks\n");
    reference::keys(&mut text, &schemars::schema_for!(MocksFile).to_value(), &[]);
    text
}
