//! `/proc/net`.

use crate::{
    fs::views::{
        Node,
        fixed::{self, Row, Source::Always},
    },
    kernel::Kernel,
};

const SOCKETS_HEADER: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
const SOCKETS6_HEADER: &str = "  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";

static FILES: &[Row] = &[
    (
        "arp",
        Always("IP address       HW type     Flags       HW address            Mask     Device\n"),
    ),
    (
        "dev",
        Always(
            "Inter-|   Receive                                                |  Transmit\n \
             face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n    \
             lo:       0       0    0    0    0     0          0         0        0       0    0    0    0     0       0          0\n",
        ),
    ),
    ("dev_mcast", Always("")),
    ("if_inet6", Always("00000000000000000000000000000001 01 80 10 80       lo\n")),
    ("igmp", Always("Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n")),
    (
        "ipv6_route",
        Always(
            "00000000000000000000000000000001 80 00000000000000000000000000000000 00 00000000000000000000000000000000 00000000 00000001 00000000 80200001       lo\n",
        ),
    ),
    (
        "netlink",
        Always(
            "sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode\n",
        ),
    ),
    ("netstat", Always("")),
    ("packet", Always("sk       RefCnt Type Proto  Iface R Rmem   User   Inode\n")),
    ("protocols", Always("")),
    ("raw", Always(SOCKETS_HEADER)),
    ("raw6", Always(SOCKETS6_HEADER)),
    (
        "route",
        Always(
            "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT                                                       \n",
        ),
    ),
    ("snmp", Always("")),
    (
        "sockstat",
        Always(
            "sockets: used 0\nTCP: inuse 0 orphan 0 tw 0 alloc 0 mem 0\nUDP: inuse 0 mem 0\nUDPLITE: inuse 0\nRAW: inuse 0\nFRAG: inuse 0 memory 0\n",
        ),
    ),
    (
        "sockstat6",
        Always(
            "TCP6: inuse 0\nUDP6: inuse 0\nUDPLITE6: inuse 0\nRAW6: inuse 0\nFRAG6: inuse 0 memory 0\n",
        ),
    ),
    ("tcp", Always(SOCKETS_HEADER)),
    ("tcp6", Always(SOCKETS6_HEADER)),
    ("udp", Always(SOCKETS_HEADER)),
    ("udp6", Always(SOCKETS6_HEADER)),
    ("unix", Always("Num       RefCount Protocol Flags    Type St Inode Path\n")),
    ("wireless", Always("")),
];

/// The node at a path below `/proc/net`.
pub fn lookup(kernel: &Kernel, path: &str) -> Option<Node> {
    fixed::find(kernel, "/proc/net", FILES, path)
}
