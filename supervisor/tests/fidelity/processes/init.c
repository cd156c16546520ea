// The machine's own process, number 1: it can be seen and asked about, and takes no harm.
#include <dirent.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../descriptors/show.h"

int main(void) {
    errno = 0;
    printf("there %d\n", kill(1, 0) == 0 || errno == EPERM);
    SHOW("scheduler", sched_getscheduler(1) & ~SCHED_RESET_ON_FORK);
    SHOW("priority", getpriority(PRIO_PROCESS, 1) >= 0 || errno == 0);
    SHOW("group", getpgid(1) >= 0);
    char line[400], parent[20] = "", number[20] = "";
    FILE *f = fopen("/proc/1/status", "r");
    while (f && fgets(line, sizeof line, f)) {
        sscanf(line, "PPid: %19s", parent);
        sscanf(line, "Pid: %19s", number);
    }
    printf("number %s, parent %s\n", number, parent);
    int listed = 0;
    DIR *d = opendir("/proc");
    for (struct dirent *e; (e = readdir(d));) listed += !strcmp(e->d_name, "1");
    printf("listed %d\n", listed);
    SHOW("not my child", waitpid(1, 0, WNOHANG));
    return 0;
}
