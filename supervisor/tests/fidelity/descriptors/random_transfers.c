// How many bytes are moved between descriptors of all kinds without the program, drawn from a seed. Which they are is not
// looked at: what comes from a file is shared with it until it is read, and may be changed there.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { ROUNDS = 60, STEPS = 160, LOWEST = 20, HIGHEST = 29, LENGTH_MAX = 20000 };

#include "../drawn.h"

static long length_drawn(void) {
    static const long odd[] = {0, 1, 4095, 4096, 4097, 65536, 200000, -1};
    return draw(3) ? draw(6000) : odd[draw(8)];
}

static void put(int fd, int at) {
    if (fd < 0) return;
    dup2(fd, at);
    if (fd != at) close(fd);
}

static void make(void) {
    int fds[2] = {-1, -1}, one = descriptor(), other = descriptor(), kind = draw(9);
    static const int modes[] = {O_RDWR, O_RDWR, O_RDONLY, O_WRONLY, O_RDWR | O_APPEND, O_WRONLY | O_APPEND, O_PATH};
    switch (kind) {
    case 0: case 1: pipe2(fds, O_NONBLOCK); break;
    case 2: case 3: socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds); break;
    case 4: case 5: fds[0] = open(draw(2) ? "one" : "two", modes[draw(7)] | O_CREAT, 0600); break;
    case 6: fds[0] = memfd_create("m", MFD_ALLOW_SEALING); break;
    case 7: fds[0] = eventfd(draw(3), EFD_NONBLOCK); break;
    default: fds[0] = open(draw(2) ? "/dev/zero" : "/dev/null", O_RDWR); break;
    }
    printf("make %d at %d %d: %d %d\n", kind, one, other, fds[0] >= 0, fds[1] >= 0);
    // The numbers of the new ones may be among those that are replaced.
    int moved[2] = {-1, -1};
    for (int i = 0; i < 2; i++) if (fds[i] >= 0) moved[i] = fcntl(fds[i], F_DUPFD, 100), close(fds[i]);
    put(moved[0], one);
    put(moved[1], other);
}

static const char *offset(loff_t *at) { return at ? "at" : "-"; }

static void transfer(void) {
    int from = descriptor(), to = descriptor();
    long len = length_drawn();
    static const loff_t odd[] = {-1, INT64_MAX, INT64_MAX - 10};
    loff_t in = draw(12) ? draw(5000) : odd[draw(3)], out = draw(12) ? draw(5000) : odd[draw(3)];
    loff_t *at_in = draw(3) ? NULL : &in, *at_out = draw(3) ? NULL : &out;
    unsigned flags = draw(8) ? SPLICE_F_NONBLOCK : draw(20);
    long done;
    // How much fits depends on how pages are counted.
    struct stat stat;
    int waiting = 0;
    if (fstat(to, &stat) == 0 && S_ISSOCK(stat.st_mode)) {
        len = len < 0 || len > 5000 ? 5000 : len;
        ioctl(to, TIOCOUTQ, &waiting);
        if (waiting > 50000) return;
    }
    switch (draw(7)) {
    case 0: case 1:
        flags |= SPLICE_F_NONBLOCK;
        printf("splice flags %x offsets %s %s\n", flags, offset(at_in), offset(at_out));
        done = splice(from, at_in, to, at_out, len, flags);
        show("splice", from, to, done);
        break;
    case 2:
        printf("tee flags %x\n", flags | SPLICE_F_NONBLOCK);
        show("tee", from, to, tee(from, to, len, flags | SPLICE_F_NONBLOCK));
        break;
    case 3: case 4:
        printf("sendfile offset %s\n", offset(at_in));
        done = sendfile(to, from, at_in, len);
        show("sendfile", from, to, done);
        break;
    default:
        flags = draw(8) ? 0 : 1;
        printf("copy_file_range flags %x offsets %s %s\n", flags, offset(at_in), offset(at_out));
        done = copy_file_range(from, at_in, to, at_out, len, flags);
        show("copy_file_range", from, to, done);
    }
    printf("  of %ld, now at %ld %ld\n", len, (long)in, (long)out);
}

static void use(void) {
    int fd = descriptor();
    long len = draw(2) ? draw(LENGTH_MAX) : draw(300);
    struct stat stat;
    switch (draw(7)) {
    case 0: case 1:
        show("write", fd, len, write(fd, bytes, len));
        break;
    case 2: case 3: {
        ssize_t got = fstat(fd, &stat) == 0 && S_ISCHR(stat.st_mode) ? 0 : read(fd, bytes, len);
        show("read", fd, len, got);
        break;
    }
    case 4: show("lseek", fd, len, lseek(fd, draw(2) ? len : 0, draw(3))); break;
    case 5: show("ftruncate", fd, len, draw(3) ? 0 : ftruncate(fd, len)); break;
    default: {
        int waiting = -1;
        long result = ioctl(fd, FIONREAD, &waiting);
        if (fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode)) printf("size %ld, at %ld\n", (long)stat.st_size, (long)lseek(fd, 0, SEEK_CUR));
        else printf("FIONREAD %d = %ld: %d\n", fd, result, waiting);
    }
    }
}

static void step(void) {
    switch (draw(8)) {
    case 0: make(); break;
    case 1: case 2: use(); break;
    default: transfer();
    }
}

static void begin(void) {
    close_all();
    unlink("one");
    unlink("two");
    for (int i = 0; i < 8; i++) make();
}

int main(int argc, char **argv) {
    signal(SIGPIPE, SIG_IGN);
    rounds(argv, ROUNDS, STEPS, begin, step);
    return 0;
}
