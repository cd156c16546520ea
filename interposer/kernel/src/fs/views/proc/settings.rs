//! `/proc/sys`: the settings of the machine.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use crate::{
    fs::views::{
        Node,
        fixed::{
            self, Row,
            Source::{Always, Made, Settable},
        },
    },
    kernel::Kernel,
    machine::{KERNEL_RELEASE, KERNEL_VERSION},
    random::Purpose,
};

static FILES: &[Row] = &[
    ("fs/aio-max-nr", Settable("65536\n")),
    ("fs/aio-nr", Made(aio_requests)),
    ("fs/dentry-state", Always("0\t0\t45\t0\t0\t0\n")),
    ("fs/file-max", Settable("9223372036854775807\n")),
    ("fs/file-nr", Always("1024\t0\t9223372036854775807\n")),
    ("fs/inode-nr", Always("1024\t0\n")),
    ("fs/inotify/max_queued_events", Settable("16384\n")),
    ("fs/inotify/max_user_instances", Settable("128\n")),
    ("fs/inotify/max_user_watches", Settable("65536\n")),
    ("fs/epoll/max_user_watches", Settable("1000000\n")),
    ("fs/lease-break-time", Settable("45\n")),
    ("fs/leases-enable", Settable("1\n")),
    ("fs/mqueue/msg_default", Settable("10\n")),
    ("fs/mqueue/msg_max", Settable("10\n")),
    ("fs/mqueue/msgsize_default", Settable("8192\n")),
    ("fs/mqueue/msgsize_max", Settable("8192\n")),
    ("fs/mqueue/queues_max", Settable("256\n")),
    ("fs/nr_open", Settable("1048576\n")),
    ("fs/overflowgid", Settable("65534\n")),
    ("fs/overflowuid", Settable("65534\n")),
    ("fs/pipe-max-size", Settable("1048576\n")),
    ("fs/pipe-user-pages-hard", Settable("0\n")),
    ("fs/pipe-user-pages-soft", Settable("16384\n")),
    ("fs/protected_hardlinks", Settable("1\n")),
    ("fs/protected_symlinks", Settable("1\n")),
    ("fs/suid_dumpable", Settable("0\n")),
    ("kernel/cap_last_cap", Always("40\n")),
    ("kernel/core_pattern", Settable("core\n")),
    ("kernel/core_uses_pid", Settable("0\n")),
    ("kernel/dmesg_restrict", Settable("1\n")),
    ("kernel/domainname", Settable("(none)\n")),
    ("kernel/hostname", Made(hostname)),
    ("kernel/io_uring_disabled", Settable("2\n")),
    ("kernel/keys/maxkeys", Settable("200\n")),
    ("kernel/kptr_restrict", Settable("1\n")),
    ("kernel/msgmax", Settable("8192\n")),
    ("kernel/msgmnb", Settable("16384\n")),
    ("kernel/msgmni", Settable("32000\n")),
    ("kernel/ngroups_max", Always("65536\n")),
    ("kernel/numa_balancing", Settable("0\n")),
    ("kernel/osrelease", Made(release)),
    ("kernel/ostype", Always("Linux\n")),
    ("kernel/overflowgid", Settable("65534\n")),
    ("kernel/overflowuid", Settable("65534\n")),
    ("kernel/perf_event_max_sample_rate", Settable("100000\n")),
    ("kernel/perf_event_mlock_kb", Settable("516\n")),
    ("kernel/perf_event_paranoid", Settable("3\n")),
    ("kernel/pid_max", Settable("32768\n")),
    ("kernel/printk", Settable("4\t4\t1\t7\n")),
    ("kernel/pty/max", Settable("4096\n")),
    ("kernel/pty/nr", Always("0\n")),
    ("kernel/random/boot_id", Made(boot_id)),
    ("kernel/random/entropy_avail", Always("256\n")),
    ("kernel/random/poolsize", Always("256\n")),
    ("kernel/random/uuid", Made(fresh_uuid)),
    ("kernel/random/write_wakeup_threshold", Settable("256\n")),
    ("kernel/randomize_va_space", Settable("0\n")),
    ("kernel/sched_child_runs_first", Settable("0\n")),
    ("kernel/sched_rr_timeslice_ms", Settable("100\n")),
    ("kernel/sched_rt_period_us", Settable("1000000\n")),
    ("kernel/sched_rt_runtime_us", Settable("950000\n")),
    ("kernel/seccomp/actions_avail", Always("\n")),
    ("kernel/sem", Settable("32000\t1024000000\t500\t32000\n")),
    ("kernel/shm_rmid_forced", Settable("0\n")),
    ("kernel/shmall", Settable("18446744073692774399\n")),
    ("kernel/shmmax", Settable("18446744073692774399\n")),
    ("kernel/shmmni", Settable("4096\n")),
    ("kernel/sysrq", Settable("0\n")),
    ("kernel/tainted", Settable("0\n")),
    ("kernel/threads-max", Settable("63072\n")),
    ("kernel/unprivileged_bpf_disabled", Settable("2\n")),
    ("kernel/version", Made(version)),
    ("kernel/yama/ptrace_scope", Settable("1\n")),
    ("net/core/default_qdisc", Settable("fq_codel\n")),
    ("net/core/netdev_max_backlog", Settable("1000\n")),
    ("net/core/optmem_max", Settable("131072\n")),
    ("net/core/rmem_default", Settable("212992\n")),
    ("net/core/rmem_max", Settable("212992\n")),
    ("net/core/somaxconn", Settable("4096\n")),
    ("net/core/wmem_default", Settable("212992\n")),
    ("net/core/wmem_max", Settable("212992\n")),
    ("net/ipv4/conf/all/forwarding", Settable("0\n")),
    ("net/ipv4/icmp_echo_ignore_all", Settable("0\n")),
    ("net/ipv4/ip_forward", Settable("0\n")),
    ("net/ipv4/ip_local_port_range", Settable("32768\t60999\n")),
    ("net/ipv4/ip_local_reserved_ports", Settable("\n")),
    ("net/ipv4/ip_nonlocal_bind", Settable("0\n")),
    ("net/ipv4/ip_unprivileged_port_start", Made(unprivileged_port_start)),
    ("net/ipv4/ping_group_range", Settable("0\t2147483647\n")),
    ("net/ipv4/tcp_allowed_congestion_control", Settable("reno cubic\n")),
    ("net/ipv4/tcp_available_congestion_control", Always("reno cubic\n")),
    ("net/ipv4/tcp_congestion_control", Settable("cubic\n")),
    ("net/ipv4/tcp_ecn", Settable("2\n")),
    ("net/ipv4/tcp_fastopen", Settable("1\n")),
    ("net/ipv4/tcp_fin_timeout", Settable("60\n")),
    ("net/ipv4/tcp_keepalive_intvl", Settable("75\n")),
    ("net/ipv4/tcp_keepalive_probes", Settable("9\n")),
    ("net/ipv4/tcp_keepalive_time", Settable("7200\n")),
    ("net/ipv4/tcp_max_syn_backlog", Settable("512\n")),
    ("net/ipv4/tcp_mem", Settable("88944\t118594\t177888\n")),
    ("net/ipv4/tcp_retries1", Settable("3\n")),
    ("net/ipv4/tcp_retries2", Settable("15\n")),
    ("net/ipv4/tcp_rmem", Settable("4096\t131072\t6291456\n")),
    ("net/ipv4/tcp_sack", Settable("1\n")),
    ("net/ipv4/tcp_syn_retries", Settable("6\n")),
    ("net/ipv4/tcp_synack_retries", Settable("5\n")),
    ("net/ipv4/tcp_syncookies", Settable("1\n")),
    ("net/ipv4/tcp_timestamps", Settable("1\n")),
    ("net/ipv4/tcp_tw_reuse", Settable("2\n")),
    ("net/ipv4/tcp_window_scaling", Settable("1\n")),
    ("net/ipv4/tcp_wmem", Settable("4096\t16384\t4194304\n")),
    ("net/ipv6/bindv6only", Settable("0\n")),
    ("net/ipv6/conf/all/disable_ipv6", Settable("0\n")),
    ("net/ipv6/conf/default/disable_ipv6", Settable("0\n")),
    ("net/ipv6/conf/lo/disable_ipv6", Settable("0\n")),
    ("net/unix/max_dgram_qlen", Settable("512\n")),
    ("user/max_user_namespaces", Settable("0\n")),
    ("vm/admin_reserve_kbytes", Settable("8192\n")),
    ("vm/dirty_background_ratio", Settable("10\n")),
    ("vm/dirty_ratio", Settable("20\n")),
    ("vm/drop_caches", Settable("0\n")),
    ("vm/hugetlb_shm_group", Settable("0\n")),
    ("vm/legacy_va_layout", Settable("0\n")),
    ("vm/max_map_count", Settable("65530\n")),
    ("vm/min_free_kbytes", Settable("5120\n")),
    ("vm/mmap_min_addr", Settable("65536\n")),
    ("vm/mmap_rnd_bits", Settable("28\n")),
    ("vm/nr_hugepages", Settable("0\n")),
    ("vm/nr_overcommit_hugepages", Settable("0\n")),
    ("vm/oom_kill_allocating_task", Settable("0\n")),
    ("vm/overcommit_kbytes", Settable("0\n")),
    ("vm/overcommit_memory", Settable("0\n")),
    ("vm/overcommit_ratio", Settable("50\n")),
    ("vm/panic_on_oom", Settable("0\n")),
    ("vm/swappiness", Settable("60\n")),
    ("vm/unprivileged_userfaultfd", Settable("0\n")),
    ("vm/vfs_cache_pressure", Settable("100\n")),
    ("vm/zone_reclaim_mode", Settable("0\n")),
];

