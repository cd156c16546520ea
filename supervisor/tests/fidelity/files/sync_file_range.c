// sync_file_range(2): what it takes, and that it changes nothing to be seen.
#include <fcntl.h>
#include <limits.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../descriptors/show.h"

enum {
    BEFORE = SYNC_FILE_RANGE_WAIT_BEFORE,
    WRITE = SYNC_FILE_RANGE_WRITE,
    AFTER = SYNC_FILE_RANGE_WAIT_AFTER,
};

static void contents(int fd) {
    char text[50] = "";
    struct stat stat;
    int len = pread(fd, text, sizeof text - 1, 0);
    fstat(fd, &stat);
    printf("%d: %s, of %d, at %d\n", len, text, (int)stat.st_size, (int)lseek(fd, 0, SEEK_CUR));
}

int main(void) {
    int fd = open("file", O_RDWR | O_CREAT, 0600), p[2], s[2];
    SHOW("empty", sync_file_range(fd, 0, 0, WRITE));
    SHOW("write", write(fd, "some bytes", 10));
    SHOW("no flags", sync_file_range(fd, 0, 10, 0));
    SHOW("start", sync_file_range(fd, 0, 4, WRITE));
    SHOW("wait", sync_file_range(fd, 4, 4, BEFORE | WRITE | AFTER));
    SHOW("to the end", sync_file_range(fd, 4, 0, BEFORE | WRITE | AFTER));
    SHOW("behind the end", sync_file_range(fd, 1 << 20, 4096, WRITE | AFTER));
    contents(fd);

    SHOW("unknown flag", sync_file_range(fd, 0, 4, 8));
    SHOW("negative offset", sync_file_range(fd, -1, 4, WRITE));
    SHOW("negative length", sync_file_range(fd, 4, -1, WRITE));
    SHOW("too far", sync_file_range(fd, LLONG_MAX, 1, WRITE));
    SHOW("as far as can be", sync_file_range(fd, LLONG_MAX, 0, WRITE));
    SHOW("to there", sync_file_range(fd, 0, LLONG_MAX, WRITE));

    int only_read = open("file", O_RDONLY), folder = open(".", O_RDONLY), path = open("file", O_PATH);
    SHOW("open for reading", sync_file_range(only_read, 0, 4, BEFORE | WRITE | AFTER));
    SHOW("folder", sync_file_range(folder, 0, 4, WRITE));
    SHOW("path", sync_file_range(path, 0, 4, WRITE));
    SHOW("closed", sync_file_range(99, 0, 4, WRITE));
    pipe(p);
    socketpair(AF_UNIX, SOCK_STREAM, 0, s);
    SHOW("pipe", sync_file_range(p[1], 0, 4, WRITE));
    SHOW("socket", sync_file_range(s[0], 0, 4, WRITE));
    SHOW("event", sync_file_range(eventfd(0, 0), 0, 4, WRITE));
    SHOW("device", sync_file_range(open("/dev/null", O_RDWR), 0, 4, WRITE));
    contents(fd);
    return 0;
}
