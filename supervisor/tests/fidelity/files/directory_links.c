// A symbolic link in last place is followed also where only a directory will do.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void show(const char *path, int flags) {
    int fd = open(path, flags);
    printf("%s %x: %s\n", path, flags, fd < 0 ? strerror(errno) : "open");
    if (fd >= 0) close(fd);
}

int main(void) {
    setbuf(stdout, 0);
    mkdir("dir", 0700);
    close(open("file", O_WRONLY | O_CREAT, 0600));
    symlink("dir", "to_dir");
    symlink("to_dir", "to_link");
    symlink("file", "to_file");
    symlink("nowhere", "broken");
    const char *names[] = {"dir", "file", "to_dir", "to_link", "to_file", "broken", "to_dir/", "to_file/"};
    const int flags[] = {O_RDONLY, O_DIRECTORY, O_DIRECTORY | O_NOFOLLOW, O_DIRECTORY | O_PATH, O_NOFOLLOW | O_PATH};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        for (unsigned j = 0; j < sizeof flags / sizeof *flags; j++) show(names[i], flags[j]);
    DIR *dir = opendir("to_link");
    printf("opendir: %d\n", dir != 0);
    return 0;
}
