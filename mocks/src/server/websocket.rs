//! Conversations over WebSocket (RFC 6455).

use std::{io, rc::Rc, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::{task::spawn_local, time::timeout};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Error, Message, Utf8Bytes,
        protocol::{CloseFrame, Role, WebSocketConfig, frame::coding::CloseCode},
    },
};

use super::{
    Order, Orders,
    talk::{Ending, Form, Heard, Held, Partner},
};
use crate::{
    compile::{Action, Extent},
    request::Request,
    serving::Serving,
};

/// Most bytes of a message.
const MESSAGE_MAX: usize = 16 << 20;
/// Most bytes of the words that close a connection (RFC 6455, section 5.5).
const REASON_MAX: usize = 123;
/// How long the other side may take to close.
const PATIENCE: Duration = Duration::from_secs(10);

struct Socket(WebSocketStream<TokioIo<Upgraded>>);

impl Partner for Socket {
    async fn hear(&mut self, _: &Extent) -> io::Result<Heard> {
        loop {
            return match self.0.next().await {
                Some(Ok(Message::Text(text))) => Ok(Heard::This(text.into())),
                Some(Ok(Message::Binary(bytes))) => Ok(Heard::This(bytes)),
                Some(Ok(Message::Close(_))) | None => Ok(Heard::End),
                // It answers them by itself.
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => continue,
                Some(Err(Error::ConnectionClosed | Error::AlreadyClosed)) => Ok(Heard::End),
                Some(Err(error)) => Err(io::Error::other(error)),
            };
        }
    }

    async fn say(&mut self, said: Bytes, form: Form) -> io::Result<()> {
        let message = match (form, Utf8Bytes::try_from(said.clone())) {
            (Form::Text, Ok(text)) => Message::Text(text),
            _ => Message::Binary(said),
        };
        self.0.send(message).await.map_err(io::Error::other)
    }
}

/// Holds the conversation of a route, once its connection is no longer one of HTTP.
pub fn converse(
    upgrade: OnUpgrade,
    serving: Rc<Serving>,
    route: usize,
    request: Request,
    orders: Arc<Orders>,
) {
    spawn_local(async move {
        let Ok(upgraded) = upgrade.await else { return };
        let Action::WebSocket(talk) = &serving.service.routes[route].action else { return };
        let config = WebSocketConfig::default().max_message_size(Some(MESSAGE_MAX));
        let io = TokioIo::new(upgraded);
        let stream = WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await;
        let mut socket = Socket(stream);
        let url = request.url().replacen("http", "ws", 1);
        let mut held = Held::new(serving.socket(route, request), "WEBSOCKET", url);
        held.follow(&talk.script, &mut socket).await;
        let frame = match &held.ending {
            Ending::Reset => return orders.give(Order::Reset),
            Ending::Broken(words) => {
                let reason: String =
                    words.chars().filter(char::is_ascii).take(REASON_MAX).collect();
                Some(CloseFrame { code: CloseCode::Policy, reason: reason.into() })
            }
            _ => None,
        };
        // Who is gone need not be told.
        let _ = socket.0.close(frame).await;
        // The other side closes, too.
        let _ = timeout(PATIENCE, async { while let Some(Ok(_)) = socket.0.next().await {} }).await;
    });
}
