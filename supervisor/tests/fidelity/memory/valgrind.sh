# valgrind: a program that it translates, on a heap of its own, with every error found.
cat >wrong.c <<'C'
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
static void *thread(void *of) {
    char *lost = malloc(10);
    lost[10] = *(char *)of;
    return 0;
}
int main(void) {
    pthread_t id;
    char byte = 1;
    pthread_create(&id, 0, thread, &byte);
    pthread_join(id, 0);
    puts("done");
    return 0;
}
C
gcc -g -pthread -o wrong wrong.c
valgrind --leak-check=full --error-exitcode=9 --log-file=log ./wrong
echo "status $?"
sed 's/^==[0-9]*== //' log | grep -E 'Invalid write|definitely lost:|ERROR SUMMARY'
valgrind --tool=helgrind --log-file=log ./wrong
sed 's/^==[0-9]*== //' log | grep 'ERROR SUMMARY'
