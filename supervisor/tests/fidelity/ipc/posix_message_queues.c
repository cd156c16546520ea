// link: -lrt
// POSIX message queues: priorities, sizes, waiting for messages and for room, time-outs, poll and epoll, notification by
// signal and by thread, what reading a descriptor shows, removal.
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../descriptors/show.h"

static char name[64];

static void receive(const char *what, mqd_t q) {
    char text[64] = "";
    unsigned priority = 99;
    errno = 0;
    long len = mq_receive(q, text, sizeof text, &priority);
    printf("%s: %ld %u %s\n", what, len, priority, len < 0 ? strerror(errno) : text);
}

static int count(mqd_t q) {
    struct mq_attr a;
    return mq_getattr(q, &a) ? -errno : (int)a.mq_curmsgs;
}

static void pass(long milliseconds) {
    struct timespec t = {0, milliseconds * 1000000};
    nanosleep(&t, 0);
}

static void wait_for(pid_t pid) {
    int status;
    waitpid(pid, &status, 0);
    printf("child %x\n", status);
}

static void show_text(mqd_t q) {
    char text[200] = "";
    lseek(q, 0, SEEK_SET);
    int len = read(q, text, sizeof text);
    char *pid = strstr(text, "NOTIFY_PID:");
    if (pid) printf("read %d: %.*s, by %d\n", len, (int)(pid - text), text, atoi(pid + 11) == getpid());
}

static mqd_t making(void) {
    struct mq_attr a = {.mq_maxmsg = 4, .mq_msgsize = 64};
    SHOW("none there", mq_open(name, O_RDWR));
    SHOW("no slash", mq_open("name", O_RDWR | O_CREAT, 0600, 0));
    SHOW("two slashes", mq_open("/a/b", O_RDWR | O_CREAT, 0600, 0));
    SHOW("no name", mq_open("/", O_RDWR | O_CREAT, 0600, 0));
    mqd_t plain = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0666, 0);
    struct mq_attr seen;
    mq_getattr(plain, &seen);
    printf("default %ld %ld %ld %ld\n", seen.mq_flags, seen.mq_maxmsg, seen.mq_msgsize, seen.mq_curmsgs);
    mq_close(plain);
    SHOW("unlink", mq_unlink(name));
    SHOW("again", mq_unlink(name));
    struct mq_attr none = {.mq_maxmsg = 0, .mq_msgsize = 64}, negative = {.mq_maxmsg = 4, .mq_msgsize = -1};
    SHOW("no messages", mq_open(name, O_RDWR | O_CREAT, 0600, &none));
    SHOW("negative", mq_open(name, O_RDWR | O_CREAT, 0600, &negative));
    struct mq_attr large = {.mq_maxmsg = 10, .mq_msgsize = 8192};
    struct rlimit limit, small = {1000, 1000};
    getrlimit(RLIMIT_MSGQUEUE, &limit);
    small.rlim_max = limit.rlim_max;
    setrlimit(RLIMIT_MSGQUEUE, &small);
    SHOW("over the limit", mq_open(name, O_RDWR | O_CREAT, 0600, &large));
    setrlimit(RLIMIT_MSGQUEUE, &limit);
    mqd_t q = mq_open(name, O_RDWR | O_CREAT, 0640, &a);
    SHOW("exclusive", mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &a));
    struct stat st;
    fstat(q, &st);
    printf("mode %o size %d links %d\n", st.st_mode, (int)st.st_size, (int)st.st_nlink);
    printf("flags %x, on exec %d\n", fcntl(q, F_GETFL) & O_ACCMODE, fcntl(q, F_GETFD));
    SHOW("write", write(q, "x", 1));
    SHOW("not one", mq_getattr(0, &seen));
    return q;
}

static void plain(mqd_t q) {
    mqd_t reading = mq_open(name, O_RDONLY | O_NONBLOCK), writing = mq_open(name, O_WRONLY);
    SHOW("send on reading", mq_send(reading, "x", 1, 0));
    receive("receive on writing", writing);
    receive("nothing", reading);
    for (int i = 0; i < 4; i++) {
        char text[2] = {'a' + i};
        mq_send(writing, text, 2, i == 2 ? 7 : i % 2);
    }
    show_text(q);
    struct mq_attr on = {.mq_flags = O_NONBLOCK}, wrong = {.mq_flags = O_APPEND}, old;
    SHOW("wrong flag", mq_setattr(writing, &wrong, &old));
    SHOW("do not wait", mq_setattr(writing, &on, &old));
    printf("before %ld\n", old.mq_flags);
    SHOW("full", mq_send(writing, "x", 1, 0));
    SHOW("too long", mq_send(writing, name, 65, 0));
    SHOW("priority", mq_send(writing, "x", 1, 32768));
    for (int i = 0; i < 5; i++) receive("by priority", reading);
    char small[8];
    SHOW("small buffer", mq_receive(q, small, sizeof small, 0));
    SHOW("empty", mq_send(writing, "", 0, 3));
    receive("empty", reading);
    mq_close(reading), mq_close(writing);
    SHOW("closed", mq_getattr(writing, &old));
}

