//! Conversations that follow a script.

use std::{io, time::Duration};

use bytes::Bytes;
use tokio::time::{sleep, timeout};

use crate::{
    answer::{Content, Piece},
    compile::{Extent, Instruction, Script, Take},
    journal,
    serving::{Conversation, Ending as Spoilt},
};

/// What comes from who is talked to.
#[derive(Debug, PartialEq, Eq)]
pub enum Heard {
    /// This.
    This(Bytes),
    /// Nothing more.
    End,
}

/// What is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Text.
    Text,
    /// Bytes.
    Bytes,
}

/// Who is talked to.
pub trait Partner {
    /// Waits for so much.
    async fn hear(&mut self, extent: &Extent) -> io::Result<Heard>;
    /// Says something.
    async fn say(&mut self, said: Bytes, form: Form) -> io::Result<()>;
    /// Says nothing more, until the other leaves.
    async fn fall_silent(&mut self) -> io::Result<()> {
        while let Heard::This(_) = self.hear(&Extent::Usual).await? {}
        Ok(())
    }
}

/// How something that was to be said has ended the conversation instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blow {
    /// Nothing is said any more.
    Silence,
    /// It ends.
    End,
    /// It ends with what makes no sense.
    Garbage,
    /// It is reset.
    Reset,
}

impl Blow {
    /// In the words of the journal.
    pub fn word(self) -> &'static str {
        match self {
            Self::Silence => "none",
            Self::End => "end",
            Self::Garbage => "garbage",
            Self::Reset => "reset",
        }
    }
}

/// Lets happen what goes wrong; how that ends the conversation, if it does. `said` counts bytes.
pub async fn suffer(
    spoilt: Spoilt,
    form: Form,
    partner: &mut impl Partner,
    said: &mut usize,
) -> io::Result<Option<Blow>> {
    let answer = match spoilt {
        Spoilt::Answer(answer) | Spoilt::Short(answer, _) => answer,
        Spoilt::Nothing => return Ok(Some(Blow::Silence)),
        Spoilt::Reset => return Ok(Some(Blow::Reset)),
        Spoilt::Bytes(bytes) if bytes.is_empty() => return Ok(Some(Blow::End)),
        Spoilt::Bytes(bytes) => {
            *said += bytes.len();
            partner.say(bytes, Form::Bytes).await?;
            return Ok(Some(Blow::Garbage));
        }
    };
    sleep(answer.delay).await;
    for piece in answer.pieces {
        match piece {
            Piece::Data(bytes) if !bytes.is_empty() => {
                *said += bytes.len();
                partner.say(bytes, form).await?;
            }
            Piece::Data(_) | Piece::Trailers(_) => {}
            Piece::Pause(time) => sleep(time).await,
            Piece::Forever => return Ok(Some(Blow::Silence)),
            Piece::Close => return Ok(Some(Blow::End)),
            Piece::Reset => return Ok(Some(Blow::Reset)),
        }
    }
    Ok(None)
}

/// How a conversation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It is still held.
    Open,
    /// It came to its end.
    Through,
    /// It was reset by the script.
    Reset,
    /// Something went wrong on purpose; whether all was done before.
    Struck(Blow, bool),
    /// The client left.
    Left(u32),
    /// It went wrong, in words.
    Broken(String),
}

/// A conversation under way. It is told of when it is over, also when that is because the service is.
pub struct Held {
    /// What is said.
    pub conversation: Conversation,
    /// What the journal calls it, and where it is held.
    pub kind: (&'static str, String),
    /// Bytes heard and said.
    pub heard: usize,
    /// Bytes said.
    pub said: usize,
    /// How it ended.
    pub ending: Ending,
}

impl Held {
    /// One that begins.
    pub fn new(conversation: Conversation, method: &'static str, url: String) -> Self {
        Self { conversation, kind: (method, url), heard: 0, said: 0, ending: Ending::Open }
    }

    /// Holds it to its end.
    pub async fn follow(&mut self, script: &Script, partner: &mut impl Partner) {
        self.ending = match self.steps(script, partner).await {
            Ok(ending) => ending,
            Err(error) => Ending::Broken(error.to_string()),
        };
        if self.ending == Ending::Through
            && let Err(why) = self.conversation.finish()
        {
            self.ending = Ending::Broken(format!("expect: {why}"));
        }
    }

