// Ambient capabilities outlive exec, the file user takes those of files with it, and what user zero alone may make.
#include <fcntl.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "../show.h"

// Those that this is about: user zero of a container has not all others.
static const unsigned long SEEN =
    1 << CAP_CHOWN | 1 << CAP_DAC_OVERRIDE | 1 << CAP_FOWNER | 1 << CAP_SETUID | 1 << CAP_SYS_TIME | 1 << CAP_SYS_NICE;

static void tell(void) {
    FILE *status = fopen("/proc/self/status", "r");
    char line[256], name[16];
    unsigned long bits;
    while (fgets(line, sizeof line, status)) {
        if (sscanf(line, "Cap%15[A-Za-z]: %lx", name, &bits) == 2) printf("  %s %lx\n", name, bits & SEEN);
        if (!strncmp(line, "NoNewPrivs", 10)) printf("  %s", line);
    }
    fclose(status);
}

static void set(unsigned bits) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {{bits, bits, bits}, {0, 0, 0}};
    SHOW(syscall(SYS_capset, &header, data));
}

static void ambient(char *self) {
    SHOW(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SYS_TIME, 0, 0));
    prctl(PR_SET_KEEPCAPS, 1);
    SHOW(setresuid(1000, 1000, 1000));
    set(1 << CAP_SYS_TIME | 1 << CAP_SYS_NICE);
    SHOW(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0));
    SHOW(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SYS_TIME, 0, 0));
    SHOW(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SYS_NICE, 0, 0));
    SHOW(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, CAP_SYS_NICE, 0, 0));
    printf("%d %d\n", prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_SYS_TIME, 0, 0),
           prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_SYS_NICE, 0, 0));
    SHOW(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, 64, 0, 0));
    SHOW(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 1, 0, 0));
    SHOW(prctl(PR_CAP_AMBIENT, 9, 1, 0, 0));
    SHOW(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    tell();
    execl(self, self, "again", NULL);
    exit(1);
}

static void files(void) {
    char folder[] = "/tmp/capabilities.XXXXXX", value[8];
    if (!mkdtemp(folder) || chdir(folder)) exit(1);
    int secret = open("secret", O_CREAT | O_RDWR, 0600);
    setfsuid(1000);
    SHOW(open("secret", O_RDONLY));
    tell();
    setfsuid(0);
    SHOW(open("secret", O_RDONLY));
    SHOW(fsetxattr(secret, "security.of", "a", 1, 0));
    SHOW(fsetxattr(secret, "trusted.of", "b", 1, 0));
    SHOW(fsetxattr(secret, "security.", "b", 1, 0));
    SHOW(symlink("secret", "link"));
    SHOW(lsetxattr("link", "security.link", "c", 1, 0));
    SHOW(lsetxattr("link", "user.link", "c", 1, 0));
    printf("%ld %ld\n", (long)flistxattr(secret, 0, 0), (long)llistxattr("link", 0, 0));
    SHOW(mknod("null", S_IFCHR | 0666, makedev(1, 3)));
    SHOW(mknod("zero", S_IFCHR | 0666, makedev(1, 5)));
    SHOW(mknod("disk", S_IFBLK | 0666, makedev(7, 300)));
    struct stat state;
    SHOW(stat("disk", &state));
    printf("%o %u:%u\n", state.st_mode, major(state.st_rdev), minor(state.st_rdev));
    int null = open("null", O_RDWR), zero = open("zero", O_RDONLY);
    SHOW(write(null, "x", 1));
    printf("%ld %ld\n", (long)read(null, value, 8), (long)read(zero, value, 8));
    seteuid(1000);
    SHOW(fgetxattr(secret, "security.of", value, 8));
    SHOW(fgetxattr(secret, "trusted.of", value, 8));
    SHOW(fsetxattr(secret, "security.of", "d", 1, 0));
    SHOW(fsetxattr(secret, "trusted.of", "d", 1, 0));
    printf("%ld\n", (long)flistxattr(secret, 0, 0));
    SHOW(mknod("/tmp/null", S_IFCHR | 0666, makedev(1, 3)));
    seteuid(0);
    const char *names[] = {"secret", "link", "null", "zero", "disk"};
    for (int i = 0; i < 5; i++) unlink(names[i]);
    rmdir(folder);
}

int main(int count, char **arguments) {
    setbuf(stdout, 0);
    if (count > 1) {
        puts("again");
        tell();
        return 0;
    }
    if (geteuid() != 0) return 0;
    tell();
    files();
    if (!fork()) ambient(arguments[0]);
    wait(0);
    return 0;
}
