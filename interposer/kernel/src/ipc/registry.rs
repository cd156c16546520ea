//! The objects of one kind, by id and by key (ipc/util.c).

use alloc::collections::BTreeMap;

use super::Permission;
use crate::error::{Errno, Error, Result};

/// What a program knows an object by: its place, and above that a number that tells it from what was there before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Id(u32);

/// Bits of an id that are the place (`IPCMNI_SHIFT`).
const PLACE_BITS: u32 = 15;
/// Places there are, whatever the settings say (`IPCMNI`).
pub const PLACES: usize = 1 << PLACE_BITS;
/// Sequence numbers there are.
const SEQUENCES: u32 = 1 << (31 - PLACE_BITS);
/// A place is not given again before so many others have been (`ipc_min_cycle`).
const CYCLE_MIN: usize = 64;

impl Id {
    /// The id in a register.
    ///
    /// # Errors
    /// `EINVAL` for a negative one.
    pub fn from_register(raw: u64) -> Result<Self> {
        u32::try_from(raw as i32).map(Self).map_err(|_| Errno::EINVAL.into())
    }

    /// The number.
    #[must_use]
    pub const fn raw(self) -> u32 {
        self.0
    }

    /// What tells it from others that had its place.
    #[must_use]
    pub const fn sequence(self) -> u16 {
        (self.0 >> PLACE_BITS) as u16
    }

    const fn place(self) -> u32 {
        self.0 & (PLACES as u32 - 1)
    }
}

/// What the objects of all kinds have.
pub trait Object {
    /// Whose it is.
    fn permission(&self) -> &Permission;
    /// Whose it is.
    fn permission_mut(&mut self) -> &mut Permission;
}

/// The objects of one kind.
#[derive(Debug)]
pub struct Registry<T> {
    objects: BTreeMap<u32, (Id, T)>,
    keys: BTreeMap<i32, Id>,
    last: Option<u32>,
    sequence: u32,
}

impl<T> Default for Registry<T> {
    fn default() -> Self {
        Self { objects: BTreeMap::new(), keys: BTreeMap::new(), last: None, sequence: 0 }
    }
}

impl<T: Object> Registry<T> {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.objects.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// The object with a key.
    #[must_use]
    pub fn find(&self, key: i32) -> Option<Id> {
        self.keys.get(&key).copied()
    }

    /// Takes an object in, of which there may be `max`.
    ///
    /// # Errors
    /// `ENOSPC`.
    pub fn insert(&mut self, object: T, max: usize) -> Result<Id> {
        let max = max.min(PLACES);
        if self.objects.len() >= max {
            return Err(Error::new(Errno::ENOSPC, "as many as there may be"));
        }
        let places = (self.objects.len() * 3 / 2).max(CYCLE_MIN).min(max) as u32;
        let from = self.last.map_or(0, |last| last + 1);
        let free = |place: &u32| !self.objects.contains_key(place);
        let place = (from..places).find(free).or_else(|| (0..places).find(free));
        let place = place.ok_or(Errno::ENOSPC)?;
        if self.last.is_some_and(|last| place <= last) {
            self.sequence = (self.sequence + 1) % SEQUENCES;
        }
        self.last = Some(place);
        let id = Id(self.sequence << PLACE_BITS | place);
        let key = object.permission().key;
        if key != 0 {
            self.keys.insert(key, id);
        }
        self.objects.insert(place, (id, object));
        Ok(id)
    }

    /// An object.
    ///
    /// # Errors
    /// `EINVAL` if there is none with this id.
    pub fn get(&self, id: Id) -> Result<&T> {
        let found = self.objects.get(&id.place()).filter(|(own, _)| *own == id);
        found.map(|(_, object)| object).ok_or(Errno::EINVAL.into())
    }

    /// An object.
    ///
    /// # Errors
    /// As [`Registry::get`].
    pub fn get_mut(&mut self, id: Id) -> Result<&mut T> {
        let found = self.objects.get_mut(&id.place()).filter(|(own, _)| *own == id);
        found.map(|(_, object)| object).ok_or(Errno::EINVAL.into())
    }

    /// Takes an object out.
    pub fn remove(&mut self, id: Id) -> Option<T> {
        self.get(id).ok()?;
        self.forget_key(id);
        self.objects.remove(&id.place()).map(|(_, object)| object)
    }

    /// Lets nobody find an object by its key any more.
    pub fn forget_key(&mut self, id: Id) {
        let Ok(object) = self.get_mut(id) else { return };
        let key = core::mem::take(&mut object.permission_mut().key);
        if key != 0 {
            self.keys.remove(&key);
        }
    }

    /// The id of what is at a place, as the commands that look for what there is count.
    ///
    /// # Errors
    /// `EINVAL` if nothing is.
    pub fn at_place(&self, place: u64) -> Result<Id> {
        let place = u32::try_from(place as i32).map_err(|_| Errno::EINVAL)?;
        self.objects
            .get(&(place & (PLACES as u32 - 1)))
            .map(|(id, _)| *id)
            .ok_or(Errno::EINVAL.into())
    }

    /// The highest place in use; zero also if none is.
    #[must_use]
    pub fn last_place(&self) -> u32 {
        self.objects.last_key_value().map_or(0, |(&place, _)| place)
    }

    /// All objects, by place.
    pub fn iter(&self) -> impl Iterator<Item = (Id, &T)> {
        self.objects.values().map(|(id, object)| (*id, object))
    }

    /// All objects, by place.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (Id, &mut T)> {
        self.objects.values_mut().map(|(id, object)| (*id, object))
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;
    use crate::process::Credentials;

    struct Thing(Permission);

    impl Object for Thing {
        fn permission(&self) -> &Permission {
            &self.0
        }
        fn permission_mut(&mut self) -> &mut Permission {
            &mut self.0
        }
    }

    fn thing(key: i32) -> Thing {
        Thing(Permission::new(key, 0o600, &Credentials::new(0, 0, Vec::new())))
    }

    #[test]
    fn a_removed_id_never_names_what_took_its_place() {
        let mut registry = Registry::default();
        let first = registry.insert(thing(7), 4).unwrap();
        assert_eq!((first.raw(), registry.find(7)), (0, Some(first)));
        assert!(registry.remove(first).is_some());
        assert_eq!(registry.find(7), None);
        let raw: Vec<u32> = (0..4).map(|_| registry.insert(thing(0), 4).unwrap().raw()).collect();
        assert_eq!(raw, [1, 2, 3, 1 << PLACE_BITS]);
        assert_eq!(registry.insert(thing(0), 4).unwrap_err().errno, Errno::ENOSPC);
        assert!(registry.get(first).is_err());
        assert_eq!(registry.last_place(), 3);
    }

    #[test]
    fn a_forgotten_key_leaves_the_object() {
        let mut registry = Registry::default();
        let id = registry.insert(thing(9), 4).unwrap();
        registry.forget_key(id);
        assert_eq!((registry.find(9), registry.get(id).unwrap().0.key), (None, 0));
        let other = registry.insert(thing(9), 4).unwrap();
        assert_eq!(registry.find(9), Some(other));
    }
}
