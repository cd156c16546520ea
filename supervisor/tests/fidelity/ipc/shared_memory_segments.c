// System V shared memory: making and finding segments, attaching, what fork, exec, munmap and exit do to the count of
// attachments, removal, status, permissions.
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../descriptors/show.h"

#define PAGE 4096

static int attached(int id) {
    struct shmid_ds ds;
    return shmctl(id, IPC_STAT, &ds) ? -errno : (int)ds.shm_nattch;
}

static void wait_for(pid_t pid) {
    int status;
    waitpid(pid, &status, 0);
    printf("child %x\n", status);
}

static void line_of(const char *path, int id) {
    char line[400];
    FILE *f = fopen(path, "r");
    while (fgets(line, sizeof line, f)) {
        int key, found, mode, size;
        if (sscanf(line, "%d %d %o %d", &key, &found, &mode, &size) == 4 && found == id)
            printf("in %s: %o %d\n", path, mode, size);
    }
    fclose(f);
}

static void making(key_t key) {
    SHOW("none there", shmget(key, PAGE, 0600));
    SHOW("too small", shmget(IPC_PRIVATE, 0, 0600));
    SHOW("too large", shmget(IPC_PRIVATE, (size_t)-1, 0600));
    int id = shmget(key, 100, 0640 | IPC_CREAT);
    SHOW("exclusive", shmget(key, 100, 0600 | IPC_CREAT | IPC_EXCL));
    SHOW("larger", shmget(key, 101, 0));
    printf("found %d, smaller %d\n", shmget(key, 0, 0) == id, shmget(key, 50, 0600 | IPC_CREAT) == id);
    struct shmid_ds ds;
    SHOW("stat", shmctl(id, IPC_STAT, &ds));
    printf("mode %o size %d attached %d, by %d, last %d, key %d, times %d %d %d, owner %d %d\n", ds.shm_perm.mode,
           (int)ds.shm_segsz, (int)ds.shm_nattch, ds.shm_cpid == getpid(), ds.shm_lpid, ds.shm_perm.__key == key,
           ds.shm_atime > 0, ds.shm_dtime > 0, ds.shm_ctime > 0, ds.shm_perm.uid == geteuid(),
           ds.shm_perm.cgid == getegid());
    ds.shm_perm.mode = 0400;
    SHOW("set", shmctl(id, IPC_SET, &ds));
    SHOW("stat", shmctl(id, IPC_STAT, &ds));
    printf("mode %o\n", ds.shm_perm.mode);
    SHOW("lock", shmctl(id, SHM_LOCK, 0));
    shmctl(id, IPC_STAT, &ds);
    printf("locked %o\n", ds.shm_perm.mode);
    line_of("/proc/sysvipc/shm", id);
    SHOW("unlock", shmctl(id, SHM_UNLOCK, 0));
    SHOW("remove", shmctl(id, IPC_RMID, 0));
    SHOW("again", shmctl(id, IPC_RMID, 0));
    SHOW("stat", shmctl(id, IPC_STAT, &ds));
    SHOW("attach", (long)shmat(id, 0, 0));
    SHOW("negative", shmctl(-1, IPC_STAT, &ds));
    SHOW("command", shmctl(id, 77, &ds));
}

static void counting(void) {
    int id = shmget(IPC_PRIVATE, 3 * PAGE - 7, 0600);
    char *one = shmat(id, 0, 0), *two = shmat(id, 0, SHM_RDONLY);
    strcpy(one + PAGE, "shared");
    printf("%s, attached %d\n", two + PAGE, attached(id));
    struct shmid_ds ds;
    shmctl(id, IPC_STAT, &ds);
    printf("last %d, times %d %d\n", ds.shm_lpid == getpid(), ds.shm_atime > 0, ds.shm_dtime > 0);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        printf("in child %d %s\n", attached(id), one + PAGE);
        strcpy(one + PAGE, "by child");
        shmdt(one);
        printf("one less %d\n", attached(id));
        fflush(stdout);
        _exit(0);
    }
    wait_for(pid);
    printf("%s, attached %d\n", two + PAGE, attached(id));
    shmctl(id, IPC_STAT, &ds);
    printf("last %d, times %d\n", ds.shm_lpid == pid, ds.shm_dtime > 0);
    pid = fork();
    if (pid == 0) {
        execl("/bin/true", "true", NULL);
        _exit(1);
    }
    wait_for(pid);
    printf("after exec %d\n", attached(id));
    SHOW("hole", munmap(two + PAGE, PAGE));
    printf("in two parts %d\n", attached(id));
    SHOW("not at its start", shmdt(two + 2 * PAGE));
    SHOW("unaligned", shmdt(two + 1));
    SHOW("detach", shmdt(two));
    SHOW("again", shmdt(two));
    printf("attached %d\n", attached(id));
    SHOW("remove", shmctl(id, IPC_RMID, 0));
    shmctl(id, IPC_STAT, &ds);
    printf("mode %o, still %s, key %d\n", ds.shm_perm.mode, one + PAGE, ds.shm_perm.__key);
    char *three = shmat(id, 0, 0);
    printf("once more %d %s\n", attached(id), three + PAGE);
    munmap(one, 3 * PAGE);
    SHOW("detach", shmdt(three));
    SHOW("gone", shmctl(id, IPC_STAT, &ds));
}

