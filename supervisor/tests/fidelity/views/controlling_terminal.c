// A session takes the terminal that another one has, as only the administrator may (ioctl_tty(2), TIOCSCTTY).
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static int go[2], come[2];

static void show(const char *what, int result) {
    printf("%s: %s\n", what, result < 0 ? strerror(errno) : "yes");
}

static void owner(const char *name) {
    char byte;
    setsid();
    int fd = open(name, O_RDWR);
    show("owner has it", tcgetsid(fd) == getpid() ? 0 : -1);
    write(come[1], "x", 1);
    read(go[0], &byte, 1);
    show("owner still has it", tcgetsid(fd));
    show("owner's /dev/tty", open("/dev/tty", O_RDWR));
    _exit(0);
}

static void thief(const char *name) {
    int fd = open(name, O_RDWR | O_NOCTTY);
    show("not by a member of a session", ioctl(fd, TIOCSCTTY, 1));
    setsid();
    show("not without force", ioctl(fd, TIOCSCTTY, 0));
    show("by force", ioctl(fd, TIOCSCTTY, 1));
    show("once more", ioctl(fd, TIOCSCTTY, 0));
    show("thief has it", tcgetsid(fd) == getpid() ? 0 : -1);
    show("thief's /dev/tty", open("/dev/tty", O_RDWR));
    write(go[1], "x", 1);
    char byte;
    read(come[0], &byte, 1);
    _exit(0);
}

int main(void) {
    char byte;
    setvbuf(stdout, NULL, _IONBF, 0);
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    if (master < 0 || grantpt(master) || unlockpt(master) || pipe(go) || pipe(come)) return 1;
    const char *name = ptsname(master);
    pid_t first = fork();
    if (first == 0) owner(name);
    read(come[0], &byte, 1);
    pid_t second = fork();
    if (second == 0) thief(name);
    waitpid(first, NULL, 0);
    write(come[1], "x", 1);
    waitpid(second, NULL, 0);
    return 0;
}
