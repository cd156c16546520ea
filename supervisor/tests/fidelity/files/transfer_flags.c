// The flags of preadv2 and pwritev2.
#include <fcntl.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "../descriptors/show.h"

static char data[20];
static struct iovec part = {data, 4};

static void contents(int fd) {
    char text[50] = "";
    int len = pread(fd, text, sizeof text - 1, 0);
    printf("%d: %s, at %d\n", len, text, (int)lseek(fd, 0, SEEK_CUR));
}

int main(void) {
    int p[2], s[2], fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0600);
    signal(SIGPIPE, SIG_IGN);
    memcpy(data, "abcdefgh", 8);
    SHOW("write", pwritev2(fd, &part, 1, 0, RWF_DSYNC));
    memcpy(data, "1234", 4);
    SHOW("append", pwritev2(fd, &part, 1, 0, RWF_APPEND));
    contents(fd);
    SHOW("append at the offset", pwritev2(fd, &part, 1, -1, RWF_APPEND));
    contents(fd);
    lseek(fd, 2, SEEK_SET);
    SHOW("append nothing", pwritev2(fd, &(struct iovec){0}, 1, -1, RWF_APPEND));
    printf("still at %ld\n", (long)lseek(fd, 0, SEEK_CUR));
    lseek(fd, 0, SEEK_END);
    SHOW("overwrite", pwritev2(fd, &part, 1, 1, RWF_SYNC));
    contents(fd);
    SHOW("at the offset", pwritev2(fd, &part, 1, -1, 0));
    contents(fd);
    SHOW("read at once", preadv2(fd, &part, 1, 2, RWF_NOWAIT));
    SHOW("read with hint", preadv2(fd, &part, 1, 2, RWF_HIPRI) >= 0 ? 1 : errno == EOPNOTSUPP);
    SHOW("unknown flag", preadv2(fd, &part, 1, 2, 0x4000));
    SHOW("unknown flag", pwritev2(fd, &part, 1, 2, 0x4000));
    SHOW("negative", preadv2(fd, &part, 1, -2, 0));
    pipe(p);
    SHOW("empty pipe", preadv2(p[0], &part, 1, -1, RWF_NOWAIT));
    SHOW("into the pipe", pwritev2(p[1], &part, 1, -1, RWF_NOWAIT));
    SHOW("from the pipe", preadv2(p[0], &part, 1, -1, RWF_NOWAIT));
    SHOW("a pipe has no places", preadv2(p[0], &part, 1, 0, RWF_NOWAIT));
    while (pwritev2(p[1], &part, 1, -1, RWF_NOWAIT) > 0) {}
    SHOW("full pipe", pwritev2(p[1], &part, 1, -1, RWF_NOWAIT));
    close(p[0]);
    SHOW("broken pipe", pwritev2(p[1], &part, 1, -1, RWF_NOWAIT));
    socketpair(AF_UNIX, SOCK_STREAM, 0, s);
    SHOW("nothing there", preadv2(s[0], &part, 1, -1, RWF_NOWAIT));
    SHOW("send", pwritev2(s[1], &part, 1, -1, RWF_NOWAIT));
    SHOW("receive", preadv2(s[0], &part, 1, -1, RWF_NOWAIT));
    close(s[1]);
    SHOW("end", preadv2(s[0], &part, 1, -1, RWF_NOWAIT));
    return 0;
}
