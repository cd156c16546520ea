// Waits in a loop for a signal that a timer sends: one of real time, then one of processor time.
#include <signal.h>
#include <stdio.h>
#include <sys/time.h>
#include <unistd.h>

static volatile sig_atomic_t rang;

static void ring(int signal)
{
    rang = signal;
}

int main(void)
{
    signal(SIGALRM, ring);
    signal(SIGVTALRM, ring);
    alarm(100);
    while (!rang)
        ;
    puts("alarm");
    rang = 0;
    setitimer(ITIMER_VIRTUAL, &(struct itimerval){.it_value.tv_usec = 20000}, 0);
    while (!rang)
        ;
    puts("processor time");
    return 0;
}
