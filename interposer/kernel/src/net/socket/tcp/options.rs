//! The options of tcp(7), ip(7) and ipv6(7) as far as streams have them.

use alloc::vec::Vec;

use linux_raw_sys::net as raw;

use super::TcpSocket;
use crate::{
    error::{Errno, Result},
    machine::Env,
    net::{
        address::Family,
        socket::option_value::{Value, read_flag, read_int},
        stack::OnlyV6,
    },
};

/// Largest segment over the loopback device: its MTU without headers and time stamps.
const LOOPBACK_SEGMENT: u32 = 65_483;
/// Largest segment before a connection is there.
const DEFAULT_SEGMENT: u32 = 536;
/// Bytes in `struct tcp_info`, as of Linux 6.1.
const INFO_LEN: usize = 240;

impl TcpSocket {
    pub(super) fn set(&self, env: &mut Env<'_>, level: u32, name: u32, value: &[u8]) -> Result<()> {
        match level {
            raw::SOL_TCP => {
                self.set_tcp(name, value)?;
                if name == raw::TCP_KEEPIDLE {
                    self.ask_anew(env.machine);
                }
                Ok(())
            }
            raw::SOL_IPV6 if self.family == Family::V6 => self.set_v6(env, name, value),
            raw::SOL_IP => self.ip.set(name, value),
            _ => Err(Errno::ENOPROTOOPT.into()),
        }
    }

    fn set_tcp(&self, name: u32, value: &[u8]) -> Result<()> {
        let tcp = &self.tcp_options;
        if name == raw::TCP_CONGESTION {
            return Ok(());
        }
        let number = read_int(value)?;
        let positive = || u32::try_from(number).map_err(|_| Errno::EINVAL);
        let range = |last: i32| match (1..=last).contains(&number) {
            true => Ok(number as u32),
            false => Err(Errno::EINVAL),
        };
        match name {
            raw::TCP_NODELAY => tcp.no_delay.set(number != 0),
            raw::TCP_CORK => tcp.cork.set(number != 0),
            raw::TCP_QUICKACK => tcp.quick_ack.set(number != 0),
            raw::TCP_MAXSEG => match number {
                0 | 88..=32767 => tcp.max_segment.set(number as u32),
                _ => return Err(Errno::EINVAL.into()),
            },
            raw::TCP_KEEPIDLE => tcp.keep_idle.set(range(32767)?),
            raw::TCP_KEEPINTVL => tcp.keep_interval.set(range(32767)?),
            raw::TCP_KEEPCNT => tcp.keep_count.set(range(127)?),
            raw::TCP_SYNCNT => tcp.syn_count.set(range(127)?),
            raw::TCP_LINGER2 => tcp.linger2.set(number),
            raw::TCP_DEFER_ACCEPT => tcp.defer_accept.set(number.max(0) as u32),
            raw::TCP_WINDOW_CLAMP => tcp.window_clamp.set(positive()?),
            raw::TCP_USER_TIMEOUT => tcp.user_timeout.set(positive()?),
            raw::TCP_FASTOPEN => tcp.fast_open.set(positive()?),
            raw::TCP_FASTOPEN_CONNECT => tcp.fast_open_connect.set(number != 0),
            raw::TCP_NOTSENT_LOWAT => tcp.not_sent_low_water.set(number as u32),
            raw::TCP_INQ => tcp.inq.set(number != 0),
            raw::TCP_THIN_LINEAR_TIMEOUTS | raw::TCP_THIN_DUPACK | raw::TCP_SAVE_SYN => {}
            _ => return Err(Errno::ENOPROTOOPT.into()),
        }
        Ok(())
    }

    fn set_v6(&self, _env: &mut Env<'_>, name: u32, value: &[u8]) -> Result<()> {
        if name != raw::IPV6_V6ONLY {
            return self.ip.set_v6(name, value);
        }
        if self.binding.get().is_some() {
            return Err(Errno::EINVAL.into());
        }
        self.only_v6.set(if read_flag(value)? { OnlyV6::Yes } else { OnlyV6::No });
        Ok(())
    }

    pub(super) fn get(&self, _env: &mut Env<'_>, level: u32, name: u32) -> Result<Vec<u8>> {
        match level {
            raw::SOL_TCP => self.get_tcp(name),
            raw::SOL_IPV6 if self.family == Family::V6 => match name {
                raw::IPV6_V6ONLY => Ok((self.only_v6.get() == OnlyV6::Yes).value()),
                _ => self.ip.get_v6(name),
            },
            raw::SOL_IP => self.ip.get(name),
            // What IPv4 says of a level that it has not (`do_ip_getsockopt`).
            _ if self.family == Family::V4 => Err(Errno::EOPNOTSUPP.into()),
            _ => Err(Errno::ENOPROTOOPT.into()),
        }
    }

    fn get_tcp(&self, name: u32) -> Result<Vec<u8>> {
        let tcp = &self.tcp_options;
        Ok(match name {
            raw::TCP_NODELAY => tcp.no_delay.get().value(),
            raw::TCP_CORK => tcp.cork.get().value(),
            raw::TCP_QUICKACK => tcp.quick_ack.get().value(),
            raw::TCP_MAXSEG => self.segment().value(),
            raw::TCP_KEEPIDLE => tcp.keep_idle.get().value(),
            raw::TCP_KEEPINTVL => tcp.keep_interval.get().value(),
            raw::TCP_KEEPCNT => tcp.keep_count.get().value(),
            raw::TCP_SYNCNT => tcp.syn_count.get().value(),
            raw::TCP_LINGER2 => (tcp.linger2.get() as u32).value(),
            raw::TCP_DEFER_ACCEPT => tcp.defer_accept.get().value(),
            raw::TCP_WINDOW_CLAMP => tcp.window_clamp.get().value(),
            raw::TCP_USER_TIMEOUT => tcp.user_timeout.get().value(),
            raw::TCP_FASTOPEN => tcp.fast_open.get().value(),
            raw::TCP_FASTOPEN_CONNECT => tcp.fast_open_connect.get().value(),
            raw::TCP_NOTSENT_LOWAT => tcp.not_sent_low_water.get().value(),
            raw::TCP_INQ => tcp.inq.get().value(),
            raw::TCP_CONGESTION => b"cubic\0\0\0\0\0\0\0\0\0\0\0".to_vec(),
            raw::TCP_INFO => self.info(),
            _ => return Err(Errno::ENOPROTOOPT.into()),
        })
    }

    fn segment(&self) -> u32 {
        match (self.tcp_options.max_segment.get(), self.ends()) {
            (0, None) => DEFAULT_SEGMENT,
            (0, Some(_)) => LOOPBACK_SEGMENT,
            (set, _) => set,
        }
    }

    /// `struct tcp_info` (include/uapi/linux/tcp.h): the state, and what does not depend on packets.
    fn info(&self) -> Vec<u8> {
        let mut info = alloc::vec![0; INFO_LEN];
        info[0] = self.state_number();
        let mut put = |at: usize, number: u32| {
            info[at..at + 4].copy_from_slice(&number.to_ne_bytes());
        };
        const RETRANSMISSION_TIMEOUT_US: u32 = 201_000;
        const DELAYED_ACK_US: u32 = 40_000;
        const ROUND_TRIP_US: u32 = 80;
        const WINDOW: u32 = 10;
        let segment = self.segment();
        put(8, RETRANSMISSION_TIMEOUT_US);
        put(12, DELAYED_ACK_US);
        put(16, segment);
        put(20, segment);
        put(68, ROUND_TRIP_US);
        put(80, WINDOW);
        put(84, segment);
        info
    }
}
