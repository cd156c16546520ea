// Users and groups by the rules for an ordinary user (the program becomes one if it is not).
#include <grp.h>
#include <linux/capability.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../show.h"

static void ids(void) {
    uid_t r, e, s;
    getresuid(&r, &e, &s);
    printf("users %d %d %d\n", r, e, s);
    getresgid(&r, &e, &s);
    printf("groups %d %d %d\n", r, e, s);
}

int main(void) {
    setbuf(stdout, 0);
    if (geteuid() != 0) {
        printf("not root\n");
        return 0;
    }
    gid_t wanted[] = {30, 10, 20}, groups[8];
    SHOW(setgroups(3, wanted));
    int count = getgroups(0, groups), filled = getgroups(8, groups);
    printf("%d %d %d\n", count, filled, groups[0]);
    SHOW(getgroups(2, groups));
    SHOW(getgroups(-1, groups));
    SHOW(setresgid(100, 200, 300));
    SHOW(seteuid(1000));
    ids();
    SHOW(setgid(7));
    SHOW(setgid(300));
    ids();
    SHOW(seteuid(0));
    SHOW(setresuid(1000, 2000, 3000));
    ids();
    SHOW(setuid(0));
    SHOW(setuid(4000));
    SHOW(setuid(3000));
    ids();
    SHOW(setreuid(3000, -1));
    SHOW(setreuid(-1, 2000));
    ids();
    SHOW(setgroups(0, wanted));
    printf("setfsuid %d %d\n", setfsuid(1), setfsuid(-1));
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];
    SHOW(syscall(SYS_capget, &header, data));
    printf("%x %x\n", data[0].effective, data[0].permitted);
    data[0].permitted = 1;
    SHOW(syscall(SYS_capset, &header, data));
    header.version = 5;
    SHOW(syscall(SYS_capget, &header, data));
    printf("%x\n", header.version);
    SHOW(prctl(PR_CAPBSET_READ, 100));
    SHOW(prctl(PR_CAPBSET_DROP, 3));
    SHOW(sethostname("x", 1));
    return 0;
}