/// The node at a path below `/proc/sys`.
pub fn lookup(kernel: &Kernel, path: &str) -> Option<Node> {
    fixed::find(kernel, "/proc/sys", FILES, path)
}

/// The numbers in a setting.
#[must_use]
pub fn numbers(kernel: &Kernel, path: &str) -> Vec<u64> {
    let Some(Node::Setting(text)) = lookup(kernel, path) else { return Vec::new() };
    let text = String::from_utf8_lossy(&text);
    text.split_whitespace().map(|number| number.parse().unwrap_or(0)).collect()
}

fn aio_requests(kernel: &Kernel) -> String {
    format!("{}\n", kernel.aio.asked_on(kernel.node()))
}

fn hostname(kernel: &Kernel) -> String {
    format!("{}\n", kernel.machine.config.hostname)
}

fn unprivileged_port_start(kernel: &Kernel) -> String {
    format!("{}\n", kernel.machine.config.unprivileged_port_start)
}

fn release(_: &Kernel) -> String {
    format!("{}\n", KERNEL_RELEASE)
}

fn version(_: &Kernel) -> String {
    format!("{}\n", KERNEL_VERSION)
}

/// Numbers of the streams that identifiers come from, among those derived for processes.
const BOOT_ID_STREAM: u64 = 0x626f_6f74;
const UUID_STREAM: u64 = 0x7575_6964;

