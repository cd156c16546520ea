//! What memory can be shared: numbers for the objects behind shared mappings.

use alloc::collections::BTreeMap;

/// Numbers for the objects behind shared mappings, from one up.
#[derive(Debug, Default)]
pub struct SharedObjects {
    files: BTreeMap<u64, u64>,
    given: u64,
}

impl SharedObjects {
    /// A number for memory without a file, which only children of the process that maps it will share.
    pub fn fresh(&mut self) -> u64 {
        self.given += 1;
        self.given
    }

    /// The number of a file, by its inode number.
    pub fn of_file(&mut self, inode: u64) -> u64 {
        if let Some(&number) = self.files.get(&inode) {
            return number;
        }
        let number = self.fresh();
        self.files.insert(inode, number);
        number
    }
}
