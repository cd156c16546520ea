// Locks of processes, of open files and of flock, drawn from a seed, by three processes.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS = 40, STEPS = 160, LOWEST = 20, HIGHEST = 27, LENGTH_MAX = 64, WORKERS = 3 };

#include "../drawn.h"

// What a worker is asked to do, and what came of it.
struct request { int call, fd, command, type, whence; long start, len; };
struct reply { long result; int error; struct flock lock; };

static pid_t pids[WORKERS];
static int asks[WORKERS], replies[WORKERS];
static int blocked = -1;

enum { LOCK, FLOCK, DUP, CLOSE, OPEN, SEEK, TRUNCATE };

static void interrupted(int signal) { (void)signal; }

static void reopen(int fd, int flags) {
    int file = open(fd % 2 ? "one" : "two", flags | O_CREAT, 0600);
    dup2(file, fd);
    close(file);
}

static struct reply work(struct request *ask) {
    struct reply reply = {0};
    reply.lock = (struct flock){.l_type = ask->type, .l_whence = ask->whence, .l_start = ask->start, .l_len = ask->len};
    errno = 0;
    switch (ask->call) {
    case LOCK: reply.result = fcntl(ask->fd, ask->command, &reply.lock); break;
    case FLOCK: reply.result = flock(ask->fd, ask->command); break;
    case DUP: reply.result = dup2(ask->fd, ask->type); break;
    case CLOSE: reply.result = close(ask->fd); break;
    case OPEN: reopen(ask->fd, ask->type); break;
    case SEEK: reply.result = lseek(ask->fd, ask->start, SEEK_SET); break;
    case TRUNCATE: reply.result = ftruncate(ask->fd, ask->start); break;
    }
    reply.error = errno;
    return reply;
}

static void serve(int in, int out) {
    struct request ask;
    while (read(in, &ask, sizeof ask) == sizeof ask) {
        write(out, "", 1);
        struct reply reply = work(&ask);
        write(out, &reply, sizeof reply);
    }
    _exit(0);
}

static int worker(pid_t pid) {
    for (int i = 0; i < WORKERS; i++) if (pids[i] == pid) return i;
    return pid > 0 ? 99 : pid;
}

static void show_reply(int who, struct reply *reply) {
    printf("  %d: %ld %s type %d whence %d start %ld len %ld pid %d\n", who, reply->result, reply->result < 0 ? strerrorname_np(reply->error) : "",
           reply->lock.l_type, reply->lock.l_whence, (long)reply->lock.l_start, (long)reply->lock.l_len, worker(reply->lock.l_pid));
}

static int has_replied(int who) {
    struct pollfd news = {replies[who], POLLIN, 0};
    return poll(&news, 1, 0) == 1;
}

// Until the worker has replied, or waits for a lock.
static int settled(int who) {
    while (!has_replied(who)) {
        if (state_of(pids[who]) == 'S' && !has_replied(who)) return 0;
        usleep(100);
    }
    struct reply reply;
    read(replies[who], &reply, sizeof reply);
    show_reply(who, &reply);
    return 1;
}

static void ask(int who, struct request request) {
    char begun;
    write(asks[who], &request, sizeof request);
    read(replies[who], &begun, 1);
    if (settled(who)) return;
    printf("  %d: waits\n", who);
    if (blocked < 0) {
        blocked = who;
        return;
    }
    // Of two that wait for one lock either may get it first.
    kill(pids[who], SIGUSR1);
    while (!settled(who)) usleep(100);
}

static struct request drawn_lock(void) {
    static const int commands[] = {F_SETLK, F_SETLK, F_SETLKW, F_GETLK, F_OFD_SETLK, F_OFD_SETLK, F_OFD_SETLKW, F_OFD_GETLK};
    static const int types[] = {F_RDLCK, F_RDLCK, F_WRLCK, F_WRLCK, F_UNLCK, 3, -1};
    static const int whences[] = {SEEK_SET, SEEK_SET, SEEK_SET, SEEK_CUR, SEEK_END, 3};
    static const long odd[] = {-1, -20, INT64_MAX, INT64_MAX - 5, INT64_MIN, 1l << 40};
    struct request request = {LOCK, descriptor(), commands[draw(8)], types[draw(draw(6) ? 5 : 7)], whences[draw(draw(4) ? 3 : 6)]};
    request.start = draw(12) ? draw(20) : odd[draw(6)];
    request.len = draw(8) ? draw(10) : odd[draw(6)];
    return request;
}

static void step(void) {
    int who = draw(WORKERS);
    if (who == blocked) {
        if (draw(4)) return;
        printf("interrupt %d\n", who);
        kill(pids[who], SIGUSR1);
        while (!settled(who)) usleep(100);
        blocked = -1;
        return;
    }
    static const int operations[] = {LOCK_SH, LOCK_EX, LOCK_UN, 0, 9};
    static const int modes[] = {O_RDONLY, O_WRONLY, O_RDWR, O_RDWR, O_PATH};
    struct request request = {0};
    switch (draw(16)) {
    case 0: request = (struct request){CLOSE, descriptor()}; break;
    case 1: request = (struct request){OPEN, descriptor(), 0, modes[draw(5)]}; break;
    case 2: request = (struct request){DUP, descriptor(), 0, descriptor()}; break;
    case 3: request = (struct request){SEEK, descriptor()}; request.start = draw(15); break;
    case 4: request = (struct request){TRUNCATE, descriptor()}; request.start = draw(15); break;
    case 5: case 6: case 7: request = (struct request){FLOCK, descriptor(), operations[draw(draw(5) ? 3 : 5)] | (draw(4) ? LOCK_NB : 0)}; break;
    default: request = drawn_lock();
    }
    printf("%d: %d fd %d command %d type %d whence %d start %ld len %ld\n", who, request.call, request.fd, request.command, request.type,
           request.whence, request.start, request.len);
    ask(who, request);
    if (blocked >= 0 && blocked != who && settled(blocked)) blocked = -1;
}

static void begin(void) {
    for (int i = 0; i < WORKERS; i++) if (pids[i]) {
        close(asks[i]);
        close(replies[i]);
        kill(pids[i], SIGKILL);
        waitpid(pids[i], NULL, 0);
    }
    blocked = -1;
    unlink("one");
    unlink("two");
    close_all();
    // What is open before they are made they share.
    for (int fd = LOWEST; fd <= HIGHEST; fd++) reopen(fd, O_RDWR);
    for (int i = 0; i < WORKERS; i++) {
        int to[2], from[2];
        pipe2(to, O_CLOEXEC);
        pipe2(from, O_CLOEXEC);
        pids[i] = fork();
        if (pids[i] == 0) {
            struct sigaction action = {.sa_handler = interrupted};
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            sigaction(SIGUSR1, &action, NULL);
            close(to[1]);
            serve(to[0], from[1]);
        }
        close(to[0]);
        close(from[1]);
        asks[i] = to[1];
        replies[i] = from[0];
    }
    for (int fd = LOWEST; fd <= HIGHEST; fd++) close(fd);
}

int main(int argc, char **argv) {
    rounds(argv, ROUNDS, STEPS, begin, step);
    return 0;
}
