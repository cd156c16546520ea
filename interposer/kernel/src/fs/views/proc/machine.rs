//! The machine as a whole: processors, memory, time (proc(5)).

use alloc::{format, string::String, vec::Vec};
use core::{fmt::Write, time::Duration};

use super::facts;
use crate::{
    fs::views::fixed::{
        Row,
        Source::{Always, Made},
    },
    kernel::Kernel,
    machine::{KERNEL_RELEASE, KERNEL_VERSION},
    process::State,
    uapi::limits::PAGE_SIZE,
};

/// Files whose text is that of the machine.
pub static FILES: &[Row] = &[
    (
        "buddyinfo",
        Always(
            "Node 0, zone   Normal      1      1      1      1      1      1      1      1      1      1    256 \n",
        ),
    ),
    ("cgroups", Always("#subsys_name\thierarchy\tnum_cgroups\tenabled\n")),
    ("cmdline", Always("BOOT_IMAGE=/boot/vmlinuz root=/dev/root ro quiet\n")),
    ("consoles", Always("")),
    ("cpuinfo", Made(cpuinfo)),
    ("crypto", Always("")),
    ("devices", Always(DEVICES)),
    ("diskstats", Always("")),
    ("execdomains", Always("0-0\tLinux           \t[kernel]\n")),
    ("filesystems", Always(FILE_SYSTEMS)),
    ("interrupts", Made(interrupts)),
    ("iomem", Always("")),
    ("ioports", Always("")),
    ("key-users", Always("")),
    ("keys", Always("")),
    ("kmsg", Always("")),
    ("loadavg", Made(loadavg)),
    ("locks", Always("")),
    ("mdstat", Always("Personalities : \nunused devices: <none>\n")),
    ("meminfo", Made(meminfo)),
    ("misc", Always("  1 psaux\n")),
    ("modules", Always("")),
    ("partitions", Always("major minor  #blocks  name\n\n")),
    (
        "pressure/cpu",
        Always(
            "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n",
        ),
    ),
    (
        "pressure/io",
        Always(
            "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n",
        ),
    ),
    (
        "pressure/memory",
        Always(
            "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n",
        ),
    ),
    ("schedstat", Always("version 15\ntimestamp 0\n")),
    ("slabinfo", Always("slabinfo - version: 2.1\n")),
    ("softirqs", Made(softirqs)),
    ("stat", Made(stat)),
    ("swaps", Always("Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n")),
    ("timer_list", Always("")),
    ("uptime", Made(uptime)),
    ("version", Made(version)),
    ("vmstat", Made(vmstat)),
    ("zoneinfo", Made(zoneinfo)),
];

const DEVICES: &str = "Character devices:\n  1 mem\n  4 tty\n  5 /dev/tty\n  5 /dev/console\n  5 /dev/ptmx\n 10 misc\n\
                       136 pts\n\nBlock devices:\n";
const FILE_SYSTEMS: &str = "nodev\tsysfs\nnodev\ttmpfs\nnodev\tproc\nnodev\tcgroup2\nnodev\tdevtmpfs\nnodev\tsockfs\n\
                            nodev\tpipefs\nnodev\tdevpts\nnodev\tmqueue\n\text4\n";

/// Memory of the machine, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// All of it.
    pub total: u64,
    /// What nobody uses.
    pub free: u64,
    /// What programs have been promised.
    pub committed: u64,
}

/// What the kernel of such a machine keeps for itself.
const KERNEL_MEMORY: u64 = 32 << 20;

/// How memory is used: what is mapped and must be there counts as used.
#[must_use]
pub fn memory(kernel: &Kernel) -> Memory {
    let total = kernel.machine.config.memory;
    let (mut used, mut committed) = (KERNEL_MEMORY, 0);
    for (_, space) in kernel.spaces.iter() {
        used += facts::resident(space);
        committed += space.committed;
    }
    Memory { total, free: total.saturating_sub(used), committed }
}

