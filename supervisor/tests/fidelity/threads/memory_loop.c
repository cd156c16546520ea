// A thread that does nothing but manage memory waits for another thread, and for time to pass.
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>

static atomic_int asked, answered;

static void *answer(void *unused) {
    while (!asked) sched_yield();
    answered = 1;
    return unused;
}

static void *answer_later(void *unused) {
    nanosleep(&(struct timespec){.tv_nsec = 20000000}, 0);
    answered = 1;
    return unused;
}

static void wait_managing_memory(const char *what, void *(*other)(void *)) {
    pthread_t thread;
    asked = answered = 0;
    pthread_create(&thread, 0, other, 0);
    void *page = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    asked = 1;
    for (int i = 0; !answered; i++) mprotect(page, 4096, i & 1 ? PROT_READ : PROT_READ | PROT_WRITE);
    pthread_join(thread, 0);
    munmap(page, 4096);
    printf("%s\n", what);
}

int main(void) {
    wait_managing_memory("answered at once", answer);
    wait_managing_memory("answered later", answer_later);
    return 0;
}
