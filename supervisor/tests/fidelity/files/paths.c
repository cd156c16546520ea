// Paths: links, dots, slashes, loops, limits, descriptors of directories, and what opening makes of them.
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void try_open(const char *path, int flags) {
    errno = 0;
    int fd = open(path, flags, 0644);
    struct stat st = {0};
    if (fd >= 0) fstat(fd, &st);
    printf("open %s %#x: %s %#o\n", strlen(path) > 40 ? "(long)" : path, flags, strerror(fd < 0 ? errno : 0),
           st.st_mode & S_IFMT);
    if (fd >= 0) close(fd);
}

static void try_stat(const char *path) {
    struct stat st;
    int a = stat(path, &st);
    int ea = a ? errno : 0;
    unsigned mode = a ? 0 : st.st_mode & S_IFMT;
    int b = lstat(path, &st);
    int eb = b ? errno : 0;
    printf("stat %s: %s %#o, lstat %s %#o\n", path, strerror(ea), mode, strerror(eb), b ? 0 : st.st_mode & S_IFMT);
}

int main(void) {
    umask(022);
    mkdir("d", 0755);
    mkdir("d/e", 0755);
    close(open("d/file", O_CREAT | O_WRONLY, 0600));
    symlink("d", "to_d");
    symlink("file", "d/to_file");
    symlink("nowhere", "dangling");
    symlink("loop2", "loop1");
    symlink("loop1", "loop2");
    symlink("made", "to_made");
    symlink("../d/e/..", "d/around");
    const char *paths[] = {"d",        "d/",        "d/.",          "d/..",         "d//file",       "d/file/",      "d/file/.",
                           "to_d",     "to_d/",     "to_d/file",    "to_d/../d",    "d/to_file",     "d/to_file/",   "dangling",
                           "dangling/", "loop1",    "loop1/x",      "d/around",     "d/around/file", "nowhere/x",    "d/file/x",
                           "",         "/",         "//",           "/..",          "d/e/../../d",   "to_d/e/../file"};
    for (unsigned i = 0; i < sizeof paths / sizeof *paths; i++) try_stat(paths[i]);
    for (unsigned i = 0; i < sizeof paths / sizeof *paths; i++) {
        try_open(paths[i], O_RDONLY);
        try_open(paths[i], O_RDONLY | O_NOFOLLOW);
        try_open(paths[i], O_RDONLY | O_DIRECTORY);
        try_open(paths[i], O_PATH | O_NOFOLLOW);
    }
    try_open("d", O_WRONLY);
    try_open("d", O_CREAT | O_RDONLY);
    try_open("new/", O_CREAT | O_WRONLY);
    try_open("d/file", O_CREAT | O_EXCL | O_WRONLY);
    try_open("dangling", O_CREAT | O_EXCL | O_WRONLY);
    try_open("to_made", O_CREAT | O_WRONLY);
    try_stat("made");
    try_open("d/file", O_CREAT | O_DIRECTORY);
    char name[300];
    memset(name, 'n', 299);
    name[256] = 0;
    try_open(name, O_RDONLY);
    name[255] = 0;
    try_open(name, O_CREAT | O_WRONLY);
    char *deep = malloc(PATH_MAX + 10);
    memset(deep, '/', PATH_MAX + 9);
    deep[PATH_MAX] = 0;
    try_open(deep, O_RDONLY);
    deep[PATH_MAX - 1] = 0;
    try_open(deep, O_RDONLY);

    int d = open("d", O_RDONLY | O_DIRECTORY);
    struct stat st;
    printf("at: %d %d\n", fstatat(d, "file", &st, 0), fstatat(d, "", &st, AT_EMPTY_PATH));
    printf("empty: %d %s\n", fstatat(d, "", &st, 0), strerror(errno));
    printf("bad: %d %s\n", fstatat(99, "file", &st, 0), strerror(errno));
    int f = open("d/file", O_RDONLY);
    printf("file as directory: %d %s\n", fstatat(f, "x", &st, 0), strerror(errno));
    int p = open("d/file", O_PATH);
    char byte;
    printf("read of a place: %zd %s\n", read(p, &byte, 1), strerror(errno));
    printf("chmod of a place: %d %s\n", fchmod(p, 0600), strerror(errno));
    char link[64], target[256];
    snprintf(link, sizeof link, "/proc/self/fd/%d", p);
    int again = open(link, O_RDWR);
    printf("again: %d, %zd\n", again >= 0, write(again, "x", 1));
    ssize_t n = readlink(link, target, sizeof target - 1);
    target[n > 0 ? n : 0] = 0;
    printf("it is %s\n", n > 7 ? target + n - 7 : "?");
    unlink("d/file");
    n = readlink(link, target, sizeof target - 1);
    target[n > 0 ? n : 0] = 0;
    printf("it was %s\n", n > 17 ? target + n - 17 : "?");
    rename("d", "renamed");
    printf("after rename: %d %d\n", fstatat(d, "e", &st, 0), fstatat(d, "../renamed", &st, 0));
    n = readlink("renamed/to_file", target, 3);
    printf("cut link: %zd %.3s\n", n, target);
    printf("no link: %zd %s\n", readlink("renamed", target, 9), strerror(errno));
    return 0;
}
