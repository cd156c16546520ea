//! All runs in a database: a cache of what is in their folders, brought up to date by whoever lists them. A run that is
//! only written down never opens it.

use std::{
    collections::BTreeMap,
    fs, io,
    os::unix::fs::MetadataExt,
    path::PathBuf,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rusqlite::{Connection, OptionalExtension, Params, Transaction, TransactionBehavior, params};
use serde::Serialize;

use super::{
    Error, Place, RunFolder, State, folder::names, id::Id, record::Record, text::shell_command,
    time::Timestamp,
};

/// File of the store that holds it.
const FILE: &str = "index.sqlite";
/// Changes whenever the tables do: another one is made anew.
const VERSION: i64 = 1;
/// How long to wait for somebody else who brings it up to date.
const BUSY: Duration = Duration::from_secs(30);
/// A folder changed less than so long ago may change again within one tick of its file system's clock.
const SETTLED: Duration = Duration::from_secs(1);

const TABLES: &str = "
    CREATE TABLE runs (
        id TEXT PRIMARY KEY, simulation TEXT, model TEXT NOT NULL, seed INTEGER NOT NULL, state TEXT NOT NULL,
        kind TEXT, title TEXT, signature TEXT, command TEXT NOT NULL, start INTEGER NOT NULL, end INTEGER,
        exit_status INTEGER, fingerprint TEXT, simulated_ns INTEGER NOT NULL, wall_ns INTEGER NOT NULL,
        checks INTEGER NOT NULL, violations INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX of_simulation ON runs (simulation);
    CREATE INDEX in_state ON runs (state);
    CREATE TABLE folder (modified_ns INTEGER NOT NULL);
";
const COLUMNS: &str = "id, simulation, model, seed, state, kind, title, signature, command, start, end, exit_status, \
                       fingerprint, simulated_ns, wall_ns, checks, violations";

/// A run in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Its name.
    pub id: Id,
    /// The simulation it belongs to, if it is not one by itself.
    pub simulation: Option<Id>,
    /// The fault model.
    pub model: String,
    /// The seed.
    pub seed: u64,
    /// Where it is in its life.
    pub state: State,
    /// What kind of failure it had.
    pub kind: Option<String>,
    /// The failure in a line.
    pub title: Option<String>,
    /// What makes the failure the same as another's.
    pub signature: Option<String>,
    /// The command, as one would type it.
    pub command: String,
    /// When it began.
    pub start: Timestamp,
    /// When it ended.
    pub end: Option<Timestamp>,
    /// simrun's exit status.
    pub exit_status: Option<u8>,
    /// The digest of its events.
    pub fingerprint: Option<String>,
    /// Simulated time.
    pub simulated_ns: u64,
    /// Real time.
    pub wall_ns: u64,
    /// How often invariants were checked.
    pub checks: u64,
    /// How often they did not hold.
    pub violations: u64,
}

impl Row {
    /// What a list shows of this run.
    pub fn of(record: &Record) -> Self {
        let result = record.result.as_ref();
        let failure = result.and_then(|result| result.failure.as_ref());
        let invariants = result.map_or(&[][..], |result| &result.invariants);
        let violations = invariants.iter().map(|invariant| invariant.failed).sum();
        Self {
            id: record.id.clone(),
            simulation: record.simulation.clone(),
            model: record.model.clone(),
            seed: record.pinned.seed,
            state: record.state,
            kind: failure.map(|failure| failure.kind.name().to_owned()),
            title: failure.map(|failure| failure.title.clone()),
            signature: failure.map(|failure| failure.signature.clone()),
            command: shell_command(&record.pinned.command),
            start: record.start,
            end: result.map(|result| result.end),
            exit_status: result.map(|result| result.exit_status),
            fingerprint: result.and_then(|result| result.fingerprint.clone()),
            simulated_ns: result.map_or(0, |result| result.simulated_ns),
            wall_ns: result.map_or(0, |result| result.wall_ns),
            checks: violations + invariants.iter().map(|invariant| invariant.passed).sum::<u64>(),
            violations,
        }
    }

    /// A run of which nothing can be read: a power cut may leave that.
    fn unreadable(id: &Id, error: &Error) -> Self {
        Self {
            id: id.clone(),
            simulation: None,
            model: String::new(),
            seed: 0,
            state: State::Interrupted,
            kind: None,
            title: Some(error.to_string()),
            signature: None,
            command: String::new(),
            start: Timestamp(0),
            end: None,
            exit_status: None,
            fingerprint: None,
            simulated_ns: 0,
            wall_ns: 0,
            checks: 0,
            violations: 0,
        }
    }

    fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        let id = |index| {
            let text: Option<String> = row.get(index)?;
            Ok::<_, rusqlite::Error>(text.and_then(|text| text.parse().ok()))
        };
        let number = |index| Ok::<_, rusqlite::Error>(row.get::<_, i64>(index)? as u64);
        let wrong = |index| {
            rusqlite::Error::InvalidColumnType(index, String::new(), rusqlite::types::Type::Text)
        };
        Ok(Self {
            id: id(0)?.ok_or_else(|| wrong(0))?,
            simulation: id(1)?,
            model: row.get(2)?,
            seed: number(3)?,
            state: State::from_name(row.get_ref(4)?.as_str()?).ok_or_else(|| wrong(4))?,
            kind: row.get(5)?,
            title: row.get(6)?,
            signature: row.get(7)?,
            command: row.get(8)?,
            start: Timestamp(number(9)?),
            end: row.get::<_, Option<i64>>(10)?.map(|end| Timestamp(end as u64)),
            exit_status: row.get(11)?,
            fingerprint: row.get(12)?,
            simulated_ns: number(13)?,
            wall_ns: number(14)?,
            checks: number(15)?,
            violations: number(16)?,
        })
    }
}

