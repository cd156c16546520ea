// System V semaphores: values, atomic operations, waiting and who is served, undoing, removal, time-outs, signals.
#include <signal.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../descriptors/show.h"

union semun {
    int val;
    struct semid_ds *buf;
    unsigned short *array;
    struct seminfo *info;
};

static int value(int id, int number) { return semctl(id, number, GETVAL); }

static void values(const char *what, int id, int count) {
    unsigned short all[8];
    semctl(id, 0, GETALL, (union semun){.array = all});
    printf("%s:", what);
    for (int i = 0; i < count; i++) printf(" %d", all[i]);
    printf("\n");
}

static int op(int id, int number, int change, int flags) {
    struct sembuf one = {number, change, flags};
    return semop(id, &one, 1);
}

static void pass(long milliseconds) {
    struct timespec t = {0, milliseconds * 1000000};
    nanosleep(&t, 0);
}

// Until so many wait at a semaphore for more, or for zero.
static void until(int id, int number, int command, int count) {
    while (semctl(id, number, command) != count) pass(1);
}

static void wait_for(pid_t pid) {
    int status;
    waitpid(pid, &status, 0);
    printf("child %x\n", status);
}

static void making(key_t key) {
    SHOW("none there", semget(key, 1, 0600));
    SHOW("none wanted", semget(IPC_PRIVATE, 0, 0600));
    SHOW("negative", semget(IPC_PRIVATE, -1, 0600));
    SHOW("too many", semget(IPC_PRIVATE, 40000, 0600));
    int id = semget(key, 3, 0640 | IPC_CREAT);
    SHOW("exclusive", semget(key, 3, 0600 | IPC_CREAT | IPC_EXCL));
    SHOW("larger", semget(key, 4, 0));
    printf("found %d %d\n", semget(key, 0, 0) == id, semget(key, 2, 0) == id);
    struct semid_ds ds;
    SHOW("stat", semctl(id, 0, IPC_STAT, (union semun){.buf = &ds}));
    printf("mode %o count %d, times %d %d\n", ds.sem_perm.mode, (int)ds.sem_nsems, ds.sem_otime > 0, ds.sem_ctime > 0);
    ds.sem_perm.mode = 0600;
    SHOW("set", semctl(id, 0, IPC_SET, (union semun){.buf = &ds}));
    unsigned short all[3] = {1, 2, 3};
    SHOW("set all", semctl(id, 0, SETALL, (union semun){.array = all}));
    values("all", id, 3);
    all[1] = 40000;
    SHOW("out of range", semctl(id, 0, SETALL, (union semun){.array = all}));
    SHOW("set one", semctl(id, 1, SETVAL, (union semun){.val = 32767}));
    SHOW("set too much", semctl(id, 1, SETVAL, (union semun){.val = 32768}));
    SHOW("set negative", semctl(id, 1, SETVAL, (union semun){.val = -1}));
    SHOW("no such", semctl(id, 3, SETVAL, (union semun){.val = 1}));
    SHOW("no such", semctl(id, -1, GETVAL));
    SHOW("pid", semctl(id, 0, GETPID) == getpid());
    SHOW("over", op(id, 1, 1, 0));
    SHOW("place", op(id, 3, 1, 0));
    struct sembuf none;
    SHOW("no operations", semop(id, &none, 0));
    SHOW("too many operations", semop(id, &none, 5000));
    SHOW("nowhere", semop(id, NULL, 1));
    SHOW("command", semctl(id, 0, 99));
    int lines = 0, found = 0, mode, count;
    char line[200];
    FILE *f = fopen("/proc/sysvipc/sem", "r");
    while (fgets(line, sizeof line, f)) {
        int k, i;
        if (sscanf(line, "%d %d %o %d", &k, &i, &mode, &count) == 4 && i == id && ++found)
            printf("%o %d %d %d\n", mode, count, k == key, (int)strlen(line));
        lines++;
    }
    fclose(f);
    printf("listed %d %d\n", lines > 1, found);
    SHOW("remove", semctl(id, 0, IPC_RMID));
    SHOW("again", semctl(id, 0, IPC_RMID));
    SHOW("gone", op(id, 0, 1, 0));
}

static void together(void) {
    int id = semget(IPC_PRIVATE, 2, 0600);
    struct sembuf ops[3] = {{0, 2, 0}, {1, -1, IPC_NOWAIT}, {0, -1, 0}};
    SHOW("not at all", semop(id, ops, 3));
    values("untouched", id, 2);
    op(id, 1, 1, 0);
    SHOW("all", semop(id, ops, 3));
    values("done", id, 2);
    struct sembuf zero[2] = {{1, 0, IPC_NOWAIT}, {1, 5, 0}};
    SHOW("if zero", semop(id, zero, 2));
    SHOW("if zero", semop(id, zero, 2));
    values("once", id, 2);
    struct sembuf over[2] = {{0, 3, 0}, {1, 32767, 0}};
    SHOW("out of range", semop(id, over, 2));
    values("untouched", id, 2);
    semctl(id, 0, IPC_RMID);
}