/// The machine's own identifier, one for each seed.
fn boot_id(kernel: &Kernel) -> String {
    uuid(kernel.machine.random.derive(Purpose::Process, BOOT_ID_STREAM).next_u64(), 0)
}

/// A new identifier each time: what distinguishes one reading from another is when it happens.
fn fresh_uuid(kernel: &Kernel) -> String {
    let number = UUID_STREAM ^ kernel.entries().rotate_left(32);
    let mut stream = kernel.machine.random.derive(Purpose::Process, number);
    uuid(stream.next_u64(), stream.next_u64())
}

/// A random UUID (RFC 9562, version 4) with these bits.
fn uuid(high: u64, low: u64) -> String {
    let low = if low == 0 { high.rotate_left(29).wrapping_mul(0x9e37_79b9_7f4a_7c15) } else { low };
    let high = (high & !0xf000) | 0x4000;
    let low = (low & !(0b11 << 62)) | (0b10 << 62);
    let mut text = String::new();
    for (index, digit) in format!("{high:016x}{low:016x}").chars().enumerate() {
        if matches!(index, 8 | 12 | 16 | 20) {
            text.push('-');
        }
        text.push(digit);
    }
    text + &'\n'.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_has_its_version_and_variant() {
        for bits in [1, u64::MAX, 0x0123_4567_89ab_cdef] {
            let text = uuid(bits, !bits | 1);
            assert_eq!(text.len(), 37, "{text}");
            let parts: Vec<&str> = text.trim().split('-').collect();
            assert_eq!(parts.iter().map(|part| part.len()).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
            assert!(
                parts[2].starts_with('4') && parts[3].starts_with(['8', '9', 'a', 'b']),
                "{text}"
            );
        }
    }
}
