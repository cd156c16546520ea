// Echoes of ICMP and ICMPv6, asked for with sockets of datagrams and with raw ones.
#include <arpa/inet.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../apart.h"
#include "../show.h"

struct echo {
    unsigned char type, code;
    unsigned short checksum, id, sequence;
    char data[24];
};

static int family, protocol;
static struct sockaddr_storage loopback;
static socklen_t loopback_len;

static void use(int f) {
    family = f;
    protocol = f == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6;
    memset(&loopback, 0, sizeof loopback);
    loopback.ss_family = f;
    if (f == AF_INET) ((struct sockaddr_in *)&loopback)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    else ((struct sockaddr_in6 *)&loopback)->sin6_addr = in6addr_loopback;
    loopback_len = f == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}

// The loopback address with what stands for a port; both families have it in the same place.
static struct sockaddr_storage at(unsigned short port) {
    struct sockaddr_storage address = loopback;
    ((struct sockaddr_in *)&address)->sin_port = htons(port);
    return address;
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

static int opened(int type) {
    int fd = socket(family, type, protocol);
    struct timeval soon = {.tv_usec = 50000};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon);
    return fd;
}

static unsigned short own_id(int fd) {
    struct sockaddr_storage address;
    socklen_t len = sizeof address;
    if (getsockname(fd, (void *)&address, &len)) return 0;
    return ntohs(((struct sockaddr_in *)&address)->sin_port);
}

static void show_names(int fd) {
    struct sockaddr_storage address;
    socklen_t len = sizeof address;
    char text[64] = "";
    getsockname(fd, (void *)&address, &len);
    inet_ntop(family, family == AF_INET ? (void *)&((struct sockaddr_in *)&address)->sin_addr
                                        : (void *)&((struct sockaddr_in6 *)&address)->sin6_addr, text, sizeof text);
    int port = ntohs(((struct sockaddr_in *)&address)->sin_port);
    printf("  own %s %s, %u bytes", text, port == 0 ? "none" : port == protocol ? "the protocol" : "some", len);
    len = sizeof address;
    int n = getpeername(fd, (void *)&address, &len);
    printf(", other: %s\n", n < 0 ? strerror(errno) : "there");
}

static struct echo request(unsigned short sequence) {
    struct echo echo = {.type = family == AF_INET ? ICMP_ECHO : ICMPV6_ECHO_REQUEST, .id = 0x7777};
    echo.sequence = htons(sequence);
    strcpy(echo.data, "is anybody there?");
    return echo;
}

static ssize_t ask(int fd, unsigned short sequence) {
    struct echo echo = request(sequence);
    return sendto(fd, &echo, sizeof echo, 0, (void *)&loopback, loopback_len);
}

static unsigned short checksum(const void *bytes, size_t len) {
    const unsigned char *at = bytes;
    unsigned sum = 0;
    for (size_t i = 0; i < len; i++) sum += i % 2 ? at[i] : at[i] << 8;
    while (sum >> 16) sum = (sum >> 16) + (sum & 0xffff);
    return ~sum;
}

static void show_next(int fd, int flags, size_t room) {
    unsigned char buffer[2000], space[400];
    struct sockaddr_storage from = {0};
    struct iovec iov = {buffer, room};
    struct msghdr m = {.msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &iov, .msg_iovlen = 1};
    m.msg_control = space;
    m.msg_controllen = sizeof space;
    ssize_t n = recvmsg(fd, &m, flags);
    if (n < 0) {
        printf("  nothing: %s\n", strerror(errno));
        return;
    }
    struct echo echo;
    memcpy(&echo, buffer, sizeof echo);
    printf("  %zd bytes, flags %x, name of %u, port %d:", n, m.msg_flags, m.msg_namelen, ntohs(((struct sockaddr_in *)&from)->sin_port));
    if (n >= (ssize_t)sizeof echo)
        printf(" type %d of %s, %d %s, sum %s", echo.type, ntohs(echo.id) == own_id(fd) ? "ours" : "another",
               ntohs(echo.sequence), echo.data, family == AF_INET ? checksum(buffer, n) ? "wrong" : "right" : "");
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

static void made(void) {
    SHOW(socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMPV6));
    SHOW(socket(AF_INET6, SOCK_DGRAM, IPPROTO_ICMP));
    SHOW(socket(AF_INET, SOCK_STREAM, IPPROTO_ICMP));
    SHOW(socketpair(family, SOCK_DGRAM, protocol, (int[2]){0}));
    int fd = opened(SOCK_DGRAM);
    show_option(fd, SOL_SOCKET, SO_TYPE);
    show_option(fd, SOL_SOCKET, SO_PROTOCOL);
    show_option(fd, SOL_SOCKET, SO_DOMAIN);
    show_option(fd, SOL_IP, IP_TTL);
    show_option(fd, SOL_IPV6, IPV6_UNICAST_HOPS);
    show_option(fd, SOL_IPV6, IPV6_V6ONLY);
    show_option(fd, SOL_UDP, 1);
    show_option(fd, SOL_RAW, ICMP_FILTER);
    set(fd, SOL_RAW, ICMP_FILTER, 1);
    set(fd, SOL_UDP, 1, 1);
    SHOW(listen(fd, 1));
    SHOW(accept(fd, NULL, NULL));
    int waiting;
    SHOW(ioctl(fd, FIONREAD, &waiting));
    SHOW(ioctl(fd, TIOCOUTQ, &waiting));
    close(fd);
}

