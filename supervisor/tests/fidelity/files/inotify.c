// What is told to those who watch files and directories.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <dirent.h>
#include <unistd.h>

static int in;
static unsigned cookies[8], cookie_count;

static int cookie_index(unsigned cookie) {
    if (!cookie) return 0;
    for (unsigned i = 0; i < cookie_count; i++)
        if (cookies[i] == cookie) return i + 1;
    if (cookie_count == 8) cookie_count = 0;
    cookies[cookie_count++] = cookie;
    return cookie_count;
}

static const struct { unsigned bit; const char *name; } BITS[] = {
    {IN_ACCESS, "access"}, {IN_MODIFY, "modify"}, {IN_ATTRIB, "attrib"}, {IN_CLOSE_WRITE, "close_write"},
    {IN_CLOSE_NOWRITE, "close_nowrite"}, {IN_OPEN, "open"}, {IN_MOVED_FROM, "moved_from"}, {IN_MOVED_TO, "moved_to"},
    {IN_CREATE, "create"}, {IN_DELETE, "delete"}, {IN_DELETE_SELF, "delete_self"}, {IN_MOVE_SELF, "move_self"},
    {IN_Q_OVERFLOW, "overflow"}, {IN_IGNORED, "ignored"}, {IN_ISDIR, "dir"},
};

static void drain(const char *what) {
    char buffer[4096] __attribute__((aligned(8)));
    int waiting = 0;
    ioctl(in, FIONREAD, &waiting);
    struct pollfd p = {in, POLLIN, 0};
    int ready = poll(&p, 1, 0);
    printf("%s: %d bytes, poll %d\n", what, waiting, ready);
    cookie_count = 0;
    for (ssize_t n; (n = read(in, buffer, sizeof buffer)) > 0;)
        for (char *at = buffer; at < buffer + n;) {
            struct inotify_event *e = (void *)at;
            printf("  wd %d len %u cookie %d", e->wd, e->len, cookie_index(e->cookie));
            for (size_t i = 0; i < sizeof BITS / sizeof *BITS; i++)
                if (e->mask & BITS[i].bit) printf(" %s", BITS[i].name);
            if (e->len) printf(" '%s'", e->name);
            puts("");
            at += sizeof *e + e->len;
        }
}

static int make(const char *path, const char *text) {
    int fd = open(path, O_CREAT | O_RDWR | O_TRUNC, 0644);
    if (*text && write(fd, text, strlen(text)) < 0) perror("write");
    return fd;
}

static void contents(void) {
    int wd = inotify_add_watch(in, ".", IN_ALL_EVENTS);
    printf("watch %d\n", wd);
    int fd = make("a", "hello");
    drain("made");
    int file = inotify_add_watch(in, "a", IN_ALL_EVENTS);
    printf("watch %d\n", file);
    char c[8];
    for (int i = 0; i < 3; i++) pwrite(fd, "x", 1, i);
    pread(fd, c, 4, 0);
    pread(fd, c, 4, 1000);
    pread(fd, c, 4, 0);
    write(fd, "", 0);
    drain("written and read");
    ftruncate(fd, 3); truncate("a", 2); fallocate(fd, 0, 0, 10);
    drain("truncated");
    fchmod(fd, 0600); chmod("a", 0644); chown("a", -1, -1);
    struct timespec both[2] = {{5, 0}, {6, 0}}, first[2] = {{5, 0}, {0, UTIME_OMIT}}, second[2] = {{0, UTIME_OMIT}, {5, 0}};
    utimensat(AT_FDCWD, "a", both, 0);
    drain("attributes");
    futimens(fd, first); futimens(fd, second);
    drain("one time");
    int again = dup(fd);
    close(fd); close(again);
    drain("closed");
    close(open("a", O_RDONLY)); close(open("a", O_WRONLY | O_TRUNC)); close(open("a", O_PATH));
    drain("opened");
    link("a", "b"); symlink("a", "c"); mkdir("d", 0755); mkfifo("f", 0600);
    drain("links and such");
    unlink("b"); unlink("c"); rmdir("d"); unlink("f");
    drain("removed");
    fd = open("a", O_RDWR);
    unlink("a");
    drain("unlinked while open");
    write(fd, "z", 1);
    drain("written without name");
    close(fd);
    drain("closed without name");
    printf("rm %d", inotify_rm_watch(in, file)); printf(" %s\n", strerror(errno));
    DIR *d = opendir(".");
    while (readdir(d)) {}
    closedir(d);
    drain("listed");
    inotify_rm_watch(in, wd);
    drain("no more");
}

static void renames(void) {
    mkdir("one", 0755); mkdir("two", 0755);
    int one = inotify_add_watch(in, "one", IN_ALL_EVENTS & ~IN_OPEN);
    int two = inotify_add_watch(in, "two", IN_MOVE | IN_CREATE | IN_DELETE | IN_DELETE_SELF | IN_ATTRIB);
    close(make("one/x", "1")); close(make("two/y", "2"));
    int y = inotify_add_watch(in, "two/y", IN_ALL_EVENTS);
    int x = inotify_add_watch(in, "one/x", IN_ALL_EVENTS);
    printf("%d %d %d %d\n", one, two, x, y);
    drain("set up");
    rename("one/x", "one/z");
    drain("within");
    rename("one/z", "two/y");
    drain("across, over another");
    close(make("one/x", ""));
    renameat2(AT_FDCWD, "one/x", AT_FDCWD, "two/y", RENAME_EXCHANGE);
    drain("exchanged");
    link("one/x", "one/other"); rename("one/x", "one/other");
    drain("same file");
    mkdir("one/sub", 0755); rename("one/sub", "two/sub");
    drain("directory");
    rename("one", "three");
    close(make("three/late", ""));
    drain("the watched one itself");
    unlink("three/late"); unlink("three/x"); unlink("three/other"); rmdir("three");
    drain("all gone");
    unlink("two/y"); rmdir("two/sub");
    int fd = open("two", O_DIRECTORY);
    rmdir("two");
    drain("open directory");
    close(fd);
    drain("closed directory");
}

