//! What becomes of an answer when something goes wrong.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use simrun_kernel::fault::Source;

use crate::{
    answer::{Draws, Piece, Prepared},
    file::{Drip, Misdeed, Moment, Side},
};

/// How a request ends.
#[derive(Debug)]
pub enum Ending {
    /// It is answered.
    Answer(Prepared),
    /// Nothing ever comes.
    Nothing,
    /// The connection is reset.
    Reset,
    /// The connection says these bytes, whatever they are, and ends.
    Bytes(Bytes),
    /// What is answered says that it is so many bytes shorter than it is.
    Short(Prepared, u64),
}

impl Ending {
    /// In a word: the status, or what came instead of an answer.
    pub fn word(&self) -> &str {
        match self {
            Self::Answer(answer) | Self::Short(answer, _) => answer.status.as_str(),
            Self::Nothing => "none",
            Self::Reset => "reset",
            Self::Bytes(bytes) if bytes.is_empty() => "end",
            Self::Bytes(_) => "garbage",
        }
    }
}

/// What happens instead of what was asked for; nothing if that is done.
pub fn instead(misdeed: &Misdeed, draws: &Draws) -> Option<Ending> {
    Some(match misdeed {
        Misdeed::Status(status) => {
            let status =
                StatusCode::from_u16(status.value).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let words = status.canonical_reason().unwrap_or("an error");
            Ending::Answer(Prepared::of_error(status, words))
        }
        Misdeed::Busy(time) => {
            Ending::Answer(busy(Duration::from_nanos(simrun_config::units::Unit::number(*time))))
        }
        Misdeed::Hang(Moment::Before) => Ending::Nothing,
        Misdeed::Reset(Moment::Before) => Ending::Reset,
        Misdeed::Empty(Side::Before) => Ending::Bytes(Bytes::new()),
        Misdeed::Garbage(Side::Before) => Ending::Bytes(garbage(draws)),
        _ => return None,
    })
}

/// Too many requests.
pub fn busy(time: Duration) -> Prepared {
    let mut answer = Prepared::of_error(StatusCode::TOO_MANY_REQUESTS, "too many requests");
    let seconds = time.as_nanos().div_ceil(1_000_000_000) as u64;
    answer.headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    answer
}

/// What becomes of an answer.
pub fn spoil(misdeed: &Misdeed, mut answer: Prepared, draws: &Draws) -> Ending {
    let time = |quantity: &simrun_config::Quantity<_>| {
        let drawn = draws.draw(|stream| Source::new(&quantity.compile()).next(stream));
        Duration::from_nanos(drawn)
    };
    match misdeed {
        Misdeed::Delay(by) => answer.delay += time(by),
        Misdeed::Hang(Moment::After) => return Ending::Nothing,
        Misdeed::Hang(_) => cut(&mut answer, 2, Piece::Forever),
        Misdeed::Reset(Moment::After) => return Ending::Reset,
        Misdeed::Reset(_) => cut(&mut answer, 2, Piece::Reset),
        Misdeed::Empty(_) => return Ending::Bytes(Bytes::new()),
        Misdeed::Garbage(_) => return Ending::Bytes(garbage(draws)),
        Misdeed::Truncate(share) => {
            let length = answer.body_len();
            let kept = ((length as u128 * u128::from(share.parts().parts())) >> 32) as usize;
            shorten(&mut answer, kept, Piece::Close);
        }
        Misdeed::TooLong(more) => {
            let length = answer.body_len();
            answer.tell_length(length as u64 + more);
            answer.pieces.extend([Piece::Pause(FLUSH), Piece::Close]);
        }
        Misdeed::TooShort(less) => return Ending::Short(answer, *less),
        Misdeed::Drip(drip) => drip_out(&mut answer, drip, draws),
        Misdeed::Status(_) | Misdeed::Busy(_) | Misdeed::Stale(_) => {}
    }
    Ending::Answer(answer)
}

/// How long to wait until what has been said is on its way.
const FLUSH: Duration = Duration::from_millis(1);

fn cut(answer: &mut Prepared, parts: usize, end: Piece) {
    let kept = answer.body_len() / parts;
    shorten(answer, kept, end);
}

/// Tells the whole length, and so many bytes of the body.
fn shorten(answer: &mut Prepared, mut kept: usize, end: Piece) {
    let length = answer.body_len();
    if !answer.pieces.iter().any(|piece| matches!(piece, Piece::Pause(_) | Piece::Trailers(_))) {
        answer.tell_length(length as u64);
    }
    let mut pieces = Vec::new();
    for piece in answer.pieces.drain(..) {
        match piece {
            Piece::Data(bytes) if bytes.len() > kept => {
                pieces.push(Piece::Data(bytes.slice(..kept)));
                break;
            }
            Piece::Data(bytes) => {
                kept -= bytes.len();
                pieces.push(Piece::Data(bytes));
            }
            piece => pieces.push(piece),
        }
    }
    pieces.extend([Piece::Pause(FLUSH), end]);
    answer.pieces = pieces;
}

fn drip_out(answer: &mut Prepared, drip: &Drip, draws: &Draws) {
    let quantity = drip.pause.compile();
    let mut source = Source::new(&quantity);
    let size = usize::try_from(drip.bytes.value).unwrap_or(usize::MAX);
    let mut pieces = Vec::new();
    for piece in answer.pieces.drain(..) {
        let Piece::Data(bytes) = piece else {
            pieces.push(piece);
            continue;
        };
        let mut left = bytes;
        while !left.is_empty() {
            let pause = draws.draw(|stream| source.next(stream));
            pieces.push(Piece::Pause(Duration::from_nanos(pause)));
            pieces.push(Piece::Data(left.split_to(size.min(left.len()))));
        }
    }
    answer.pieces = pieces;
}

/// Bytes of a broken answer.
const GARBAGE: usize = 256;

fn garbage(draws: &Draws) -> Bytes {
    let mut bytes = vec![0; GARBAGE];
    draws.draw(|stream| stream.fill(&mut bytes));
    bytes.into()
}
