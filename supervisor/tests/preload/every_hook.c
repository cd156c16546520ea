// Every hooked function, from two threads that alternate.
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_spinlock_t spin;
static sem_t semaphore;
static int onces, turns;

static void count_once(void) { onces++; }

static struct timespec soon(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    t.tv_sec += 5;
    return t;
}

static void *work(void *me) {
    for (int i = 0; i < 20; i++) {
        struct timespec until = soon();
        pthread_once(&once, count_once);
        assert(pthread_mutex_timedlock(&mutex, &until) == 0);
        while (turns % 2 != (long)me) pthread_cond_wait(&condition, &mutex);
        turns++;
        pthread_cond_broadcast(&condition);
        pthread_mutex_unlock(&mutex);
        if (pthread_mutex_trylock(&mutex) == 0) {
            pthread_cond_signal(&condition);
            pthread_mutex_unlock(&mutex);
        }
        pthread_rwlock_rdlock(&rwlock);
        pthread_rwlock_unlock(&rwlock);
        pthread_rwlock_wrlock(&rwlock);
        assert(pthread_rwlock_tryrdlock(&rwlock) == EBUSY);
        assert(pthread_rwlock_trywrlock(&rwlock) == EBUSY);
        pthread_rwlock_unlock(&rwlock);
        assert(pthread_rwlock_timedrdlock(&rwlock, &until) == 0);
        pthread_rwlock_unlock(&rwlock);
        assert(pthread_rwlock_timedwrlock(&rwlock, &until) == 0);
        pthread_rwlock_unlock(&rwlock);
        pthread_spin_lock(&spin);
        pthread_spin_unlock(&spin);
        if (pthread_spin_trylock(&spin) == 0) pthread_spin_unlock(&spin);
        sem_wait(&semaphore);
        sem_post(&semaphore);
        if (sem_trywait(&semaphore) == 0) sem_post(&semaphore);
        assert(sem_timedwait(&semaphore, &until) == 0);
        sem_post(&semaphore);
    }
    return 0;
}

int main(void) {
    pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
    sem_init(&semaphore, 0, 1);
    pthread_t threads[2];
    for (long i = 0; i < 2; i++) pthread_create(&threads[i], 0, work, (void *)i);
    for (int i = 0; i < 2; i++) pthread_join(threads[i], 0);
    printf("%d turns, once %d, preloaded %s\n", turns, onces, getenv("LD_PRELOAD") ? "visibly" : "unseen");
    return 0;
}
