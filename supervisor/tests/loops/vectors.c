// Computes for seconds in vector registers alone, while another thread waits for its turn: that is no waiting.
#include <pthread.h>
#include <stdio.h>

static void *nothing(void *unused)
{
    return unused;
}

int main(void)
{
    pthread_t thread;
    pthread_create(&thread, 0, nothing, 0);
    double x = 1, factor = 1.0000000015;
    // mulsd and comisd change no general register.
    asm volatile("1: mulsd %1, %0\n comisd %2, %0\n jb 1b" : "+x"(x) : "x"(factor), "x"(2.0));
    pthread_join(thread, 0);
    printf("%.6f\n", x);
    return 0;
}
