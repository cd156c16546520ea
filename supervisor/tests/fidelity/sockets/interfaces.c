// The loopback interface by netlink and by ioctl; queues; unix sockets reached through other paths.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const char *outcome(long n) { return n < 0 ? strerror(errno) : "fine"; }

static void by_netlink(void) {
    struct ifaddrs *all, *each;
    int n = getifaddrs(&all);
    printf("getifaddrs %d\n", n);
    for (each = all; n == 0 && each; each = each->ifa_next) {
        if (strcmp(each->ifa_name, "lo") || !each->ifa_addr || each->ifa_addr->sa_family != AF_INET) continue;
        char address[64], mask[64];
        inet_ntop(AF_INET, &((struct sockaddr_in *)each->ifa_addr)->sin_addr, address, sizeof address);
        inet_ntop(AF_INET, &((struct sockaddr_in *)each->ifa_netmask)->sin_addr, mask, sizeof mask);
        printf("%s %s %s %x\n", each->ifa_name, address, mask, each->ifa_flags);
    }
    struct if_nameindex *names = if_nameindex();
    printf("first %u %s\n", names[0].if_index, names[0].if_name);
    if_freenameindex(names);
}

static void by_ioctl(void) {
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct ifreq r;
    memset(&r, 0, sizeof r);
    strcpy(r.ifr_name, "lo");
    int n = ioctl(fd, SIOCGIFADDR, &r);
    printf("address %d %s\n", n, inet_ntoa(((struct sockaddr_in *)&r.ifr_addr)->sin_addr));
    n = ioctl(fd, SIOCGIFNETMASK, &r);
    printf("mask %d %s\n", n, inet_ntoa(((struct sockaddr_in *)&r.ifr_addr)->sin_addr));
    n = ioctl(fd, SIOCGIFFLAGS, &r);
    printf("flags %d %x\n", n, r.ifr_flags);
    n = ioctl(fd, SIOCGIFMTU, &r);
    printf("mtu %d %d\n", n, r.ifr_mtu);
    n = ioctl(fd, SIOCGIFHWADDR, &r);
    printf("hardware %d %d\n", n, r.ifr_hwaddr.sa_family);
    printf("index %u\n", if_nametoindex("lo"));
    char name[IF_NAMESIZE];
    printf("name %s\n", if_indextoname(1, name));
    strcpy(r.ifr_name, "none0");
    n = ioctl(fd, SIOCGIFINDEX, &r);
    printf("none %d %s\n", n, outcome(n));
    struct ifconf c = {.ifc_len = sizeof r, .ifc_req = &r};
    n = ioctl(fd, SIOCGIFCONF, &c);
    printf("list %d %d %s\n", n, c.ifc_len == sizeof r, r.ifr_name);
    close(fd);
}

static void queues(void) {
    int pair[2], waiting = -1;
    socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    int n = ioctl(pair[0], SIOCOUTQ, &waiting);
    printf("outgoing %d %d\n", n, waiting);
    n = write(pair[0], "four", 4);
    n = ioctl(pair[1], SIOCINQ, &waiting);
    printf("incoming %d %d\n", n, waiting);
    n = ioctl(pair[1], 0x1234, &waiting);
    printf("unknown %d %s\n", n, outcome(n));
}

static int reach(const char *path) {
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    strcpy(a.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    int n = connect(fd, (void *)&a, sizeof a);
    printf("reach %s: %s\n", path, outcome(n));
    close(fd);
    return n;
}

static int name(const char *path) {
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    strcpy(a.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    int n = bind(fd, (void *)&a, sizeof a);
    printf("name %s: %s\n", path, outcome(n));
    listen(fd, 5);
    return fd;
}

static void paths(void) {
    char place[] = "/tmp/interfacesXXXXXX";
    if (!mkdtemp(place) || chdir(place)) return;
    mkdir("d", 0700);
    symlink("d", "link");
    symlink("d/socket", "other");
    int fd = name("link/socket");
    reach("d/socket");
    reach("link/../d/./socket");
    reach("other");
    reach("absent/socket");
    name("other");
    name("d/socket");
    name("new/");
    name("/proc/socket");
    struct stat s;
    printf("socket %d\n", stat("other", &s) == 0 && S_ISSOCK(s.st_mode));
    if (chdir("link")) return;
    reach("socket");
    reach("..");
    close(fd);
    reach("socket");
    unlink("socket");
    if (chdir("..")) return;
    unlink("link");
    unlink("other");
    rmdir("d");
    rmdir(place);
}

int main(void) {
    by_netlink();
    by_ioctl();
    queues();
    paths();
    return 0;
}
