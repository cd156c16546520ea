// All that pthreads and C11 threads offer, once each.
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

static struct timespec soon(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    time.tv_nsec += 20000000;
    if (time.tv_nsec >= 1000000000) time.tv_sec++, time.tv_nsec -= 1000000000;
    return time;
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_barrier_t barrier;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static sem_t semaphore;
static int ran_once, destroyed, ready, value;

static void run_once(void) { ran_once++; }
static void destroy(void *data) { destroyed += (long)data; }

static void *member(void *argument) {
    pthread_once(&once, run_once);
    pthread_setspecific(key, (void *)1);
    int serial = pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD;
    for (int i = 0; i < 100; i++) {
        pthread_rwlock_wrlock(&lock);
        value++;
        pthread_rwlock_unlock(&lock);
        pthread_rwlock_rdlock(&lock);
        pthread_rwlock_unlock(&lock);
    }
    sem_wait(&semaphore);
    pthread_mutex_lock(&mutex);
    while (!ready) pthread_cond_wait(&condition, &mutex);
    pthread_mutex_unlock(&mutex);
    return (void *)(long)serial;
}

static void kinds(void) {
    int kind[] = {PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_ERRORCHECK};
    for (int protocol = 0; protocol < 2; protocol++) {
        for (int i = 0; i < 3; i++) {
            pthread_mutexattr_t attributes;
            pthread_mutex_t own;
            pthread_mutexattr_init(&attributes);
            pthread_mutexattr_settype(&attributes, kind[i]);
            pthread_mutexattr_setprotocol(&attributes, protocol ? PTHREAD_PRIO_INHERIT : PTHREAD_PRIO_NONE);
            pthread_mutex_init(&own, &attributes);
            struct timespec time = soon(CLOCK_REALTIME);
            printf("kind %d %d:", protocol, i);
            printf(" %d", pthread_mutex_lock(&own));
            printf(" %d", pthread_mutex_trylock(&own));
            if (!protocol || i) printf(" %d", pthread_mutex_timedlock(&own, &time));
            printf(" %d", pthread_mutex_unlock(&own));
            if (i) printf(" %d", pthread_mutex_unlock(&own));
            puts("");
        }
    }
}

static void *try_for(void *mutex) {
    struct timespec time = soon(CLOCK_REALTIME), monotonic = soon(CLOCK_MONOTONIC);
    int result = pthread_mutex_timedlock(mutex, &time);
    return (void *)(long)(result * 1000 + pthread_mutex_clocklock(mutex, CLOCK_MONOTONIC, &monotonic));
}

static void timeouts(void) {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
    pthread_mutex_t inheriting;
    pthread_mutex_init(&inheriting, &attributes);
    pthread_mutex_t *both[] = {&mutex, &inheriting};
    for (int i = 0; i < 2; i++) {
        pthread_t thread;
        void *result;
        pthread_mutex_lock(both[i]);
        pthread_create(&thread, 0, try_for, both[i]);
        pthread_join(thread, &result);
        pthread_mutex_unlock(both[i]);
        printf("timed lock %ld\n", (long)result);
    }
    struct timespec time = soon(CLOCK_REALTIME);
    pthread_mutex_lock(&mutex);
    printf("timed condition %d\n", pthread_cond_timedwait(&condition, &mutex, &time));
    pthread_mutex_unlock(&mutex);
    time = soon(CLOCK_REALTIME);
    int result = sem_timedwait(&semaphore, &time);
    printf("timed semaphore %d %d\n", result, errno);
}

static mtx_t c11_mutex;
static cnd_t c11_condition;
static thread_local int own = 5;

static int c11(void *argument) {
    mtx_lock(&c11_mutex);
    own += *(int *)argument;
    *(int *)argument = own;
    cnd_broadcast(&c11_condition);
    mtx_unlock(&c11_mutex);
    thrd_exit(7);
}

int main(void) {
    pthread_t threads[4];
    int serials = 0;
    pthread_barrier_init(&barrier, 0, 4);
    pthread_key_create(&key, destroy);
    sem_init(&semaphore, 0, 0);
    timeouts();
    for (int i = 0; i < 4; i++) pthread_create(&threads[i], 0, member, 0);
    for (int i = 0; i < 4; i++) sem_post(&semaphore);
    usleep(50000);
    pthread_mutex_lock(&mutex);
    ready = 1;
    pthread_cond_broadcast(&condition);
    pthread_mutex_unlock(&mutex);
    for (int i = 0; i < 4; i++) {
        void *serial;
        pthread_join(threads[i], &serial);
        serials += (long)serial;
    }
    printf("%d %d %d %d\n", serials, ran_once, destroyed, value);
    kinds();

    thrd_t thread;
    int argument = 1, result;
    mtx_init(&c11_mutex, mtx_timed);
    cnd_init(&c11_condition);
    mtx_lock(&c11_mutex);
    thrd_create(&thread, c11, &argument);
    while (argument == 1) cnd_wait(&c11_condition, &c11_mutex);
    mtx_unlock(&c11_mutex);
    thrd_join(thread, &result);
    printf("%d %d %d\n", argument, own, result);
    return 0;
}
