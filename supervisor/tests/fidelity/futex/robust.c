// Robust mutexes: the holder's thread ends, its process ends, or it executes another program.
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_mutex_t *make(int protocol, int shared) {
    pthread_mutexattr_t attributes;
    pthread_mutex_t *mutex = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutexattr_setprotocol(&attributes, protocol);
    pthread_mutexattr_setpshared(&attributes, shared);
    pthread_mutex_init(mutex, &attributes);
    return mutex;
}

static void *holder(void *mutex) {
    pthread_mutex_lock(mutex);
    usleep(30000);
    return 0;
}

static void *waiter(void *mutex) {
    usleep(10000);
    int result = pthread_mutex_lock(mutex);
    if (result == EOWNERDEAD) pthread_mutex_consistent(mutex);
    pthread_mutex_unlock(mutex);
    return (void *)(long)result;
}

static void by_threads(int protocol) {
    pthread_mutex_t *mutex = make(protocol, PTHREAD_PROCESS_PRIVATE);
    pthread_t a, b, c;
    pthread_create(&a, 0, holder, mutex);
    pthread_create(&b, 0, waiter, mutex);
    pthread_create(&c, 0, waiter, mutex);
    void *first, *second;
    pthread_join(a, 0);
    pthread_join(b, &first);
    pthread_join(c, &second);
    printf("threads: one of two is told: %d\n", ((long)first == EOWNERDEAD) + ((long)second == EOWNERDEAD));
    printf("then plain: %s\n", strerror(pthread_mutex_trylock(mutex)));
    pthread_mutex_unlock(mutex);

    pthread_create(&a, 0, holder, mutex);
    pthread_join(a, 0);
    printf("no waiter: %s\n", strerror(pthread_mutex_lock(mutex)));
    pthread_mutex_unlock(mutex);
    printf("not made consistent: %s\n", strerror(pthread_mutex_lock(mutex)));
}

static void by_processes(int protocol, int executes) {
    pthread_mutex_t *mutex = make(protocol, PTHREAD_PROCESS_SHARED);
    pid_t child = fork();
    if (child == 0) {
        pthread_mutex_lock(mutex);
        usleep(30000);
        if (executes) execl("/bin/true", "true", (char *)0);
        _exit(0);
    }
    usleep(10000);
    int result = pthread_mutex_lock(mutex);
    printf("processes, exec %d: %s\n", executes, strerror(result));
    pthread_mutex_consistent(mutex);
    pthread_mutex_unlock(mutex);
    wait(0);
    printf("again: %s\n", strerror(pthread_mutex_lock(mutex)));
}

int main(void) {
    setbuf(stdout, 0);
    int protocols[] = {PTHREAD_PRIO_NONE, PTHREAD_PRIO_INHERIT};
    for (int i = 0; i < 2; i++) {
        printf("protocol %d\n", i);
        by_threads(protocols[i]);
        by_processes(protocols[i], 0);
        by_processes(protocols[i], 1);
    }
    return 0;
}
