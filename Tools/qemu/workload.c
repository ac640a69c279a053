/* Makes page tables and frees them, in every way a kernel has. Needs no C library, so that the
 * clang of any toolchain can build it for the guest:
 *
 *   clang --target=riscv64-linux-gnu -O2 -nostdlib -static -fuse-ld=lld workload.c -o workload
 *
 * (or x86_64-linux-gnu, aarch64-linux-gnu)
 *
 * Usage: workload SEED MODE:WORKERS:ROUNDS...
 *
 *   munmap    threads of one mm map 1 to 8 PTE tables and unmap them (tlb_remove_table)
 *   fork      processes fork, touch memory, exit or exec (exit_mmap: all levels)
 *   gup       one half remaps what the other half walks with fast and slow GUP
 *   pmd       one page in every other GiB: PTE, PMD and sometimes PUD tables
 *   dontneed  MADV_DONTNEED of whole tables (PT_RECLAIM frees them since v6.14)
 *   collapse  MADV_COLLAPSE (tlb_remove_table_sync_one, pte_free_defer)
 */
typedef unsigned long word;
typedef unsigned char byte;

#include "machine.h"

#define CALL(number, ...) CALL_(number, __VA_ARGS__, 0, 0, 0, 0, 0, 0)
#define CALL_(number, a, b, c, d, e, f, ...) \
  call6(number, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

enum { SHARED = 1, PRIVATE = 2, FIXED = 0x10, ANONYMOUS = 0x20, NORESERVE = 0x4000 };
enum { DONTNEED = 4, HUGEPAGE = 14, NOHUGEPAGE = 15, COLLAPSE = 25 };
#define MIB2 (2ul << 20)
#define GIB (1ul << 30)
#define FAILED(p) ((word)(p) > -4096ul)

static word seed;
static volatile int stop;
static byte *arena;
enum { ARENA = 16, STACK = 65536, MOST_WORKERS = 64 };
static byte stacks[MOST_WORKERS][STACK] __attribute__((aligned(16)));

static word next(word *state) {
  word x = *state;
  x ^= x << 13;
  x ^= x >> 7;
  x ^= x << 17;
  return *state = x;
}

static void say(const char *text) {
  word length = 0;
  while (text[length]) length++;
  CALL(WRITE, 1, text, length);
}

static void leave(int code) {
  for (;;) CALL(EXIT, code);
}

/* CPUs 0 and 1 in turn; on a machine with one CPU this fails and changes nothing. */
static void pin(long worker) {
  word mask = 1ul << (worker & 1);
  CALL(AFFINITY, 0, sizeof mask, &mask);
}

static byte *map(byte *at, word length, int flags) {
  return (byte *)CALL(MMAP, at, length, 3, ANONYMOUS | flags, -1, 0);
}

/* Maps `tables` times what one PTE table spans, so aligned, and touches one page of each. */
static byte *map_tables(int tables, int flags) {
  word length = tables * MIB2;
  byte *whole = map(0, length + MIB2, flags | NORESERVE);
  if (FAILED(whole)) return 0;
  byte *start = (byte *)(((word)whole + MIB2 - 1) & ~(MIB2 - 1));
  if (start > whole) CALL(MUNMAP, whole, start - whole);
  word rest = whole + length + MIB2 - (start + length);
  if (rest) CALL(MUNMAP, start + length, rest);
  CALL(MADVISE, start, length, NOHUGEPAGE);
  for (int table = 0; table < tables; table++) start[table * MIB2 + 64] = 1;
  return start;
}

static void do_munmap(long worker, int rounds, int workers) {
  word state = seed * 977 + worker + 1;
  for (int round = 0; round < rounds; round++) {
    int tables = 1 + next(&state) % 8;
    byte *start = map_tables(tables, PRIVATE);
    if (!start) continue;
    word what = next(&state) % 6;
    if (what == 0) CALL(MADVISE, start, tables * MIB2, DONTNEED);
    if (what == 1) { /* moves whole tables with mremap */
      byte *to = map_tables(tables, PRIVATE);
      if (to && !FAILED(CALL(MREMAP, start, tables * MIB2, tables * MIB2, 3, to))) start = to;
    }
    CALL(MUNMAP, start, tables * MIB2);
  }
}

static void do_fork(long worker, int rounds, int workers) {
  word state = seed * 31 + worker + 1;
  static const char *const arguments[] = {"busybox", "true", 0};
  static const char *const environment[] = {0};
  for (int round = 0; round < rounds; round++) {
    word random = next(&state);
    long child = CALL(CLONE, 17 /* SIGCHLD */, 0);
    if (child == 0) {
      map_tables(1 + random % 4, PRIVATE);
      if (round % 4 == 3) CALL(EXECVE, "/bin/busybox", arguments, environment);
      leave(0);
    }
    if (child > 0) CALL(WAIT4, child, 0, 0, 0);
  }
}

static void do_gup(long worker, int rounds, int workers) {
  word state = seed * 7919 + worker + 1;
  int half = workers / 2 ? workers / 2 : 1;
  if (worker < half) { /* unmaps and maps anew one region at a time, its own ones */
    for (int round = 0; round < rounds; round++) {
      byte *at = arena + (next(&state) % (ARENA / half) * half + worker) * MIB2;
      CALL(MUNMAP, at, MIB2);
      if (FAILED(map(at, MIB2, SHARED | FIXED))) continue;
      CALL(MADVISE, at, MIB2, NOHUGEPAGE);
      at[0] = 1;
    }
    __atomic_fetch_add(&stop, 1, __ATOMIC_SEQ_CST);
    return;
  }
  int ends[2];
  if (CALL(PIPE2, ends, 2048 /* O_NONBLOCK */)) return;
  byte *sink = map(0, 65536, PRIVATE);
  struct { void *base; word length; } here = {sink, 64}, there = {0, 64}, page = {0, 4096};
  while (stop < half) {
    there.base = page.base = arena + next(&state) % ARENA * MIB2;
    switch (next(&state) % 4) {
    case 0:
    case 1: CALL(FUTEX, there.base, 1 /* WAKE, by a shared key: fast GUP */, 1, 0, 0, 0); break;
    case 2: CALL(READV_OF, CALL(GETPID, 0), &here, 1, &there, 1, 0); break;
    case 3:
      if (CALL(VMSPLICE, ends[1], &page, 1, 2) > 0) CALL(READ, ends[0], sink, 65536);
      break;
    }
  }
  CALL(CLOSE, ends[0]);
  CALL(CLOSE, ends[1]);
  CALL(MUNMAP, sink, 65536);
}

static void do_pmd(long worker, int rounds, int workers) {
  word state = seed * 13 + worker + 1;
  for (int round = 0; round < rounds; round++) {
    byte *pages[4];
    int count = 1 + next(&state) % 4;
    for (int page = 0; page < count; page++) {
      word at = 0x1000000000ul + worker * 64 * GIB + page * 2 * GIB;
      if ((next(&state) & 7) == 0) at += (1ul << 39) * (1 + next(&state) % 8);
      pages[page] = map((byte *)at, MIB2, PRIVATE | NORESERVE);
      if (FAILED(pages[page])) continue;
      CALL(MADVISE, pages[page], MIB2, NOHUGEPAGE);
      pages[page][0] = 1;
    }
    for (int page = 0; page < count; page++)
      if (!FAILED(pages[page])) CALL(MUNMAP, pages[page], MIB2);
  }
}

static void do_dontneed(long worker, int rounds, int workers) {
  word state = seed * 17 + worker + 1;
  byte *start = map_tables(8, PRIVATE);
  if (!start) return;
  for (int round = 0; round < rounds; round++) {
    start[next(&state) % 8 * MIB2 + next(&state) % 512 * 4096] = 3;
    if (round % 4 == 3) CALL(MADVISE, start + next(&state) % 8 * MIB2, MIB2, DONTNEED);
  }
  CALL(MUNMAP, start, 8 * MIB2);
}

static void do_collapse(long worker, int rounds, int workers) {
  word state = seed * 19 + worker + 1;
  for (int round = 0; round < rounds; round++) {
    byte *first = map_tables(1, PRIVATE);
    if (!first) continue;
    if (next(&state) & 1) { /* of a file, seen through a second mapping */
      byte *second = map_tables(1, PRIVATE);
      long file = CALL(MEMFD, "pt", 0);
      CALL(FTRUNCATE, file, MIB2);
      CALL(MMAP, first, MIB2, 3, SHARED | FIXED, file, 0);
      if (second) CALL(MMAP, second, MIB2, 3, SHARED | FIXED, file, 0);
      for (int page = 0; page < 16; page++) first[page * 4096] = 1;
      if (second) second[0] = 1;
      CALL(MADVISE, first, MIB2, COLLAPSE);
      if (second) CALL(MUNMAP, second, MIB2);
      CALL(CLOSE, file);
    } else {
      CALL(MADVISE, first, MIB2, HUGEPAGE);
      for (int page = 0; page < 16; page++) first[page * 4096] = 1;
      CALL(MADVISE, first, MIB2, COLLAPSE);
    }
    CALL(MUNMAP, first, MIB2);
  }
}

static const struct mode {
  const char *name;
  void (*body)(long worker, int rounds, int workers);
} modes[] = {{"munmap", do_munmap}, {"fork", do_fork},         {"gup", do_gup},
             {"pmd", do_pmd},       {"dontneed", do_dontneed}, {"collapse", do_collapse}};

/* Starts a worker in the same mm, on a stack of its own; it ends with exit(). */
struct job { const struct mode *mode; long worker; int rounds, workers; };
static struct job jobs[MOST_WORKERS];

__attribute__((used)) static void work(struct job *job) {
  pin(job->worker);
  job->mode->body(job->worker, job->rounds, job->workers);
  leave(0);
}

static long spawn(struct job *job, byte *stack) {
  return clone_into_work(0x100 | 17 /* CLONE_VM, SIGCHLD */, stack, job);
}

/* Reads digits up to `end`; 0 if there are none. */
static word number(const char **text) {
  word value = 0;
  while (**text >= '0' && **text <= '9') value = value * 10 + (*(*text)++ - '0');
  return value;
}

static int run(const char *text) {
  for (word index = 0; index < sizeof modes / sizeof *modes; index++) {
    const char *at = text, *name = modes[index].name;
    while (*name && *at == *name) at++, name++;
    if (*name || *at++ != ':') continue;
    int workers = number(&at);
    if (*at++ != ':') return 2;
    int rounds = number(&at);
    if (*at || workers < 1 || workers > MOST_WORKERS) return 2;
    stop = 0;
    arena = map_tables(ARENA, SHARED);
    for (long worker = 0; worker < workers; worker++) {
      jobs[worker] = (struct job){&modes[index], worker, rounds, workers};
      if (spawn(&jobs[worker], stacks[worker] + STACK) < 0) return 1;
    }
    while (CALL(WAIT4, -1, 0, 0, 0) > 0) continue;
    CALL(MUNMAP, arena, ARENA * MIB2);
    say("workload: done ");
    say(text);
    say("\n");
    return 0;
  }
  return 2;
}

__attribute__((used)) static void begin(word *stack) {
  word count = stack[0];
  const char **arguments = (const char **)(stack + 1);
  if (count < 3) {
    say("usage: workload SEED MODE:WORKERS:ROUNDS...\n");
    leave(2);
  }
  seed = number(&arguments[1]);
  for (word index = 2; index < count; index++) {
    int code = run(arguments[index]);
    if (code) {
      say("workload: cannot run ");
      say(arguments[index]);
      say("\n");
      leave(code);
    }
  }
  leave(0);
}
