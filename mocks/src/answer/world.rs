//! What places in answers are filled with.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use minijinja::{
    Error, ErrorKind, State, Value, context,
    value::{Object, Serde, from_args},
};
use simrun_config::units::{Time, Unit};
use simrun_kernel::random::Stream;

use crate::{matching::Captures, request::Request, serving::Stores};

/// All that a place can name.
pub struct World<'a> {
    /// What is answered.
    pub request: &'a Request,
    /// What parts of it have been given names.
    pub captures: Captures,
    /// How often the route was taken, this time included.
    pub count: u64,
    /// How often the service was called, this time included.
    pub calls: u64,
    /// Draws of the route.
    pub draws: Arc<Draws>,
    /// Counters of the service.
    pub counters: Arc<Counters>,
    /// Its things.
    pub stores: Arc<Stores>,
    /// States of its scenarios.
    pub states: &'a BTreeMap<String, String>,
}

/// Of several values of one name, the first counts.
fn map<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Value {
    let mut map: BTreeMap<&str, &str> = BTreeMap::new();
    pairs.for_each(|(name, value)| {
        map.entry(name).or_insert(value);
    });
    Value::from(Serde(map))
}

fn pairs(pairs: &[(String, String)]) -> Value {
    map(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())))
}

impl World<'_> {
    /// As templates take it.
    pub fn value(&self) -> Value {
        let request = self.request;
        let headers = request.headers.iter().filter_map(|(name, value)| {
            Some((name.as_str(), std::str::from_utf8(value.as_bytes()).ok()?))
        });
        context! {
            request => context! {
                method => request.method.as_str(),
                scheme => request.scheme,
                host => request.host.as_str(),
                path => request.plain_path.as_str(),
                url => request.url(),
                query => pairs(&request.parameters),
                headers => map(headers),
                cookies => map(request.cookies()),
                text => request.text(),
                json => request.json().ok().map(|json| Value::from(Serde(json))),
                form => pairs(request.form()),
            },
            captured => pairs(&self.captures.0),
            count => self.count,
            calls => self.calls,
            now => Value::from_object(Now(SystemTime::now())),
            random => Value::from_dyn_object(Arc::clone(&self.draws)),
            counter => Value::from_dyn_object(Arc::clone(&self.counters)),
            store => Value::from_dyn_object(Arc::clone(&self.stores)),
            state => Value::from(Serde(self.states)),
        }
    }
}

/// The date of the machine, which is that of the simulation.
#[derive(Debug)]
struct Now(SystemTime);

impl fmt::Display for Now {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", humantime::format_rfc3339_seconds(self.0))
    }
}

impl Object for Now {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let since = self.0.duration_since(UNIX_EPOCH).unwrap_or_default();
        Some(match key.as_str()? {
            "unix" => since.as_secs().into(),
            "unix_ms" => (since.as_millis() as u64).into(),
            "iso" => self.to_string().into(),
            "iso_ms" => humantime::format_rfc3339_millis(self.0).to_string().into(),
            "date" => self.to_string().split('T').next().unwrap_or_default().into(),
            "http" => httpdate::fmt_http_date(self.0).into(),
            _ => return None,
        })
    }

    fn call_method(
        self: &Arc<Self>,
        _: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        let (text,): (&str,) = from_args(args)?;
        let by =
            Time::parse(text).map_err(|words| Error::new(ErrorKind::InvalidOperation, words))?;
        let by = Duration::from_nanos(by.number());
        let moved = match method {
            "plus" => self.0.checked_add(by),
            "minus" => self.0.checked_sub(by),
            _ => return Err(Error::new(ErrorKind::UnknownMethod, format!("now has no {method}"))),
        };
        let wrong = || Error::new(ErrorKind::InvalidOperation, "there is no such time");
        moved.map(|time| Value::from_object(Self(time))).ok_or_else(wrong)
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.as_ref(), f)
    }
}

/// Random numbers of a route.
#[derive(Debug)]
pub struct Draws(Mutex<Stream>);

impl Draws {
    /// The draws of this name.
    pub fn new(seed: u64, name: &str) -> Self {
        // FNV-1a: a number for a name that is the same everywhere.
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self(Mutex::new(Stream::new(seed, hash)))
    }

    /// Draws something.
    pub fn draw<T>(&self, draw: impl FnOnce(&mut Stream) -> T) -> T {
        draw(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn letters(&self, letters: &[u8], count: usize) -> String {
        let one =
            |stream: &mut Stream| char::from(letters[stream.below(letters.len() as u64) as usize]);
        self.draw(|stream| (0..count).map(|_| one(stream)).collect())
    }

    /// Hexadecimal digits.
    pub fn hex(&self, count: usize) -> String {
        self.letters(b"0123456789abcdef", count)
    }

    /// A UUID, version 4.
    fn uuid(&self) -> Value {
        let bits =
            self.draw(|stream| u128::from(stream.next_u64()) << 64 | u128::from(stream.next_u64()));
        let bits = bits & !(0xf << 76) & !(0x3 << 62) | 0x4 << 76 | 0x2 << 62;
        let hex = format!("{bits:032x}");
        format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
            .into()
    }
}

/// What `letters` draws from.
const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/// Most letters of one draw.
const LETTERS_MAX: usize = 1 << 20;

impl Object for Draws {
    fn call_method(
        self: &Arc<Self>,
        _: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        let wrong = |words: &str| Error::new(ErrorKind::InvalidOperation, words.to_owned());
        let count = || from_args::<(usize,)>(args).map(|(count,)| count.min(LETTERS_MAX));
        Ok(match method {
            "int" => {
                let (from, to): (i64, i64) = from_args(args)?;
                if from > to {
                    return Err(wrong("the range is empty"));
                }
                let span = to.abs_diff(from).saturating_add(1);
                from.wrapping_add(self.draw(|stream| stream.below(span)) as i64).into()
            }
            "float" => {
                let () = from_args(args)?;
                (self.draw(Stream::next_u64) as f64 / 2f64.powi(64)).into()
            }
            "pick" => {
                let (list,): (Value,) = from_args(args)?;
                let all: Vec<Value> = list.try_iter()?.collect();
                if all.is_empty() {
                    return Err(wrong("there is nothing to pick from"));
                }
                all[self.draw(|stream| stream.below(all.len() as u64)) as usize].clone()
            }
            "hex" => self.hex(count()?).into(),
            "digits" => self.letters(b"0123456789", count()?).into(),
            "letters" => self.letters(LETTERS, count()?).into(),
            "uuid" => {
                let () = from_args(args)?;
                self.uuid()
            }
            _ => {
                return Err(Error::new(
                    ErrorKind::UnknownMethod,
                    format!("random has no {method}"),
                ));
            }
        })
    }
}

/// Numbers by name that only grow.
#[derive(Debug, Default)]
pub struct Counters(Mutex<BTreeMap<String, u64>>);

impl Object for Counters {
    /// `counter.next("orders")` counts from one.
    fn call_method(
        self: &Arc<Self>,
        _: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        let (name,): (&str,) = from_args(args)?;
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match method {
            "next" => {
                let number = all.entry(name.to_owned()).or_default();
                *number += 1;
                Ok((*number).into())
            }
            "value" => Ok(all.get(name).copied().unwrap_or_default().into()),
            _ => Err(Error::new(ErrorKind::UnknownMethod, format!("counter has no {method}"))),
        }
    }
}
