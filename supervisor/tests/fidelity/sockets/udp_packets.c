// What a program may ask of the packets that carry a datagram, and what it is told of those that come in; messages
// gathered to one datagram and cut into several; UDP-Lite.
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LITE 136
#define SEND_COVERAGE 10
#define LEAST_COVERAGE 11

static struct sockaddr_storage address;
static socklen_t address_len;

static int receiver(int family, int protocol) {
    int fd = socket(family, SOCK_DGRAM, protocol);
    struct timeval soon = {.tv_usec = 20000};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon);
    memset(&address, 0, sizeof address);
    address.ss_family = family;
    if (family == AF_INET) ((struct sockaddr_in *)&address)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    else ((struct sockaddr_in6 *)&address)->sin6_addr = in6addr_loopback;
    address_len = family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    if (bind(fd, (void *)&address, address_len)) perror("bind");
    getsockname(fd, (void *)&address, &address_len);
    return fd;
}

static void set(int fd, int level, int name, int value) {
    if (setsockopt(fd, level, name, &value, sizeof value)) printf("set %d %d: %s\n", level, name, strerror(errno));
}

static void show_option(int fd, int level, int name) {
    int value = -1;
    socklen_t len = sizeof value;
    if (getsockopt(fd, level, name, &value, &len)) printf("get %d %d: %s\n", level, name, strerror(errno));
    else printf("get %d %d: %d\n", level, name, value);
}

static void show_next(int fd) {
    char buffer[200], space[400];
    struct iovec iov = {buffer, sizeof buffer};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space};
    ssize_t n = recvmsg(fd, &m, MSG_TRUNC);
    if (n < 0) {
        printf("  nothing: %s\n", strerror(errno));
        return;
    }
    printf("  %zd bytes %.*s:", n, n < 30 ? (int)n : 30, buffer);
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
        size_t len = c->cmsg_len - CMSG_LEN(0);
        printf(" (%d %d %zu", c->cmsg_level, c->cmsg_type, len);
        int number;
        if (len == sizeof number) memcpy(&number, CMSG_DATA(c), sizeof number), printf(": %d", number);
        if (len == 1) printf(": %d", *CMSG_DATA(c));
        printf(")");
    }
    printf("\n");
}

// Sends with one item of ancillary data, or none.
static void put(int fd, int level, int kind, const void *data, size_t len) {
    char space[100] = {0};
    struct iovec iov = {"packet", 6};
    struct msghdr m = {.msg_name = &address, .msg_namelen = address_len, .msg_iov = &iov, .msg_iovlen = 1};
    if (len) {
        m.msg_control = space;
        m.msg_controllen = CMSG_SPACE(len);
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        c->cmsg_level = level;
        c->cmsg_type = kind;
        c->cmsg_len = CMSG_LEN(len);
        memcpy(CMSG_DATA(c), data, len);
    }
    ssize_t n = sendmsg(fd, &m, 0);
    printf("%d %d of %zu: %zd %s\n", level, kind, len, n, n < 0 ? strerror(errno) : "");
}

static void put_number(int fd, int level, int kind, int number) {
    printf("%d as ", number);
    put(fd, level, kind, &number, sizeof number);
}

