//! `/sys`: processors, memory, network interfaces as far as runtimes ask for them.

use alloc::{format, string::String, vec::Vec};

use super::{
    Entry, Node,
    fixed::{self, Row, Source::Always, Source::Link, Source::Made},
};
use crate::kernel::Kernel;

/// `0-3` for four processors, `0` for one.
pub(super) fn processor_list(cpus: u32) -> String {
    if cpus <= 1 { String::from("0\n") } else { format!("0-{}\n", cpus - 1) }
}

/// A bit for each processor in groups of 32, as the kernel prints masks.
pub(super) fn processor_mask(cpus: u32) -> String {
    let groups = cpus.div_ceil(32).max(1);
    let group = |index: u32| {
        let bits = cpus.saturating_sub(index * 32).min(32);
        ((1u64 << bits) - 1) as u32
    };
    let highest = format!("{:x}", group(groups - 1));
    let rest = (0..groups - 1).rev().map(|index| format!(",{:08x}", group(index)));
    core::iter::once(highest).chain(rest).chain([String::from("\n")]).collect()
}

fn online(kernel: &Kernel) -> String {
    processor_list(kernel.machine.config.cpus)
}

fn mask(kernel: &Kernel) -> String {
    processor_mask(kernel.machine.config.cpus)
}

fn node_memory(kernel: &Kernel) -> String {
    let total = kernel.machine.config.memory >> 10;
    let free = super::proc::memory(kernel).free >> 10;
    format!(
        "Node 0 MemTotal:       {total} kB\nNode 0 MemFree:        {free} kB\nNode 0 MemUsed:        {} kB\n",
        total - free
    )
}

static FILES: &[Row] = &[
    ("block", Link("class/block")),
    ("class/net/lo", Link("../../devices/virtual/net/lo")),
    ("devices/system/cpu/isolated", Always("\n")),
    ("devices/system/cpu/kernel_max", Always("8191\n")),
    ("devices/system/cpu/offline", Always("\n")),
    ("devices/system/cpu/online", Made(online)),
    ("devices/system/cpu/possible", Made(online)),
    ("devices/system/cpu/present", Made(online)),
    ("devices/system/cpu/smt/active", Always("0\n")),
    ("devices/system/cpu/smt/control", Always("notsupported\n")),
    ("devices/system/node/has_cpu", Always("0\n")),
    ("devices/system/node/has_memory", Always("0\n")),
    ("devices/system/node/has_normal_memory", Always("0\n")),
    ("devices/system/node/node0/cpulist", Made(online)),
    ("devices/system/node/node0/cpumap", Made(mask)),
    ("devices/system/node/node0/distance", Always("10\n")),
    ("devices/system/node/node0/meminfo", Made(node_memory)),
    ("devices/system/node/online", Always("0\n")),
    ("devices/system/node/possible", Always("0\n")),
    ("devices/virtual/net/lo/address", Always("00:00:00:00:00:00\n")),
    ("devices/virtual/net/lo/carrier", Always("1\n")),
    ("devices/virtual/net/lo/flags", Always("0x9\n")),
    ("devices/virtual/net/lo/ifindex", Always("1\n")),
    ("devices/virtual/net/lo/mtu", Always("65536\n")),
    ("devices/virtual/net/lo/operstate", Always("unknown\n")),
    ("devices/virtual/net/lo/type", Always("772\n")),
    ("fs/cgroup/cgroup.controllers", Always("\n")),
    ("fs/cgroup/cgroup.procs", Always("")),
    ("kernel/mm/hugepages/hugepages-2048kB/free_hugepages", Always("0\n")),
    ("kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", Always("0\n")),
    (
        "kernel/mm/transparent_hugepage/defrag",
        Always("always defer defer+madvise [madvise] never\n"),
    ),
    ("kernel/mm/transparent_hugepage/enabled", Always("always [madvise] never\n")),
    ("kernel/mm/transparent_hugepage/hpage_pmd_size", Always("2097152\n")),
    ("kernel/mm/transparent_hugepage/khugepaged/defrag", Always("1\n")),
    (
        "kernel/mm/transparent_hugepage/shmem_enabled",
        Always("always within_size advise [never] deny force\n"),
    ),
    ("kernel/mm/transparent_hugepage/use_zero_page", Always("1\n")),
];

const PROCESSORS: &str = "devices/system/cpu";

/// Files of one processor, below `cpuN`. Each processor is a core of its own in one package.
fn processor_file(number: u32, cpus: u32, file: &str) -> Option<String> {
    let own_mask = {
        let mut mask = format!("{:x}", 1u64 << (number % 32));
        (0..number / 32).for_each(|_| mask.push_str(",00000000"));
        mask.push('\n');
        mask
    };
    Some(match file {
        "online" | "cache/index0/id" | "cache/index2/id" => {
            format!("{}\n", number.max(u32::from(file == "online")))
        }
        "topology/core_id" => format!("{number}\n"),
        "topology/physical_package_id" | "topology/die_id" | "topology/cluster_id" => {
            String::from("0\n")
        }
        "topology/thread_siblings_list"
        | "topology/core_cpus_list"
        | "cache/index0/shared_cpu_list"
        | "cache/index1/shared_cpu_list"
        | "cache/index2/shared_cpu_list" => {
            format!("{number}\n")
        }
        "topology/thread_siblings"
        | "topology/core_cpus"
        | "cache/index0/shared_cpu_map"
        | "cache/index1/shared_cpu_map"
        | "cache/index2/shared_cpu_map" => own_mask,
        "topology/core_siblings_list"
        | "topology/package_cpus_list"
        | "cache/index3/shared_cpu_list" => processor_list(cpus),
        "topology/core_siblings" | "topology/package_cpus" | "cache/index3/shared_cpu_map" => {
            processor_mask(cpus)
        }
        _ => {
            let (index, name) = file.strip_prefix("cache/index")?.split_once('/')?;
            String::from(cache_file(index, name)?)
        }
    })
}