static void placing(void) {
    int id = shmget(IPC_PRIVATE, 2 * PAGE, 0600);
    char *room = mmap(0, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    SHOW("occupied", (long)shmat(id, room, 0));
    printf("over it %d\n", (char *)shmat(id, room, SHM_REMAP) == room);
    SHOW("nowhere", (long)shmat(id, 0, SHM_REMAP));
    munmap(room + 4 * PAGE, 4 * PAGE);
    SHOW("unaligned", (long)shmat(id, room + 4 * PAGE + 1, 0));
    char *rounded = shmat(id, room + 4 * PAGE + 1, SHM_RND);
    printf("rounded %d\n", rounded == room + 4 * PAGE);
    strcpy(rounded, "x");
    printf("same %s, attached %d\n", room, attached(id));
    char *constant = shmat(id, 0, SHM_RDONLY);
    SHOW("make writable", mprotect(constant, PAGE, PROT_READ | PROT_WRITE));
    SHOW("make constant", mprotect(rounded, PAGE, PROT_READ));
    printf("attached %d\n", attached(id));
    char *code = shmat(id, 0, SHM_EXEC);
    printf("code %d\n", code != (char *)-1);
    shmctl(id, IPC_RMID, 0);
    fflush(stdout);
    // Everything goes with the process.
    pid_t pid = fork();
    if (pid == 0) _exit(attached(id));
    wait_for(pid);
    shmdt(code), shmdt(constant), shmdt(room), shmdt(rounded);
    SHOW("gone", attached(id));
}

static void permissions(void) {
    int id = shmget(IPC_PRIVATE, PAGE, 0604), closed = shmget(IPC_PRIVATE, PAGE, 0600);
    pid_t pid = fork();
    if (pid == 0) {
        struct shmid_ds ds;
        if (setgid(12345) || setuid(12345)) _exit(getuid() ? 0 : 1);
        SHOW("stranger reads", shmat(id, 0, SHM_RDONLY) == (void *)-1);
        SHOW("stranger writes", (long)shmat(id, 0, 0));
        SHOW("stranger asks", shmctl(id, IPC_STAT, &ds));
        SHOW("stranger sets", shmctl(id, IPC_SET, &ds));
        SHOW("stranger removes", shmctl(id, IPC_RMID, 0));
        SHOW("closed", (long)shmat(closed, 0, SHM_RDONLY));
        SHOW("closed", shmctl(closed, IPC_STAT, &ds));
        SHOW("lock", shmctl(closed, SHM_LOCK, 0));
        fflush(stdout);
        _exit(0);
    }
    wait_for(pid);
    shmctl(id, IPC_RMID, 0), shmctl(closed, IPC_RMID, 0);
}

static void information(void) {
    struct shminfo limits;
    struct shm_info totals;
    struct shmid_ds ds;
    int id = shmget(IPC_PRIVATE, 2 * PAGE, 0600), places = shmctl(0, IPC_INFO, (struct shmid_ds *)&limits), found = 0;
    printf("max %lu min %lu places %lu each %lu all %lu\n", limits.shmmax, limits.shmmin, limits.shmmni, limits.shmseg,
           limits.shmall);
    printf("same %d\n", shmctl(0, SHM_INFO, (struct shmid_ds *)&totals) == places);
    printf("some %d\n", totals.used_ids > 0 && totals.shm_tot >= 2);
    for (int place = 0; place <= places; place++) found += shmctl(place, SHM_STAT, &ds) == id;
    printf("found %d, size %d\n", found, (int)ds.shm_segsz >= 0);
    shmctl(id, IPC_RMID, 0);
}

int main(void) {
    setvbuf(stdout, 0, _IOFBF, 1 << 16);
    making(0x51000000 + getpid());
    counting();
    placing();
    fflush(stdout);
    permissions();
    information();
    return 0;
}