static void packets_of_ipv4(int protocol) {
    int in = receiver(AF_INET, protocol), out = socket(AF_INET, SOCK_DGRAM, protocol);
    set(in, IPPROTO_IP, IP_RECVTTL, 1);
    set(in, IPPROTO_IP, IP_RECVTOS, 1);
    set(in, IPPROTO_IP, IP_TTL, 17);
    put(out, 0, 0, NULL, 0);
    show_next(in);
    set(out, IPPROTO_IP, IP_TTL, 9);
    set(out, IPPROTO_IP, IP_TOS, 0x20);
    put(out, 0, 0, NULL, 0);
    show_next(in);
    put_number(out, IPPROTO_IP, IP_TTL, 3);
    show_next(in);
    put_number(out, IPPROTO_IP, IP_TOS, 0x10);
    show_next(in);
    put(out, IPPROTO_IP, IP_TOS, "\x08", 1);
    show_next(in);
    put_number(out, IPPROTO_IP, IP_TTL, 0);
    put_number(out, IPPROTO_IP, IP_TTL, 256);
    put_number(out, IPPROTO_IP, IP_TOS, -1);
    put(out, IPPROTO_IP, IP_TTL, "\x08", 1);
    put_number(out, IPPROTO_IP, 77, 1);
    put_number(out, SOL_SOCKET, 77, 1);
    put_number(out, SOL_SOCKET, SCM_RIGHTS, 99);
    show_next(in);
    put_number(out, IPPROTO_IPV6, IPV6_HOPLIMIT, 5);
    show_next(in);
    put_number(out, 77, 77, 1);
    show_next(in);
    struct in_pktinfo info = {.ipi_spec_dst.s_addr = htonl(0x7f000005)};
    put(out, IPPROTO_IP, IP_PKTINFO, &info, sizeof info);
    show_next(in);
    put(out, IPPROTO_IP, IP_PKTINFO, &info, sizeof info - 1);
    info.ipi_spec_dst.s_addr = htonl(0xc6336401);
    put(out, IPPROTO_IP, IP_PKTINFO, &info, sizeof info);
    close(in);
    close(out);
}

