// Moving bytes between descriptors inside the kernel.
#include "show.h"
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/sendfile.h>
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
    unlink("file");
    unlink("out");
    return 0;
}
