// System V semaphores, messages and shared memory, drawn from a seed, by a process and by children that come and go.
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS = 60, STEPS = 200, LOWEST = 0, HIGHEST = 2, LENGTH_MAX = 64, KINDS = 3, PAGE = 4096 };

#include "../drawn.h"

// What is there of each, or -1; nothing of it is left on the host.
static int sets[KINDS] = {-1, -1, -1}, queues[KINDS] = {-1, -1, -1}, segments[KINDS] = {-1, -1, -1};
static char *attached[4];
static int is_child;

static void make(int at) {
    int modes[] = {0600, 0600, 0600, 0400, 0}, mode = modes[draw(5)];
    switch (draw(3)) {
    case 0:
        if (sets[at] < 0) sets[at] = semget(IPC_PRIVATE, 1 + draw(4), mode);
        return show("semget", at, mode, sets[at] < 0 ? -1 : 0);
    case 1:
        if (queues[at] < 0) queues[at] = msgget(IPC_PRIVATE, mode);
        return show("msgget", at, mode, queues[at] < 0 ? -1 : 0);
    default:
        if (segments[at] < 0) segments[at] = shmget(IPC_PRIVATE, 1 + draw(3 * PAGE), mode);
        return show("shmget", at, mode, segments[at] < 0 ? -1 : 0);
    }
}

static void operate(int at) {
    struct sembuf operations[4];
    int count = 1 + draw(4);
    for (int i = 0; i < count; i++) {
        operations[i].sem_num = draw(draw(10) ? 3 : 6);
        operations[i].sem_op = (int)draw(7) - 3;
        operations[i].sem_flg = IPC_NOWAIT | (draw(3) ? 0 : SEM_UNDO);
        printf("  %d %d %x\n", operations[i].sem_num, operations[i].sem_op, operations[i].sem_flg);
    }
    show("semop", at, count, semop(sets[at], operations, count));
}

static void ask_set(int at) {
    unsigned short values[8] = {0};
    int number = draw(5);
    switch (draw(7)) {
    case 0: return show("SETVAL", number, at, semctl(sets[at], number, SETVAL, draw(20) ? (int)draw(5) : 40000));
    case 1:
        for (int i = 0; i < 8; i++) values[i] = draw(4);
        return show("SETALL", at, 0, semctl(sets[at], 0, SETALL, values));
    case 2:
        show("GETALL", at, 0, semctl(sets[at], 0, GETALL, values));
        printf("  %d %d %d %d\n", values[0], values[1], values[2], values[3]);
        return;
    case 3: return show("GETNCNT", at, number, semctl(sets[at], number, GETNCNT));
    case 4: {
        int pid = semctl(sets[at], number, GETPID);
        return show("GETPID", at, number, pid < 0 ? -1 : pid == 0 ? 0 : pid == getpid() ? 1 : 2);
    }
    case 5: {
        struct semid_ds status;
        memset(&status, 0, sizeof status);
        show("IPC_STAT", at, 0, semctl(sets[at], 0, IPC_STAT, &status));
        printf("  %lu %o\n", status.sem_nsems, status.sem_perm.mode);
        return;
    }
    default: return show("GETVAL", at, number, semctl(sets[at], number, GETVAL));
    }
}

static void message(int at) {
    struct { long type; char text[600]; } message = {(long)draw(4) + (draw(20) ? 1 : -2), ""};
    size_t len = draw(20) ? draw(40) : draw(600);
    static const int more[] = {0, 0, 0, MSG_NOERROR, MSG_EXCEPT, MSG_NOERROR | MSG_EXCEPT};
    if (draw(2)) {
        for (size_t i = 0; i < len; i++) message.text[i] = draw(256);
        return show("msgsnd", message.type, len, msgsnd(queues[at], &message, len, IPC_NOWAIT));
    }
    long type = (long)draw(7) - 3;
    int flags = IPC_NOWAIT | more[draw(6)];
    ssize_t got = msgrcv(queues[at], &message, len, type, flags);
    show("msgrcv", type, flags, got);
    unsigned digest = 1;
    for (ssize_t i = 0; i < got; i++) digest = digest * 31 + (unsigned char)message.text[i];
    if (got >= 0) printf("  %ld %x\n", message.type, digest);
}

