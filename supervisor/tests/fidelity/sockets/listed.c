// Sockets as ss(8) lists them: by netlink.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../apart.h"

#define LINES_MAX 100

static int lines;

static int compare(const void *a, const void *b) { return strcmp(a, b); }

// A word as it is the same everywhere: nobody chooses numbers of inodes, or how much memory datagrams take up.
static const char *told(const char *word, int column, int is_unix, int is_udp) {
    if (is_unix && (column == 5 || column == 7)) return strcmp(word, "0") ? "N" : "none";
    if (is_udp && column == 1) return strcmp(word, "0") ? "some" : "none";
    return word;
}

// Words of each line with one blank between them; lines in order, as the host's come by a hash.
static void list(const char *options) {
    static char told_lines[LINES_MAX][200];
    char command[200], line[1000];
    sprintf(command, "ss -H -n %s 2>&1", options);
    printf("%s\n", options);
    FILE *in = popen(command, "r");
    int count = 0;
    while (fgets(line, sizeof line, in) && count < LINES_MAX) {
        int column = 0, is_unix = !strncmp(line, "u_", 2), is_udp = !strncmp(options, "-u", 2);
        char *end = told_lines[count++];
        for (char *word = strtok(line, " \n"); word; word = strtok(NULL, " \n"), column++)
            end += sprintf(end, " %s", told(word, column, is_unix, is_udp));
    }
    lines += count;
    qsort(told_lines, count, sizeof told_lines[0], compare);
    for (int i = 0; i < count; i++) printf("%s\n", told_lines[i]);
    int status = pclose(in);
    if (status) printf("ended with %d\n", WEXITSTATUS(status));
}

static struct sockaddr_in6 address;

static socklen_t at(const char *ip, int port) {
    struct sockaddr_in *v4 = (void *)&address;
    memset(&address, 0, sizeof address);
    if (inet_pton(AF_INET, ip, &v4->sin_addr) == 1) v4->sin_family = AF_INET;
    else {
        address.sin6_family = AF_INET6;
        inet_pton(AF_INET6, ip, &address.sin6_addr);
    }
    // The port is in the same place.
    v4->sin_port = htons(port);
    return v4->sin_family == AF_INET ? sizeof *v4 : sizeof address;
}

static int bound(int family, int type, const char *ip, int port) {
    int fd = socket(family, type, 0), yes = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(fd, (void *)&address, at(ip, port))) perror("bind");
    return fd;
}

static void reach(int fd, const char *ip, int port) {
    if (connect(fd, (void *)&address, at(ip, port))) perror("connect");
}

static int named(int type, const char *name) {
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    memcpy(a.sun_path, name, name[0] ? strlen(name) + 1 : strlen(name + 1) + 1);
    int fd = socket(AF_UNIX, type, 0);
    socklen_t len = sizeof a.sun_family + (name[0] ? strlen(name) + 1 : strlen(name + 1) + 1);
    if (bind(fd, (void *)&a, len)) perror("bind");
    return fd;
}

static int reached(int type, const char *name) {
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    memcpy(a.sun_path, name, name[0] ? strlen(name) + 1 : strlen(name + 1) + 1);
    int fd = socket(AF_UNIX, type, 0);
    socklen_t len = sizeof a.sun_family + (name[0] ? strlen(name) + 1 : strlen(name + 1) + 1);
    if (connect(fd, (void *)&a, len)) perror("connect");
    return fd;
}

// The other end says that it has taken in an end when it likes, but soon.
static void let_it_be_known(void) { usleep(300000); }

static void tcp(void) {
    int v4 = bound(AF_INET, SOCK_STREAM, "127.0.0.1", 7001);
    int any = bound(AF_INET6, SOCK_STREAM, "::", 7002), yes = 1;
    int v6 = socket(AF_INET6, SOCK_STREAM, 0);
    setsockopt(v6, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes);
    if (bind(v6, (void *)&address, at("::", 7003))) perror("bind");
    bound(AF_INET, SOCK_STREAM, "127.0.0.1", 7004);
    listen(v4, 5);
    listen(any, 4096);
    listen(v6, 0);
    list("-tl");
    list("-ta");
    int a = bound(AF_INET, SOCK_STREAM, "127.0.0.1", 7011), b = bound(AF_INET6, SOCK_STREAM, "::1", 7012);
    int c = bound(AF_INET, SOCK_STREAM, "127.0.0.1", 7013);
    reach(a, "127.0.0.1", 7001);
    reach(b, "::1", 7002);
    reach(c, "127.0.0.1", 7002);
    list("-t");
    list("-tl");
    int a2 = accept(v4, NULL, NULL), b2 = accept(any, NULL, NULL);
    ssize_t n = write(a, "some bytes", 10);
    n += write(b2, "more", 4);
    printf("written %zd\n", n);
    list("-t");
    list("-ta sport = :7001");
    list("-t dport = :7001");
    list("-4t");
    list("-6t");
    list("-t state listening");
    shutdown(b, SHUT_WR);
    let_it_be_known();
    list("-ta");
    shutdown(a2, SHUT_RDWR);
    let_it_be_known();
    list("-t state connected");
    close(a);
    let_it_be_known();
    list("-t state connected");
    close(a2), close(b), close(b2), close(c), close(v4), close(v6), close(any);
}

static void udp(void) {
    int a = bound(AF_INET, SOCK_DGRAM, "127.0.0.1", 8001), b = bound(AF_INET6, SOCK_DGRAM, "::", 8002);
    int c = bound(AF_INET, SOCK_DGRAM, "0.0.0.0", 8003);
    socket(AF_INET, SOCK_DGRAM, 0);
    list("-u");
    list("-ua");
    reach(c, "127.0.0.1", 8001);
    list("-u");
    list("-ua");
    list("-ul");
    ssize_t n = send(c, "some bytes", 10, 0);
    printf("sent %zd\n", n);
    list("-ua");
    close(a), close(b), close(c);
}

static void unix_sockets(void) {
    int pair[2], listener = named(SOCK_STREAM, "at"), packets = named(SOCK_SEQPACKET, "\0packets");
    int datagrams = named(SOCK_DGRAM, "datagrams");
    socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    socket(AF_UNIX, SOCK_STREAM, 0);
    listen(listener, 7);
    listen(packets, 0);
    list("-xl");
    list("-xa src at");
    list("-xa src @packets");
    int a = reached(SOCK_STREAM, "at"), b = reached(SOCK_SEQPACKET, "\0packets"), c = reached(SOCK_DGRAM, "datagrams");
    list("-xl");
    list("-xa src at");
    list("-xa src datagrams");
    int a2 = accept(listener, NULL, NULL);
    ssize_t n = write(a, "some bytes", 10);
    printf("written %zd\n", n);
    list("-x src at");
    close(a);
    list("-x src at");
    close(a2), close(b), close(c), close(listener), close(packets), close(datagrams);
    unlink("at");
    unlink("datagrams");
}

int main(void) {
    setvbuf(stdout, NULL, _IONBF, 0);
    go_apart();
    list("-tuxa");
    if (lines) return NOT_HERE;
    tcp();
    udp();
    unix_sockets();
    return 0;
}