fn cpuinfo(kernel: &Kernel) -> String {
    let cpus = kernel.machine.config.cpus;
    let mut text = String::new();
    for number in 0..cpus {
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "processor\t: {number}\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 85\n\
             model name\t: Simulated x86-64 processor\nstepping\t: 7\nmicrocode\t: 0x1\ncpu MHz\t\t: 1000.000\n\
             cache size\t: 32768 KB\nphysical id\t: 0\nsiblings\t: {cpus}\ncore id\t\t: {number}\ncpu cores\t: {cpus}\n\
             apicid\t\t: {number}\ninitial apicid\t: {number}\nfpu\t\t: yes\nfpu_exception\t: yes\ncpuid level\t: 13\n\
             wp\t\t: yes\nflags\t\t: {FLAGS}\nbugs\t\t:\nbogomips\t: 2000.00\nclflush size\t: 64\n\
             cache_alignment\t: 64\naddress sizes\t: 46 bits physical, 48 bits virtual\npower management:\n\n",
        );
    }
    text
}

/// x86-64-v2, which every processor that runs simrun has: a fixed machine for programs that ask by text.
const FLAGS: &str = "fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx fxsr sse sse2 ht \
                     syscall nx rdtscp lm constant_tsc rep_good nopl cpuid pni ssse3 cx16 sse4_1 sse4_2 popcnt \
                     hypervisor lahf_lm";

fn meminfo(kernel: &Kernel) -> String {
    let memory = memory(kernel);
    let used = memory.total - memory.free;
    let rows: [(&str, u64); 32] = [
        ("MemTotal", memory.total),
        ("MemFree", memory.free),
        ("MemAvailable", memory.free),
        ("Buffers", 0),
        ("Cached", 0),
        ("SwapCached", 0),
        ("Active", used),
        ("Inactive", 0),
        ("Active(anon)", used),
        ("Inactive(anon)", 0),
        ("Active(file)", 0),
        ("Inactive(file)", 0),
        ("Unevictable", 0),
        ("Mlocked", 0),
        ("SwapTotal", 0),
        ("SwapFree", 0),
        ("Dirty", 0),
        ("Writeback", 0),
        ("AnonPages", used - KERNEL_MEMORY.min(used)),
        ("Mapped", 0),
        ("Shmem", 0),
        ("KReclaimable", 0),
        ("Slab", KERNEL_MEMORY / 2),
        ("SReclaimable", 0),
        ("SUnreclaim", KERNEL_MEMORY / 2),
        ("KernelStack", 0),
        ("PageTables", 0),
        ("CommitLimit", memory.total / 2),
        ("Committed_AS", memory.committed),
        ("VmallocTotal", 32 << 40),
        ("VmallocUsed", 0),
        ("AnonHugePages", 0),
    ];
    let mut text = String::new();
    for (name, bytes) in rows {
        let _ = writeln!(text, "{:<15} {:>8} kB", format!("{name}:"), bytes >> 10);
    }
    text.push_str("HugePages_Total:       0\nHugePages_Free:        0\nHugePages_Rsvd:        0\n");
    text.push_str(
        "HugePages_Surp:        0\nHugepagesize:       2048 kB\nHugetlb:               0 kB\n",
    );
    text
}

/// Time in units of 10 ms, `USER_HZ`.
pub fn ticks(time: Duration) -> u64 {
    (time.as_nanos() / 10_000_000) as u64
}

