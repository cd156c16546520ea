//! A simulation file as it was read, and what holds where it says nothing: all that is needed for any seed.

use std::{
    cell::OnceCell,
    env, fs, io,
    path::{Path, PathBuf},
    rc::Rc,
    time::Duration,
};

use serde::{Deserialize, Serialize};
use simrun_abi::{faults::Fault, node::Node};
use simrun_config::{
    Problem, Spanned, Wrong,
    units::{Time, Unit},
};

use super::{
    Machines,
    chaos::Bounds,
    compile::{Base, machines},
    draw::Draw,
    file::SimulationFile,
};
use crate::{
    faults::{self, Asked},
    mocks,
    program::Environment,
    store::text::Text,
};

/// Why there is no simulation.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("{}: the simulation cannot be read", .0.display())]
    Unreadable(PathBuf, #[source] io::Error),
    /// The file says what it cannot say.
    #[error(transparent)]
    Problem(#[from] Problem),
}

/// What holds for machines of which the file says nothing else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Defaults {
    /// Processors.
    pub cpus: u32,
    /// Memory in bytes.
    pub memory: u64,
    /// Free bytes on the disk.
    pub disk: u64,
    /// Variables that were asked for.
    pub environment: Vec<(String, String)>,
    /// Where working directories begin, if not in the folder of the file; absolute.
    pub directory: Option<Text>,
}

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Described {
    /// The file, as it was named.
    pub path: Text,
    /// The folder that it lies in; absolute.
    folder: Text,
    /// What it says.
    pub text: String,
    /// What it does not say.
    defaults: Defaults,
    /// What it says, once it was asked: every seed asks.
    #[serde(skip)]
    parsed: Parsed,
}

/// What a file says, as far as anybody has asked. It follows from the text, so that two of one text are equal.
#[derive(Clone, Debug, Default)]
struct Parsed(Rc<OnceCell<SimulationFile>>);

impl PartialEq for Parsed {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Described {
    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(path: &Path, defaults: Defaults) -> Result<Self, Error> {
        let fail = |error| Error::Unreadable(path.into(), error);
        let text = fs::read_to_string(path).map_err(fail)?;
        let whole = path.canonicalize().map_err(fail)?;
        let folder = whole.parent().unwrap_or(Path::new("/")).as_os_str();
        Ok(Self {
            path: path.as_os_str().to_owned().into(),
            folder: folder.to_owned().into(),
            text,
            defaults,
            parsed: Parsed::default(),
        })
    }

    /// What messages call it.
    fn shown(&self) -> String {
        self.path.to_string()
    }

    /// The folder that it lies in; absolute.
    pub fn folder(&self) -> &Path {
        Path::new(self.folder.as_os_str())
    }

    /// What it says.
    ///
    /// # Errors
    /// The first thing that is wrong.
    fn file(&self) -> Result<&SimulationFile, Problem> {
        let Parsed(cell) = &self.parsed;
        if let Some(file) = cell.get() {
            return Ok(file);
        }
        let file = simrun_config::parse(&self.shown(), &self.text)?;
        Ok(cell.get_or_init(|| file))
    }

    /// Its machines for a seed.
    ///
    /// # Errors
    /// The first thing that cannot be.
    pub fn machines(&self, seed: u64) -> Result<Machines, Problem> {
        self.drawn(seed, Draw::Seed(seed))
    }

    /// All machines that there are for any seed: a fault may be for one that only some have. `nodes` are those of one, with
    /// the mocks that all have.
    ///
    /// # Errors
    /// The first thing that cannot be.
    pub fn any_seeds(&self, nodes: &[Node]) -> Result<Vec<Node>, Problem> {
        let mut all = self.drawn(0, Draw::Most)?.nodes;
        all.extend(mocks::of(nodes).cloned());
        Ok(all)
    }

