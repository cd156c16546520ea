# AddressSanitizer and its search for leaks at the end, which stops all threads to look at their registers and stacks.
cat >leaks.c <<'C'
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
static pthread_barrier_t ready;
static void *thread(void *nothing) {
    // It is found on this stack, and so is no leak.
    void *volatile held = malloc(77);
    pthread_barrier_wait(&ready);
    sleep(1000);
    return held ? nothing : 0;
}
int main(int count, char **arguments) {
    pthread_t id;
    pthread_barrier_init(&ready, 0, 4);
    for (int i = 0; i < 3; i++) pthread_create(&id, 0, thread, 0);
    pthread_barrier_wait(&ready);
    if (count > 1) {
        void *volatile lost = malloc(10);
        lost = 0;
    }
    printf("%s done\n", arguments[0]);
    return 0;
}
C
for check in address leak; do
    gcc -g -fsanitize=$check -pthread -o $check leaks.c
    ./$check; echo "status $?"
    ./$check leaks 2>said; echo "status $?"
    grep -oE 'detected memory leaks|[0-9]+ byte\(s\) leaked in [0-9]+ allocation' said
done
