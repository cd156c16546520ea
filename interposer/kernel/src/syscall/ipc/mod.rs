//! System V IPC (sysvipc(7)).
//!
//! - [`shared`]: shared memory; [`semaphore`]: semaphore sets; [`message`]: message queues.

mod message;
mod semaphore;
mod shared;
pub use message::{msgctl, msgget, msgrcv, msgsnd};
pub use semaphore::{semctl, semget, semop, semtimedop};
pub use shared::{shmat, shmctl, shmdt, shmget};

use bytemuck::NoUninit;

use crate::{
    context::Context,
    error::{Errno, Result},
    fs::views,
    ipc::{Id, Ipc, Object, Permission, RawPermission, Registry},
    outcome::Outcome,
    process::Credentials,
    uapi::ipc as uapi,
    user::{self, UserPtr},
};

/// Permission bits for reading, of all classes.
const READ: u32 = 0o444;
/// Permission bits for writing, of all classes.
const WRITE: u32 = 0o222;

/// Finds the objects of a kind.
type Kind<T> = fn(&mut Ipc) -> &mut Registry<T>;

/// The object with a key, or a new one (`ipcget` in ipc/util.c). `check` refuses what was found; `make` makes an object
/// of which there may be so many.
fn get_or_make<T: Object>(
    cx: &mut Context<'_>,
    kind: Kind<T>,
    [key, flags]: [u64; 2],
    check: impl FnOnce(&T) -> Result<()>,
    make: impl FnOnce(&mut Context<'_>, Permission) -> Result<(T, u64)>,
) -> Result<Outcome> {
    let (key, flags) = (key as i32, flags as u32);
    let who = cx.process().credentials.clone();
    let registry = kind(&mut cx.kernel.ipc);
    let found = if key == 0 { None } else { registry.find(key) };
    let id = match found {
        Some(_) if flags & uapi::CREATE != 0 && flags & uapi::EXCLUSIVE != 0 => {
            return Err(Errno::EEXIST.into());
        }
        Some(id) => {
            let object = registry.get(id)?;
            check(object)?;
            object.permission().check(&who, flags & 0o777)?;
            id
        }
        None if key != 0 && flags & uapi::CREATE == 0 => return Err(Errno::ENOENT.into()),
        None => {
            let (object, max) = make(cx, Permission::new(key, flags, &who))?;
            kind(&mut cx.kernel.ipc).insert(object, usize::try_from(max).unwrap_or(usize::MAX))?
        }
    };
    Ok(Outcome::Done(id.raw().into()))
}

/// How a command for an object's status names it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Naming {
    /// By id.
    Id,
    /// By place; the id is the result.
    Place,
    /// By place, and whoever asks may know.
    PlaceForAll,
}

/// The object that such a command means, and the command's result.
fn named<T: Object>(
    registry: &Registry<T>,
    raw: u64,
    naming: Naming,
    who: &Credentials,
) -> Result<(Id, u64)> {
    let id = match naming {
        Naming::Id => Id::from_register(raw)?,
        Naming::Place | Naming::PlaceForAll => registry.at_place(raw)?,
    };
    let object = registry.get(id)?;
    if naming != Naming::PlaceForAll {
        object.permission().check(who, READ)?;
    }
    Ok((id, if naming == Naming::Id { 0 } else { id.raw().into() }))
}

/// Writes an object's permission and what follows it.
fn write_status(
    cx: &mut Context<'_>,
    to: u64,
    permission: &RawPermission,
    status: &impl NoUninit,
) -> Result<()> {
    cx.write(UserPtr::new(to), permission)?;
    let rest = to.wrapping_add(size_of::<RawPermission>() as u64);
    user::write_bytes(cx.host, rest, bytemuck::bytes_of(status))
}

/// The object that a command changes: only its owner, its maker and the administrator may.
fn owned<T: Object>(cx: &mut Context<'_>, kind: Kind<T>, raw: u64) -> Result<Id> {
    let id = Id::from_register(raw)?;
    let who = cx.process().credentials.clone();
    kind(&mut cx.kernel.ipc).get(id)?.permission().check_owner(&who)?;
    Ok(id)
}

/// Refuses a caller without these permission bits.
fn check_access<T: Object>(cx: &mut Context<'_>, kind: Kind<T>, id: Id, wanted: u32) -> Result<()> {
    let who = cx.process().credentials.clone();
    kind(&mut cx.kernel.ipc).get(id)?.permission().check(&who, wanted)
}

/// The first number of a setting below `/proc/sys/kernel`.
fn setting(cx: &Context<'_>, name: &str) -> u64 {
    settings(cx, name)[0]
}

/// The numbers of a setting below `/proc/sys/kernel`, at most four of them; those that are missing are zero.
fn settings(cx: &Context<'_>, name: &str) -> [u64; 4] {
    let mut numbers = [0; 4];
    let found = views::numbers(cx.kernel, &["kernel/", name].concat());
    for (place, number) in numbers.iter_mut().zip(found) {
        *place = number;
    }
    numbers
}