fn stat(kernel: &Kernel) -> String {
    let cpus = u64::from(kernel.machine.config.cpus);
    let busy = ticks(kernel.own_processes().map(|(id, _)| facts::cpu_time(kernel, id)).sum());
    let uptime = ticks(kernel.machine.clock.since_boot());
    let idle = (uptime * cpus).saturating_sub(busy);
    let mut text = format!("cpu  {busy} 0 0 {idle} 0 0 0 0 0 0\n");
    for number in 0..cpus {
        let busy = if number == 0 { busy.min(uptime) } else { 0 };
        let _ = writeln!(text, "cpu{number} {busy} 0 0 {} 0 0 0 0 0 0", uptime - busy);
    }
    let boot = kernel.machine.clock.wall().saturating_sub(kernel.machine.clock.since_boot());
    let (running, blocked) = (runnable(kernel), 0);
    let _ = write!(
        text,
        "intr 0\nctxt {}\nbtime {}\nprocesses {}\nprocs_running {running}\nprocs_blocked {blocked}\n\
         softirq 0 0 0 0 0 0 0 0 0 0 0\n",
        kernel.switches,
        boot.as_secs(),
        kernel.next_tid,
    );
    text
}

fn runnable(kernel: &Kernel) -> usize {
    kernel.threads.iter().filter(|(_, thread)| thread.state == State::Runnable).count()
}

fn uptime(kernel: &Kernel) -> String {
    let up = kernel.machine.clock.since_boot();
    let busy: Duration = kernel.own_processes().map(|(id, _)| facts::cpu_time(kernel, id)).sum();
    let idle = (up * kernel.machine.config.cpus).saturating_sub(busy);
    let show = |time: Duration| format!("{}.{:02}", time.as_secs(), time.subsec_millis() / 10);
    format!("{} {}\n", show(up), show(idle))
}

fn loadavg(kernel: &Kernel) -> String {
    let last = kernel.next_tid.saturating_sub(1);
    format!("0.00 0.00 0.00 {}/{} {last}\n", runnable(kernel), kernel.tids.len())
}

fn version(_: &Kernel) -> String {
    format!("Linux version {} (simrun@simrun) (rustc) {}\n", KERNEL_RELEASE, KERNEL_VERSION)
}

fn interrupts(kernel: &Kernel) -> String {
    let heads: Vec<String> =
        (0..kernel.machine.config.cpus).map(|n| format!("CPU{n:<8}")).collect();
    format!("           {}\n", heads.concat().trim_end())
}

fn softirqs(kernel: &Kernel) -> String {
    let cpus = kernel.machine.config.cpus as usize;
    let heads: Vec<String> = (0..cpus).map(|n| format!("CPU{n:<8}")).collect();
    let mut text = format!("                    {}\n", heads.concat());
    for name in [
        "HI", "TIMER", "NET_TX", "NET_RX", "BLOCK", "IRQ_POLL", "TASKLET", "SCHED", "HRTIMER",
        "RCU",
    ] {
        let _ = writeln!(text, "{name:>12}:{}", "          0".repeat(cpus));
    }
    text
}

fn vmstat(kernel: &Kernel) -> String {
    let memory = memory(kernel);
    let rows = [
        ("nr_free_pages", memory.free / PAGE_SIZE),
        ("nr_inactive_anon", 0),
        ("nr_active_anon", (memory.total - memory.free) / PAGE_SIZE),
        ("nr_inactive_file", 0),
        ("nr_active_file", 0),
        ("nr_dirty", 0),
        ("nr_writeback", 0),
        ("nr_shmem", 0),
        ("pgpgin", 0),
        ("pgpgout", 0),
        ("pswpin", 0),
        ("pswpout", 0),
        ("pgfault", 0),
        ("pgmajfault", 0),
        ("oom_kill", 0),
    ];
    rows.iter().map(|(name, value)| format!("{name} {value}\n")).collect()
}

fn zoneinfo(kernel: &Kernel) -> String {
    let memory = memory(kernel);
    let (free, total) = (memory.free / PAGE_SIZE, memory.total / PAGE_SIZE);
    format!(
        "Node 0, zone   Normal\n  pages free     {free}\n        boost    0\n        min      1024\n        low      \
         1280\n        high     1536\n        spanned  {total}\n        present  {total}\n        managed  {total}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_hundredths_of_a_second() {
        assert_eq!(ticks(Duration::from_millis(1999)), 199);
    }
}
