//! What connects the nodes: which of them has an address, and which names lead there.

use alloc::{collections::BTreeMap, rc::Rc, string::String, vec::Vec};
use core::{
    cell::RefCell,
    net::{IpAddr, Ipv4Addr},
};

use simrun_abi::node::Node;

use super::{Stack, socket::tcp::TcpSocket};
use crate::{machine::Machine, node::NodeId};

/// All nodes as the network knows them, by index.
#[derive(Default)]
pub struct Network {
    places: RefCell<Vec<Place>>,
    /// Which of them has an address: everything that is sent asks.
    by_address: RefCell<BTreeMap<Ipv4Addr, usize>>,
}

struct Place {
    address: Ipv4Addr,
    /// In lower case, the host name first. One that begins with a dot stands for all that end like it.
    names: Vec<String>,
    stack: Rc<Stack>,
}

impl Place {
    fn has_name(&self, asked: &str) -> bool {
        self.names.iter().any(|name| match name.starts_with('.') {
            true => asked.len() > name.len() && asked.ends_with(name.as_str()),
            false => asked == name,
        })
    }
}

impl Network {
    /// The network of these nodes.
    #[must_use]
    pub fn new(nodes: &[Node]) -> Rc<Self> {
        let network = Rc::new(Self::default());
        for (index, node) in (0..).zip(nodes) {
            let names = [&node.hostname, &node.name].into_iter().chain(&node.names);
            let names = names.map(|name| name.trim_start_matches('*').to_ascii_lowercase());
            let address = Ipv4Addr::from(node.address);
            let stack = Stack::new(NodeId::new(index), address, &network);
            network.by_address.borrow_mut().entry(address).or_insert(usize::from(index));
            network.places.borrow_mut().push(Place { address, names: names.collect(), stack });
        }
        network
    }

    /// A node's stack.
    ///
    /// # Panics
    /// If there is no such node.
    #[must_use]
    pub fn stack(&self, node: usize) -> Rc<Stack> {
        Rc::clone(&self.places.borrow()[node].stack)
    }

    /// Gives a node that has lost power a stack that remembers nothing.
    ///
    /// # Panics
    /// If there is no such node.
    pub fn renew(self: &Rc<Self>, node: usize) -> Rc<Stack> {
        let mut places = self.places.borrow_mut();
        let place = &mut places[node];
        // Sockets that were closed hold their stack, which holds them.
        place.stack.orphans.borrow_mut().clear();
        place.stack = Stack::new(place.stack.node, place.address, self);
        Rc::clone(&place.stack)
    }

    /// The stack of whoever has an address.
    #[must_use]
    pub fn at(&self, address: IpAddr) -> Option<Rc<Stack>> {
        self.place_at(address, |place| Rc::clone(&place.stack))
    }

    /// A partition has begun: who asks from time to time whether the other end is there will find out.
    pub fn on_partition(&self, machine: &mut Machine) {
        self.connections().for_each(|socket| socket.look_for_silence(machine));
    }

    /// Whether there is anybody who would find out about a partition.
    #[must_use]
    pub fn any_asks(&self) -> bool {
        self.connections().any(|socket| socket.would_notice_silence())
    }

    fn connections(&self) -> impl Iterator<Item = Rc<TcpSocket>> {
        let stacks: Vec<_> = self.places.borrow().iter().map(|p| Rc::clone(&p.stack)).collect();
        stacks.into_iter().flat_map(|stack| stack.tcp.all())
    }

    fn place_at<T>(&self, address: IpAddr, get: impl FnOnce(&Place) -> T) -> Option<T> {
        let IpAddr::V4(address) = address else { return None };
        let index = self.by_address.borrow().get(&address).copied()?;
        self.places.borrow().get(index).map(get)
    }

    /// The addresses that a name, in lower case, leads to.
    #[must_use]
    pub fn addresses(&self, name: &str) -> Vec<IpAddr> {
        let places = self.places.borrow();
        let named = places.iter().filter(|place| place.has_name(name));
        named.map(|place| place.address.into()).collect()
    }

    /// Whether any of the names that lead to an address is such a one.
    pub fn any_name(&self, address: IpAddr, is_it: &dyn Fn(&[u8]) -> bool) -> bool {
        let any = |place: &Place| place.names.iter().any(|name| is_it(name.as_bytes()));
        self.place_at(address, any).unwrap_or_default()
    }

    /// Every address with the first name that leads there.
    #[must_use]
    pub fn hosts(&self) -> Vec<(Ipv4Addr, String)> {
        let places = self.places.borrow();
        places.iter().map(|place| (place.address, place.names[0].clone())).collect()
    }
}