/// A simulation in a list: many runs, or one that is none's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Group {
    /// Its name: the run's, if that is none's.
    pub id: Id,
    /// When its first run began.
    pub start: Timestamp,
    /// When its last run ended, as far as they have.
    pub end: Option<Timestamp>,
    /// How many runs there are.
    pub runs: u64,
    /// How many of them in each state.
    pub states: BTreeMap<&'static str, u64>,
    /// How many have violated an invariant.
    pub violated: u64,
    /// The command.
    pub command: String,
}

/// Which runs to list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    /// Of this simulation only.
    pub simulation: Option<Id>,
    /// In this state only.
    pub state: Option<State>,
    /// Only those that have violated an invariant.
    pub violated: bool,
    /// So many, the last ones.
    pub limit: Option<usize>,
}

/// The database.
pub struct Index {
    place: Place,
    database: Connection,
}

impl Index {
    /// Opens it and brings it up to date.
    ///
    /// # Errors
    /// When the runs cannot be read.
    pub fn open(place: &Place) -> Result<Self, Error> {
        let path = place.path().join(FILE);
        let first = Self::at(place, Some(&path)).and_then(Self::refreshed);
        match first {
            // It cannot be written to, but runs can still be listed.
            Err(Error::Index(error)) if !is_damage(&error) => {
                Self::at(place, None).and_then(Self::refreshed)
            }
            Err(Error::Index(_)) => {
                for end in ["", "-wal", "-shm"] {
                    let mut path = path.clone().into_os_string();
                    path.push(end);
                    let _ = fs::remove_file(path);
                }
                Self::at(place, Some(&path)).and_then(Self::refreshed)
            }
            other => other,
        }
    }

