// Two threads take two locks in opposite order; no call between the two could ever switch them.
#include <pthread.h>
#include <stdio.h>

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;

static void *transfer(void *back) {
    for (int i = 0; i < 3; i++) {
        pthread_mutex_t *first = back ? &b : &a, *second = back ? &a : &b;
        pthread_mutex_lock(first);
        pthread_mutex_lock(second);
        pthread_mutex_unlock(second);
        pthread_mutex_unlock(first);
    }
    return 0;
}

int main(void) {
    pthread_t one, two;
    pthread_create(&one, 0, transfer, 0);
    pthread_create(&two, 0, transfer, (void *)1);
    pthread_join(one, 0);
    pthread_join(two, 0);
    puts("done");
    return 0;
}
