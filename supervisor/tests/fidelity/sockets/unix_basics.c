// Unix sockets of all kinds: pairs, names, credentials, descriptors in flight, limits.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static int readiness(int fd) {
    struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT | POLLRDHUP};
    poll(&p, 1, 0);
    return p.revents;
}

static void send_fd(int over, int fd) {
    char byte = 'x';
    struct iovec iov = {&byte, 1};
    union { char space[CMSG_SPACE(sizeof(int))]; struct cmsghdr align; } u;
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = u.space, .msg_controllen = sizeof u.space};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = SOL_SOCKET; c->cmsg_type = SCM_RIGHTS; c->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(c), &fd, sizeof fd);
    printf("sendmsg %zd\n", sendmsg(over, &m, 0));
}

static int receive_fd(int over, size_t room, int flags) {
    char buffer[8];
    struct iovec iov = {buffer, sizeof buffer};
    char space[200];
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = space, .msg_controllen = room};
    ssize_t n = recvmsg(over, &m, flags);
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    printf("recvmsg %zd flags %x control %zu\n", n, m.msg_flags & ~MSG_CMSG_CLOEXEC, m.msg_controllen);
    if (!c || c->cmsg_type != SCM_RIGHTS) return -1;
    int fd;
    memcpy(&fd, CMSG_DATA(c), sizeof fd);
    return fd;
}

static void pairs(int type, const char *name) {
    int s[2];
    printf("%s pair %d\n", name, socketpair(AF_UNIX, type, 0, s));
    printf("fresh %x\n", readiness(s[0]));
    ssize_t first = write(s[0], "hello", 5);
    printf("write %zd %zd\n", first, write(s[0], "world!", 6));
    char b[64];
    printf("readable %x\n", readiness(s[1]));
    printf("peek %zd\n", recv(s[1], b, 3, MSG_PEEK));
    printf("read %zd\n", read(s[1], b, 8));
    printf("read %zd\n", recv(s[1], b, 8, MSG_DONTWAIT));
    errno = 0;
    do { ssize_t got_ = recv(s[1], b, 8, MSG_DONTWAIT); printf("empty %zd %s\n", got_, strerror(errno)); } while (0);
    struct ucred u;
    socklen_t len = sizeof u;
    printf("peercred %d self %d\n", getsockopt(s[0], SOL_SOCKET, SO_PEERCRED, &u, &len), u.pid == getpid());
    printf("shut %d\n", shutdown(s[0], SHUT_WR));
    printf("after shut %x %x\n", readiness(s[0]), readiness(s[1]));
    errno = 0;
    do { ssize_t got_ = send(s[0], "x", 1, MSG_NOSIGNAL); printf("send %zd %s\n", got_, strerror(errno)); } while (0);
    close(s[0]);
    printf("closed %x\n", readiness(s[1]));
    errno = 0;
    do { ssize_t got_ = send(s[1], "x", 1, MSG_NOSIGNAL); printf("send %zd %s\n", got_, strerror(errno)); } while (0);
    close(s[1]);
}

