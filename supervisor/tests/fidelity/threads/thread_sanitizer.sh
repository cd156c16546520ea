# ThreadSanitizer: its shadow of all memory, and the race that it finds.
cat >counts.c <<'C'
#include <pthread.h>
#include <stdio.h>
static long count;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static void *thread(void *locks) {
    for (int i = 0; i < 100; i++) {
        if (locks) pthread_mutex_lock(&lock);
        count++;
        if (locks) pthread_mutex_unlock(&lock);
    }
    return 0;
}
int main(int count_of_arguments, char **arguments) {
    pthread_t ids[2];
    for (int i = 0; i < 2; i++) pthread_create(&ids[i], 0, thread, count_of_arguments > 1 ? arguments : 0);
    for (int i = 0; i < 2; i++) pthread_join(ids[i], 0);
    puts("done");
    return 0;
}
C
gcc -g -fsanitize=thread -pthread -o counts counts.c
./counts locked; echo "status $?"
./counts 2>said; echo "status $?"
grep -q 'data race' said && echo race
