// Reading directories, standing in them, and memory files.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

int main(void) {
    mkdir("d", 0755);
    for (int i = 0; i < 600; i++) {
        char name[64];
        snprintf(name, sizeof name, "d/a-file-with-a-rather-long-name-%03d", i * 7 % 600);
        close(open(name, O_CREAT | O_WRONLY, 0644));
    }
    DIR *dir = opendir("d");
    char *names[700];
    int n = 0;
    long place = 0;
    struct dirent *entry;
    while ((entry = readdir(dir)) && n < 700) {
        names[n++] = strdup(entry->d_name);
        if (n == 300) place = telldir(dir);
    }
    char *after = names[300];
    seekdir(dir, place);
    printf("seek %d\n", strcmp(readdir(dir)->d_name, after));
    rewinddir(dir);
    int again = 0;
    while (readdir(dir)) again++;
    qsort(names, n, sizeof *names, by_name);
    printf("%d %d %s %s %s\n", n, again, names[0], names[2], names[n - 1]);
    rewinddir(dir);
    int removed = 0;
    while ((entry = readdir(dir)))
        if (entry->d_name[0] != '.') removed += unlinkat(dirfd(dir), entry->d_name, 0) == 0;
    printf("removed %d, then rmdir %d\n", removed, rmdir("d"));
    char byte;
    int fd = open(".", O_RDONLY);
    printf("read %zd %s\n", read(fd, &byte, 1), strerror(errno));
    mkdir("x", 0755);
    mkdir("x/y", 0755);
    symlink("x/y", "l");
    char here[4096];
    printf("chdir %d\n", chdir("l"));
    printf("%s\n", getcwd(here, sizeof here) + strlen(here) - 4);
    printf("%d %s\n", chdir("../.."), getcwd(here, sizeof here) ? "ok" : "?");
    printf("fchdir %d %d\n", fchdir(fd), access("x", F_OK));
    printf("small %d %s\n", getcwd(here, 2) == 0, strerror(errno));
    close(open("file", O_CREAT | O_WRONLY, 0644));
    printf("chdir %d %s\n", chdir("file"), strerror(errno));

    int m = memfd_create("hello", MFD_ALLOW_SEALING);
    if (write(m, "12345", 5) != 5) return 1;
    printf("seals %d\n", fcntl(m, F_GET_SEALS));
    printf("add %d\n", fcntl(m, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW));
    printf("%d %s", ftruncate(m, 2), strerror(errno));
    printf(" %zd %s", pwrite(m, "xyz", 3, 4), strerror(errno));
    printf(" %zd\n", pwrite(m, "xyz", 3, 1));
    char *map = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, m, 0);
    printf("%.5s\n", map);
    munmap(map, 4096);
    printf("add %d %d\n", fcntl(m, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SEAL), fcntl(m, F_GET_SEALS));
    printf("%zd %s\n", pwrite(m, "a", 1, 0), strerror(errno));
    printf("%d %s\n", fcntl(m, F_ADD_SEALS, F_SEAL_WRITE), strerror(errno));
    printf("%d", mmap(0, 4096, PROT_WRITE, MAP_SHARED, m, 0) == MAP_FAILED);
    printf(" %s\n", strerror(errno));
    int f = open("file", O_RDONLY);
    printf("%d %s\n", mmap(0, 4096, PROT_WRITE, MAP_SHARED, f, 0) == MAP_FAILED, strerror(errno));
    printf("%d %s\n", fcntl(f, F_GET_SEALS), strerror(errno));
    return 0;
}
