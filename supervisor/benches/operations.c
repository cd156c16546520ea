// One operation, many times: `operations NAME COUNT`. Exits with zero when all were done.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void need(int good) {
    if (!good) _exit(1);
}

static void clock_read(long count) {
    struct timespec now;
    while (count-- > 0) need(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
}

static void parent_id(long count) {
    while (count-- > 0) need(getppid() > 0);
}

static void pipe_write_read(long count) {
    int ends[2];
    char byte = 1;
    need(pipe(ends) == 0);
    while (count-- > 0) need(write(ends[1], &byte, 1) == 1 && read(ends[0], &byte, 1) == 1);
}

// Sends a byte there and waits for one from here; the other side the other way around.
struct side {
    int in, out, first;
    long count;
};

static void *bounce(void *argument) {
    struct side *side = argument;
    char byte = 1;
    for (long i = 0; i < side->count; i++) {
        if (side->first) need(write(side->out, &byte, 1) == 1);
        need(read(side->in, &byte, 1) == 1);
        if (!side->first) need(write(side->out, &byte, 1) == 1);
    }
    return 0;
}

static void threads_over_pipes(long count) {
    int there[2], back[2];
    need(pipe(there) == 0 && pipe(back) == 0);
    struct side a = {back[0], there[1], 1, count}, b = {there[0], back[1], 0, count};
    pthread_t thread;
    need(pthread_create(&thread, 0, bounce, &b) == 0);
    bounce(&a);
    pthread_join(thread, 0);
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static long turn, turns;

static void *take_turns(void *me) {
    pthread_mutex_lock(&mutex);
    while (turn < turns) {
        while (turn < turns && turn % 2 != (long)me) pthread_cond_wait(&changed, &mutex);
        turn++;
        pthread_cond_signal(&changed);
    }
    pthread_mutex_unlock(&mutex);
    return 0;
}

static void threads_over_condition(long count) {
    turns = 2 * count;
    pthread_t thread;
    need(pthread_create(&thread, 0, take_turns, (void *)1) == 0);
    take_turns(0);
    pthread_join(thread, 0);
}

static void processes_over(int fds[2], long count) {
    pid_t child = fork();
    need(child >= 0);
    struct side side = {fds[child != 0], fds[child != 0], child != 0, count};
    bounce(&side);
    if (child == 0) _exit(0);
    int status;
    need(waitpid(child, &status, 0) == child && status == 0);
}

static void tcp_pair(int fds[2]) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    need(listener >= 0 && bind(listener, (void *)&address, len) == 0 && listen(listener, 1) == 0);
    need(getsockname(listener, (void *)&address, &len) == 0);
    fds[0] = socket(AF_INET, SOCK_STREAM, 0);
    need(fds[0] >= 0 && connect(fds[0], (void *)&address, len) == 0);
    fds[1] = accept(listener, 0, 0);
    need(fds[1] >= 0);
    for (int i = 0; i < 2; i++) need(setsockopt(fds[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) == 0);
}

static void processes_over_tcp(long count) {
    int fds[2];
    tcp_pair(fds);
    processes_over(fds, count);
}

static void processes_over_unix(long count) {
    int fds[2];
    need(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
    processes_over(fds, count);
}

static void tcp_mebibytes(long count) {
    static char block[64 << 10];
    int fds[2];
    tcp_pair(fds);
    pid_t child = fork();
    need(child >= 0);
    if (child == 0) {
        for (long i = 0; i < count * 16; i++)
            for (size_t done = 0; done < sizeof block;) {
                ssize_t moved = write(fds[0], block + done, sizeof block - done);
                need(moved > 0);
                done += moved;
            }
        _exit(0);
    }
    close(fds[0]);
    long long left = count << 20;
    while (left > 0) {
        ssize_t moved = read(fds[1], block, sizeof block);
        need(moved > 0);
        left -= moved;
    }
    int status;
    need(waitpid(child, &status, 0) == child && status == 0);
}

// Opens, reads and closes files of the working directory, each once.
static void small_files(long count) {
    static char block[4 << 10];
    char name[40];
    for (long i = 0; i < count; i++) {
        snprintf(name, sizeof name, "small/%ld/%ld", i / 100, i);
        int file = open(name, O_RDONLY);
        need(file >= 0 && read(file, block, sizeof block) > 0 && close(file) == 0);
    }
}

static void read_file(long count) {
    static char block[4 << 10];
    int file = open("large", O_RDONLY);
    while (count-- > 0) need(read(file, block, sizeof block) == sizeof block);
}

static void write_file(long count) {
    static char block[4 << 10];
    int file = open("written", O_WRONLY | O_CREAT | O_TRUNC, 0644);
    while (count-- > 0) need(write(file, block, sizeof block) == sizeof block);
}

// Children that do nothing, until standard input ends.
static void sleepers(long count) {
    for (long i = 0; i < count; i++)
        if (fork() == 0)
            for (;;) sleep(1000000);
    need(write(1, "ready\n", 6) == 6);
    char byte;
    while (read(0, &byte, 1) > 0) continue;
    kill(0, 15);
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        void (*run)(long);
    } all[] = {
        {"clock-read", clock_read},
        {"getppid", parent_id},
        {"pipe-write-read", pipe_write_read},
        {"threads-over-pipes", threads_over_pipes},
        {"threads-over-condition", threads_over_condition},
        {"processes-over-tcp", processes_over_tcp},
        {"processes-over-unix", processes_over_unix},
        {"tcp-mebibytes", tcp_mebibytes},
        {"small-files", small_files},
        {"file-reads", read_file},
        {"file-writes", write_file},
        {"sleepers", sleepers},
    };
    for (size_t i = 0; argc == 3 && i < sizeof all / sizeof *all; i++)
        if (!strcmp(argv[1], all[i].name)) {
            all[i].run(atol(argv[2]));
            return 0;
        }
    return 2;
}