// Who waits gets what it waits for from whoever makes it possible: nobody can come in between.
static void serving(void) {
    int id = semget(IPC_PRIVATE, 2, 0600);
    fflush(stdout);
    pid_t first = fork();
    if (first == 0) _exit(op(id, 0, -3, 0) ? 1 : 0);
    until(id, 0, GETNCNT, 1);
    pid_t second = fork();
    if (second == 0) _exit(op(id, 0, -1, 0) ? 1 : 0);
    until(id, 0, GETNCNT, 2);
    printf("waiting %d %d\n", semctl(id, 0, GETNCNT), semctl(id, 0, GETZCNT));
    op(id, 0, 2, 0);
    printf("left %d, waiting %d, last %d\n", value(id, 0), semctl(id, 0, GETNCNT), semctl(id, 0, GETPID) == second);
    wait_for(second);
    op(id, 0, 5, 0);
    printf("left %d, waiting %d\n", value(id, 0), semctl(id, 0, GETNCNT));
    wait_for(first);
    pid_t zero = fork();
    if (zero == 0) _exit(op(id, 0, 0, 0) ? 1 : 0);
    until(id, 0, GETZCNT, 1);
    semctl(id, 0, SETVAL, (union semun){.val = 0});
    wait_for(zero);
    struct sembuf both[2] = {{0, -1, 0}, {1, -1, 0}};
    pid_t complex = fork();
    if (complex == 0) _exit(semop(id, both, 2) ? 1 : 0);
    until(id, 0, GETNCNT, 1);
    op(id, 0, 1, 0);
    printf("now at the other %d %d, value %d\n", semctl(id, 0, GETNCNT), semctl(id, 1, GETNCNT), value(id, 0));
    op(id, 1, 1, 0);
    values("taken", id, 2);
    wait_for(complex);
    semctl(id, 0, IPC_RMID);
}

static void on_alarm(int signal) { (void)signal; }

static void ending(void) {
    int id = semget(IPC_PRIVATE, 1, 0600);
    struct sembuf one = {0, -1, 0};
    struct timespec little = {0, 20000000}, bad = {0, 1000000000};
    SHOW("time-out", semtimedop(id, &one, 1, &little));
    SHOW("bad time", semtimedop(id, &one, 1, &bad));
    printf("waiting %d\n", semctl(id, 0, GETNCNT));
    // It is never restarted (signal(7)).
    struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
    sigaction(SIGUSR1, &action, 0);
    fflush(stdout);
    pid_t parent = getpid(), pid = fork();
    if (pid == 0) {
        until(id, 0, GETNCNT, 1);
        kill(parent, SIGUSR1);
        _exit(0);
    }
    SHOW("interrupted", op(id, 0, -1, 0));
    wait_for(pid);
    printf("waiting %d\n", semctl(id, 0, GETNCNT));
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        int result = op(id, 0, -1, 0);
        _exit(result == -1 && errno == EIDRM ? 7 : 1);
    }
    until(id, 0, GETNCNT, 1);
    SHOW("remove", semctl(id, 0, IPC_RMID));
    wait_for(pid);
    id = semget(IPC_PRIVATE, 1, 0600);
    pid = fork();
    if (pid == 0) _exit(op(id, 0, -1, 0));
    until(id, 0, GETNCNT, 1);
    kill(pid, SIGKILL);
    wait_for(pid);
    printf("waiting %d\n", semctl(id, 0, GETNCNT));
    semctl(id, 0, IPC_RMID);
}

static void undoing(void) {
    int id = semget(IPC_PRIVATE, 3, 0600);
    unsigned short start[3] = {5, 5, 5};
    semctl(id, 0, SETALL, (union semun){.array = start});
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        op(id, 0, -3, SEM_UNDO);
        op(id, 1, 4, SEM_UNDO);
        op(id, 2, -2, SEM_UNDO);
        op(id, 2, -1, 0);
        values("before", id, 3);
        fflush(stdout);
        // What a child does is its own.
        pid_t grandchild = fork();
        if (grandchild == 0) _exit(op(id, 0, -1, SEM_UNDO));
        waitpid(grandchild, 0, 0);
        values("grandchild gone", id, 3);
        fflush(stdout);
        semctl(id, 2, SETVAL, (union semun){.val = 1});
        _exit(0);
    }
    wait_for(pid);
    values("after", id, 3);
    printf("by %d\n", semctl(id, 0, GETPID) == pid);
    op(id, 0, -5, 0);
    pid = fork();
    if (pid == 0) {
        op(id, 0, 1, SEM_UNDO);
        op(id, 0, -1, 0);
        _exit(0);
    }
    wait_for(pid);
    values("never below zero", id, 3);
    // The end of one lets another go on.
    pid = fork();
    if (pid == 0) {
        op(id, 1, -5, SEM_UNDO);
        until(id, 1, GETNCNT, 1);
        _exit(0);
    }
    while (value(id, 1) != 0) pass(1);
    SHOW("after its end", op(id, 1, -1, 0));
    wait_for(pid);
    values("finally", id, 3);
    SHOW("too much to undo", op(id, 0, 32767, SEM_UNDO));
    semctl(id, 0, IPC_RMID);
}

static void permissions(void) {
    int id = semget(IPC_PRIVATE, 1, 0604);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        if (setgid(12345) || setuid(12345)) _exit(getuid() ? 0 : 1);
        SHOW("stranger looks", value(id, 0));
        SHOW("stranger waits for zero", op(id, 0, 0, 0));
        SHOW("stranger changes", op(id, 0, 1, 0));
        SHOW("stranger sets", semctl(id, 0, SETVAL, (union semun){.val = 1}));
        SHOW("stranger removes", semctl(id, 0, IPC_RMID));
        fflush(stdout);
        _exit(0);
    }
    wait_for(pid);
    struct seminfo limits;
    semctl(0, 0, IPC_INFO, (union semun){.info = &limits});
    printf("%d %d %d %d %d %d %d %d %d %d\n", limits.semmap, limits.semmni, limits.semmns, limits.semmnu, limits.semmsl,
           limits.semopm, limits.semume, limits.semusz, limits.semvmx, limits.semaem);
    semctl(id, 0, IPC_RMID);
}

int main(void) {
    setvbuf(stdout, 0, _IOFBF, 1 << 16);
    making(0x52000000 + getpid());
    together();
    serving();
    ending();
    undoing();
    permissions();
    return 0;
}
