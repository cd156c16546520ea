// A pseudo-terminal between a parent that types and a child that reads lines.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static void show(const char *what, const char *bytes, ssize_t len) {
    printf("%s %zd:", what, len);
    for (ssize_t i = 0; i < len; i++) printf(bytes[i] < 32 || bytes[i] > 126 ? " %02x" : " %c", bytes[i] & 255);
    printf("\n");
}

static void child(const char *name) {
    char line[64];
    setsid();
    int fd = open(name, O_RDWR);
    if (fd < 0 || !isatty(fd)) _exit(10);
    int tty = open("/dev/tty", O_RDWR);
    if (tty < 0) _exit(11);
    if (tcgetpgrp(fd) != getpid() || tcgetsid(fd) != getpid()) _exit(12);
    ssize_t len = read(fd, line, sizeof line);
    if (len != 5 || memcmp(line, "good\n", 5)) _exit(13);
    if (write(tty, "seen\n", 5) != 5) _exit(14);
    if (read(fd, line, sizeof line) != 0) _exit(15);
    struct termios raw;
    tcgetattr(fd, &raw);
    cfmakeraw(&raw);
    tcsetattr(fd, TCSANOW, &raw);
    if (write(fd, "raw\n", 4) != 4) _exit(16);
    if (read(fd, line, sizeof line) != 1 || line[0] != 3) _exit(17);
    _exit(0);
}

int main(void) {
    setvbuf(stdout, NULL, _IONBF, 0);
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    struct winsize window = {.ws_row = 7, .ws_col = 9};
    struct termios start;
    if (master < 0 || grantpt(master)) return 1;
    const char *name = ptsname(master);
    if (!name || open(name, O_RDWR | O_NOCTTY) >= 0 || errno != EIO) return 2;
    if (unlockpt(master)) return 3;
    ioctl(master, TIOCSWINSZ, &window);
    tcgetattr(master, &start);
    printf("%x %x %x %x\n", start.c_iflag, start.c_oflag, start.c_cflag, start.c_lflag);
    for (int i = 0; i < 17; i++) printf("%d ", start.c_cc[i]);
    printf("\n");
    pid_t pid = fork();
    if (pid == 0) child(name);
    char bytes[256];
    ssize_t len = 0;
    write(master, "bad\177\177\177good\r", 11);
    while (len < 24) len += read(master, bytes + len, sizeof bytes - len);
    show("echo", bytes, len);
    write(master, "\004", 1);
    for (len = 0; len < 4;) len += read(master, bytes + len, sizeof bytes - len);
    show("raw", bytes, len);
    write(master, "\003", 1);
    int status;
    waitpid(pid, &status, 0);
    printf("child %d\n", WEXITSTATUS(status));
    len = read(master, bytes, sizeof bytes);
    printf("hung up %zd %s\n", len, len < 0 ? strerror(errno) : "");
    printf("isatty %d %d\n", isatty(master), isatty(0));
    printf("ioctl on null %d %s\n", ioctl(0, TCGETS, &start), strerror(errno));
    return 0;
}
