//! Semaphore sets: semget(2), semop(2), semctl(2).

use alloc::vec::Vec;

use super::{Naming, READ, WRITE, check_access, get_or_make, named, owned, settings, write_status};
use crate::{
    context::Context,
    error::{Errno, Error, Result},
    ipc::{
        ADJUSTMENT_MAX, Attempt, Awaited, Id, Ipc, Object, Operation, Operations, RawPermission,
        Registry, SemaphoreSet, VALUE_MAX,
    },
    outcome::{Outcome, Restart},
    uapi::ipc::{self as uapi, SemaphoreOperation, SetStatus, command},
    user::{self, UserPtr},
};

fn sets(ipc: &mut Ipc) -> &mut Registry<SemaphoreSet> {
    &mut ipc.semaphores
}

/// `/proc/sys/kernel/sem`.
struct Limits {
    per_set: u64,
    all: u64,
    per_call: u64,
    sets: u64,
}

impl Limits {
    fn now(cx: &Context<'_>) -> Self {
        let [per_set, all, per_call, sets] = settings(cx, "sem");
        Self { per_set, all, per_call, sets }
    }
}

fn total(cx: &Context<'_>) -> u64 {
    cx.kernel.ipc.semaphores.iter().map(|(_, set)| set.semaphores.len() as u64).sum()
}

/// semget(2).
pub fn semget(cx: &mut Context<'_>, [key, count, flags, ..]: [u64; 6]) -> Result<Outcome> {
    let limits = Limits::now(cx);
    let count = u64::try_from(count as i32).map_err(|_| Errno::EINVAL)?;
    if count > limits.per_set {
        return Err(Error::new(Errno::EINVAL, "more than SEMMSL"));
    }
    let check = |set: &SemaphoreSet| {
        if count > set.semaphores.len() as u64 { Err(Errno::EINVAL.into()) } else { Ok(()) }
    };
    get_or_make(cx, sets, [key, flags], check, |cx, permission| {
        if count == 0 {
            return Err(Errno::EINVAL.into());
        }
        if total(cx) + count > limits.all {
            return Err(Error::new(Errno::ENOSPC, "more than SEMMNS"));
        }
        let now = cx.kernel.ipc_time();
        Ok((SemaphoreSet::new(permission, count as usize, now), limits.sets))
    })
}

/// semop(2).
pub fn semop(cx: &mut Context<'_>, [id, list, count, ..]: [u64; 6]) -> Result<Outcome> {
    semtimedop(cx, [id, list, count, 0, 0, 0])
}

/// semtimedop (semop(2)).
pub fn semtimedop(
    cx: &mut Context<'_>,
    [id, list, count, timeout, ..]: [u64; 6],
) -> Result<Outcome> {
    if let Some(result) = cx.call().woken_with {
        return Ok(Outcome::Done(result));
    }
    let count = u64::from(count as u32);
    let id = Id::from_register(id)?;
    if count == 0 {
        return Err(Errno::EINVAL.into());
    }
    if count > Limits::now(cx).per_call {
        return Err(Error::new(Errno::E2BIG, "more than SEMOPM"));
    }
    if cx.kernel.ipc.semaphores.get(id).is_ok_and(|set| set.is_waiting(cx.thread)) {
        return wait(cx, id);
    }
    let operations = read_operations(cx, list, count)?;
    let timeout = cx.read_timeout(timeout)?;
    cx.deadline_after(timeout);
    let set = cx.kernel.ipc.semaphores.get(id)?;
    let exists = |operation: &Operation| usize::from(operation.number) < set.semaphores.len();
    if !operations.list.iter().all(exists) {
        return Err(Errno::EFBIG.into());
    }
    let alters = operations.list.iter().any(|operation| operation.change != 0);
    check_access(cx, sets, id, if alters { WRITE } else { READ })?;
    let now = cx.kernel.ipc_time();
    let set = cx.kernel.ipc.semaphores.get_mut(id)?;
    match set.attempt(&operations)? {
        Attempt::Done => {
            set.operation_time = now;
            cx.kernel.serve_semaphores(id);
            Ok(Outcome::Done(0))
        }
        Attempt::Waits(number, awaited) => {
            set.wait(cx.thread, operations, (number, awaited));
            wait(cx, id)
        }
    }
}

