// System V message queues: sending, choosing by type, waiting for messages and for room, removal, limits, status.
#include <signal.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../descriptors/show.h"

#ifndef MSG_COPY
#define MSG_COPY 040000
#endif

struct message {
    long type;
    char text[10000];
};

static int send_text(int id, long type, const char *text, int flags) {
    struct message m = {type};
    strcpy(m.text, text);
    return msgsnd(id, &m, strlen(text), flags);
}

static void receive(const char *what, int id, long type, size_t max, int flags) {
    struct message m = {-1};
    errno = 0;
    long len = msgrcv(id, &m, max, type, flags);
    printf("%s: %ld %s", what, len, len < 0 ? strerror(errno) : "");
    if (len >= 0) printf("type %ld text %.*s", m.type, (int)len, m.text);
    printf("\n");
}

static int count(int id) {
    struct msqid_ds ds;
    return msgctl(id, IPC_STAT, &ds) ? -errno : (int)ds.msg_qnum;
}

static void pass(long milliseconds) {
    struct timespec t = {0, milliseconds * 1000000};
    nanosleep(&t, 0);
}

static void wait_for(pid_t pid) {
    int status;
    waitpid(pid, &status, 0);
    printf("child %x\n", status);
}

static void choosing(key_t key) {
    SHOW("none there", msgget(key, 0600));
    int id = msgget(key, 0640 | IPC_CREAT);
    SHOW("exclusive", msgget(key, 0600 | IPC_CREAT | IPC_EXCL));
    printf("found %d\n", msgget(key, 0) == id);
    receive("empty", id, 0, 100, IPC_NOWAIT);
    for (long type = 5; type > 1; type--) send_text(id, type, type % 2 ? "odd" : "even, and longer", 0);
    send_text(id, 2, "second of two", 0);
    struct msqid_ds ds;
    SHOW("stat", msgctl(id, IPC_STAT, &ds));
    printf("mode %o, %d messages, %d bytes of %d, by %d %d, times %d %d %d\n", ds.msg_perm.mode, (int)ds.msg_qnum,
           (int)ds.__msg_cbytes, (int)ds.msg_qbytes, ds.msg_lspid == getpid(), ds.msg_lrpid, ds.msg_stime > 0,
           ds.msg_rtime > 0, ds.msg_ctime > 0);
    receive("copy of the third", id, 2, 100, MSG_COPY | IPC_NOWAIT);
    receive("copy of none", id, 9, 100, MSG_COPY | IPC_NOWAIT);
    receive("copy, but wait", id, 0, 100, MSG_COPY);
    receive("copy of another", id, 0, 100, MSG_COPY | MSG_EXCEPT | IPC_NOWAIT);
    receive("too long", id, 4, 4, 0);
    receive("cut", id, 4, 4, MSG_NOERROR);
    receive("lowest", id, -3, 100, 0);
    receive("any but", id, 5, 100, MSG_EXCEPT);
    receive("first", id, 0, 100, 0);
    receive("of type", id, 2, 100, 0);
    receive("of type", id, 2, 100, IPC_NOWAIT);
    SHOW("no type", send_text(id, 0, "x", 0));
    SHOW("negative type", send_text(id, -1, "x", 0));
    struct message m = {1};
    SHOW("too long", msgsnd(id, &m, 8193, 0));
    SHOW("nothing", msgsnd(id, &m, 0, 0));
    SHOW("from nowhere", msgsnd(id, NULL, 1, 0));
    receive("nothing", id, 0, 0, 0);
    char line[300];
    FILE *f = fopen("/proc/sysvipc/msg", "r");
    while (fgets(line, sizeof line, f)) {
        int k, i, mode, bytes, number;
        if (sscanf(line, "%d %d %o %d %d", &k, &i, &mode, &bytes, &number) == 5 && i == id)
            printf("listed %d %o %d %d\n", k == key, mode, bytes, number);
    }
    fclose(f);
    ds.msg_qbytes = 20;
    ds.msg_perm.mode = 0600;
    SHOW("set", msgctl(id, IPC_SET, &ds));
    SHOW("fits", send_text(id, 1, "01234567890123456789", IPC_NOWAIT));
    SHOW("full", send_text(id, 1, "0", IPC_NOWAIT));
    SHOW("empty message", send_text(id, 1, "", IPC_NOWAIT));
    SHOW("remove", msgctl(id, IPC_RMID, 0));
    SHOW("again", msgctl(id, IPC_RMID, 0));
    receive("gone", id, 0, 100, 0);
    SHOW("gone", send_text(id, 1, "x", 0));
    SHOW("command", msgctl(0, 77, &ds));
    struct msginfo info;
    msgctl(0, IPC_INFO, (struct msqid_ds *)&info);
    printf("limits %d %d %d %d %d %d %d %d\n", info.msgpool, info.msgmap, info.msgmax, info.msgmnb, info.msgmni,
           info.msgssz, info.msgtql, info.msgseg);
}

