//! Conversations of datagrams, one with each address.

use std::{collections::BTreeMap, io, net::SocketAddr, rc::Rc};

use bytes::Bytes;
use tokio::{
    net::UdpSocket,
    sync::mpsc::{Receiver, Sender, channel},
    task::spawn_local,
};

use super::talk::{Form, Heard, Held, Partner};
use crate::{
    compile::{Extent, Kind},
    request::Request,
    serving::Serving,
};

/// Most bytes of a datagram (RFC 768: its length is a number of 16 bits).
const DATAGRAM_MAX: usize = 1 << 16;
/// Most conversations at once; who comes then is not heard.
const PEERS_MAX: usize = 4096;
/// Most datagrams of an address that wait; more are lost, as in a socket's buffer.
const WAITING_MAX: usize = 256;

/// An address.
struct Peer {
    socket: Rc<UdpSocket>,
    address: SocketAddr,
    coming: Receiver<Bytes>,
}

impl Partner for Peer {
    async fn hear(&mut self, _: &Extent) -> io::Result<Heard> {
        Ok(self.coming.recv().await.map_or(Heard::End, Heard::This))
    }

    async fn say(&mut self, said: Bytes, _: Form) -> io::Result<()> {
        self.socket.send_to(&said, self.address).await.map(drop)
    }

    /// What comes next begins anew.
    async fn fall_silent(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Holds the conversations of a socket.
pub async fn converse(socket: UdpSocket, serving: Rc<Serving>, index: usize) {
    let socket = Rc::new(socket);
    let mut peers: BTreeMap<SocketAddr, Sender<Bytes>> = BTreeMap::new();
    let mut buffer = vec![0; DATAGRAM_MAX];
    loop {
        // That nobody takes what was said is told at the next call, and nothing can be done.
        let Ok((len, address)) = socket.recv_from(&mut buffer).await else { continue };
        let datagram = Bytes::copy_from_slice(&buffer[..len]);
        if let Some(sender) = peers.get(&address).filter(|sender| !sender.is_closed()) {
            let _ = sender.try_send(datagram);
            continue;
        }
        if peers.len() >= PEERS_MAX {
            peers.retain(|_, sender| !sender.is_closed());
        }
        if peers.len() < PEERS_MAX {
            let (sender, coming) = channel(WAITING_MAX);
            let _ = sender.try_send(datagram);
            peers.insert(address, sender);
            let peer = Peer { socket: Rc::clone(&socket), address, coming };
            spawn_local(hold(peer, Rc::clone(&serving), index));
        }
    }
}

async fn hold(mut peer: Peer, serving: Rc<Serving>, index: usize) {
    let talk = &serving.service.talks[index];
    let Kind::Udp(script) = &talk.kind else { unreachable!("it has a socket of UDP") };
    let host = &serving.service.hosts[0];
    let url = format!("udp://{host}:{}", talk.port);
    let mut held = Held::new(serving.talk(index, Request::of_talk(host)), "UDP", url);
    held.follow(script, &mut peer).await;
}