fn read_operations(cx: &mut Context<'_>, list: u64, count: u64) -> Result<Operations> {
    let from = UserPtr::<SemaphoreOperation>::new(list);
    let raw = user::read_vec(cx.host, from, count as usize)?;
    let list: Vec<Operation> = raw
        .into_iter()
        .map(|SemaphoreOperation { number, change, flags }| Operation {
            number,
            change,
            never_waits: u32::from(flags) & uapi::NO_WAIT != 0,
            undoes: u32::from(flags) & uapi::SEM_UNDO != 0 && change != 0,
        })
        .collect();
    let undoes = list.iter().any(|operation| operation.undoes);
    let undo_list = if undoes { cx.undo_list() } else { 0 };
    Ok(Operations { list, pid: cx.process().pid.raw(), undo_list })
}

/// Waits until another call makes it possible, and does it.
fn wait(cx: &mut Context<'_>, id: Id) -> Result<Outcome> {
    if cx.timed_out() {
        cx.kernel.ipc.semaphores.get_mut(id)?.forget_waiter(cx.thread);
        return Err(Errno::EAGAIN.into());
    }
    Ok(cx.block(Restart::Never, "a semaphore of System V"))
}

/// semctl(2).
pub fn semctl(
    cx: &mut Context<'_>,
    [id, number, command, argument, ..]: [u64; 6],
) -> Result<Outcome> {
    if (id as i32) < 0 {
        return Err(Errno::EINVAL.into());
    }
    match command as u32 {
        command::INFO | command::SEM_INFO => info(cx, command as u32, argument),
        command::STAT => status(cx, id, Naming::Id, argument),
        command::SEM_STAT => status(cx, id, Naming::Place, argument),
        command::SEM_STAT_ANY => status(cx, id, Naming::PlaceForAll, argument),
        command::SET => {
            let new = cx.read(UserPtr::<RawPermission>::new(argument))?;
            let id = owned(cx, sets, id)?;
            let now = cx.kernel.ipc_time();
            let set = cx.kernel.ipc.semaphores.get_mut(id)?;
            set.permission.set(&new)?;
            set.change_time = now;
            Ok(Outcome::Done(0))
        }
        command::REMOVE => remove(cx, id),
        command::SEM_GETALL => get_all(cx, id, argument),
        command::SEM_SETALL => set_all(cx, id, argument),
        command::SEM_SETVAL => set_one(cx, id, number, argument),
        command::SEM_GETVAL | command::SEM_GETPID | command::SEM_GETNCNT | command::SEM_GETZCNT => {
            get_one(cx, id, number, command as u32)
        }
        _ => Err(Errno::EINVAL.into()),
    }
}

fn remove(cx: &mut Context<'_>, id: u64) -> Result<Outcome> {
    let id = owned(cx, sets, id)?;
    let set = cx.kernel.ipc.semaphores.remove(id);
    for thread in set.map(|mut set| set.take_waiters()).unwrap_or_default() {
        cx.kernel.wake_with(thread, Errno::EIDRM.as_result());
    }
    Ok(Outcome::Done(0))
}

fn status(cx: &mut Context<'_>, raw: u64, naming: Naming, to: u64) -> Result<Outcome> {
    let who = cx.process().credentials.clone();
    let (id, result) = named(&cx.kernel.ipc.semaphores, raw, naming, &who)?;
    let set = cx.kernel.ipc.semaphores.get(id)?;
    let permission = set.permission().to_raw(id.sequence());
    let status = SetStatus {
        operation_time: set.operation_time,
        change_time: set.change_time,
        count: set.semaphores.len() as u64,
        ..SetStatus::default()
    };
    write_status(cx, to, &permission, &status)?;
    Ok(Outcome::Done(result))
}

