// Moving bytes between descriptors inside the kernel.
#include "show.h"
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

static char text[200000], back[200000];
static int p[2], q[2];

static void *drain(void *arg) {
    size_t total = 0;
    ssize_t n;
    while ((n = read(p[0], back + total, 7777)) > 0) total += n;
    return (void *)total;
}

int main(void) {
    setvbuf(stdout, NULL, _IOFBF, 1 << 16);
    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < sizeof text; i++) text[i] = 'a' + i * i % 23;
    int file = open("file", O_RDWR | O_CREAT | O_TRUNC, 0600);
    write(file, text, sizeof text);
    pipe(p);
    pipe(q);
    loff_t offset = 100;
    SHOW("file to pipe", splice(file, &offset, p[1], NULL, 1000, 0));
    printf("offset %ld, file's %ld\n", (long)offset, (long)lseek(file, 0, SEEK_CUR));
    SHOW("tee", tee(p[0], q[1], 600, 0));
    SHOW("pipe to pipe", splice(p[0], NULL, q[1], NULL, 500, 0));
    SHOW("read", read(q[0], back, sizeof back));
    printf("%d %d\n", memcmp(back, text + 100, 600), memcmp(back + 600, text + 100, 500));
    int out = open("out", O_RDWR | O_CREAT | O_TRUNC, 0600);
    offset = 10;
    SHOW("pipe to file", splice(p[0], NULL, out, &offset, 5000, 0));
    printf("offset %ld, file's %ld\n", (long)offset, (long)lseek(out, 0, SEEK_CUR));
    SHOW("pread", pread(out, back, sizeof back, 0));
    printf("%d\n", memcmp(back + 10, text + 600, 500));
    SHOW("empty", splice(p[0], NULL, out, NULL, 10, SPLICE_F_NONBLOCK));
    SHOW("no pipe", splice(file, NULL, out, NULL, 10, 0));
    SHOW("itself", splice(p[0], NULL, p[1], NULL, 10, 0));
    SHOW("offset of a pipe", splice(p[0], &offset, q[1], NULL, 10, 0));
    SHOW("bad flags", splice(p[0], NULL, q[1], NULL, 10, 0x100));
    SHOW("wrong end", splice(p[1], NULL, q[1], NULL, 10, 0));
    SHOW("nothing", splice(p[0], NULL, q[1], NULL, 0, 0));
    SHOW("tee of no pipe", tee(file, q[1], 10, 0));
    struct iovec parts[2] = {{"abc", 3}, {"de", 2}};
    SHOW("vmsplice", vmsplice(p[1], parts, 2, 0));
    SHOW("read", read(p[0], back, 10));
    SHOW("vmsplice to a file", vmsplice(file, parts, 2, 0));

    off_t at = 1000;
    SHOW("sendfile", sendfile(p[1], file, &at, 3000));
    printf("offset %ld\n", (long)at);
    SHOW("read", read(p[0], back, sizeof back));
    printf("%d\n", memcmp(back, text + 1000, 3000));
    SHOW("from a pipe", sendfile(out, p[0], &at, 10));
    at = -1;
    SHOW("negative", sendfile(p[1], file, &at, 10));
    lseek(file, 0, SEEK_SET);
    lseek(out, 0, SEEK_SET);
    SHOW("file to file", sendfile(out, file, NULL, 150000));
    printf("offsets %ld %ld\n", (long)lseek(file, 0, SEEK_CUR), (long)lseek(out, 0, SEEK_CUR));
    SHOW("up to the end", sendfile(out, file, NULL, 150000));
    SHOW("at the end", sendfile(out, file, NULL, 150000));
    pread(out, back, sizeof back, 0);
    printf("%d\n", memcmp(back, text, sizeof text));
    fcntl(out, F_SETFL, O_APPEND);
    SHOW("appending", sendfile(out, file, NULL, 10));

    pthread_t thread;
    void *total;
    memset(back, 0, sizeof back);
    pthread_create(&thread, NULL, drain, NULL);
    at = 0;
    size_t sent = 0;
    while (sent < sizeof text) {
        ssize_t n = sendfile(p[1], file, &at, sizeof text - sent);
        if (n <= 0) break;
        sent += n;
    }
    close(p[1]);
    pthread_join(thread, &total);
    printf("sent %zu, drained %zu, %d\n", sent, (size_t)total, memcmp(back, text, sizeof text));

    // Streams of unix sockets take part, memory is another file system, and an error may be hidden by another.
    int s[2], memory = memfd_create("memory", 0);
    pipe(p);
    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s);
    SHOW("nothing in the socket", splice(s[1], NULL, p[1], NULL, 100, SPLICE_F_NONBLOCK));
    at = 7;
    SHOW("file to socket", sendfile(s[0], file, &at, 1000));
    SHOW("socket to pipe", splice(s[1], NULL, p[1], NULL, 600, SPLICE_F_NONBLOCK));
    SHOW("pipe to socket", splice(p[0], NULL, s[1], NULL, 600, SPLICE_F_NONBLOCK));
    SHOW("back", read(s[0], back, sizeof back));
    SHOW("the rest", read(s[1], back + 600, sizeof back));
    printf("%d\n", memcmp(back, text + 7, 1000));
    SHOW("sockets have no places", splice(s[1], &offset, p[1], NULL, 100, SPLICE_F_NONBLOCK));
    SHOW("nor have pipes, whichever end", splice(p[1], &offset, s[1], NULL, 100, SPLICE_F_NONBLOCK));
    SHOW("nor for sendfile", sendfile(p[0], p[0], &offset, 100));
    SHOW("to memory", copy_file_range(file, NULL, memory, NULL, 100, 0));
    SHOW("no bytes into no pipe", vmsplice(file, &(struct iovec){text, 0}, 1, 0));
    close(s[0]);
    SHOW("nobody reads the socket", sendfile(s[1], file, NULL, 100) < 0 && errno == EPIPE ? 1 : 0);
    unlink("file");
    unlink("out");
    return 0;
}
