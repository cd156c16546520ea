// The files of terminals: whose they are, what may be done with them, when they are gone; locks on devices; who has a
// terminal alone, and modes that are locked.
#include <asm/termbits.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "../show.h"

static const char *path;

static void status(void) {
    struct stat st;
    if (stat(path, &st)) printf("  %s\n", strerror(errno));
    else printf("  %o, %s, %lu names\n", st.st_mode, st.st_uid == getuid() ? "ours" : "not ours", st.st_nlink);
}

int main(void) {
    setbuf(stdout, 0);
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    unlockpt(master);
    path = ptsname(master);
    int terminal = open(path, O_RDWR | O_NOCTTY);
    SHOW(chmod(path, 0600));
    status();
    SHOW(fchmod(terminal, 0622));
    SHOW(chown(path, getuid(), -1));
    status();
    struct stat by_name, open_one;
    stat(path, &by_name);
    fstat(terminal, &open_one);
    printf("  %d\n", by_name.st_ino == open_one.st_ino && by_name.st_mode == open_one.st_mode);
    struct statfs volume;
    SHOW(statfs("/dev/pts", &volume));
    printf("  %lx\n", (long)volume.f_type);
    SHOW(fstatfs(terminal, &volume));
    printf("  %lx\n", (long)volume.f_type);
    if (getuid() == 0) {
        SHOW(open("/dev/pts/name", O_WRONLY | O_CREAT, 0600));
        SHOW(mkdir("/dev/pts/name", 0700));
        SHOW(mknod("/dev/pts/name", S_IFREG | 0600, 0));
        SHOW(mkfifo("/dev/pts/name", 0600));
        SHOW(symlink("0", "/dev/pts/name"));
        SHOW(link(path, "/dev/pts/name"));
        SHOW(unlink(path));
        SHOW(rename(path, "/dev/pts/name"));
    }
    int other = open(path, O_RDWR | O_NOCTTY);
    SHOW(flock(terminal, LOCK_EX));
    SHOW(flock(other, LOCK_EX | LOCK_NB));
    SHOW(close(terminal));
    SHOW(flock(other, LOCK_EX | LOCK_NB));
    int exclusive = 5;
    SHOW(ioctl(other, TIOCGEXCL, &exclusive));
    printf("  %d\n", exclusive);
    SHOW(ioctl(other, TIOCEXCL));
    SHOW(ioctl(other, TIOCGEXCL, &exclusive));
    printf("  %d\n", exclusive);
    SHOW(ioctl(other, TIOCNXCL));
    struct termios modes, locked;
    SHOW(ioctl(other, TIOCGLCKTRMIOS, &locked));
    printf("  %x %x %x %x %d\n", locked.c_iflag, locked.c_oflag, locked.c_cflag, locked.c_lflag, locked.c_cc[VEOF]);
    SHOW(ioctl(master, TIOCGLCKTRMIOS, &locked));
    SHOW(ioctl(other, TIOCGLCKTRMIOS, (void *)8));
    char shown[32], again[64];
    sprintf(again, "/proc/self/fd/%d", other);
    int reopened = open(again, O_RDWR | O_NOCTTY);
    fstat(reopened, &open_one);
    printf("  %d\n", by_name.st_ino == open_one.st_ino);
    SHOW(close(master));
    status();
    SHOW(open(path, O_RDWR | O_NOCTTY));
    SHOW(fstat(other, &open_one));
    printf("  %lu names\n", open_one.st_nlink);
    ssize_t len = readlink(again, shown, sizeof shown);
    printf("  %d\n", len > 10 && !memcmp(shown + len - 10, " (deleted)", 10));
    return 0;
}