static void waiting(mqd_t q) {
    struct timespec soon, bad = {1, 1000000000};
    char text[64];
    clock_gettime(CLOCK_REALTIME, &soon);
    soon.tv_nsec += 20000000;
    if (soon.tv_nsec >= 1000000000) soon.tv_nsec -= 1000000000, soon.tv_sec++;
    SHOW("time-out", mq_timedreceive(q, text, sizeof text, 0, &soon));
    SHOW("bad time", mq_timedreceive(q, text, sizeof text, 0, &bad));
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        unsigned priority;
        int len = mq_receive(q, text, sizeof text, &priority);
        _exit(len == 4 && priority == 5 ? 9 : 1);
    }
    pass(20);
    mq_send(q, "next", 4, 5);
    printf("went past the queue: %d\n", count(q));
    wait_for(pid);
    for (int i = 0; i < 4; i++) mq_send(q, "full", 5, i);
    SHOW("time-out", mq_timedsend(q, "x", 1, 0, &soon));
    fflush(stdout);
    pid = fork();
    if (pid == 0) _exit(mq_send(q, "urgent", 7, 30) ? 1 : 0);
    pass(20);
    receive("first", q);
    printf("full again: %d\n", count(q));
    while (count(q)) receive("rest", q);
    wait_for(pid);
    // Waiting ends with a signal, or starts again.
    fflush(stdout);
    pid = fork();
    if (pid == 0) _exit(mq_receive(q, text, sizeof text, 0) < 0);
    pass(20);
    kill(pid, SIGTERM);
    wait_for(pid);
    mq_send(q, "kept", 5, 0);
    printf("kept %d\n", count(q));
    receive("it", q);
}

static void show_poll(struct pollfd *p) {
    int ready = poll(p, 1, 0);
    printf("poll %d %x\n", ready, p->revents);
}

static void polling(mqd_t q) {
    struct pollfd p = {q, POLLIN | POLLOUT};
    show_poll(&p);
    int e = epoll_create1(0);
    struct epoll_event event = {EPOLLIN | EPOLLET}, got;
    SHOW("add", epoll_ctl(e, EPOLL_CTL_ADD, q, &event));
    printf("epoll %d\n", epoll_wait(e, &got, 1, 0));
    for (int i = 0; i < 4; i++) mq_send(q, "x", 2, 0);
    printf("epoll %d\n", epoll_wait(e, &got, 1, 0));
    show_poll(&p);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        p.events = POLLOUT;
        _exit(poll(&p, 1, -1) == 1 && p.revents == POLLOUT ? 8 : 1);
    }
    pass(20);
    receive("one", q);
    wait_for(pid);
    while (count(q)) receive("rest", q);
    close(e);
}

static volatile int told, value, code, sender;
static void on_message(int signal, siginfo_t *info, void *context) {
    (void)signal, (void)context;
    told++, value = info->si_value.sival_int, code = info->si_code, sender = info->si_pid;
}

static sem_t woken;
static void in_thread(union sigval v) {
    printf("thread told %d\n", v.sival_int);
    sem_post(&woken);
}

static void notifying(mqd_t q) {
    struct sigaction action = {.sa_sigaction = on_message, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigaction(SIGUSR1, &action, 0);
    struct sigevent by_signal = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 42};
    struct sigevent wrong = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = 99}, nothing = {.sigev_notify = SIGEV_NONE};
    SHOW("no signal", mq_notify(q, &wrong));
    SHOW("notify", mq_notify(q, &by_signal));
    SHOW("again", mq_notify(q, &by_signal));
    show_text(q);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        int refused = mq_notify(q, &nothing) < 0 && errno == EBUSY;
        mq_notify(q, NULL);
        mq_send(q, "x", 2, 0);
        _exit(refused ? 6 : 1);
    }
    wait_for(pid);
    printf("told %d value %d code %d by child %d\n", told, value, code, sender == pid);
    mq_send(q, "y", 2, 0);
    printf("only once %d\n", told);
    SHOW("while not empty", mq_notify(q, &by_signal));
    mq_send(q, "z", 2, 0);
    printf("not empty before %d\n", told);
    while (count(q)) receive("rest", q);
    SHOW("no longer", mq_notify(q, NULL));
    mq_send(q, "x", 2, 0);
    receive("it", q);
    printf("not told %d\n", told);
    // Whoever waits for the message gets it, and nobody is told.
    mq_notify(q, &by_signal);
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        char text[64];
        _exit(mq_receive(q, text, sizeof text, 0) == 2 ? 5 : 1);
    }
    pass(20);
    mq_send(q, "x", 2, 0);
    wait_for(pid);
    printf("not told %d\n", told);
    mqd_t other = mq_open(name, O_RDONLY);
    mq_close(other);
    SHOW("closing a descriptor of it ends that", mq_notify(q, &nothing));
    show_text(q);
    mq_notify(q, NULL);
    sem_init(&woken, 0, 0);
    struct sigevent by_thread = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = in_thread,
                                 .sigev_value.sival_int = 17};
    SHOW("thread", mq_notify(q, &by_thread));
    mq_send(q, "x", 2, 0);
    sem_wait(&woken);
    receive("it", q);
}

static void ending(mqd_t q) {
    pid_t pid = fork();
    if (pid == 0) {
        if (setgid(12345) || setuid(12345)) _exit(getuid() ? 0 : 1);
        SHOW("stranger opens", mq_open(name, O_RDONLY));
        SHOW("stranger unlinks", mq_unlink(name));
        fflush(stdout);
        _exit(0);
    }
    wait_for(pid);
    SHOW("unlink", mq_unlink(name));
    SHOW("gone", mq_open(name, O_RDWR));
    mq_send(q, "still", 6, 1);
    receive("still", q);
    struct stat st;
    fstat(q, &st);
    printf("links %d\n", (int)st.st_nlink);
    SHOW("close", mq_close(q));
    SHOW("close", mq_close(q));
}

int main(void) {
    setvbuf(stdout, 0, _IOFBF, 1 << 16);
    umask(022);
    snprintf(name, sizeof name, "/simrun-fidelity-%d", getpid());
    mqd_t q = making();
    plain(q);
    waiting(q);
    polling(q);
    notifying(q);
    fflush(stdout);
    ending(q);
    return 0;
}
