// A network of one's own, where programs run natively; in a simulation there is nothing to be apart from.
#include <fcntl.h>
#include <linux/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

// As automake has it: the host does not let a program do what it is about.
#define NOT_HERE 77

static int write_file(const char *path, const char *text) {
    int fd = open(path, O_WRONLY);
    ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));
    close(fd);
    return n < 0 ? -1 : 0;
}

// The host stays as it is. Who may ask for echoes without raw sockets is said anew: most hosts let nobody.
static void go_apart(void) {
    char text[40];
    unsigned uid = geteuid(), gid = getegid();
    if (unshare(CLONE_NEWNET)) {
        if (unshare(CLONE_NEWUSER | CLONE_NEWNET)) return;
        sprintf(text, "0 %u 1", uid);
        write_file("/proc/self/uid_map", text);
        write_file("/proc/self/setgroups", "deny");
        sprintf(text, "0 %u 1", gid);
        write_file("/proc/self/gid_map", text);
        gid = 0;
    }
    sprintf(text, "%u %u", gid, gid);
    write_file("/proc/sys/net/ipv4/ping_group_range", text);
    struct ifreq up = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING | IFF_LOOPBACK};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    ioctl(fd, SIOCSIFFLAGS, &up);
    close(fd);
}