static void packets_of_ipv6(int protocol) {
    int in = receiver(AF_INET6, protocol), out = socket(AF_INET6, SOCK_DGRAM, protocol);
    set(in, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
    set(in, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
    set(in, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
    put(out, 0, 0, NULL, 0);
    show_next(in);
    set(out, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 9);
    set(out, IPPROTO_IPV6, IPV6_TCLASS, 0x20);
    put(out, 0, 0, NULL, 0);
    show_next(in);
    put_number(out, IPPROTO_IPV6, IPV6_HOPLIMIT, 3);
    show_next(in);
    put_number(out, IPPROTO_IPV6, IPV6_TCLASS, 0x10);
    show_next(in);
    put_number(out, IPPROTO_IPV6, IPV6_HOPLIMIT, -1);
    show_next(in);
    put_number(out, IPPROTO_IPV6, IPV6_HOPLIMIT, -2);
    put_number(out, IPPROTO_IPV6, IPV6_TCLASS, 256);
    put(out, IPPROTO_IPV6, IPV6_TCLASS, "12345", 5);
    put_number(out, IPPROTO_IPV6, 99, 5);
    struct in6_pktinfo info = {0};
    inet_pton(AF_INET6, "2001:db8::1", &info.ipi6_addr);
    put(out, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof info);
    put(out, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof info - 1);
    put_number(out, IPPROTO_IP, IP_TTL, 3);
    show_next(in);
    set(out, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 0);
    show_option(out, IPPROTO_IPV6, IPV6_MULTICAST_HOPS);
    set(out, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 256);
    set(out, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, -1);
    show_option(out, IPPROTO_IPV6, IPV6_MULTICAST_HOPS);
    close(in);
    // A packet of IPv4 at a socket of IPv6.
    in = socket(AF_INET6, SOCK_DGRAM, protocol);
    set(in, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
    set(in, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
    set(in, IPPROTO_IP, IP_RECVTTL, 1);
    struct sockaddr_in6 any = {.sin6_family = AF_INET6};
    bind(in, (void *)&any, sizeof any);
    address_len = sizeof any;
    getsockname(in, (void *)&address, &address_len);
    inet_pton(AF_INET6, "::ffff:127.0.0.1", &((struct sockaddr_in6 *)&address)->sin6_addr);
    put_number(out, IPPROTO_IP, IP_TTL, 4);
    show_next(in);
    close(in);
    close(out);
}

static void gathered(int family) {
    int in = receiver(family, 0), out = socket(family, SOCK_DGRAM, 0);
    printf("more %zd\n", sendto(out, "one ", 4, MSG_MORE, (void *)&address, address_len));
    show_next(in);
    printf("more %zd\n", send(out, "two ", 4, MSG_MORE));
    printf("last %zd\n", send(out, "three", 5, 0));
    show_next(in);
    connect(out, (void *)&address, address_len);
    set(out, SOL_UDP, UDP_CORK, 1);
    show_option(out, SOL_UDP, UDP_CORK);
    printf("corked %zd %zd\n", send(out, "four ", 5, 0), write(out, "five", 4));
    show_next(in);
    set(out, SOL_UDP, UDP_CORK, 0);
    show_next(in);
    // Too long in the end: all of it is lost.
    static char much[70000];
    ssize_t n = send(out, much, 60000, MSG_MORE);
    printf("long %zd\n", n);
    n = send(out, much, 6000, 0);
    printf("longer %zd %s\n", n, strerror(errno));
    show_next(in);
    for (size_t len = 65506; len <= 65528; len++) {
        n = send(out, much, len, 0);
        if (n < 0) {
            printf("%zu is too long: %s\n", len, strerror(errno));
            break;
        }
        recv(in, much, sizeof much, 0);
    }
    close(in);
    close(out);
}

static void cut(int family) {
    int in = receiver(family, 0), out = socket(family, SOCK_DGRAM, 0);
    unsigned short size = 4;
    put(out, SOL_UDP, UDP_SEGMENT, &size, sizeof size);
    show_next(in);
    show_next(in);
    show_next(in);
    put_number(out, SOL_UDP, UDP_SEGMENT, 3);
    put_number(out, SOL_UDP, 77, 3);
    set(out, SOL_UDP, UDP_SEGMENT, 3);
    show_option(out, SOL_UDP, UDP_SEGMENT);
    put(out, 0, 0, NULL, 0);
    show_next(in);
    show_next(in);
    show_next(in);
    set(out, SOL_UDP, UDP_SEGMENT, 65536);
    set(out, SOL_UDP, UDP_SEGMENT, -1);
    set(out, SOL_UDP, UDP_SEGMENT, 0);
    put(out, 0, 0, NULL, 0);
    show_next(in);
    set(out, SOL_UDP, 77, 0);
    show_option(out, SOL_UDP, 77);
    set(out, SOL_UDP, SEND_COVERAGE, 8);
    show_option(out, SOL_UDP, SEND_COVERAGE);
    close(in);
    close(out);
}

static void coverage(int family) {
    int in = receiver(family, LITE), out = socket(family, SOCK_DGRAM, LITE);
    show_option(in, SOL_SOCKET, SO_PROTOCOL);
    // The ports of the two protocols are apart.
    int other = socket(family, SOCK_DGRAM, 0);
    printf("same port %d\n", bind(other, (void *)&address, address_len));
    put(other, 0, 0, NULL, 0);
    show_next(in);
    put(out, 0, 0, NULL, 0);
    show_next(in);
    set(out, LITE, SEND_COVERAGE, 10);
    show_option(out, LITE, SEND_COVERAGE);
    put(out, 0, 0, NULL, 0);
    show_next(in);
    set(in, SOL_UDP, LEAST_COVERAGE, 11);
    show_option(in, SOL_UDP, LEAST_COVERAGE);
    put(out, 0, 0, NULL, 0);
    show_next(in);
    set(out, LITE, SEND_COVERAGE, 11);
    put(out, 0, 0, NULL, 0);
    show_next(in);
    set(in, SOL_UDP, LEAST_COVERAGE, 0);
    put(out, 0, 0, NULL, 0);
    show_next(in);
    set(out, LITE, SEND_COVERAGE, 100);
    put(out, 0, 0, NULL, 0);
    show_next(in);
    for (int value = -1; value < 100000; value = value * 7 + 9) {
        set(out, LITE, SEND_COVERAGE, value);
        show_option(out, LITE, SEND_COVERAGE);
    }
    set(out, LITE, UDP_SEGMENT, 3);
    put(out, 0, 0, NULL, 0);
    close(in);
    close(out);
    close(other);
}

int main(void) {
    setvbuf(stdout, NULL, _IONBF, 0);
    packets_of_ipv4(0);
    packets_of_ipv6(0);
    gathered(AF_INET);
    gathered(AF_INET6);
    cut(AF_INET);
    cut(AF_INET6);
    packets_of_ipv4(LITE);
    packets_of_ipv6(LITE);
    coverage(AF_INET);
    coverage(AF_INET6);
    return 0;
}
