// What is written to a connection whose other end is closed: as much as the buffer takes, then an error.
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { BLOCK = 1 << 20, BLOCKS = 256 };

static volatile sig_atomic_t signals;

static void count(int number) {
    (void)number;
    signals++;
}

static int connected(int flags) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
    bind(listener, (void *)&address, len);
    listen(listener, 1);
    getsockname(listener, (void *)&address, &len);
    connect(client, (void *)&address, len);
    close(accept4(listener, 0, 0, flags));
    close(listener);
    return client;
}

static void show(const char *what, ssize_t result, ssize_t all) {
    if (result < 0) printf("%s: %s\n", what, strerror(errno));
    else printf("%s: %s\n", what, result == all ? "all" : result ? "some" : "nothing");
}

int main(void) {
    setbuf(stdout, 0);
    signal(SIGPIPE, count);
    char *data = calloc(1, BLOCK);
    static struct iovec blocks[BLOCKS];
    for (int i = 0; i < BLOCKS; i++) blocks[i] = (struct iovec){data, BLOCK};

    int fd = connected(0);
    show("a byte", write(fd, data, 1), 1);
    show("another", write(fd, data, 1), 1);
    printf("signals: %d\n", signals);
    show("read", read(fd, data, 1), 1);

    fd = connected(0);
    show("more than fits", writev(fd, blocks, BLOCKS), (ssize_t)BLOCK * BLOCKS);
    show("again", writev(fd, blocks, BLOCKS), (ssize_t)BLOCK * BLOCKS);
    printf("signals: %d\n", signals);

    fd = connected(0);
    struct msghdr message = {.msg_iov = blocks, .msg_iovlen = BLOCKS};
    ssize_t sent = sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    show("without waiting", sent, (ssize_t)BLOCK * BLOCKS);
    show("again", sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL), (ssize_t)BLOCK * BLOCKS);
    printf("signals: %d\n", signals);
    return 0;
}
