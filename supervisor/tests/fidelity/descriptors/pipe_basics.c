// What a pipe holds, how it ends, and what it is ready for.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SHOW(what, call) \
    do { \
        errno = 0; \
        long result = call; \
        printf("%s: %ld %s\n", what, result, strerror(errno)); \
    } while (0)

static char big[1 << 20];

static int ready(int fd, short events) {
    struct pollfd p = {fd, events, 0};
    int n = poll(&p, 1, 0);
    return n <= 0 ? n : p.revents;
}

static void fill(size_t step) {
    int p[2];
    pipe2(p, O_NONBLOCK);
    size_t total = 0;
    ssize_t n;
    while ((n = write(p[1], big, step)) > 0) total += n;
    printf("writes of %zu: %zu fit, then %s; ready %x\n", step, total, strerror(errno), ready(p[1], POLLOUT));
    size_t drained = 0;
    while ((n = read(p[0], big, 1000)) > 0) {
        drained += n;
        if (drained == 4000 || drained == 5000) printf("after %zu: ready %x\n", drained, ready(p[1], POLLOUT));
    }
    printf("drained %zu, then %s\n", drained, strerror(errno));
    close(p[0]);
    close(p[1]);
}

static void *drain(void *arg) {
    int fd = *(int *)arg;
    size_t total = 0;
    ssize_t n;
    char buffer[3000];
    unsigned sum = 0;
    while ((n = read(fd, buffer, sizeof buffer)) > 0) {
        total += n;
        for (ssize_t i = 0; i < n; i++) sum = sum * 31 + (unsigned char)buffer[i];
    }
    printf("drained %zu, sum %u\n", total, sum);
    return NULL;
}

int main(void) {
    volatile long place = 8;
    size_t steps[] = {1, 512, 3000, 4096, 4097, 10000, 65536, 100000};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) fill(steps[i]);

    int p[2];
    pipe(p);
    printf("empty: reader %x, writer %x\n", ready(p[0], POLLIN | POLLRDNORM), ready(p[1], POLLOUT | POLLWRNORM));
    write(p[1], "abc", 3);
    write(p[1], "defg", 4);
    char buffer[16] = {0};
    printf("reader %x, read %zd\n", ready(p[0], POLLIN), read(p[0], buffer, 5));
    printf("%s\n", buffer);
    close(p[1]);
    printf("closed: %x\n", ready(p[0], POLLIN));
    printf("rest %zd, end %zd, %x\n", read(p[0], buffer, 16), read(p[0], buffer, 16), ready(p[0], POLLIN));
    close(p[0]);

    pipe2(p, O_DIRECT | O_NONBLOCK);
    write(p[1], "one", 3);
    write(p[1], "three", 5);
    write(p[1], big, 5000);
    printf("packets: %zd", read(p[0], buffer, 16));
    printf(" %zd", read(p[0], buffer, 2));
    printf(" %zd", read(p[0], big, 9000));
    printf(" %zd", read(p[0], big, 9000));
    printf(" %zd\n", read(p[0], big, 9000));
    close(p[0]);
    close(p[1]);

    // A write larger than the pipe waits for a reader.
    for (size_t i = 0; i < sizeof big; i++) big[i] = i * 7 + i / 1000;
    pipe(p);
    pthread_t thread;
    pthread_create(&thread, NULL, drain, &p[0]);
    printf("wrote %zd\n", write(p[1], big, 300001));
    close(p[1]);
    pthread_join(thread, NULL);

    // Across processes.
    int back[2];
    pipe(p);
    pipe(back);
    pid_t child = fork();
    if (child == 0) {
        close(p[1]);
        close(back[0]);
        char c;
        while (read(p[0], &c, 1) == 1) {
            c++;
            write(back[1], &c, 1);
        }
        _exit(3);
    }
    close(p[0]);
    close(back[1]);
    for (char c = 'a'; c < 'f'; c++) {
        char answer;
        write(p[1], &c, 1);
        read(back[0], &answer, 1);
        putchar(answer);
    }
    close(p[1]);
    int status;
    waitpid(child, &status, 0);
    printf("\nchild %d, end %zd\n", WEXITSTATUS(status), read(back[0], buffer, 1));

    struct stat st;
    fstat(back[0], &st);
    printf("mode %o, size %ld, links %ld\n", st.st_mode, (long)st.st_size, (long)st.st_nlink);
    SHOW("seek", lseek(back[0], 0, SEEK_CUR));
    SHOW("pread", pread(back[0], buffer, 1, 0));
    SHOW("wrong end", read(p[1], buffer, 1));
    SHOW("bad flags", pipe2(p, O_APPEND));
    SHOW("bad place", pipe((int *)place));
    return 0;
}
