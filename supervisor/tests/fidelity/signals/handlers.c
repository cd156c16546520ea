// Handlers: masks, flags, order, registers and vector state, the alternate stack, faults.
#include <errno.h>
#include <immintrin.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

static volatile int depth, count, order[32], values[32];

static void note(int signal, siginfo_t *info, void *context) {
    order[count] = signal;
    values[count++] = info->si_value.sival_int;
}

static void report(const char *what) {
    printf("%s:", what);
    for (int i = 0; i < count; i++) printf(" %d/%d", order[i] - (order[i] >= SIGRTMIN ? SIGRTMIN - 100 : 0), values[i]);
    printf("\n");
    count = 0;
}

static void on(int signal, void (*handler)(int, siginfo_t *, void *), int flags) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};
    sigaction(signal, &action, 0);
}

static void queues(void) {
    sigset_t all, old, pending;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &old);
    int signals[] = {SIGRTMIN + 1, SIGUSR2, SIGRTMIN, SIGUSR1, SIGUSR1, SIGRTMIN + 1, SIGRTMIN, SIGUSR2};
    for (int i = 0; i < 8; i++) {
        on(signals[i], note, 0);
        union sigval value = {.sival_int = i};
        sigqueue(getpid(), signals[i], value);
    }
    sigpending(&pending);
    printf("pending %d %d %d\n", sigismember(&pending, SIGUSR1), sigismember(&pending, SIGRTMIN), sigismember(&pending, SIGHUP));
    sigset_t two;
    sigemptyset(&two);
    sigaddset(&two, SIGRTMIN);
    siginfo_t info;
    struct timespec none = {0, 0};
    int got = sigtimedwait(&two, &info, &none);
    printf("waited %d value %d code %d pid %d\n", got == SIGRTMIN, info.si_value.sival_int, info.si_code, info.si_pid == getpid());
    sigprocmask(SIG_SETMASK, &old, 0);
    report("order");
    got = sigtimedwait(&two, &info, &none);
    printf("none left %d %s\n", got, strerror(errno));
}

static void nested(int signal, siginfo_t *info, void *context) {
    sigset_t now;
    sigprocmask(SIG_SETMASK, 0, &now);
    int d = ++depth;
    printf("depth %d self blocked %d usr2 blocked %d\n", d, sigismember(&now, signal), sigismember(&now, SIGUSR2));
    if (d < 3) raise(signal);
    printf("leaving %d\n", d);
    depth--;
}

static void masks(void) {
    struct sigaction action = {.sa_sigaction = nested, .sa_flags = SA_SIGINFO | SA_NODEFER}, old;
    sigaddset(&action.sa_mask, SIGUSR2);
    sigaddset(&action.sa_mask, SIGKILL);
    sigaction(SIGUSR1, &action, 0);
    raise(SIGUSR1);
    sigaction(SIGUSR1, 0, &old);
    printf("kept %d nodefer %d kill masked %d\n", old.sa_sigaction == nested, !!(old.sa_flags & SA_NODEFER), sigismember(&old.sa_mask, SIGKILL));
    on(SIGUSR1, note, SA_RESETHAND);
    raise(SIGUSR1);
    sigaction(SIGUSR1, 0, &old);
    printf("reset %d\n", old.sa_handler == SIG_DFL);
    report("once");
    int result = sigaction(SIGKILL, &action, 0);
    printf("kill: %d %s\n", result, strerror(errno));
}

static sigjmp_buf back;
static char alternate[65536];

static void segv(int signal, siginfo_t *info, void *context) {
    char here;
    ucontext_t *uc = context;
    stack_t stack;
    sigaltstack(0, &stack);
    int on_stack = &here >= alternate && &here < alternate + sizeof alternate;
    printf("segv code %d on stack %d flags %d trap %lld\n", info->si_code, on_stack, stack.ss_flags, uc->uc_mcontext.gregs[REG_TRAPNO]);
    siglongjmp(back, 1);
}

static __attribute__((noinline)) int recurse(int n) {
    volatile char block[4096];
    block[0] = n;
    return recurse(n + 1) + block[0];
}

static void *page;
static void mend(int signal, siginfo_t *info, void *context) {
    ucontext_t *uc = context;
    printf("fault at page %d cr2 %d\n", (int)((char *)info->si_addr - (char *)page), (int)(uc->uc_mcontext.gregs[REG_CR2] - (long)page));
    mprotect(page, 4096, PROT_READ | PROT_WRITE);
}