    async fn steps(&mut self, script: &Script, partner: &mut impl Partner) -> io::Result<Ending> {
        let mut place = 0;
        // Who speaks first answers that somebody has come.
        let speaks_first = !matches!(script.0.first(), Some(Instruction::Take(_)));
        if let Some(spoilt) = speaks_first.then(|| self.conversation.strike()).flatten()
            && let Some(blow) = suffer(spoilt, Form::Bytes, partner, &mut self.said).await?
        {
            return self.end(blow, false, partner).await;
        }
        while let Some(instruction) = script.0.get(place) {
            place += 1;
            if !matches!(
                instruction,
                Instruction::Say(..) | Instruction::Wait(_) | Instruction::Go(_)
            ) && let Some(blow) = self.say(Bytes::new(), Form::Bytes, partner).await?
            {
                return self.end(blow, is_over(script, place - 1), partner).await;
            }
            match instruction {
                Instruction::Take(take) => match self.take(take, partner).await? {
                    Ok(next) => place = next,
                    Err(ending) => return Ok(ending),
                },
                Instruction::Say(after, content) => {
                    if let Some(after) = after {
                        sleep(self.conversation.time(after)).await;
                    }
                    let bytes = match self.conversation.fill(content) {
                        Ok(bytes) => bytes,
                        Err(why) => return Ok(Ending::Broken(why)),
                    };
                    let form = match content {
                        Content::Bytes(_) => Form::Bytes,
                        Content::Fixed(_) | Content::Text(_) | Content::Json(_) => Form::Text,
                    };
                    if let Some(blow) = self.say(bytes, form, partner).await? {
                        return self.end(blow, is_over(script, place), partner).await;
                    }
                }
                Instruction::Wait(time) => sleep(self.conversation.time(time)).await,
                Instruction::Go(next) => place = *next,
                Instruction::End => {
                    while let Heard::This(bytes) = partner.hear(&Extent::Usual).await? {
                        self.heard += bytes.len();
                    }
                }
                Instruction::Close => return Ok(Ending::Through),
                Instruction::Reset => return Ok(Ending::Reset),
            }
        }
        match self.say(Bytes::new(), Form::Bytes, partner).await? {
            Some(blow) => self.end(blow, true, partner).await,
            None => Ok(Ending::Through),
        }
    }

    /// Says something, or what a trouble makes of it: how that ends the conversation, if it does.
    async fn say(
        &mut self,
        bytes: Bytes,
        form: Form,
        partner: &mut impl Partner,
    ) -> io::Result<Option<Blow>> {
        if let Some(spoilt) = self.conversation.spoil(&bytes) {
            return suffer(spoilt, form, partner, &mut self.said).await;
        }
        if !bytes.is_empty() {
            self.said += bytes.len();
            partner.say(bytes, form).await?;
        }
        Ok(None)
    }

    /// It ends so, on purpose.
    async fn end(
        &mut self,
        blow: Blow,
        is_done: bool,
        partner: &mut impl Partner,
    ) -> io::Result<Ending> {
        if is_done && let Err(why) = self.conversation.finish() {
            return Ok(Ending::Broken(format!("expect: {why}")));
        }
        self.ending = Ending::Struck(blow, is_done);
        if blow == Blow::Silence {
            partner.fall_silent().await?;
        }
        Ok(self.ending.clone())
    }

    /// Where it goes on after something has come, or how it ends.
    async fn take(
        &mut self,
        take: &Take,
        partner: &mut impl Partner,
    ) -> io::Result<Result<usize, Ending>> {
        let heard = match take.within {
            None => partner.hear(&take.extent).await?,
            Some(within) => match timeout(within, partner.hear(&take.extent)).await {
                Ok(heard) => heard?,
                Err(_) => return Ok(Err(Ending::Broken(late(take.line, within)))),
            },
        };
        Ok(match heard {
            Heard::End if take.may_end => Err(Ending::Through),
            Heard::End => Err(Ending::Left(take.line)),
            Heard::This(bytes) => {
                self.heard += bytes.len();
                let next = match self.conversation.hear(take, bytes) {
                    Ok(next) => next,
                    Err(why) => {
                        return Ok(Err(Ending::Broken(format!("line {}: {why}", take.line))));
                    }
                };
                if let Some(spoilt) = self.conversation.strike()
                    && let Some(blow) = suffer(spoilt, Form::Bytes, partner, &mut self.said).await?
                {
                    return Ok(Err(self.end(blow, false, partner).await?));
                }
                Ok(next)
            }
        })
    }
}

/// Whether nothing more is waited for from a place on.
fn is_over(script: &Script, place: usize) -> bool {
    let waits = |instruction: &Instruction| {
        matches!(instruction, Instruction::Take(_) | Instruction::Go(_) | Instruction::End)
    };
    !script.0.iter().skip(place).take_while(|it| !matches!(it, Instruction::Close)).any(waits)
}

fn late(line: u32, within: Duration) -> String {
    format!("line {line}: nothing came within {}", humantime::format_duration(within))
}

impl Drop for Held {
    fn drop(&mut self) {
        journal::talk(self);
    }
}
