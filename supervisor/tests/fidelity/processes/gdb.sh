# gdb: stops, steps and looks around in a program with two threads.
cat >sums.c <<'C'
#include <pthread.h>
#include <stdio.h>
int sum(int a, int b) {
    int c = a + b;
    return c;
}
void *thread(void *nothing) {
    sum(5, 6);
    return nothing;
}
int main(void) {
    int x = sum(1, 2);
    pthread_t id;
    pthread_create(&id, 0, thread, 0);
    pthread_join(id, 0);
    printf("%d\n", x + sum(3, 4));
    return 0;
}
C
gcc -g -pthread -o sums sums.c
cat >commands <<'G'
set pagination off
break sum
run >said
backtrace
info args
next
set var c = 30
finish
continue
info threads
stepi
x/i $pc
finish
delete
print sum(20, 30)
continue
G
gdb -nx -batch -x commands ./sums >log 2>&1
cat said
grep -E '^(#|Breakpoint|Thread [0-9]|[a-c] =|Value|\$|.*exited normally)' log |
    sed -E 's/0x[0-9a-f]+/ADDRESS/g; s/process [0-9]+/process/'