static void named(void) {
    int a = opened(SOCK_DGRAM), b = opened(SOCK_DGRAM);
    struct sockaddr_storage address = at(0x1234), other = at(0);
    show_names(a);
    SHOW(bind(a, (void *)&address, loopback_len - 5));
    other.ss_family = family == AF_INET ? AF_INET6 : AF_INET;
    SHOW(bind(a, (void *)&other, sizeof(struct sockaddr_in6)));
    SHOW(bind(a, (void *)&address, loopback_len));
    show_names(a);
    SHOW(own_id(a) == 0x1234 ? 0 : -1);
    SHOW(bind(a, (void *)&address, loopback_len));
    // Both would share it, unless one is asked not to.
    show_option(b, SOL_SOCKET, SO_REUSEADDR);
    set(b, SOL_SOCKET, SO_REUSEADDR, 0);
    SHOW(bind(b, (void *)&address, loopback_len));
    set(a, SOL_SOCKET, SO_REUSEADDR, 0);
    set(b, SOL_SOCKET, SO_REUSEADDR, 1);
    SHOW(bind(b, (void *)&address, loopback_len));
    set(a, SOL_SOCKET, SO_REUSEADDR, 1);
    SHOW(bind(b, (void *)&address, loopback_len));
    // Of those that share an identifier, one is told.
    SHOW(ask(a, 1));
    show_next(a, 0, 100);
    show_next(b, 0, 100);
    close(b);
    b = opened(SOCK_DGRAM);
    if (family == AF_INET) ((struct sockaddr_in *)&other)->sin_addr.s_addr = htonl(0xc0000201);
    else inet_pton(AF_INET6, "2001:db8::1", &((struct sockaddr_in6 *)&other)->sin6_addr);
    other.ss_family = family;
    SHOW(bind(b, (void *)&other, loopback_len));
    if (family == AF_INET) ((struct sockaddr_in *)&other)->sin_addr.s_addr = htonl(0xe0000001);
    else inet_pton(AF_INET6, "ff01::1", &((struct sockaddr_in6 *)&other)->sin6_addr);
    SHOW(bind(b, (void *)&other, loopback_len));
    if (family == AF_INET6) {
        inet_pton(AF_INET6, "::ffff:127.0.0.1", &((struct sockaddr_in6 *)&other)->sin6_addr);
        SHOW(bind(b, (void *)&other, loopback_len));
        SHOW(connect(b, (void *)&other, loopback_len));
        struct echo echo = request(1);
        SHOW(sendto(b, &echo, sizeof echo, 0, (void *)&other, loopback_len));
    }
    SHOW(ask(b, 2));
    show_names(b);
    show_next(b, 0, 100);
    SHOW(bind(b, (void *)&address, loopback_len));
    close(a);
    close(b);
}

static void refused(void) {
    int fd = opened(SOCK_DGRAM);
    struct echo echo = request(1);
    SHOW(sendto(fd, &echo, 7, 0, (void *)&loopback, loopback_len));
    show_names(fd);
    SHOW(sendto(fd, &echo, sizeof echo, MSG_OOB, (void *)&loopback, loopback_len));
    SHOW(send(fd, &echo, sizeof echo, 0));
    SHOW(write(fd, &echo, 3));
    SHOW(sendto(fd, &echo, sizeof echo, 0, (void *)&loopback, 6));
    SHOW(sendto(fd, NULL, sizeof echo, 0, (void *)&loopback, loopback_len));
    struct sockaddr_storage other = loopback;
    other.ss_family = AF_UNIX;
    SHOW(sendto(fd, &echo, sizeof echo, 0, (void *)&other, loopback_len));
    echo.code = 1;
    SHOW(sendto(fd, &echo, sizeof echo, 0, (void *)&loopback, loopback_len));
    echo.code = 0;
    int types = 0;
    for (int type = 0; type < 256; type++) {
        echo.type = type;
        if (sendto(fd, &echo, sizeof echo, 0, (void *)&loopback, loopback_len) < 0) continue;
        printf("type %d goes\n", type);
        types++;
    }
    SHOW(types);
    show_next(fd, 0, 100);
    show_next(fd, 0, 100);
    static char much[70000];
    *(struct echo *)much = request(1);
    for (size_t len = 65510; len < 65540; len++) {
        ssize_t n = sendto(fd, much, len, 0, (void *)&loopback, loopback_len);
        if (n < 0) {
            printf("%zu is too long: %s\n", len, strerror(errno));
            break;
        }
        recv(fd, much, sizeof much, 0);
        *(struct echo *)much = request(1);
    }
    SHOW(sendto(fd, much, sizeof much, 0, (void *)&loopback, loopback_len));
    close(fd);
}