int main(void) {
    setvbuf(stdout, NULL, _IONBF, 0);
    pairs(SOCK_STREAM, "stream");
    pairs(SOCK_DGRAM, "dgram");
    pairs(SOCK_SEQPACKET, "seqpacket");

    int s[2], p[2];
    socketpair(AF_UNIX, SOCK_STREAM, 0, s);
    pipe(p);
    send_fd(s[0], p[1]);
    int fd = receive_fd(s[1], CMSG_SPACE(sizeof(int)), MSG_CMSG_CLOEXEC);
    printf("cloexec %d\n", fcntl(fd, F_GETFD));
    char b[16];
    ssize_t through = write(fd, "abc", 3);
    printf("through %zd %zd\n", through, read(p[0], b, 16));
    send_fd(s[0], p[1]);
    printf("none %d\n", receive_fd(s[1], 0, 0));

    // Unread data at close resets the peer.
    write(s[0], "zzz", 3);
    close(s[1]);
    errno = 0;
    do { ssize_t got_ = read(s[0], b, 1); printf("reset %zd %s\n", got_, strerror(errno)); } while (0);
    close(s[0]);

    struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = "socket"};
    int l = socket(AF_UNIX, SOCK_STREAM, 0), c = socket(AF_UNIX, SOCK_STREAM, 0);
    errno = 0;
    do { int got_ = connect(c, (void *)&a, sizeof a); printf("nobody %d %s\n", got_, strerror(errno)); } while (0);
    printf("bind %d\n", bind(l, (void *)&a, sizeof a));
    errno = 0;
    do { int got_ = connect(c, (void *)&a, sizeof a); printf("not listening %d %s\n", got_, strerror(errno)); } while (0);
    struct stat st;
    printf("stat %d socket %d\n", stat("socket", &st), S_ISSOCK(st.st_mode));
    int other = socket(AF_UNIX, SOCK_STREAM, 0);
    errno = 0;
    do { int got_ = bind(other, (void *)&a, sizeof a); printf("again %d %s\n", got_, strerror(errno)); } while (0);
    printf("listen %d\n", listen(l, 0));
    printf("connect %d\n", connect(c, (void *)&a, sizeof a));
    int c2 = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    errno = 0;
    int r = connect(c2, (void *)&a, sizeof a);
    printf("backlog %d %s\n", r, strerror(errno));
    struct sockaddr_un from;
    socklen_t len = sizeof from;
    int got = accept(l, (void *)&from, &len);
    printf("accept %d len %u\n", got >= 0, len);
    len = sizeof from;
    getpeername(c, (void *)&from, &len);
    printf("peer %s len %u\n", from.sun_path, len);
    int dg = socket(AF_UNIX, SOCK_DGRAM, 0);
    errno = 0;
    do { int got_ = connect(dg, (void *)&a, sizeof a); printf("wrong type %d %s\n", got_, strerror(errno)); } while (0);
    unlink("socket");
    errno = 0;
    do { int got_ = connect(other, (void *)&a, sizeof a); printf("unlinked %d %s\n", got_, strerror(errno)); } while (0);

    // Datagrams to an abstract name; the eleventh waits.
    struct sockaddr_un abs = {.sun_family = AF_UNIX};
    socklen_t alen = offsetof(struct sockaddr_un, sun_path) + snprintf(abs.sun_path + 1, 50, "simrun-test-%d", getpid()) + 1;
    printf("abstract %d\n", bind(dg, (void *)&abs, alen));
    int sender = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    int count = 0;
    while (sendto(sender, "m", 1, 0, (void *)&abs, alen) == 1) count++;
    printf("queued %d then %s\n", count, strerror(errno));
    connect(sender, (void *)&abs, alen);
    printf("full %x\n", readiness(sender));
    recv(dg, b, 1, 0);
    printf("room %x\n", readiness(sender));
    struct sockaddr_un autoname = {.sun_family = AF_UNIX};
    int an = socket(AF_UNIX, SOCK_DGRAM, 0);
    printf("autobind %d\n", bind(an, (void *)&autoname, sizeof(sa_family_t)));
    len = sizeof from;
    getsockname(an, (void *)&from, &len);
    printf("auto len %u first %d\n", len, from.sun_path[0]);
    int one = 1;
    setsockopt(dg, SOL_SOCKET, SO_PASSCRED, &one, sizeof one);
    while (recv(dg, b, 1, MSG_DONTWAIT) == 1) {}
    if (fork() == 0) {
        sendto(an, "cred", 4, 0, (void *)&abs, alen);
        _exit(0);
    }
    int status;
    pid_t child = wait(&status);
    struct iovec iov = {b, sizeof b};
    char space[100];
    struct msghdr m = {.msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &iov, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space};
    ssize_t n = recvmsg(dg, &m, 0);
    struct cmsghdr *h = CMSG_FIRSTHDR(&m);
    struct ucred *u = (void *)CMSG_DATA(h);
    printf("creds %zd type %d child %d name %u\n", n, h->cmsg_type, u->pid == child, m.msg_namelen);
    return 0;
}