static void flags(void) {
    close(make("a", ""));
    symlink("a", "l");
    int wd = inotify_add_watch(in, "a", IN_OPEN | IN_ONESHOT);
    for (int i = 0; i < 3; i++) close(open("a", O_RDONLY));
    drain("one shot");
    printf("%d", inotify_add_watch(in, "a", IN_OPEN | IN_ONLYDIR)); printf(" %s\n", strerror(errno));
    int link = inotify_add_watch(in, "l", IN_ALL_EVENTS | IN_DONT_FOLLOW);
    int file = inotify_add_watch(in, "l", IN_OPEN);
    printf("%d %d\n", link - wd, file - wd);
    printf("%d", inotify_add_watch(in, "a", IN_CLOSE | IN_MASK_CREATE)); printf(" %s\n", strerror(errno));
    printf("%d\n", inotify_add_watch(in, "a", IN_CLOSE | IN_MASK_ADD) - wd);
    close(open("l", O_RDONLY));
    drain("added");
    printf("%d\n", inotify_add_watch(in, "a", IN_CLOSE) - wd);
    close(open("l", O_RDONLY));
    unlink("l");
    drain("replaced");
    printf("%d", inotify_add_watch(in, "a", IN_MASK_ADD | IN_MASK_CREATE | IN_OPEN)); printf(" %s\n", strerror(errno));
    printf("%d", inotify_add_watch(in, "a", 0)); printf(" %s\n", strerror(errno));
    printf("%d", inotify_add_watch(in, "nothing", IN_OPEN)); printf(" %s\n", strerror(errno));
    printf("%d", inotify_add_watch(0, "a", IN_OPEN)); printf(" %s\n", strerror(errno));
    printf("%d", inotify_add_watch(99, "a", IN_OPEN)); printf(" %s\n", strerror(errno));
    printf("%d", inotify_init1(1)); printf(" %s\n", strerror(errno));
    printf("%d", inotify_rm_watch(in, 99)); printf(" %s\n", strerror(errno));
    inotify_rm_watch(in, file);
    inotify_add_watch(in, ".", IN_MODIFY | IN_CLOSE | IN_EXCL_UNLINK);
    int fd = make("e", "1");
    unlink("e");
    write(fd, "2", 1);
    close(fd);
    drain("excluded");
    char small[20];
    close(make("e", "1"));
    printf("%zd", read(in, small, sizeof small)); printf(" %s\n", strerror(errno));
    drain("small buffer");
    unlink("e");
}

static void waiting(void) {
    int ep = epoll_create1(0), other = inotify_init1(IN_CLOEXEC);
    inotify_add_watch(other, ".", IN_CREATE);
    struct epoll_event e = {.events = EPOLLIN};
    epoll_ctl(ep, EPOLL_CTL_ADD, other, &e);
    if (!fork()) {
        usleep(20000);
        close(make("late", ""));
        _exit(0);
    }
    printf("epoll %d\n", epoll_wait(ep, &e, 1, 5000));
    char buffer[256];
    printf("read %zd\n", read(other, buffer, sizeof buffer));
    wait(NULL);
    if (!fork()) {
        usleep(20000);
        close(make("later", ""));
        _exit(0);
    }
    ssize_t n = read(other, buffer, sizeof buffer);
    printf("read %zd '%s'\n", n, ((struct inotify_event *)buffer)->name);
    wait(NULL);
    struct stat st;
    fstat(other, &st);
    printf("mode %o, flags %x\n", st.st_mode, fcntl(other, F_GETFL));
    close(other);
}

static void overflow(void) {
    int wd = inotify_add_watch(in, "a", IN_OPEN | IN_CLOSE);
    for (int i = 0; i < 8200; i++) close(open("a", O_RDONLY));
    int count = 0, lost = 0;
    char buffer[4096];
    for (ssize_t n; (n = read(in, buffer, sizeof buffer)) > 0;)
        for (char *at = buffer; at < buffer + n; at += sizeof(struct inotify_event), count++)
            if (((struct inotify_event *)at)->mask & IN_Q_OVERFLOW) lost++, printf("lost %d\n", ((struct inotify_event *)at)->wd);
    printf("%d events, %d\n", count, lost);
    inotify_rm_watch(in, wd);
    drain("after");
}

int main(void) {
    char folder[] = "/tmp/inotify-XXXXXX";
    if (!mkdtemp(folder) || chdir(folder)) return 1;
    in = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    contents();
    renames();
    flags();
    waiting();
    overflow();
    const char *left[] = {"a", "late", "later"};
    for (int i = 0; i < 3; i++) unlink(left[i]);
    chdir("/");
    rmdir(folder);
    return 0;
}
