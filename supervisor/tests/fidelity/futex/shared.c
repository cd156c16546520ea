// Mutex, condition, semaphore and barrier between processes: in anonymous memory that fork shares, and in a file
// that both map at different addresses.
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

struct shared {
    pthread_mutex_t mutex;
    pthread_cond_t condition;
    pthread_barrier_t barrier;
    pthread_rwlock_t lock;
    sem_t semaphore;
    int turn, count;
};

static void set_up(struct shared *s) {
    pthread_mutexattr_t m;
    pthread_mutexattr_init(&m);
    pthread_mutexattr_setpshared(&m, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&s->mutex, &m);
    pthread_condattr_t c;
    pthread_condattr_init(&c);
    pthread_condattr_setpshared(&c, PTHREAD_PROCESS_SHARED);
    pthread_cond_init(&s->condition, &c);
    pthread_barrierattr_t b;
    pthread_barrierattr_init(&b);
    pthread_barrierattr_setpshared(&b, PTHREAD_PROCESS_SHARED);
    pthread_barrier_init(&s->barrier, &b, 2);
    pthread_rwlockattr_t l;
    pthread_rwlockattr_init(&l);
    pthread_rwlockattr_setpshared(&l, PTHREAD_PROCESS_SHARED);
    pthread_rwlock_init(&s->lock, &l);
    sem_init(&s->semaphore, 1, 0);
}

static void play(struct shared *s, int own) {
    pthread_barrier_wait(&s->barrier);
    for (int i = 0; i < 50; i++) {
        pthread_mutex_lock(&s->mutex);
        while (s->turn != own) pthread_cond_wait(&s->condition, &s->mutex);
        s->turn = !own;
        s->count++;
        pthread_cond_signal(&s->condition);
        pthread_mutex_unlock(&s->mutex);
    }
    // The count is under another lock from here on: no one may still hold the first.
    pthread_barrier_wait(&s->barrier);
    for (int i = 0; i < 200; i++) {
        pthread_rwlock_wrlock(&s->lock);
        s->count++;
        pthread_rwlock_unlock(&s->lock);
    }
    if (own) {
        for (int i = 0; i < 10; i++) sem_post(&s->semaphore);
    } else {
        for (int i = 0; i < 10; i++) sem_wait(&s->semaphore);
    }
}

int main(void) {
    struct shared *s = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    set_up(s);
    if (fork() == 0) {
        play(s, 1);
        _exit(0);
    }
    play(s, 0);
    wait(0);
    printf("anonymous %d\n", s->count);

    int fd = open("shared-memory", O_RDWR | O_CREAT | O_TRUNC, 0600);
    char zeros[8192] = {0};
    if (write(fd, zeros, sizeof zeros) != sizeof zeros) return 1;
    s = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 4096);
    set_up(s);
    if (fork() == 0) {
        munmap(s, 4096);
        if (mmap(s, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED) _exit(1);
        char *whole = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        play((struct shared *)(whole + 4096), 1);
        _exit(0);
    }
    play(s, 0);
    wait(0);
    printf("file %d\n", s->count);
    return 0;
}
