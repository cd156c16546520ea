//! What a run has found in the host's files, looked at while it goes on.
//!
//! Whoever looks makes of each finding what will be written of it, so that little is left to do when the run has ended.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, Sender, channel},
    thread::Builder,
};

use simrun_abi::{
    boot::FileTimes,
    event::{Found, Said},
};

use super::{digest::Digests, inputs::Input, text::Text};

/// Most files that are taken for inputs.
const INPUTS_MAX: usize = 100_000;
/// So many findings are worth a thread that looks at them while the run goes on.
const BATCH: usize = 128;
/// Bytes that are written at a time.
const BUFFER_SIZE: usize = 64 << 10;

/// What a run has found, as it told.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Where.
    pub path: Text,
    /// What.
    pub found: Found,
    /// What the host said of it then.
    pub said: Said,
}

/// The findings of a run that goes on.
#[derive(Debug)]
pub struct Gathering {
    /// What times the run sees.
    times: FileTimes,
    /// Those that nobody looks at yet.
    left: Vec<Finding>,
    helper: Option<Helper>,
}

/// What is to be known of all that a run has found, which has been written down.
#[derive(Debug)]
pub struct Gathered {
    /// The digests of programs.
    pub programs: BTreeMap<Text, String>,
    /// Whether all could be written.
    pub written: io::Result<()>,
}

/// All that has been looked at.
#[derive(Debug)]
struct Looked {
    times: FileTimes,
    digests: Digests,
    known: BTreeMap<Text, Known>,
}

/// What is known of a file.
#[derive(Debug)]
struct Known {
    found: Found,
    said: Said,
    digest: Option<String>,
    /// The input, as it is written.
    json: Vec<u8>,
}

impl Looked {
    fn new(times: FileTimes) -> Self {
        Self { times, digests: Digests::open(), known: BTreeMap::new() }
    }

    fn look_at(&mut self, mut finding: Finding) {
        match self.known.get(&finding.path) {
            // Whoever knows the content knows the file.
            Some(known) if known.found >= finding.found => return,
            // The host was asked once, and the run takes the file for what it was then.
            Some(known) if finding.said == Said::Nothing => finding.said = known.said,
            None if self.known.len() >= INPUTS_MAX => return,
            _ => {}
        }
        let said = finding.said;
        let input = Input::of(&mut self.digests, finding, self.times);
        let json = serde_json::to_vec(&input).expect("inputs have nothing that JSON has not");
        let Input { path, found, digest, .. } = input;
        self.known.insert(path, Known { found, said, digest, json });
    }

    fn finish(&self, end: &End) -> Gathered {
        let digest = |path: &Text| Some((path.clone(), self.known.get(path)?.digest.clone()?));
        let programs = end.programs.iter().filter_map(digest).collect();
        Gathered { programs, written: self.write(&end.file) }
    }

    /// Writes all findings in the order of their paths, as [`Inputs`](super::inputs::Inputs) are written.
    fn write(&self, to: &Path) -> io::Result<()> {
        let mut file = BufWriter::with_capacity(BUFFER_SIZE, File::create(to)?);
        file.write_all(br#"{"files":["#)?;
        for (number, known) in self.known.values().enumerate() {
            if number > 0 {
                file.write_all(b",")?;
            }
            file.write_all(&known.json)?;
        }
        file.write_all(b"]}")?;
        file.flush()
    }
}

/// The end of a run.
#[derive(Debug)]
pub struct End {
    /// Programs whose digests are to be told.
    pub programs: BTreeSet<Text>,
    /// Where all is to be written.
    pub file: PathBuf,
}

/// What the helper is asked to do.
#[derive(Debug)]
enum Ask {
    LookAt(Vec<Finding>),
    Finish(End),
}

/// A thread that looks at findings.
#[derive(Debug)]
struct Helper {
    ask: Sender<Ask>,
    gathered: Receiver<Gathered>,
}

impl Helper {
    fn start(times: FileTimes) -> Option<Self> {
        let (ask, asked) = channel();
        let (tell, gathered) = channel();
        let work = move || {
            let mut looked = Looked::new(times);
            for ask in asked {
                match ask {
                    Ask::LookAt(findings) => {
                        findings.into_iter().for_each(|finding| looked.look_at(finding));
                    }
                    // Nobody listens if the run is abandoned. Nobody waits until all is put away.
                    Ask::Finish(end) => drop(tell.send(looked.finish(&end))),
                }
            }
        };
        Builder::new().name("digests".into()).spawn(work).ok()?;
        Some(Self { ask, gathered })
    }

