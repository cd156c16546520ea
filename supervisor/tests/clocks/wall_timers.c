// Timers for a hundred seconds from now: by the wall clock, by it unless it is set, and by what has passed.
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static long now(int clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return time.tv_sec;
}

int main(void) {
    long begun = now(CLOCK_MONOTONIC), wall = now(CLOCK_REALTIME);
    static const int flags[] = {TFD_TIMER_ABSTIME, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, 0};
    struct pollfd fds[3];
    for (int i = 0; i < 3; i++) {
        struct itimerspec at = {.it_value.tv_sec = flags[i] ? wall + 100 : 100};
        fds[i] = (struct pollfd){timerfd_create(CLOCK_REALTIME, 0), POLLIN, 0};
        timerfd_settime(fds[i].fd, flags[i], &at, NULL);
    }
    for (int left = 3; left;) {
        poll(fds, 3, -1);
        for (int i = 0; i < 3; i++) {
            if (!fds[i].revents) continue;
            unsigned long ticks;
            int went_off = read(fds[i].fd, &ticks, 8) == 8;
            printf("%d after %ld: %s\n", i, now(CLOCK_MONOTONIC) - begun, went_off ? "went off" : strerrorname_np(errno));
            if (!went_off) continue;
            fds[i].fd = -1;
            left--;
        }
    }
    return 0;
}
