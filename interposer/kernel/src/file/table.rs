//! A process's descriptors.

use alloc::{rc::Rc, vec::Vec};
use core::ops::RangeInclusive;

use super::FileDescription;
use crate::error::{Errno, Error, Result};

/// A file descriptor number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fd(pub u32);

impl Fd {
    /// The descriptor in a register.
    ///
    /// # Errors
    /// `EBADF` for a negative number.
    pub fn from_register(raw: u64) -> Result<Self> {
        u32::try_from(raw as u32 as i32).map(Self).map_err(|_| Errno::EBADF.into())
    }
}

/// What a number stands for.
#[derive(Clone)]
pub struct Descriptor {
    /// The description.
    pub description: Rc<FileDescription>,
    /// Whether `execve` closes it.
    pub close_on_exec: bool,
}

/// A process's descriptors. A new one gets the lowest free number, as POSIX asks.
#[derive(Clone, Default)]
pub struct FdTable {
    slots: Vec<Option<Descriptor>>,
    /// No number below this one is free.
    lowest_free: usize,
}

impl FdTable {
    /// One more than the largest number ever used.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether no number was ever used.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// The descriptor with this number.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn get(&self, fd: Fd) -> Result<&Descriptor> {
        self.slots.get(fd.0 as usize).and_then(Option::as_ref).ok_or(Errno::EBADF.into())
    }

    /// The descriptor with this number.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn get_mut(&mut self, fd: Fd) -> Result<&mut Descriptor> {
        self.slots.get_mut(fd.0 as usize).and_then(Option::as_mut).ok_or(Errno::EBADF.into())
    }

    /// The number that the next new descriptor gets.
    #[must_use]
    pub fn lowest_free(&self) -> Fd {
        let free = |&i: &usize| self.slots.get(i).is_none_or(Option::is_none);
        Fd((self.lowest_free..).find(free).expect("numbers do not run out") as u32)
    }

    /// Gives a descriptor the lowest free number from `from` on, below `limit`.
    ///
    /// # Errors
    /// `EMFILE`.
    pub fn add(&mut self, descriptor: Descriptor, from: Fd, limit: u64) -> Result<Fd> {
        let start = self.lowest_free.max(from.0 as usize);
        let free = (start..).find(|&i| self.slots.get(i).is_none_or(Option::is_none));
        let index = free.expect("numbers do not run out");
        if index as u64 >= limit {
            return Err(Error::new(
                Errno::EMFILE,
                "the process has as many descriptors as RLIMIT_NOFILE allows",
            ));
        }
        self.set(Fd(index as u32), descriptor);
        if start == self.lowest_free {
            self.lowest_free = index + 1;
        }
        Ok(Fd(index as u32))
    }

    /// Gives a descriptor this number; what had it before.
    pub fn set(&mut self, fd: Fd, descriptor: Descriptor) -> Option<Descriptor> {
        let index = fd.0 as usize;
        if index >= self.slots.len() {
            self.slots.resize(index + 1, None);
        }
        self.slots[index].replace(descriptor)
    }

    /// Takes a descriptor out.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn remove(&mut self, fd: Fd) -> Result<Descriptor> {
        let index = fd.0 as usize;
        let taken = self.slots.get_mut(index).and_then(Option::take).ok_or(Errno::EBADF)?;
        self.lowest_free = self.lowest_free.min(index);
        Ok(taken)
    }

    /// All descriptors in order of number.
    pub fn iter(&self) -> impl Iterator<Item = (Fd, &Descriptor)> {
        self.slots.iter().enumerate().filter_map(|(i, slot)| Some((Fd(i as u32), slot.as_ref()?)))
    }

    /// Takes out every descriptor for which `which` holds.
    pub fn remove_where(&mut self, which: impl Fn(Fd, &Descriptor) -> bool) -> Vec<Descriptor> {
        self.lowest_free = 0;
        let taken =
            |(i, slot): (usize, &mut Option<Descriptor>)| slot.take_if(|d| which(Fd(i as u32), d));
        self.slots.iter_mut().enumerate().filter_map(taken).collect()
    }

    /// Has `execve` close all descriptors of a range.
    pub fn mark_close_on_exec(&mut self, range: &RangeInclusive<Fd>) {
        for (i, slot) in self.slots.iter_mut().enumerate() {
            if let Some(descriptor) = slot.as_mut().filter(|_| range.contains(&Fd(i as u32))) {
                descriptor.close_on_exec = true;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::{EventFd, EventKind, File, OpenFlags};

    fn descriptor() -> Descriptor {
        let file = File::Event(EventFd::new(0, EventKind::Counter));
        let description = FileDescription::new(file, OpenFlags::READ_WRITE, b"");
        Descriptor { description, close_on_exec: false }
    }

    #[test]
    fn a_new_descriptor_gets_the_lowest_free_number() {
        let mut table = FdTable::default();
        let add = |table: &mut FdTable, from| {
            table.add(descriptor(), Fd(from), 8).map(|fd| fd.0).map_err(|error| error.errno)
        };
        assert_eq!(
            (0..4).map(|_| add(&mut table, 0)).collect::<core::result::Result<Vec<_>, _>>(),
            Ok([0, 1, 2, 3].to_vec())
        );
        table.remove(Fd(1)).expect("it is there");
        assert_eq!(add(&mut table, 2), Ok(4));
        assert_eq!(add(&mut table, 0), Ok(1));
        assert_eq!(add(&mut table, 0), Ok(5));
        table.set(Fd(7), descriptor());
        assert_eq!(add(&mut table, 0), Ok(6));
        assert_eq!(add(&mut table, 0), Err(Errno::EMFILE));
        assert_eq!(table.remove_where(|fd, _| fd.0 % 2 == 0).len(), 4);
        assert_eq!(
            (0..4).map(|_| add(&mut table, 0)).collect::<core::result::Result<Vec<_>, _>>(),
            Ok([0, 2, 4, 6].to_vec())
        );
    }
}
