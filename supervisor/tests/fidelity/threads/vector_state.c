// Vector registers survive system calls and switches between threads, however a call comes in.
#include <immintrin.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ROUNDS 400

static int wide;

__attribute__((target("avx512f"))) static int check_wide(long id) {
    for (int i = 0; i < ROUNDS; i++) {
        __m512i value = _mm512_set1_epi64(id * 1000003 + i);
        long pid;
        unsigned char after[64], high[64];
        __asm__ volatile("vmovdqa64 %[v], %%zmm3\n vmovdqa64 %[v], %%zmm19\n mov $0x1234, %%eax\n kmovw %%eax, %%k2" ::[v] "v"(value) : "eax");
        pid = getppid();
        usleep(id);
        unsigned mask;
        __asm__ volatile("vmovdqu64 %%zmm3, %0\n vmovdqu64 %%zmm19, %1\n kmovw %%k2, %2" : "=m"(after), "=m"(high), "=r"(mask));
        if (memcmp(high, &value, 64) || mask != 0x1234 || pid <= 0) return 1;
        (void)after;
    }
    return 0;
}

static int check_narrow(long id) {
    for (int i = 0; i < ROUNDS; i++) {
        long before = id * 7919 + i, after, kept;
        __asm__ volatile("movq %[v], %%xmm14\n mov $110, %%eax\n syscall\n movq %%xmm14, %[a]\n mov %%r15, %[k]"
                         : [a] "=r"(after), [k] "=r"(kept)
                         : [v] "r"(before)
                         : "rax", "rcx", "r11", "xmm14", "memory");
        if (after != before) return 1;
    }
    return 0;
}

static void *work(void *argument) {
    long id = (long)argument;
    long failed = check_narrow(id);
    if (wide) failed |= check_wide(id);
    return (void *)failed;
}

int main(void) {
    wide = __builtin_cpu_supports("avx512f");
    pthread_t threads[4];
    for (long i = 0; i < 4; i++) pthread_create(&threads[i], 0, work, (void *)(i + 1));
    for (int i = 0; i < 4; i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        printf("thread %d: %s\n", i, failed ? "lost its registers" : "ok");
    }
    return 0;
}
