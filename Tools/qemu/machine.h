/* What a program without a C library has to know of its machine: system calls, their numbers, how a
 * thread and the program itself begin. */
#if defined(__x86_64__)

enum {
  READ = 0, WRITE = 1, CLOSE = 3, MMAP = 9, MUNMAP = 11, MREMAP = 25, MADVISE = 28, GETPID = 39,
  CLONE = 56, EXECVE = 59, EXIT = 60, WAIT4 = 61, FTRUNCATE = 77, FUTEX = 202, AFFINITY = 203,
  VMSPLICE = 278, PIPE2 = 293, READV_OF = 310, MEMFD = 319
};

static long call6(long number, long a, long b, long c, long d, long e, long f) {
  register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "+a"(number)
                   : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "memory", "rcx", "r11");
  return number;
}

/* clone(flags, stack); the child calls work(job) and never returns. */
static long clone_into_work(long flags, void *stack, void *job) {
  register long r10 __asm__("r10") = 0, r8 __asm__("r8") = 0;
  long result = CLONE;
  __asm__ volatile(
      "syscall\n"
      "test %%rax, %%rax\n"
      "jnz 1f\n"
      "mov %%rbx, %%rdi\n"
      "call work\n"
      "1:"
      : "+a"(result)
      : "D"(flags), "S"(stack), "d"(0L), "r"(r10), "r"(r8), "b"(job)
      : "memory", "rcx", "r11");
  return result;
}

__asm__(
    ".globl _start\n"
    "_start:\n"
    "mov %rsp, %rdi\n"
    "and $-16, %rsp\n"
    "call begin\n");

#else

enum { /* the generic table */
  FTRUNCATE = 46, CLOSE = 57, PIPE2 = 59, READ = 63, WRITE = 64, VMSPLICE = 75, EXIT = 93,
  FUTEX = 98, AFFINITY = 122, GETPID = 172, MUNMAP = 215, MREMAP = 216, CLONE = 220, EXECVE = 221,
  MMAP = 222, MADVISE = 233, WAIT4 = 260, READV_OF = 270, MEMFD = 279
};

#if defined(__riscv)
#define REGISTER(n) "a" #n
#define NUMBER "a7"
#define KEPT "s1"
#define TRAP "ecall"
#define CHILD "bnez a0, 1f\nmv a0, s1\ncall work\n1:"
#define LINK "ra"
#elif defined(__aarch64__)
#define REGISTER(n) "x" #n
#define NUMBER "x8"
#define KEPT "x20"
#define TRAP "svc #0"
#define CHILD "cbnz x0, 1f\nmov x0, x20\nbl work\n1:"
#define LINK "x30"
#else
#error "system calls are written down for riscv64, arm64 and x86_64"
#endif

static long call6(long number, long a, long b, long c, long d, long e, long f) {
  register long a0 __asm__(REGISTER(0)) = a, a1 __asm__(REGISTER(1)) = b;
  register long a2 __asm__(REGISTER(2)) = c, a3 __asm__(REGISTER(3)) = d;
  register long a4 __asm__(REGISTER(4)) = e, a5 __asm__(REGISTER(5)) = f;
  register long which __asm__(NUMBER) = number;
  __asm__ volatile(TRAP
                   : "+r"(a0)
                   : "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a5), "r"(which)
                   : "memory");
  return a0;
}

/* clone(flags, stack); the child calls work(job) and never returns. */
static long clone_into_work(long flags, void *stack, void *job) {
  register long a0 __asm__(REGISTER(0)) = flags, a1 __asm__(REGISTER(1)) = (long)stack;
  register long a2 __asm__(REGISTER(2)) = 0, a3 __asm__(REGISTER(3)) = 0;
  register long a4 __asm__(REGISTER(4)) = 0, which __asm__(NUMBER) = CLONE;
  register void *kept __asm__(KEPT) = job;
  __asm__ volatile(TRAP "\n" CHILD
                   : "+r"(a0)
                   : "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(which), "r"(kept)
                   : "memory", LINK);
  return a0;
}

#if defined(__riscv)
__asm__(
    ".globl _start\n"
    "_start:\n"
    ".option push\n"
    ".option norelax\n"
    "la gp, __global_pointer$\n"
    ".option pop\n"
    "mv a0, sp\n"
    "andi sp, sp, -16\n"
    "call begin\n");
#else
__asm__(
    ".globl _start\n"
    "_start:\n"
    "mov x0, sp\n"
    "bl begin\n");
#endif

#endif