    fn at(place: &Place, path: Option<&PathBuf>) -> Result<Self, Error> {
        let database = match path.filter(|_| place.runs().is_dir()) {
            Some(path) => Connection::open(path)?,
            None => Connection::open_in_memory()?,
        };
        database.busy_timeout(BUSY)?;
        // A power cut may damage it; then it is made anew.
        database.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;")?;
        let version: i64 = database.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        let mut index = Self { place: place.clone(), database };
        if version != VERSION {
            index.make_tables()?;
        }
        Ok(index)
    }

    fn make_tables(&mut self) -> Result<(), Error> {
        let transaction =
            self.database.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let version: i64 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        if version != VERSION {
            transaction.execute_batch("DROP TABLE IF EXISTS runs; DROP TABLE IF EXISTS folder;")?;
            transaction.execute_batch(TABLES)?;
            transaction.pragma_update(None, "user_version", VERSION)?;
        }
        Ok(transaction.commit()?)
    }

    fn refreshed(mut self) -> Result<Self, Error> {
        let runs = self.place.runs();
        let modified = modified_ns(&runs)?;
        let known: Option<i64> = self
            .database
            .query_row("SELECT modified_ns FROM folder", [], |row| row.get(0))
            .optional()?;
        let is_current = known == Some(modified);
        let unfinished = self.unfinished()?;
        if is_current && unfinished.is_empty() {
            return Ok(self);
        }
        let place = self.place.clone();
        let transaction =
            self.database.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if !is_current {
            add_and_remove(&transaction, &place)?;
            transaction.execute("DELETE FROM folder", [])?;
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            if Duration::from_nanos(modified as u64) + SETTLED < now {
                transaction.execute("INSERT INTO folder VALUES (?1)", [modified])?;
            }
        }
        for id in unfinished {
            if place.runs().join(id.as_str()).is_dir() {
                insert(&transaction, &place, &id)?;
            }
        }
        transaction.commit()?;
        Ok(self)
    }

    /// Those that had not ended when they were last looked at.
    fn unfinished(&self) -> Result<Vec<Id>, Error> {
        let sql = "SELECT id FROM runs WHERE state IN ('pending', 'booting', 'executing')";
        let mut statement = self.database.prepare(sql)?;
        let names = statement.query_map([], |row| row.get::<_, String>(0))?;
        let names: Vec<String> = names.collect::<Result<_, _>>()?;
        Ok(names.iter().filter_map(|name| name.parse().ok()).collect())
    }

    /// The names of all runs, sorted.
    ///
    /// # Errors
    /// When the index fails.
    pub fn names(&self) -> Result<Vec<Id>, Error> {
        Ok(known_names(&self.database)?)
    }

    /// The runs that fit, in the order of their making.
    ///
    /// # Errors
    /// When the index fails.
    pub fn runs(&self, filter: &Filter) -> Result<Vec<Row>, Error> {
        let sql = format!(
            "SELECT {COLUMNS} FROM runs WHERE (?1 IS NULL OR simulation = ?1) AND (?2 IS NULL OR state = ?2) \
             AND (?3 = 0 OR violations > 0) ORDER BY id DESC LIMIT ?4"
        );
        let simulation = filter.simulation.as_ref().map(Id::as_str);
        let limit = limit(filter.limit);
        let state = filter.state.map(State::name);
        let mut rows =
            self.list(&sql, params![simulation, state, filter.violated, limit], Row::read)?;
        rows.reverse();
        Ok(rows)
    }