fn cache_file(index: &str, name: &str) -> Option<&'static str> {
    let (level, kind, size, sets, ways) = match index {
        "0" => ("1\n", "Data\n", "32K\n", "64\n", "8\n"),
        "1" => ("1\n", "Instruction\n", "32K\n", "64\n", "8\n"),
        "2" => ("2\n", "Unified\n", "1024K\n", "1024\n", "16\n"),
        "3" => ("3\n", "Unified\n", "32768K\n", "32768\n", "16\n"),
        _ => return None,
    };
    Some(match name {
        "level" => level,
        "type" => kind,
        "size" => size,
        "number_of_sets" => sets,
        "ways_of_associativity" => ways,
        "coherency_line_size" => "64\n",
        "physical_line_partition" => "1\n",
        _ => return None,
    })
}

const TOPOLOGY: [&str; 12] = [
    "cluster_id",
    "core_cpus",
    "core_cpus_list",
    "core_id",
    "core_siblings",
    "core_siblings_list",
    "die_id",
    "package_cpus",
    "package_cpus_list",
    "physical_package_id",
    "thread_siblings",
    "thread_siblings_list",
];
const CACHE: [&str; 9] = [
    "coherency_line_size",
    "level",
    "number_of_sets",
    "physical_line_partition",
    "shared_cpu_list",
    "shared_cpu_map",
    "size",
    "type",
    "ways_of_associativity",
];

fn processor(number: u32, cpus: u32, path: &str) -> Option<Node> {
    let files =
        |names: &[&str]| Node::Directory(names.iter().map(|name| Entry::file(*name)).collect());
    Some(match path {
        "" => Node::Directory(
            [
                Entry::directory("cache"),
                Entry::link("node0"),
                Entry::file("online"),
                Entry::directory("topology"),
            ]
            .into(),
        ),
        "node0" => Node::link("../../node/node0"),
        "topology" => files(&TOPOLOGY),
        "cache" => {
            Node::Directory((0..4).map(|index| Entry::directory(format!("index{index}"))).collect())
        }
        "cache/index0" | "cache/index1" | "cache/index2" | "cache/index3" => files(&CACHE),
        file => Node::text(processor_file(number, cpus, file)?),
    })
}

const EMPTY_DIRECTORIES: [&str; 8] =
    ["bus", "class/block", "class/tty", "dev", "firmware", "fs", "module", "power"];

/// The node at a path below `/sys`.
pub fn lookup(kernel: &Kernel, path: &str) -> Option<Node> {
    let cpus = kernel.machine.config.cpus;
    if let Some(rest) = path.strip_prefix(PROCESSORS).and_then(|rest| rest.strip_prefix("/cpu")) {
        let (number, rest) = rest.split_once('/').unwrap_or((rest, ""));
        if let Ok(number) = number.parse::<u32>() {
            return (number < cpus).then(|| processor(number, cpus, rest)).flatten();
        }
    }
    let found = fixed::find(kernel, "/sys", FILES, path);
    match found {
        Some(Node::Directory(mut entries)) => {
            entries.extend(further_entries(cpus, path));
            entries.sort();
            entries.dedup();
            Some(Node::Directory(entries))
        }
        None if EMPTY_DIRECTORIES.contains(&path) => Some(Node::Directory(Vec::new())),
        found => found,
    }
}

fn further_entries(cpus: u32, directory: &str) -> Vec<Entry> {
    if directory == PROCESSORS {
        return (0..cpus).map(|number| Entry::directory(format!("cpu{number}"))).collect();
    }
    EMPTY_DIRECTORIES
        .iter()
        .filter_map(|path| match path.rsplit_once('/') {
            Some((parent, name)) => (parent == directory).then(|| Entry::directory(name)),
            None => directory.is_empty().then(|| Entry::directory(*path)),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_and_lists_name_every_processor() {
        let cases = [
            (1, "0\n", "1\n"),
            (4, "0-3\n", "f\n"),
            (32, "0-31\n", "ffffffff\n"),
            (40, "0-39\n", "ff,ffffffff\n"),
        ];
        for (cpus, list, mask) in cases {
            assert_eq!(
                (processor_list(cpus).as_str(), processor_mask(cpus).as_str()),
                (list, mask)
            );
        }
    }

    #[test]
    fn every_listed_file_of_a_processor_is_there() {
        for directory in ["topology", "cache/index0", "cache/index3"] {
            let Some(Node::Directory(entries)) = processor(1, 2, directory) else {
                panic!("{directory}")
            };
            for entry in entries {
                let path = format!("{directory}/{}", String::from_utf8_lossy(&entry.name));
                assert!(matches!(processor(1, 2, &path), Some(Node::Text(_))), "{path}");
            }
        }
    }
}
