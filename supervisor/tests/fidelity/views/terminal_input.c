// A program that types at its own terminal (TIOCSTI).
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t interrupts;

static void on_interrupt(int signal) {
    (void)signal;
    interrupts++;
}

// Types a byte at the slave. Where dev.tty.legacy_tiocsti is off, only root may: the parent's end then does it.
static int type_at(int slave, int master, char byte) {
    if (ioctl(slave, TIOCSTI, &byte) == 0) return 0;
    if (errno != EIO) return errno;
    return write(master, &byte, 1) == 1 ? 0 : errno;
}

static void show_screen(int master, ssize_t wanted) {
    char bytes[64];
    ssize_t len = 0;
    while (len < wanted) len += read(master, bytes + len, sizeof bytes - len);
    printf("screen %zd:", len);
    for (ssize_t i = 0; i < len; i++) printf(" %02x", bytes[i] & 255);
    printf("\n");
}

static void child(const char *name, int master, int go) {
    setsid();
    int fd = open(name, O_RDWR);
    if (fd < 0) _exit(10);
    signal(SIGINT, on_interrupt);
    for (const char *typed = "ok\177\177fine\n"; *typed; typed++)
        if (type_at(fd, master, *typed)) _exit(11);
    char line[64];
    ssize_t len = read(fd, line, sizeof line);
    if (len != 5 || memcmp(line, "fine\n", 5)) _exit(12);
    // An interrupt drops what nobody has read yet: wait until the parent has.
    if (read(go, line, 1) != 1) _exit(16);
    if (type_at(fd, master, 3) || interrupts != 1) _exit(13);
    if (ioctl(fd, TIOCSTI, NULL) != -1 || (errno != EFAULT && errno != EIO)) _exit(14);
    char byte = 'x';
    int pipes[2];
    if (pipe(pipes) || ioctl(pipes[0], TIOCSTI, &byte) != -1 || errno != ENOTTY) _exit(15);
    _exit(0);
}

int main(void) {
    setvbuf(stdout, NULL, _IONBF, 0);
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    if (master < 0 || grantpt(master) || unlockpt(master)) return 1;
    const char *name = ptsname(master);
    int go[2];
    if (pipe(go)) return 2;
    pid_t pid = fork();
    if (pid == 0) child(name, master, go[0]);
    show_screen(master, 14);
    write(go[1], "g", 1);
    int status;
    waitpid(pid, &status, 0);
    printf("child %x\n", status);
    show_screen(master, 2);
    if (geteuid() == 0) {
        int slave = open(name, O_RDWR | O_NOCTTY);
        char byte = 'm', bytes[8];
        printf("at the master %d", ioctl(master, TIOCSTI, &byte));
        ssize_t len = read(master, bytes, sizeof bytes);
        printf(" read %zd %c\n", len, bytes[0]);
        byte = '\n';
        printf("of another session %d", ioctl(slave, TIOCSTI, &byte));
        len = read(slave, bytes, sizeof bytes);
        printf(" read %zd\n", len);
    }
    return 0;
}