static void answered(void) {
    int fd = opened(SOCK_DGRAM);
    struct pollfd p = {fd, POLLIN | POLLOUT, 0};
    poll(&p, 1, 0);
    printf("ready %x\n", p.revents);
    show_next(fd, MSG_DONTWAIT, 100);
    show_next(fd, 0, 100);
    show_next(fd, MSG_ERRQUEUE, 100);
    show_next(fd, MSG_OOB, 100);
    SHOW(ask(fd, 1));
    poll(&p, 1, 0);
    printf("ready %x\n", p.revents);
    show_next(fd, MSG_PEEK, 100);
    show_next(fd, 0, 100);
    SHOW(ask(fd, 2));
    show_next(fd, 0, 10);
    SHOW(ask(fd, 3));
    show_next(fd, MSG_TRUNC, 10);
    for (int i = 4; i < 8; i++) ask(fd, i);
    for (int i = 4; i < 8; i++) show_next(fd, 0, 100);
    set(fd, SOL_SOCKET, SO_TIMESTAMP, 1);
    set(fd, IPPROTO_IP, IP_RECVERR, 1);
    set(fd, IPPROTO_IP, IP_RECVTTL, 1);
    set(fd, IPPROTO_IP, IP_RECVTOS, 1);
    set(fd, IPPROTO_IP, IP_RETOPTS, 1);
    set(fd, IPPROTO_IP, IP_TTL, 9);
    set(fd, IPPROTO_IP, IP_TOS, 0x20);
    if (family == AF_INET6) {
        set(fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
        set(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
        set(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
        set(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 9);
        set(fd, IPPROTO_IPV6, IPV6_TCLASS, 0x20);
    }
    SHOW(ask(fd, 8));
    show_next(fd, 0, 100);
    close(fd);
}

static void connected(void) {
    int fd = opened(SOCK_DGRAM);
    struct echo echo = request(1);
    struct sockaddr_storage address = at(0), nowhere = {.ss_family = AF_UNSPEC};
    SHOW(connect(fd, (void *)&address, loopback_len));
    show_names(fd);
    SHOW(send(fd, &echo, sizeof echo, 0));
    show_next(fd, 0, 100);
    address = at(58);
    SHOW(connect(fd, (void *)&address, loopback_len));
    show_names(fd);
    SHOW(write(fd, &echo, sizeof echo));
    show_next(fd, 0, 100);
    SHOW(connect(fd, (void *)&nowhere, sizeof nowhere));
    show_names(fd);
    SHOW(send(fd, &echo, sizeof echo, 0));
    SHOW(shutdown(fd, SHUT_WR));
    SHOW(connect(fd, (void *)&address, loopback_len));
    SHOW(shutdown(fd, SHUT_WR));
    SHOW(send(fd, &echo, sizeof echo, MSG_NOSIGNAL));
    SHOW(shutdown(fd, SHUT_RDWR));
    show_next(fd, 0, 100);
    close(fd);
}

// A raw socket sees all messages, with the header of IPv4 before them.
static void show_raw(int fd, int flags) {
    unsigned char buffer[200], *message = buffer;
    ssize_t n = recv(fd, buffer, sizeof buffer, flags);
    if (n < 0) {
        printf("  nothing: %s\n", strerror(errno));
        return;
    }
    printf("  %zd bytes:", n);
    if (family == AF_INET) {
        printf(" %x %d long, ttl %d, protocol %d, %d.%d, sum %s;", buffer[0], buffer[2] << 8 | buffer[3], buffer[8],
               buffer[9], buffer[12], buffer[19], checksum(buffer, 20) ? "wrong" : "right");
        message += 20;
    }
    struct echo echo;
    memcpy(&echo, message, sizeof echo);
    printf(" type %d, %x %d %s\n", echo.type, ntohs(echo.id), ntohs(echo.sequence), echo.data);
}

static ssize_t ask_raw(int fd, struct echo echo) {
    echo.checksum = 0;
    echo.checksum = htons(checksum(&echo, sizeof echo));
    return sendto(fd, &echo, sizeof echo, 0, (void *)&loopback, loopback_len);
}

static void raw(void) {
    int fd = opened(SOCK_RAW), other = opened(SOCK_RAW), waiting = -1;
    show_option(fd, SOL_SOCKET, SO_TYPE);
    show_option(fd, SOL_SOCKET, SO_PROTOCOL);
    show_option(fd, SOL_SOCKET, SO_REUSEADDR);
    show_names(fd);
    struct echo echo = request(1);
    SHOW(ask_raw(fd, echo));
    SHOW(ioctl(fd, FIONREAD, &waiting));
    SHOW(waiting);
    SHOW(ioctl(fd, TIOCOUTQ, &waiting));
    show_raw(fd, 0);
    show_raw(fd, MSG_PEEK);
    show_raw(fd, 0);
    show_raw(fd, 0);
    show_raw(other, 0);
    show_raw(other, 0);
    // Only what is wanted.
    unsigned filter[8];
    memset(filter, 0xff, sizeof filter);
    if (family == AF_INET) filter[0] = ~(1 << ICMP_ECHOREPLY);
    else filter[ICMPV6_ECHO_REPLY / 32] = ~(1 << ICMPV6_ECHO_REPLY % 32);
    int level = family == AF_INET ? SOL_RAW : IPPROTO_ICMPV6;
    SHOW(setsockopt(fd, level, ICMP_FILTER, filter, sizeof filter));
    socklen_t len = sizeof filter;
    SHOW(getsockopt(fd, level, ICMP_FILTER, filter, &len));
    printf("filter of %u\n", len);
    SHOW(ask_raw(fd, echo));
    show_raw(fd, 0);
    show_raw(fd, 0);
    show_raw(other, 0);
    show_raw(other, 0);
    // Anything may be sent, and is answered if it is right.
    echo.type = family == AF_INET ? ICMP_ECHOREPLY : ICMPV6_ECHO_REPLY;
    SHOW(ask_raw(fd, echo));
    show_raw(fd, 0);
    show_raw(fd, 0);
    SHOW(recv(other, &echo, 4, MSG_TRUNC));
    show_raw(other, MSG_DONTWAIT);
    echo = request(2);
    echo.checksum = 0x1111;
    if (family == AF_INET6) {
        show_option(fd, SOL_RAW, IPV6_CHECKSUM);
        set(fd, SOL_RAW, IPV6_CHECKSUM, 3);
        set(fd, IPPROTO_IPV6, IPV6_CHECKSUM, 2);
        set(fd, SOL_RAW, IPV6_CHECKSUM, -1);
        show_option(fd, SOL_RAW, IPV6_CHECKSUM);
    }
    SHOW(sendto(fd, &echo, sizeof echo, 0, (void *)&loopback, loopback_len));
    show_raw(fd, 0);
    show_raw(other, 0);
    if (family == AF_INET6) {
        set(fd, SOL_RAW, IPV6_CHECKSUM, 2);
        SHOW(sendto(fd, &echo, sizeof echo, 0, (void *)&loopback, loopback_len));
        show_raw(fd, 0);
        show_raw(other, 0);
        show_raw(other, 0);
    }
    // One that is named or connected sees less.
    SHOW(send(fd, &echo, sizeof echo, 0));
    struct sockaddr_storage address = at(7);
    SHOW(bind(other, (void *)&address, loopback_len));
    show_names(other);
    SHOW(connect(fd, (void *)&address, loopback_len));
    show_names(fd);
    SHOW(bind(fd, (void *)&address, loopback_len));
    echo = request(3);
    echo.checksum = 0;
    echo.checksum = htons(checksum(&echo, sizeof echo));
    SHOW(send(fd, &echo, sizeof echo, 0));
    show_raw(fd, 0);
    show_raw(other, 0);
    show_raw(other, 0);
    if (family == AF_INET) {
        ((struct sockaddr_in *)&loopback)->sin_addr.s_addr = htonl(0x7f000005);
        SHOW(ask_raw(other, echo));
        show_raw(fd, 0);
        show_raw(other, 0);
    }
    close(fd);
    close(other);
}

int main(void) {
    setvbuf(stdout, NULL, _IONBF, 0);
    int is_root = geteuid() == 0;
    go_apart();
    use(AF_INET);
    if (opened(SOCK_DGRAM) < 0) return NOT_HERE;
    for (int f = AF_INET; f; f = f == AF_INET ? AF_INET6 : 0) {
        printf("family %d\n", f);
        use(f);
        made();
        named();
        refused();
        answered();
        connected();
        if (is_root) raw();
    }
    return 0;
}
