// FIFOs: each end waits for the other, and sees it go.
#include "show.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int ready(int fd) {
    struct pollfd p = {fd, POLLIN | POLLOUT, 0};
    poll(&p, 1, 0);
    return p.revents;
}

static void on_alarm(int signal) {}

int main(void) {
    setvbuf(stdout, NULL, _IOFBF, 1 << 16);
    SHOW("make", mkfifo("fifo", 0600));
    SHOW("writer that does not wait", open("fifo", O_WRONLY | O_NONBLOCK));
    int reader = open("fifo", O_RDONLY | O_NONBLOCK);
    char buffer[100];
    SHOW("no writer yet", read(reader, buffer, 100));
    printf("ready %x\n", ready(reader));
    int writer = open("fifo", O_WRONLY | O_NONBLOCK);
    SHOW("empty", read(reader, buffer, 100));
    write(writer, "hello", 5);
    printf("ready %x %x\n", ready(reader), ready(writer));
    close(writer);
    printf("writer gone: %x\n", ready(reader));
    SHOW("rest", read(reader, buffer, 100));
    printf("all gone: %x\n", ready(reader));
    struct stat st;
    fstat(reader, &st);
    printf("a FIFO: %d, mode %o\n", S_ISFIFO(st.st_mode), st.st_mode & 0777);
    close(reader);
    int both = open("fifo", O_RDWR);
    write(both, "abc", 3);
    SHOW("to itself", read(both, buffer, 100));
    close(both);
    fflush(stdout);
    if (fork() == 0) {
        usleep(3000);
        int end = open("fifo", O_WRONLY);
        write(end, "from the child", 14);
        _exit(0);
    }
    reader = open("fifo", O_RDONLY);
    size_t total = 0;
    ssize_t n;
    while ((n = read(reader, buffer + total, 100 - total)) > 0) total += n;
    printf("%.*s\n", (int)total, buffer);
    wait(NULL);
    close(reader);
    struct sigaction action = {.sa_handler = on_alarm};
    sigaction(SIGALRM, &action, NULL);
    fflush(stdout);
    if (fork() == 0) {
        usleep(5000);
        kill(getppid(), SIGALRM);
        _exit(0);
    }
    SHOW("interrupted", open("fifo", O_WRONLY));
    wait(NULL);
    SHOW("nothing left behind", open("fifo", O_WRONLY | O_NONBLOCK));
    SHOW("unlink", unlink("fifo"));
    return 0;
}