    /// Has it do something. It listens for as long as it can be asked.
    fn ask(&self, ask: Ask) {
        self.ask.send(ask).expect("the helper listens");
    }
}

impl Gathering {
    /// Of a run that sees these times, nothing yet.
    pub fn new(times: FileTimes) -> Self {
        Self { times, left: Vec::new(), helper: None }
    }

    /// The run has found something.
    pub fn add(&mut self, finding: Finding) {
        self.left.push(finding);
    }

    /// The run goes on, and may take a while.
    pub fn get_ahead(&mut self) {
        if self.left.len() < BATCH {
            return;
        }
        if self.helper.is_none() {
            self.helper = Helper::start(self.times);
        }
        if let Some(helper) = &self.helper {
            helper.ask(Ask::LookAt(std::mem::take(&mut self.left)));
        }
    }

    /// Writes all of it down.
    pub fn finish(&mut self, end: End) -> Gathered {
        let left = std::mem::take(&mut self.left);
        let Some(helper) = self.helper.take() else {
            let mut looked = Looked::new(self.times);
            left.into_iter().for_each(|finding| looked.look_at(finding));
            return looked.finish(&end);
        };
        helper.ask(Ask::LookAt(left));
        helper.ask(Ask::Finish(end));
        helper.gathered.recv().expect("the helper tells")
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{
        super::{
            digest,
            inputs::{Change, Inputs},
        },
        *,
    };

    #[test]
    fn many_inputs_are_the_same_as_few() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |number: usize| folder.path().join(number.to_string());
        for number in 0..3 * BATCH {
            fs::write(path(number), number.to_string()).expect("a file");
        }
        let text = |number: usize| Text::from(path(number).as_os_str().as_encoded_bytes());
        let programs = BTreeSet::from([text(12)]);
        let gather = |ahead: bool| {
            let mut gathering = Gathering::new(FileTimes::Fixed);
            for number in 0..=3 * BATCH {
                let place = path(number);
                let path = text(number);
                let said = match fs::metadata(place) {
                    _ if number % 3 == 0 => Said::Nothing,
                    Ok(file) => Said::There(digest::stamp(&file)),
                    Err(_) => Said::Absent,
                };
                gathering.add(Finding { path: path.clone(), found: Found::Status, said });
                if number % 2 == 0 {
                    let (found, said) = (Found::Content, Said::Nothing);
                    gathering.add(Finding { path, found, said });
                }
                if ahead {
                    gathering.get_ahead();
                }
            }
            assert_eq!(gathering.helper.is_some(), ahead);
            let file = folder.path().join("inputs");
            let gathered = gathering.finish(End { programs: programs.clone(), file: file.clone() });
            gathered.written.expect("room");
            let digest = |number| gathered.programs.get(&text(number)).map(String::len);
            assert_eq!([digest(12), digest(13)], [Some(32), None], "13 is no program");
            serde_json::from_slice::<Inputs>(&fs::read(file).expect("inputs")).expect("inputs")
        };
        let inputs = gather(true);
        assert_eq!(inputs, gather(false));
        assert_eq!(inputs.files.len(), 3 * BATCH + 1);
        let of = |number: usize| {
            let input = inputs.files.iter().find(|input| input.path == text(number));
            input.and_then(|input| input.digest.clone())
        };
        assert_eq!(of(12).map(|digest| digest.len()), Some(32));
        assert_eq!(of(13).as_deref(), Some("file 0644 2"));
        assert_eq!(of(3 * BATCH), None, "there is none");
        fs::write(path(13), "other").expect("a file");
        let told: Vec<_> = inputs.changes().iter().map(Change::to_string).collect();
        assert_eq!(told, [format!("{} has changed", path(13).display())]);
    }
}
