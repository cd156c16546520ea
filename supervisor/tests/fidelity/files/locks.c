// flock(2) and record locks among processes.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int set(int fd, int command, int type, long start, long len) {
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len};
    errno = 0;
    return fcntl(fd, command, &lock) == 0 ? 0 : errno;
}

static void get(int fd, int type, long start, long len, pid_t parent) {
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len};
    fcntl(fd, F_GETLK, &lock);
    if (lock.l_type == F_UNLCK) printf("free\n");
    else printf("held %d %ld+%ld by parent %d\n", lock.l_type, (long)lock.l_start, (long)lock.l_len, lock.l_pid == parent);
}

int main(void) {
    setbuf(stdout, 0);
    int fd = open("f", O_CREAT | O_RDWR, 0644);
    pid_t parent = getpid();
    printf("%d\n", set(fd, F_SETLK, F_WRLCK, 10, 10));
    printf("%d\n", set(fd, F_SETLK, F_RDLCK, 100, 0));
    if (fork() == 0) {
        get(fd, F_RDLCK, 0, 0, parent);
        get(fd, F_RDLCK, 50, 0, parent);
        get(fd, F_WRLCK, 50, 0, parent);
        printf("%s\n", strerror(set(fd, F_SETLK, F_RDLCK, 15, 1)));
        printf("%s\n", strerror(set(fd, F_SETLK, F_RDLCK, 200, 1)));
        printf("%s\n", strerror(set(fd, F_SETLKW, F_WRLCK, 10, 10)));
        printf("got it\n");
        _exit(0);
    }
    usleep(50000);
    printf("release\n");
    close(open("f", O_RDONLY));
    wait(0);
    int ro = open("f", O_RDONLY);
    printf("%s\n", strerror(set(ro, F_SETLK, F_WRLCK, 0, 1)));
    printf("%s\n", strerror(set(fd, F_SETLK, F_WRLCK, -1, 1)));

    set(fd, F_SETLK, F_WRLCK, 0, 1);
    pid_t child = fork();
    if (child == 0) {
        set(fd, F_SETLK, F_WRLCK, 1, 1);
        usleep(10000);
        printf("child %s\n", strerror(set(fd, F_SETLKW, F_WRLCK, 0, 1)));
        _exit(0);
    }
    usleep(50000);
    printf("deadlock %s\n", strerror(set(fd, F_SETLKW, F_WRLCK, 1, 1)));
    set(fd, F_SETLK, F_UNLCK, 0, 0);
    wait(0);

    int a = open("g", O_CREAT | O_RDWR, 0644), b = open("g", O_RDWR);
    printf("%d %d", flock(a, LOCK_SH), flock(b, LOCK_SH | LOCK_NB));
    printf(" %d", flock(a, LOCK_EX | LOCK_NB));
    printf(" %s\n", strerror(errno));
    flock(b, LOCK_UN);
    printf("%d\n", flock(a, LOCK_EX | LOCK_NB));
    if (fork() == 0) {
        close(a);
        printf("child waits\n");
        printf("%d\n", flock(b, LOCK_EX));
        _exit(0);
    }
    usleep(50000);
    printf("close\n");
    close(a);
    wait(0);
    int c = open("g", O_RDWR);
    printf("%s\n", strerror(set(b, F_OFD_SETLK, F_WRLCK, 0, 10)));
    printf("%s\n", strerror(set(c, F_OFD_SETLK, F_RDLCK, 5, 10)));
    close(b);
    printf("%s\n", strerror(set(c, F_OFD_SETLK, F_RDLCK, 5, 10)));
    // Both ends of a pipe are one file, and so are all that a FIFO is opened by.
    int ends[2], f;
    pipe(ends);
    mkfifo("f", 0644);
    f = open("f", O_RDWR);
    printf("%d", flock(ends[0], LOCK_SH | LOCK_NB));
    printf(" %d", flock(ends[1], LOCK_EX | LOCK_NB));
    close(ends[0]);
    printf(" %d\n", flock(ends[1], LOCK_EX | LOCK_NB));
    printf("%d", flock(f, LOCK_EX | LOCK_NB));
    printf(" %d\n", flock(open("f", O_RDWR), LOCK_SH | LOCK_NB));
    printf("%s", strerror(set(f, F_SETLK, F_WRLCK, 0, 10)));
    if (fork() == 0) {
        printf(" %s\n", strerror(set(f, F_SETLK, F_RDLCK, 5, 10)));
        _exit(0);
    }
    wait(0);
    printf("%d", flock(c, 99));
    printf(" %d", flock(c, LOCK_SH | LOCK_EX));
    printf(" %s\n", strerror(errno));
    return 0;
}
