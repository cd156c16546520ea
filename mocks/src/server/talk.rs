//! Conversations that follow a script.

use std::{io, time::Duration};

use bytes::Bytes;
use tokio::time::{sleep, timeout};

use crate::{
    answer::Content,
    compile::{Extent, Instruction, Script, Take},
    journal,
    serving::Conversation,
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
        while let Some(instruction) = script.0.get(place) {
            place += 1;
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
                    self.said += bytes.len();
                    partner.say(bytes, form).await?;
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
        Ok(Ending::Through)
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
                let next = self.conversation.hear(take, bytes);
                next.map_err(|why| Ending::Broken(format!("line {}: {why}", take.line)))
            }
        })
    }
}

fn late(line: u32, within: Duration) -> String {
    format!("line {line}: nothing came within {}", humantime::format_duration(within))
}

impl Drop for Held {
    fn drop(&mut self) {
        journal::talk(self);
    }
}