    fn drawn(&self, seed: u64, draw: Draw) -> Result<Machines, Problem> {
        let file = self.file()?;
        let environment = Environment::new(seed, &self.defaults.environment);
        let Defaults { cpus, memory, disk, .. } = self.defaults;
        let directory = match &self.defaults.directory {
            Some(directory) => Path::new(directory.as_os_str()),
            None => self.folder(),
        };
        let seed_variables = Environment::of_seed(seed);
        let base = Base {
            directory,
            size: (cpus, memory, disk),
            environment: &environment,
            seed_variables: &seed_variables,
            own: env::current_exe().unwrap_or_default().into_os_string(),
        };
        machines(file, draw, &base).map_err(|wrong| wrong.of(&self.shown()))
    }

    /// Its files of mocks.
    ///
    /// # Errors
    /// When one is not there.
    pub fn mocks(&self) -> Result<Vec<PathBuf>, Problem> {
        let find = |name: &Spanned<String>| {
            let path = self.folder().join(&name.value);
            let found = path.canonicalize();
            found.map_err(|error| name.wrong(format!("`{}`: {error}", name.value)))
        };
        let files = self.file()?.mocks.iter().map(find).collect::<Result<_, _>>();
        files.map_err(|wrong| wrong.of(&self.shown()))
    }

    /// Its fault models, as one would name them on the command line, for a run with the mocks of these nodes.
    ///
    /// # Errors
    /// The first that is none.
    pub fn faults(&self, nodes: &[Node]) -> Result<Vec<String>, Problem> {
        let file = self.file()?;
        if file.faults.is_empty() {
            return Ok(Vec::new());
        }
        let catalog = faults::Catalog::of(self.folder());
        let nodes = self.any_seeds(nodes)?;
        let models = file.faults.iter().map(|given| self.model(&catalog, given, &nodes));
        models.collect::<Result<_, _>>().map_err(|wrong| wrong.of(&self.shown()))
    }

    /// Faults when they may happen.
    ///
    /// # Errors
    /// When they never may.
    pub fn confined(&self, mut faults: Vec<Fault>) -> Result<Vec<Fault>, Problem> {
        if let Some(bounds) = self.bounds()? {
            faults.iter_mut().for_each(|fault| bounds.confine(fault));
        }
        Ok(faults)
    }

    /// When faults may happen; at any time, without it.
    ///
    /// # Errors
    /// When they never may.
    pub fn bounds(&self) -> Result<Option<Bounds>, Problem> {
        let chaos = self.file()?.chaos.as_ref();
        chaos.map(Bounds::new).transpose().map_err(|wrong| wrong.of(&self.shown()))
    }

    fn model(
        &self,
        catalog: &faults::Catalog,
        given: &Spanned<String>,
        nodes: &[Node],
    ) -> Result<String, Wrong> {
        let beside = Path::new(self.path.as_os_str()).parent().unwrap_or(Path::new(""));
        let full = |name: &str| match faults::is_path(name) && !mocks::offers(nodes, name) {
            true => beside.join(name).display().to_string(),
            false => name.to_owned(),
        };
        let names: Vec<String> = given.split(faults::TOGETHER).map(str::to_owned).collect();
        let of_files = mocks::of_files(nodes, names.clone());
        let of_files = of_files.map_err(|error| given.wrong(error.to_string()))?;
        let paths: Vec<String> = of_files.iter().map(|name| full(name)).collect();
        let plan = catalog.plan(&paths, nodes, Asked::OfMachines);
        plan.map_err(|error| given.wrong(faults::in_words(&error)))?;
        let names: Vec<String> = names.iter().map(|name| full(name)).collect();
        Ok(names.join(faults::TOGETHER))
    }

    /// How long a run may take, in simulated time, and how many of each model there are.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn limits(&self) -> Result<(Option<Duration>, Option<u64>), Problem> {
        let file = self.file()?;
        let wrong = |wrong: Wrong| wrong.of(&self.shown());
        if let Some(timeout) = &file.timeout
            && timeout.number() == 0
        {
            return Err(wrong(timeout.wrong("nothing can be done in no time")));
        }
        if let Some(depth) = &file.depth
            && depth.value == 0
        {
            return Err(wrong(depth.wrong("no run would be made")));
        }
        let nanoseconds = |time: &Spanned<Time>| Duration::from_nanos(time.number());
        Ok((file.timeout.as_ref().map(nanoseconds), file.depth.as_ref().map(|depth| depth.value)))
    }
}
