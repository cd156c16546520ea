//! Where simrun keeps what only saves time (`XDG_CACHE_HOME`, else `~/.cache`). What cannot be read or written there is
//! as if it were not there.

use std::{
    env, fs,
    io::Write,
    path::{Path, PathBuf},
};

use serde::{Serialize, de::DeserializeOwned};

/// The path of a file of this name.
pub fn path(name: &str) -> Option<PathBuf> {
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let folder = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")))?;
    Some(folder.join("simrun").join(name))
}

/// What an earlier run has left.
pub fn load<T: DeserializeOwned>(path: &Path) -> Option<T> {
    postcard::from_bytes(&fs::read(path).ok()?).ok()
}

/// Keeps a value. Nobody ever reads half of it; of two that are kept at one time one is forgotten.
pub fn save(path: &Path, value: &impl Serialize) {
    let Ok(bytes) = postcard::to_allocvec(value) else { return };
    let Some(folder) = path.parent() else { return };
    let written = fs::create_dir_all(folder)
        .and_then(|()| tempfile::NamedTempFile::new_in(folder))
        .and_then(|mut file| file.write_all(&bytes).map(|()| file));
    if let Ok(file) = written {
        // If it cannot be put in its place it is removed again.
        let _ = file.persist(path);
    }
}
