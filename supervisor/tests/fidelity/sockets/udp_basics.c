// UDP over the loopback device: connected and not, errors, truncation, ancillary data.
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int bound(int family, struct sockaddr_storage *a, socklen_t *len) {
    int fd = socket(family, SOCK_DGRAM, 0);
    memset(a, 0, sizeof *a);
    a->ss_family = family;
    if (family == AF_INET) ((struct sockaddr_in *)a)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    else ((struct sockaddr_in6 *)a)->sin6_addr = in6addr_loopback;
    *len = family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    if (bind(fd, (void *)a, *len)) perror("bind");
    getsockname(fd, (void *)a, len);
    return fd;
}

static void both(int family) {
    struct sockaddr_storage a, b, from;
    socklen_t alen, blen, flen = sizeof from;
    int x = bound(family, &a, &alen), y = bound(family, &b, &blen);
    char buffer[100];
    printf("sent %zd\n", sendto(x, "hello", 5, 0, (void *)&b, blen));
    printf("received %zd\n", recvfrom(y, buffer, sizeof buffer, 0, (void *)&from, &flen));
    printf("from x %d len %u\n", !memcmp(&from, &a, alen), flen);
    sendto(x, "truncated", 9, 0, (void *)&b, blen);
    printf("cut %zd\n", recv(y, buffer, 4, MSG_TRUNC));
    int one = 1;
    if (family == AF_INET) setsockopt(y, IPPROTO_IP, IP_PKTINFO, &one, sizeof one);
    else setsockopt(y, IPPROTO_IPV6, IPV6_RECVPKTINFO, &one, sizeof one);
    sendto(x, "info", 4, 0, (void *)&b, blen);
    struct iovec iov = {buffer, 2};
    char space[200];
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space};
    ssize_t n = recvmsg(y, &m, 0);
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    printf("info %zd flags %x level %d type %d len %zu\n", n, m.msg_flags, c->cmsg_level, c->cmsg_type, (size_t)c->cmsg_len);
    connect(x, (void *)&b, blen);
    close(y);
    printf("to nobody %zd\n", send(x, "x", 1, 0));
    struct pollfd p = {.fd = x, .events = POLLIN};
    int ready = poll(&p, 1, 1000);
    printf("poll %d %x\n", ready, p.revents & POLLERR);
    n = recv(x, buffer, 1, 0);
    printf("refused %zd %s\n", n, strerror(errno));
    n = sendto(x, buffer, 100, MSG_DONTWAIT, NULL, 0);
    printf("default %zd\n", n);
    close(x);
}

int main(void) {
    setvbuf(stdout, NULL, _IONBF, 0);
    both(AF_INET);
    both(AF_INET6);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    ssize_t n = send(fd, "x", 1, 0);
    printf("nowhere %zd %s\n", n, strerror(errno));
    return 0;
}
