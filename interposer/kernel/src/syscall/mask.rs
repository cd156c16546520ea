//! The signal mask that `ppoll`, `pselect6` and `epoll_pwait` set for as long as they take.

use crate::{
    context::Context,
    error::{Errno, Result},
    signal::SignalSet,
    user::UserPtr,
};

/// Gives the calling thread the mask at this address until its call is over; null leaves it as it is.
///
/// # Errors
/// `EINVAL` for a size other than the kernel's, `EFAULT`.
pub(super) fn set_for_call(cx: &mut Context<'_>, address: u64, size: u64) -> Result<()> {
    if address == 0 || cx.thread().signals.saved_mask.is_some() {
        return Ok(());
    }
    if size != size_of::<u64>() as u64 {
        return Err(Errno::EINVAL.into());
    }
    let mask = SignalSet(cx.read(UserPtr::<u64>::new(address))?);
    cx.set_call_mask(mask);
    Ok(())
}
