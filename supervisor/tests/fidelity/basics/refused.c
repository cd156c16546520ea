// Small things that Linux refuses, or finds wrong before it looks at anything else.
#include <fcntl.h>
#include <linux/openat2.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../show.h"

static void calls(void) {
    char bytes[64];
    SHOW(getrandom(bytes, sizeof bytes, 0x100));
    SHOW(getrandom(bytes, sizeof bytes, GRND_RANDOM | GRND_INSECURE));
    SHOW(getrandom(bytes, sizeof bytes, GRND_NONBLOCK | GRND_INSECURE));
    SHOW(readlink("", bytes, sizeof bytes));
    SHOW(readlink("/", bytes, sizeof bytes));
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_NONE};
    timer_create(CLOCK_MONOTONIC, &event, &timer);
    SHOW(syscall(SYS_timer_settime, timer, 0, 0, 0));
    SHOW(syscall(SYS_timer_settime, timer, 0, 8, 0));
    struct timespec none = {0, 0};
    SHOW(syscall(SYS_clock_nanosleep, CLOCK_THREAD_CPUTIME_ID, 0, &none, 0));
    SHOW(prctl(PR_GET_SPECULATION_CTRL, 0, 1, 0, 0));
    struct open_how how = {.flags = O_RDONLY, .resolve = RESOLVE_NO_MAGICLINKS};
    SHOW(syscall(SYS_openat2, AT_FDCWD, "/proc/self/exe", &how, sizeof how));
    SHOW(syscall(SYS_openat2, AT_FDCWD, "/proc/self/cwd", &how, sizeof how));
    SHOW(syscall(SYS_openat2, AT_FDCWD, "/proc/self/status", &how, sizeof how));
    how.resolve = RESOLVE_IN_ROOT;
    int proc = open("/proc", O_RDONLY);
    SHOW(syscall(SYS_openat2, proc, "self/root", &how, sizeof how));
    int own = syscall(SYS_pidfd_open, getpid(), 0);
    siginfo_t info = {.si_signo = SIGURG, .si_code = SI_QUEUE};
    SHOW(syscall(SYS_pidfd_send_signal, own, SIGWINCH, &info, 0));
    SHOW(syscall(SYS_pidfd_send_signal, own, SIGURG, &info, 0));
}

static void links(void) {
    char folder[] = "/tmp/refused.XXXXXX", link[64];
    if (!mkdtemp(folder)) return;
    sprintf(link, "%s/link", folder);
    char *arguments[] = {"true", 0};
    SHOW(symlink("/bin/true", link));
    SHOW(syscall(SYS_execveat, AT_FDCWD, link, arguments, 0, AT_SYMLINK_NOFOLLOW));
    int place = open(folder, O_PATH);
    SHOW(syscall(SYS_execveat, place, "link", arguments, 0, AT_SYMLINK_NOFOLLOW));
    if (!fork()) {
        syscall(SYS_execveat, place, "link", arguments, 0, 0);
        _exit(1);
    }
    int status;
    wait(&status);
    printf("followed, it ends with %d\n", WEXITSTATUS(status));
    SHOW(mknodat(place, "folder", S_IFDIR | 0700, 0));
    SHOW(mknodat(place, "link", S_IFCHR | 0600, 0x103));
    unlink(link);
    rmdir(folder);
}

static void offsets(void) {
    char name[] = "/tmp/refused.XXXXXX";
    int file = mkstemp(name);
    unlink(name);
    loff_t *place = mmap(0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    SHOW(sendfile(file, file, place, 1));
    SHOW(sendfile(-1, file, place, 1));
    mprotect(place, 4096, PROT_NONE);
    SHOW(sendfile(-1, file, place, 1));
    SHOW(sendfile(-1, -1, 0, 1));
    SHOW(fallocate(file, FALLOC_FL_KEEP_SIZE, 1024, 0x7ffffffffffffc00 - 1024));
}

static void slack(void) {
    prctl(PR_SET_TIMERSLACK, 70000);
    if (!fork()) {
        printf("a child has %d\n", prctl(PR_GET_TIMERSLACK));
        prctl(PR_SET_TIMERSLACK, 80000);
        prctl(PR_SET_TIMERSLACK, 0);
        printf("and goes back to %d\n", prctl(PR_GET_TIMERSLACK));
        exit(0);
    }
    wait(0);
    prctl(PR_SET_TIMERSLACK, 0);
    printf("its parent goes back to %d\n", prctl(PR_GET_TIMERSLACK));
}

static void sockets(void) {
    int listener = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {AF_INET, 0, {htonl(INADDR_LOOPBACK)}, {0}};
    socklen_t len = sizeof address, odd = -1;
    bind(listener, (void *)&address, len);
    getsockname(listener, (void *)&address, &len);
    listen(listener, 1);
    connect(client, (void *)&address, len);
    int server = accept(listener, 0, 0), datagrams = socket(AF_INET, SOCK_DGRAM, 0), v6 = socket(AF_INET6, SOCK_STREAM, 0);
    char bytes[16];
    SHOW(recv(server, bytes, sizeof bytes, MSG_ERRQUEUE));
    SHOW(recv(datagrams, bytes, sizeof bytes, MSG_ERRQUEUE));
    SHOW(send(client, "four", 4, 0));
    SHOW(recvfrom(server, bytes, 2, 0, (void *)&address, &odd));
    struct msghdr message = {.msg_name = &address, .msg_namelen = -1};
    SHOW(recvmsg(server, &message, 0));
    SHOW(sendmsg(client, &message, 0));
    int value;
    len = sizeof value;
    SHOW(getsockopt(server, 500, 1, &value, &len));
    SHOW(getsockopt(server, IPPROTO_UDP, 1, &value, &len));
    SHOW(getsockopt(datagrams, 500, 1, &value, &len));
    SHOW(getsockopt(v6, 500, 1, &value, &len));
    SHOW(setsockopt(server, 500, 1, &value, len));
    SHOW(getsockopt(server, IPPROTO_TCP, 500, &value, &len));
    SHOW(socket(AF_INET, SOCK_RAW, 0));
    SHOW(socketpair(AF_INET, SOCK_RAW, 0, (int[2]){0}));
}

int main(void) {
    setbuf(stdout, 0);
    signal(SIGWINCH, SIG_IGN);
    signal(SIGURG, SIG_IGN);
    calls();
    links();
    offsets();
    slack();
    sockets();
    return 0;
}