static void waiting(void) {
    int id = msgget(IPC_PRIVATE, 0600), back = msgget(IPC_PRIVATE, 0600);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        struct message m;
        for (int i = 0; i < 20; i++) {
            if (msgrcv(id, &m, sizeof m.text, i % 2 ? 2 : -1, 0) < 0) _exit(1);
            if (send_text(back, m.type, "back", 0)) _exit(2);
        }
        _exit(0);
    }
    int sum = 0;
    for (int i = 0; i < 20; i++) {
        struct message m;
        send_text(id, i % 2 ? 2 : 1, "there", 0);
        if (msgrcv(back, &m, sizeof m.text, 0, 0) != 4) return;
        sum += m.type;
    }
    printf("sum %d, left %d %d\n", sum, count(id), count(back));
    wait_for(pid);
    // Room comes when someone receives.
    struct msqid_ds ds;
    msgctl(id, IPC_STAT, &ds);
    ds.msg_qbytes = 8;
    msgctl(id, IPC_SET, &ds);
    send_text(id, 1, "12345678", 0);
    fflush(stdout);
    pid = fork();
    if (pid == 0) _exit(send_text(id, 2, "later", 0) ? 1 : 0);
    pass(20);
    printf("only %d\n", count(id));
    receive("first", id, 0, 100, 0);
    receive("then", id, 0, 100, 0);
    wait_for(pid);
    // Larger than anybody takes.
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        struct message m;
        _exit(msgrcv(id, &m, 2, 0, 0) < 0 && errno == E2BIG ? 3 : 1);
    }
    pass(20);
    send_text(id, 1, "long", 0);
    wait_for(pid);
    printf("stays %d\n", count(id));
    receive("it", id, 0, 100, 0);
    msgctl(id, IPC_RMID, 0), msgctl(back, IPC_RMID, 0);
}

static void on_signal(int signal) { (void)signal; }

static void ending(void) {
    int id = msgget(IPC_PRIVATE, 0600);
    struct message m;
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigaction(SIGUSR1, &action, 0);
    fflush(stdout);
    pid_t parent = getpid(), pid = fork();
    if (pid == 0) {
        pass(20);
        kill(parent, SIGUSR1);
        _exit(0);
    }
    SHOW("interrupted", msgrcv(id, &m, 10, 0, 0));
    wait_for(pid);
    fflush(stdout);
    pid_t receiver = fork();
    if (receiver == 0) _exit(msgrcv(id, &m, 10, 3, 0) < 0 && errno == EIDRM ? 4 : 1);
    struct msqid_ds ds;
    msgctl(id, IPC_STAT, &ds);
    ds.msg_qbytes = 1;
    msgctl(id, IPC_SET, &ds);
    pid_t sender = fork();
    if (sender == 0) _exit(send_text(id, 1, "too long", 0) < 0 && errno == EIDRM ? 5 : 1);
    pass(20);
    SHOW("remove", msgctl(id, IPC_RMID, 0));
    wait_for(receiver);
    wait_for(sender);
    id = msgget(IPC_PRIVATE, 0604);
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        if (setgid(12345) || setuid(12345)) _exit(getuid() ? 0 : 1);
        SHOW("stranger sends", send_text(id, 1, "x", 0));
        receive("stranger receives", id, 0, 10, IPC_NOWAIT);
        SHOW("stranger asks", msgctl(id, IPC_STAT, &ds));
        SHOW("stranger removes", msgctl(id, IPC_RMID, 0));
        fflush(stdout);
        _exit(0);
    }
    wait_for(pid);
    msgctl(id, IPC_RMID, 0);
}

int main(void) {
    setvbuf(stdout, 0, _IOFBF, 1 << 16);
    choosing(0x53000000 + getpid());
    waiting();
    ending();
    return 0;
}