    /// The simulations, in the order of their making; so many, the last ones.
    ///
    /// # Errors
    /// When the index fails.
    pub fn groups(&self, count: Option<usize>) -> Result<Vec<Group>, Error> {
        let states = [
            State::Pending,
            State::Booting,
            State::Executing,
            State::Succeeded,
            State::Failed,
            State::TimedOut,
            State::Interrupted,
        ];
        let counts = states.map(|state| format!("sum(state = '{}')", state.name())).join(", ");
        let sql = format!(
            "SELECT coalesce(simulation, id) AS name, min(start), max(end), count(*), sum(violations > 0), command, \
             {counts} FROM runs GROUP BY name ORDER BY name DESC LIMIT ?1"
        );
        let read = |row: &rusqlite::Row<'_>| {
            let number = |index| Ok::<_, rusqlite::Error>(row.get::<_, i64>(index)? as u64);
            let mut by_state = BTreeMap::new();
            for (index, state) in states.iter().enumerate() {
                match number(6 + index)? {
                    0 => {}
                    count => drop(by_state.insert(state.name(), count)),
                }
            }
            let name: String = row.get(0)?;
            Ok(Group {
                id: name.parse().map_err(|_| rusqlite::Error::InvalidQuery)?,
                start: Timestamp(number(1)?),
                end: row.get::<_, Option<i64>>(2)?.map(|end| Timestamp(end as u64)),
                runs: number(3)?,
                states: by_state,
                violated: number(4)?,
                command: row.get(5)?,
            })
        };
        let mut groups = self.list(&sql, [limit(count)], read)?;
        groups.reverse();
        Ok(groups)
    }

    fn list<T>(
        &self,
        sql: &str,
        parameters: impl Params,
        read: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, Error> {
        let mut statement = self.database.prepare(sql)?;
        let rows = statement.query_map(parameters, read)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// Whether the file is none that can be used.
fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase)
    ) || matches!(error, rusqlite::Error::InvalidColumnType(..) | rusqlite::Error::InvalidQuery)
}

/// As SQLite has it: less than zero for none.
fn limit(count: Option<usize>) -> i64 {
    count.map_or(-1, |count| i64::try_from(count).unwrap_or(i64::MAX))
}

fn modified_ns(folder: &std::path::Path) -> Result<i64, Error> {
    match fs::metadata(folder) {
        Ok(folder) => Ok(folder.mtime() * 1_000_000_000 + folder.mtime_nsec()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(Error::File(folder.to_path_buf(), error)),
    }
}

fn known_names(database: &Connection) -> rusqlite::Result<Vec<Id>> {
    let mut statement = database.prepare("SELECT id FROM runs ORDER BY id")?;
    let names = statement.query_map([], |row| row.get::<_, String>(0))?;
    let names: Vec<String> = names.collect::<Result<_, _>>()?;
    Ok(names.iter().filter_map(|name| name.parse().ok()).collect())
}

/// Takes in the folders that are new, and forgets those that are gone.
fn add_and_remove(transaction: &Transaction<'_>, place: &Place) -> Result<(), Error> {
    let present = names(&place.runs())?;
    let mut known = known_names(transaction)?.into_iter().peekable();
    let remove = |id: &Id| transaction.execute("DELETE FROM runs WHERE id = ?1", [id.as_str()]);
    for id in &present {
        while let Some(gone) = known.next_if(|known| known < id) {
            remove(&gone)?;
        }
        if known.next_if(|known| known == id).is_none() {
            insert(transaction, place, id)?;
        }
    }
    for gone in known {
        remove(&gone)?;
    }
    Ok(())
}

fn insert(transaction: &Transaction<'_>, place: &Place, id: &Id) -> Result<(), Error> {
    let row = match RunFolder::of(place, id).record() {
        Ok(record) => Row::of(&record),
        Err(error) => Row::unreadable(id, &error),
    };
    let sql = format!(
        "INSERT OR REPLACE INTO runs ({COLUMNS}) VALUES \
         (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)"
    );
    transaction.prepare_cached(&sql)?.execute(params![
        row.id.as_str(),
        row.simulation.as_ref().map(Id::as_str),
        row.model,
        row.seed as i64,
        row.state.name(),
        row.kind,
        row.title,
        row.signature,
        row.command,
        row.start.0 as i64,
        row.end.map(|end| end.0 as i64),
        row.exit_status,
        row.fingerprint,
        row.simulated_ns as i64,
        row.wall_ns as i64,
        row.checks as i64,
        row.violations as i64,
    ])?;
    Ok(())
}
