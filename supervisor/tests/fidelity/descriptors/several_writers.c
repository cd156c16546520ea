// Writes of up to PIPE_BUF bytes by several threads and processes never mix.
#include "show.h"
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static int p[2];
static void *write_many(void *arg) {
    unsigned char record[PIPE_BUF];
    long id = (long)arg;
    for (int i = 0; i < 60; i++) {
        // Length in the first two bytes, then nothing but the writer's letter.
        size_t len = 3 + (id * 997 + i * 613) % (PIPE_BUF - 3);
        memset(record, 'a' + id, len);
        record[0] = len & 255;
        record[1] = len >> 8;
        if (write(p[1], record, len) != (ssize_t)len) abort();
    }
    return NULL;
}

static void fill(unsigned char *to, size_t len) {
    while (len > 0) {
        ssize_t n = read(p[0], to, len);
        if (n <= 0) abort();
        to += n;
        len -= n;
    }
}

int main(void) {
    pipe(p);
    pthread_t threads[3];
    for (long i = 0; i < 3; i++)
        if (fork() == 0) {
            write_many((void *)i);
            _exit(0);
        }
    for (long i = 0; i < 3; i++) pthread_create(&threads[i], NULL, write_many, (void *)(i + 3));
    int counts[6] = {0}, mixed = 0;
    unsigned char record[PIPE_BUF];
    for (int i = 0; i < 6 * 60; i++) {
        fill(record, 3);
        size_t len = record[0] | record[1] << 8;
        unsigned char letter = record[2];
        fill(record, len - 3);
        for (size_t j = 0; j < len - 3; j++) mixed += record[j] != letter;
        counts[letter - 'a']++;
    }
    for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
    for (int i = 0; i < 3; i++) wait(NULL);
    printf("mixed %d; %d %d %d %d %d %d\n", mixed, counts[0], counts[1], counts[2], counts[3], counts[4], counts[5]);
    return 0;
}
