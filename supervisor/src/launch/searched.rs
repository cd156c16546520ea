//! What runs have found in the code of files, kept for later ones: to search all code that a program maps takes about as
//! long as to start it.
//!
//! It is kept in the [`cache`], and nothing depends on it but time: a file is known by where it lies, its length and when
//! it was modified.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use simrun_abi::boot::SearchedFile;

use crate::cache;

/// Name of the file.
const FILE: &str = "searched-code";
/// Changes whenever what is searched for does, or how it is written.
const VERSION: u32 = 1;
/// Most files that are kept: the last ones. All of them are read at every start.
const FILES_MAX: usize = 256;

/// What is in the file.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    version: u32,
    files: Vec<SearchedFile>,
}

/// The files known before a run, and those that it has searched.
#[derive(Debug, Default)]
pub struct Searched {
    path: Option<PathBuf>,
    known: Vec<SearchedFile>,
    new: Vec<SearchedFile>,
}

impl Searched {
    /// What earlier runs have left.
    pub fn load() -> Self {
        let Some(path) = cache::path(FILE) else { return Self::default() };
        let kept = cache::load(&path).filter(|kept: &Kept| kept.version == VERSION);
        let known = kept.map_or(Vec::new(), |kept| kept.files);
        Self { path: Some(path), known, new: Vec::new() }
    }

    /// What is known.
    pub fn known(&self) -> &[SearchedFile] {
        &self.known
    }

    /// A run has searched a file.
    pub fn add(&mut self, file: SearchedFile) {
        self.new.push(file);
    }

    /// Keeps what is new. Of two runs that end at one time one is forgotten, and will be searched for again.
    pub fn save(self) {
        let Some(path) = self.path.filter(|_| !self.new.is_empty()) else { return };
        let files = keep(self.known, self.new);
        cache::save(&path, &Kept { version: VERSION, files });
    }
}

/// The last ones of all, the new ones instead of older ones in the same place.
fn keep(known: Vec<SearchedFile>, new: Vec<SearchedFile>) -> Vec<SearchedFile> {
    let place = |file: &SearchedFile| (file.device, file.inode);
    let is_old = |file: &SearchedFile| new.iter().any(|newer| place(newer) == place(file));
    let mut files: Vec<_> = known.into_iter().filter(|file| !is_old(file)).collect();
    files.extend(new);
    files.drain(..files.len().saturating_sub(FILES_MAX));
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(inode: u64, size: u64) -> SearchedFile {
        SearchedFile { device: 1, inode, size, modified_ns: 0, sites: vec![(7, 1)] }
    }

    #[test]
    fn the_last_files_are_kept_each_once() {
        let kept = keep(vec![file(1, 1), file(2, 1)], vec![file(1, 2)]);
        assert_eq!(kept, [file(2, 1), file(1, 2)]);
        let many: Vec<_> = (0..FILES_MAX as u64 + 5).map(|inode| file(inode, 1)).collect();
        let kept = keep(many, vec![file(9999, 1)]);
        assert_eq!(
            (kept.len(), kept.first(), kept.last()),
            (FILES_MAX, Some(&file(6, 1)), Some(&file(9999, 1)))
        );
    }
}