/// `IPC_INFO` and `SEM_INFO`: `struct seminfo`.
fn info(cx: &mut Context<'_>, command: u32, to: u64) -> Result<Outcome> {
    /// `SEMUSZ`, which means nothing any more.
    const UNDO_SIZE: u64 = 20;
    let Limits { per_set, all, per_call, sets } = Limits::now(cx);
    let semaphores = &cx.kernel.ipc.semaphores;
    let (count, last) = (semaphores.len() as u64, semaphores.last_place());
    let (undo_size, adjustment) = match command {
        command::SEM_INFO => (count, total(cx)),
        _ => (UNDO_SIZE, ADJUSTMENT_MAX as u64),
    };
    let fields =
        [all, sets, all, all, per_set, per_call, per_call, undo_size, VALUE_MAX as u64, adjustment];
    cx.write(UserPtr::<[u32; 10]>::new(to), &fields.map(|field| field as u32))?;
    Ok(Outcome::Done(last.into()))
}

fn get_all(cx: &mut Context<'_>, id: u64, to: u64) -> Result<Outcome> {
    let id = Id::from_register(id)?;
    check_access(cx, sets, id, READ)?;
    let semaphores = &cx.kernel.ipc.semaphores.get(id)?.semaphores;
    let values: Vec<u16> = semaphores.iter().map(|semaphore| semaphore.value as u16).collect();
    user::write_bytes(cx.host, to, bytemuck::cast_slice(&values))?;
    Ok(Outcome::Done(0))
}

fn set_all(cx: &mut Context<'_>, id: u64, from: u64) -> Result<Outcome> {
    let id = Id::from_register(id)?;
    check_access(cx, sets, id, WRITE)?;
    let count = cx.kernel.ipc.semaphores.get(id)?.semaphores.len();
    let values = user::read_vec(cx.host, UserPtr::<u16>::new(from), count)?;
    if values.iter().any(|&value| i32::from(value) > VALUE_MAX) {
        return Err(Errno::ERANGE.into());
    }
    set_values(cx, id, values.into_iter().enumerate().map(|(at, value)| (at as u16, value.into())))
}

fn set_one(cx: &mut Context<'_>, id: u64, number: u64, value: u64) -> Result<Outcome> {
    let value = value as i32;
    if !(0..=VALUE_MAX).contains(&value) {
        return Err(Errno::ERANGE.into());
    }
    let id = Id::from_register(id)?;
    let number = place(cx, id, number)?;
    check_access(cx, sets, id, WRITE)?;
    set_values(cx, id, core::iter::once((number, value)))
}

fn set_values(
    cx: &mut Context<'_>,
    id: Id,
    values: impl Iterator<Item = (u16, i32)>,
) -> Result<Outcome> {
    let (pid, now) = (cx.process().pid.raw(), cx.kernel.ipc_time());
    let set = cx.kernel.ipc.semaphores.get_mut(id)?;
    for (number, value) in values {
        set.set_value(number, value, pid);
    }
    set.change_time = now;
    cx.kernel.serve_semaphores(id);
    Ok(Outcome::Done(0))
}

/// The place of a semaphore in its set.
fn place(cx: &Context<'_>, id: Id, number: u64) -> Result<u16> {
    let count = cx.kernel.ipc.semaphores.get(id)?.semaphores.len();
    let number = usize::try_from(number as i32).map_err(|_| Errno::EINVAL)?;
    if number < count { Ok(number as u16) } else { Err(Errno::EINVAL.into()) }
}

fn get_one(cx: &mut Context<'_>, id: u64, number: u64, command: u32) -> Result<Outcome> {
    let id = Id::from_register(id)?;
    check_access(cx, sets, id, READ)?;
    let number = place(cx, id, number)?;
    let set = cx.kernel.ipc.semaphores.get(id)?;
    let semaphore = set.semaphores[usize::from(number)];
    Ok(Outcome::Done(match command {
        command::SEM_GETVAL => semaphore.value as u64,
        command::SEM_GETPID => semaphore.pid.into(),
        command::SEM_GETNCNT => set.waiters_at(number, Awaited::More) as u64,
        _ => set.waiters_at(number, Awaited::Zero) as u64,
    }))
}