static void ask_queue(int at) {
    struct msqid_ds status;
    memset(&status, 0, sizeof status);
    show("IPC_STAT", at, 1, msgctl(queues[at], IPC_STAT, &status));
    printf("  %lu %lu %o %d %d\n", status.msg_qnum, status.msg_cbytes, status.msg_perm.mode, status.msg_lspid == getpid(), status.msg_lrpid == getpid());
    if (draw(6)) return;
    status.msg_qbytes = draw(2000);
    status.msg_perm.mode = 0600;
    show("IPC_SET", at, status.msg_qbytes, msgctl(queues[at], IPC_SET, &status));
}

static void attach(int at) {
    int slot = draw(4);
    struct shmid_ds status;
    memset(&status, 0, sizeof status);
    switch (draw(4)) {
    case 0:
        if (attached[slot]) return;
        attached[slot] = shmat(segments[at], NULL, draw(4) ? 0 : SHM_RDONLY);
        if (attached[slot] == (char *)-1) attached[slot] = NULL, show("shmat", at, 0, -1);
        else show("shmat", at, slot, 0);
        return;
    case 1:
        if (attached[slot]) show("shmdt", slot, 0, shmdt(attached[slot]));
        attached[slot] = NULL;
        return;
    case 2:
        if (attached[slot]) printf("byte %d\n", attached[slot][draw(8)]);
        return;
    default:
        show("IPC_STAT", at, 2, shmctl(segments[at], IPC_STAT, &status));
        printf("  %zu %lu %o %d\n", status.shm_segsz, status.shm_nattch, status.shm_perm.mode, status.shm_cpid == getpid());
    }
}

static void take_away(int at) {
    switch (draw(3)) {
    case 0:
        if (sets[at] >= 0) show("remove set", at, 0, semctl(sets[at], 0, IPC_RMID));
        sets[at] = -1;
        return;
    case 1:
        if (queues[at] >= 0) show("remove queue", at, 0, msgctl(queues[at], IPC_RMID, NULL));
        queues[at] = -1;
        return;
    default:
        if (segments[at] >= 0) show("remove segment", at, 0, shmctl(segments[at], IPC_RMID, NULL));
        segments[at] = -1;
    }
}

static void step(void) {
    int at = descriptor(), what = draw(16);
    // What a child makes or takes away its parent would not know.
    if (what < 3 && !is_child) return make(at);
    if (what == 3 && !is_child) return draw(3) ? (void)0 : take_away(at);
    if (what == 4 && !is_child) {
        fflush(stdout);
        if (fork() == 0) {
            is_child = 1;
            for (int i = 1 + draw(5); i > 0; i--) step();
            fflush(stdout);
            _exit(0);
        }
        wait(NULL);
        printf("child is gone\n");
        return;
    }
    switch (what % 5) {
    case 0: return operate(at);
    case 1: return ask_set(at);
    case 2: return message(at);
    case 3: return ask_queue(at);
    default: return attach(at);
    }
}

static void begin(void) {
    for (int i = 0; i < 4; i++) if (attached[i]) shmdt(attached[i]), attached[i] = NULL;
    for (int i = 0; i < KINDS; i++) {
        if (sets[i] >= 0) semctl(sets[i], 0, IPC_RMID);
        if (queues[i] >= 0) msgctl(queues[i], IPC_RMID, NULL);
        if (segments[i] >= 0) shmctl(segments[i], IPC_RMID, NULL);
        sets[i] = queues[i] = segments[i] = -1;
    }
}

int main(int argc, char **argv) {
    rounds(argv, ROUNDS, STEPS, begin, step);
    begin();
    return 0;
}
