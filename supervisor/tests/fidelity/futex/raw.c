// futex(2) itself: operations, counts, flags and errors.
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long futex(void *address, int op, uint32_t value, void *timeout, void *address2, uint32_t value3) {
    return syscall(SYS_futex, address, op, value, timeout, address2, value3);
}

#define SHOW(call)                                                    \
    do {                                                              \
        errno = 0;                                                    \
        long result_ = (call);                                        \
        printf("%s: %ld %s\n", #call, result_, strerror(errno));      \
    } while (0)

static _Atomic uint32_t a, b, woken;

struct want {
    int op;
    uint32_t bits;
};

static void *waiter(void *argument) {
    struct want *want = argument;
    futex(&a, want->op, 0, 0, 0, want->bits);
    woken++;
    return 0;
}

static pthread_t threads[8];
static int started;

static void start(int count, int op, uint32_t bits) {
    static struct want want[8];
    for (int i = 0; i < count; i++) {
        want[started] = (struct want){op, bits};
        pthread_create(&threads[started], 0, waiter, &want[started]);
        started++;
    }
    usleep(20000);
}

static void finish(void) {
    usleep(20000);
    printf("woken %d\n", woken);
}

static void join(void) {
    while (started) pthread_join(threads[--started], 0);
    printf("all woken %d\n", woken);
    woken = 0;
}

int main(void) {
    setbuf(stdout, 0);
    struct timespec short_time = {0, 5000000}, past = {1, 0}, bad = {0, -1};
    SHOW(futex(&a, FUTEX_WAIT, 1, 0, 0, 0));
    SHOW(futex(&a, FUTEX_WAIT_PRIVATE, 0, &short_time, 0, 0));
    SHOW(futex(&a, FUTEX_WAIT, 0, &bad, 0, 0));
    SHOW(futex(&a, FUTEX_WAIT | FUTEX_CLOCK_REALTIME, 0, &past, 0, 0));
    SHOW(futex(&a, FUTEX_WAIT_BITSET, 0, &past, 0, -1));
    SHOW(futex(&a, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &past, 0, -1));
    SHOW(futex(&a, FUTEX_WAIT_BITSET, 0, &past, 0, 0));
    SHOW(futex(&a, FUTEX_WAKE_BITSET, 1, 0, 0, 0));
    SHOW(futex((char *)&a + 1, FUTEX_WAIT, 0, 0, 0, 0));
    SHOW(futex((char *)&a + 1, FUTEX_WAKE, 0, 0, 0, 0));
    SHOW(futex((void *)4096, FUTEX_WAIT, 0, 0, 0, 0));
    SHOW(futex((void *)4096, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0));
    SHOW(futex((void *)4096, FUTEX_WAKE, 1, 0, 0, 0));
    SHOW(futex(&a, 99, 1, 0, 0, 0));
    SHOW(futex(&a, FUTEX_WAKE, 1, 0, 0, 0));

    start(3, FUTEX_WAIT_BITSET_PRIVATE, 1);
    start(2, FUTEX_WAIT_BITSET_PRIVATE, 2);
    SHOW(futex(&a, FUTEX_WAKE, 9, 0, 0, 0));
    SHOW(futex(&a, FUTEX_WAKE_BITSET_PRIVATE, 9, 0, 0, 2));
    SHOW(futex(&a, FUTEX_WAKE_PRIVATE, 2, 0, 0, 0));
    finish();
    SHOW(futex(&a, FUTEX_WAKE_PRIVATE, 2, 0, 0, 0));
    join();

    start(5, FUTEX_WAIT_PRIVATE, 0);
    SHOW(futex(&a, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)2, &b, 7));
    SHOW(futex(&a, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)2, &b, 0));
    SHOW(futex(&b, FUTEX_WAKE_PRIVATE, 9, 0, 0, 0));
    SHOW(futex(&a, FUTEX_REQUEUE_PRIVATE, 0, (void *)9, &b, 0));
    SHOW(futex(&a, FUTEX_CMP_REQUEUE_PRIVATE, -1, (void *)2, &b, 0));
    SHOW(futex(&b, FUTEX_WAKE_PRIVATE, 9, 0, 0, 0));
    join();

    start(2, FUTEX_WAIT_PRIVATE, 0);
    b = 5;
    SHOW(futex(&b, FUTEX_WAKE_OP_PRIVATE, 1, (void *)1, &a, FUTEX_OP(FUTEX_OP_ADD, 3, FUTEX_OP_CMP_EQ, 0)));
    printf("a %d\n", a);
    SHOW(futex(&b, FUTEX_WAKE_OP_PRIVATE, 1, (void *)1, &a, FUTEX_OP(FUTEX_OP_SET, 0, FUTEX_OP_CMP_LT, 1)));
    SHOW(futex(&b, FUTEX_WAKE_OP_PRIVATE, 1, (void *)1, &a, FUTEX_OP(FUTEX_OP_SET, 0, FUTEX_OP_CMP_GE, 0)));
    join();

    uint32_t word = 0;
    SHOW(futex(&word, FUTEX_UNLOCK_PI, 0, 0, 0, 0));
    SHOW(futex(&word, FUTEX_LOCK_PI, 0, 0, 0, 0));
    printf("own %d\n", word == (uint32_t)gettid());
    SHOW(futex(&word, FUTEX_LOCK_PI, 0, 0, 0, 0));
    SHOW(futex(&word, FUTEX_TRYLOCK_PI, 0, 0, 0, 0));
    SHOW(futex(&word, FUTEX_UNLOCK_PI, 0, 0, 0, 0));
    printf("free %d\n", word);
    word = 77777777 & FUTEX_TID_MASK;
    SHOW(futex(&word, FUTEX_LOCK_PI, 0, 0, 0, 0));
    return 0;
}
