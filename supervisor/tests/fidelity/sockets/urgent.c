// Urgent data of TCP: read by itself or in line, the mark, poll and select, SIGURG, what is lost.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../descriptors/show.h"

static volatile int urgent;
static void on_urgent(int signal) { (void)signal, urgent++; }

static void pair(int s[2]) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int l = socket(AF_INET, SOCK_STREAM, 0);
    bind(l, (struct sockaddr *)&a, sizeof a);
    listen(l, 1);
    getsockname(l, (struct sockaddr *)&a, &len);
    s[0] = socket(AF_INET, SOCK_STREAM, 0);
    connect(s[0], (struct sockaddr *)&a, len);
    s[1] = accept(l, 0, 0);
    close(l);
}

static void settle(void) {
    struct timespec t = {0, 5000000};
    nanosleep(&t, 0);
}

static void state(const char *what, int fd) {
    int mark = -1, waiting = -1;
    struct pollfd p = {fd, POLLIN | POLLPRI | POLLRDBAND | POLLRDNORM};
    struct timeval none = {0, 0};
    fd_set reads, exceptions;
    FD_ZERO(&reads);
    FD_ZERO(&exceptions);
    FD_SET(fd, &reads);
    FD_SET(fd, &exceptions);
    ioctl(fd, SIOCATMARK, &mark);
    ioctl(fd, FIONREAD, &waiting);
    poll(&p, 1, 0);
    select(fd + 1, &reads, 0, &exceptions, &none);
    printf("%s: mark %d, %d to read, poll %x, select %d %d, signals %d\n", what, mark, waiting, p.revents,
           FD_ISSET(fd, &reads), FD_ISSET(fd, &exceptions), urgent);
}

static void get(const char *what, int fd, int flags) {
    char text[32] = "";
    errno = 0;
    int len = recv(fd, text, sizeof text - 1, flags | MSG_DONTWAIT);
    printf("%s: %d %s\n", what, len, len < 0 ? strerror(errno) : text);
}

static void apart(void) {
    int s[2];
    pair(s);
    urgent = 0;
    fcntl(s[1], F_SETOWN, getpid());
    state("nothing", s[1]);
    get("no urgent data", s[1], MSG_OOB);
    SHOW("send", send(s[0], "abc!", 4, MSG_OOB));
    SHOW("send", send(s[0], "def", 3, 0));
    settle();
    state("sent", s[1]);
    get("peek", s[1], MSG_PEEK);
    get("before it", s[1], 0);
    state("at it", s[1]);
    get("peek at it", s[1], MSG_OOB | MSG_PEEK);
    get("it", s[1], MSG_OOB);
    get("again", s[1], MSG_OOB);
    state("read", s[1]);
    get("after it", s[1], 0);
    state("past", s[1]);
    SHOW("two", send(s[0], "x1", 2, MSG_OOB));
    SHOW("of them", send(s[0], "y2", 2, MSG_OOB));
    settle();
    get("the last", s[1], MSG_OOB);
    get("the first is an ordinary one", s[1], 0);
    get("nothing else", s[1], 0);
    send(s[0], "z", 1, MSG_OOB);
    settle();
    state("alone", s[1]);
    get("skipped", s[1], 0);
    state("skipped", s[1]);
    get("lost", s[1], MSG_OOB);
    char byte = 0;
    struct iovec v = {&byte, 1};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
    send(s[0], "q", 1, MSG_OOB);
    settle();
    SHOW("recvmsg", recvmsg(s[1], &m, MSG_OOB));
    printf("%c, flags %x\n", byte, m.msg_flags);
    send(s[0], "last", 4, MSG_OOB);
    close(s[0]);
    settle();
    get("rest", s[1], 0);
    get("it", s[1], MSG_OOB);
    get("end", s[1], 0);
    close(s[1]);
}

static void in_line(void) {
    int s[2], on = 1;
    pair(s);
    urgent = 0;
    SHOW("in line", setsockopt(s[1], SOL_SOCKET, SO_OOBINLINE, &on, sizeof on));
    fcntl(s[1], F_SETOWN, getpid());
    send(s[0], "abc!", 4, MSG_OOB);
    send(s[0], "def", 3, 0);
    settle();
    state("sent", s[1]);
    get("by itself", s[1], MSG_OOB);
    get("before it", s[1], 0);
    state("at it", s[1]);
    get("with it", s[1], 0);
    state("past", s[1]);
    close(s[0]), close(s[1]);
}

int main(void) {
    setvbuf(stdout, 0, _IOFBF, 1 << 16);
    struct sigaction action = {.sa_handler = on_urgent, .sa_flags = SA_RESTART};
    sigaction(SIGURG, &action, 0);
    apart();
    in_line();
    return 0;
}