static void skip(int signal, siginfo_t *info, void *context) {
    ucontext_t *uc = context;
    printf("signal %d code %d at rip %d\n", signal, info->si_code, info->si_addr == (void *)uc->uc_mcontext.gregs[REG_RIP]);
    uc->uc_mcontext.gregs[REG_RIP] += 2;
    uc->uc_mcontext.gregs[REG_RAX] = 77;
}

static void faults(void) {
    stack_t stack = {.ss_sp = alternate, .ss_size = sizeof alternate};
    sigaltstack(&stack, 0);
    on(SIGSEGV, segv, SA_ONSTACK);
    if (!sigsetjmp(back, 1)) *(volatile int *)8 = 1;
    if (!sigsetjmp(back, 1)) recurse(0);
    page = mmap(0, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    on(SIGSEGV, mend, 0);
    ((volatile char *)page)[123] = 7;
    printf("mended %d\n", ((volatile char *)page)[123]);
    on(SIGILL, skip, 0);
    long rax = 1;
    __asm__ volatile("ud2" : "+a"(rax));
    printf("rax %ld\n", rax);
    on(SIGFPE, skip, 0);
    rax = 1;
    __asm__ volatile("xor %%edx, %%edx\n xor %%ecx, %%ecx\n div %%ecx" : "+a"(rax)::"rcx", "rdx");
    printf("rax %ld\n", rax);
}

static void clobber(int signal, siginfo_t *info, void *context) {
    ucontext_t *uc = context;
    __asm__ volatile("pxor %%xmm3, %%xmm3\n pxor %%xmm15, %%xmm15\n fninit" ::: "xmm3", "xmm15");
    uint32_t mxcsr = _mm_getcsr();
    printf("fresh mxcsr %x, saved %x, xmm3 saved %x aligned %d\n", mxcsr, uc->uc_mcontext.fpregs->mxcsr,
           uc->uc_mcontext.fpregs->_xmm[3].element[0], (int)((uintptr_t)uc->uc_mcontext.fpregs % 64));
    uc->uc_mcontext.gregs[REG_R12] ^= 0xff;
}

static void state(void) {
    on(SIGUSR1, clobber, 0);
    unsigned char low[16], high[16];
    unsigned long r12;
    _mm_setcsr(0x3f80);
    __asm__ volatile("pcmpeqd %%xmm3, %%xmm3\n pcmpeqd %%xmm15, %%xmm15\n mov $0x1200, %%r12\n"
                     "mov $200, %%eax\n mov %3, %%edi\n mov $10, %%esi\n syscall\n"
                     "movdqu %%xmm3, %0\n movdqu %%xmm15, %1\n mov %%r12, %2\n"
                     : "=m"(low), "=m"(high), "=m"(r12)
                     : "r"((int)syscall(SYS_gettid))
                     : "rax", "rcx", "r11", "r12", "rdi", "rsi", "xmm3", "xmm15", "memory");
    int kept = 1;
    for (int i = 0; i < 16; i++) kept &= low[i] == 255 && high[i] == 255;
    printf("kept %d r12 %lx mxcsr %x\n", kept, r12, _mm_getcsr());
    _mm_setcsr(0x1f80);
}

__attribute__((target("avx2"))) static void wide(void) {
    if (!__builtin_cpu_supports("avx2")) return;
    unsigned char bytes[32];
    on(SIGUSR1, note, 0);
    __asm__ volatile("vpcmpeqd %%ymm5, %%ymm5, %%ymm5\n mov $200, %%eax\n mov %1, %%edi\n mov $10, %%esi\n syscall\n"
                     "vmovdqu %%ymm5, %0\n"
                     : "=m"(bytes)
                     : "r"((int)syscall(SYS_gettid))
                     : "rax", "rcx", "r11", "rdi", "rsi", "xmm5", "memory");
    int kept = 1;
    for (int i = 0; i < 32; i++) kept &= bytes[i] == 255;
    if (!kept || count != 1) printf("ymm lost\n");
    count = 0;
}

int main(void) {
    queues();
    masks();
    faults();
    state();
    wide();
    return 0;
}
