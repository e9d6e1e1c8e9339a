// An LD_PRELOAD library that makes chosen library calls of a program fail, or ends the program there.
//
// Calls are numbered from 1 in order, from the start of main; calls of the dynamic loader and of library
// constructors are not counted. There are three counts: calls on files ("c"), allocations ("a") and new
// threads ("t"). Environment variables:
//
//   FAULTS_PLAN    actions by call, such as `c12:errno=28;c14:kill`; `c12+write:errno=28` means call 12 and
//                  every later write, `c12+*` call 12 and every later call of any name
//   FAULTS_ROOT    the folder whose files are counted; relative paths are assumed to be in it
//   FAULTS_STDERR  if set, writes to standard error are counted too (those to standard output always are)
//   FAULTS_MINIMUM allocations of fewer bytes are neither counted nor refused
//   FAULTS_TRACE   a file that gets a line `c<TAB>number<TAB>name<TAB>path<TAB>bytes` for each call
//   FAULTS_HIT     a file that is created when an action of the plan is first carried out
//   FAULTS_CLOCK   if set, each reading of a clock is 0.1 ms after the last, so equal runs print equal times
//   FAULTS_STARTED a file that is created when main begins
//
// Actions: errno=N (the call fails), short (half of the bytes), zero (returns 0), kill (SIGKILL before
// the call), kill-after, torn (half of the bytes are written, then SIGKILL), signal=N (sent before the
// call), again=N (the same after 50 ms, for a second signal).

#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
// The next definition of a function, which is that of the C library.
#define REAL(name) ((__typeof__(&name))real(#name))

enum { DESCRIPTORS = 1024, FOLDERS = 16, PATH_SIZE = 160, ENTRIES = 8 };

typedef enum { PASS, FAIL, SHORT, ZERO, TORN, KILL_AFTER } Verdict;

typedef struct {
  char count;      // 'c', 'a' or 't'
  long number;
  char name[16];   // of the later calls that are included; empty: this call only
  char action[64];
  int argument;
} Entry;

static Entry plan[ENTRIES];
static int planned;
static char root[PATH_MAX];
static size_t root_length, minimum;
static int trace_file = -1;
static const char *hit_path;
static atomic_bool is_armed;
static int has_own_clock;
static atomic_long calls, allocations, threads;
// Paths of open files whose calls are counted, by descriptor; empty for others.
static char paths[DESCRIPTORS][PATH_SIZE];
static struct { DIR *folder; char path[PATH_SIZE]; } folders[FOLDERS];

static void *real(const char *name) { return dlsym(RTLD_NEXT, name); }

// MARK: The plan

static void read_plan(const char *text) {
  while (text && *text && planned < ENTRIES) {
    Entry *entry = &plan[planned];
    char place[64] = "", action[64] = "";
    int length = 0;
    if (sscanf(text, "%63[^:]:%63[^;]%n", place, action, &length) != 2) break;
    entry->count = place[0];
    char *rest;
    entry->number = strtol(place + 1, &rest, 10);
    if (*rest == '+') snprintf(entry->name, sizeof entry->name, "%s", rest + 1);
    char *value = strchr(action, '=');
    if (value) { *value = 0; entry->argument = atoi(value + 1); }
    snprintf(entry->action, sizeof entry->action, "%s", action);
    planned++;
    text += length;
    if (*text == ';') text++;
  }
}

// Creates an empty marker file.
static void leave(const char *path) {
  if (!path) return;
  int file = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT, 0644);
  if (file >= 0) syscall(SYS_close, file);
}

static void arm(void) {
  leave(getenv("FAULTS_STARTED"));
  const char *folder = getenv("FAULTS_ROOT");
  if (folder) snprintf(root, sizeof root, "%s", folder);
  root_length = strlen(root);
  read_plan(getenv("FAULTS_PLAN"));
  const char *size = getenv("FAULTS_MINIMUM");
  if (size) minimum = strtoul(size, NULL, 10);
  has_own_clock = getenv("FAULTS_CLOCK") != NULL;
  hit_path = getenv("FAULTS_HIT");
  const char *trace = getenv("FAULTS_TRACE");
  if (trace) trace_file = syscall(SYS_openat, AT_FDCWD, trace, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (trace_file >= 0 && trace_file < 100) {
    // A high number, so that the program's own descriptors are not affected.
    int high = fcntl(trace_file, F_DUPFD_CLOEXEC, 900);
    if (high >= 0) { syscall(SYS_close, trace_file); trace_file = high; }
  }
  strcpy(paths[1], "stdout");
  if (getenv("FAULTS_STDERR")) strcpy(paths[2], "stderr");
  atomic_store(&is_armed, 1);
}


static void end_process(void) {
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

// Counts a call, carries out the plan, and returns what to do with the call; for FAIL, errno is set.
static Verdict consult(char count, const char *name, const char *path, size_t size) {
  if (!atomic_load(&is_armed)) return PASS;
  int saved = errno;
  atomic_long *counter = count == 'c' ? &calls : count == 'a' ? &allocations : &threads;
  long number = atomic_fetch_add(counter, 1) + 1;
  if (trace_file >= 0) {
    char line[PATH_SIZE + 100];
    int length = snprintf(line, sizeof line, "%c\t%ld\t%s\t%s\t%zu\n", count, number, name, path, size);
    syscall(SYS_write, trace_file, line, (size_t)length);
  }
  Verdict verdict = PASS;
  for (int i = 0; i < planned; i++) {
    Entry *entry = &plan[i];
    if (entry->count != count) continue;
    int is_later = entry->name[0] && number > entry->number
      && (!strcmp(entry->name, "*") || !strcmp(entry->name, name));
    if (number != entry->number && !is_later) continue;
    leave(hit_path);
    if (!strcmp(entry->action, "kill")) end_process();
    if (!strcmp(entry->action, "kill-after")) verdict = KILL_AFTER;
    if (!strcmp(entry->action, "torn")) verdict = TORN;
    if (!strcmp(entry->action, "short")) verdict = SHORT;
    if (!strcmp(entry->action, "zero")) verdict = ZERO;
    if (!strcmp(entry->action, "signal")) kill(getpid(), entry->argument);
    if (!strcmp(entry->action, "again")) {
      usleep(50000);
      kill(getpid(), entry->argument);
      usleep(50000);
    }
    if (!strcmp(entry->action, "errno")) {
      errno = entry->argument;
      return FAIL;
    }
  }
  errno = saved;
  return verdict;
}

static long finish(Verdict verdict, long result) {
  if (verdict == KILL_AFTER) end_process();
  return result;
}

// MARK: Counted files

static const char *counted_path(const char *path) {
  if (!path || !atomic_load(&is_armed)) return NULL;
  if (path[0] != '/') return path;
  if (root_length && !strncmp(path, root, root_length)) {
    path += root_length;
    return *path == '/' ? path + 1 : path;
  }
  return NULL;
}

static const char *counted_file(int file) {
  return atomic_load(&is_armed) && file >= 0 && file < DESCRIPTORS && paths[file][0] ? paths[file] : NULL;
}

static int opened(int file, const char *path) {
  if (file >= 0 && file < DESCRIPTORS) snprintf(paths[file], PATH_SIZE, "%s", path ? path : "");
  return file;
}

// Calls on a path, including some that the program does not use.
#define ON_PATH(type, name, parameters, arguments, path)                       \
  EXPORT type name parameters {                                               \
    const char *counted = counted_path(path);                                 \
    Verdict verdict = counted ? consult('c', #name, counted, 0) : PASS;       \
    if (verdict == FAIL) return -1;                                           \
    return finish(verdict, REAL(name) arguments);                             \
  }

#define ON_FILE(type, name, parameters, arguments, file)                       \
  EXPORT type name parameters {                                               \
    const char *counted = counted_file(file);                                 \
    Verdict verdict = counted ? consult('c', #name, counted, 0) : PASS;       \
    if (verdict == FAIL) return -1;                                           \
    return finish(verdict, REAL(name) arguments);                             \
  }

#define TRANSFER(name, parameters, file, buffer, count, tail, is_write)        \
  EXPORT ssize_t name parameters {                                            \
    const char *counted = counted_file(file);                                 \
    Verdict verdict = counted ? consult('c', #name, counted, count) : PASS;   \
    if (verdict == FAIL) return -1;                                           \
    if (verdict == ZERO) return 0;                                            \
    size_t size = verdict == SHORT || (verdict == TORN && is_write)           \
      ? (count > 1 && count <= SSIZE_MAX ? count / 2 : count) : count;        \
    ssize_t result = REAL(name) tail;                                         \
    if (verdict == TORN) end_process();                                       \
    return finish(verdict, result);                                           \
  }

// MARK: Calls on files

#define OPEN(name)                                                             \
  EXPORT int name(const char *path, int flags, ...) {                         \
    mode_t mode = 0;                                                          \
    if (flags & (O_CREAT | __O_TMPFILE)) {                                    \
      va_list list;                                                           \
      va_start(list, flags);                                                  \
      mode = va_arg(list, mode_t);                                            \
      va_end(list);                                                           \
    }                                                                         \
    const char *counted = counted_path(path);                                 \
    Verdict verdict = counted ? consult('c', flags & O_CREAT ? "create" : "open", counted, 0) : PASS; \
    if (verdict == FAIL) return -1;                                           \
    return finish(verdict, opened(REAL(name)(path, flags, mode), counted));   \
  }
OPEN(open)
OPEN(open64)

#define OPEN_AT(name)                                                          \
  EXPORT int name(int folder, const char *path, int flags, ...) {             \
    mode_t mode = 0;                                                          \
    if (flags & (O_CREAT | __O_TMPFILE)) {                                    \
      va_list list;                                                           \
      va_start(list, flags);                                                  \
      mode = va_arg(list, mode_t);                                            \
      va_end(list);                                                           \
    }                                                                         \
    const char *counted = counted_path(path);                                 \
    Verdict verdict = counted ? consult('c', flags & O_CREAT ? "create" : "open", counted, 0) : PASS; \
    if (verdict == FAIL) return -1;                                           \
    return finish(verdict, opened(REAL(name)(folder, path, flags, mode), counted)); \
  }
OPEN_AT(openat)
OPEN_AT(openat64)

EXPORT FILE *fopen(const char *path, const char *mode) {
  const char *counted = counted_path(path);
  Verdict verdict = counted ? consult('c', "open", counted, 0) : PASS;
  if (verdict == FAIL) return NULL;
  FILE *result = REAL(fopen)(path, mode);
  finish(verdict, 0);
  return result;
}

EXPORT int close(int file) {
  const char *counted = counted_file(file);
  Verdict verdict = counted ? consult('c', "close", counted, 0) : PASS;
  if (file >= 0 && file < DESCRIPTORS) paths[file][0] = 0;
  if (verdict == FAIL) {
    // As on Linux, the descriptor is closed even if close fails.
    int code = errno;
    syscall(SYS_close, file);
    errno = code;
    return -1;
  }
  return finish(verdict, REAL(close)(file));
}

TRANSFER(read, (int file, void *buffer, size_t count), file, buffer, count, (file, buffer, size), 0)
TRANSFER(pread, (int file, void *buffer, size_t count, off_t at), file, buffer, count,
         (file, buffer, size, at), 0)
TRANSFER(pread64, (int file, void *buffer, size_t count, off64_t at), file, buffer, count,
         (file, buffer, size, at), 0)
TRANSFER(write, (int file, const void *buffer, size_t count), file, buffer, count,
         (file, buffer, size), 1)
TRANSFER(pwrite, (int file, const void *buffer, size_t count, off_t at), file, buffer, count,
         (file, buffer, size, at), 1)
TRANSFER(pwrite64, (int file, const void *buffer, size_t count, off64_t at), file, buffer, count,
         (file, buffer, size, at), 1)

ON_FILE(ssize_t, writev, (int file, const struct iovec *parts, int count), (file, parts, count), file)
ON_FILE(ssize_t, readv, (int file, const struct iovec *parts, int count), (file, parts, count), file)
ON_FILE(int, fsync, (int file), (file), file)
ON_FILE(int, fdatasync, (int file), (file), file)
ON_FILE(int, flock, (int file, int operation), (file, operation), file)
ON_FILE(int, ftruncate, (int file, off_t size), (file, size), file)
ON_FILE(int, ftruncate64, (int file, off64_t size), (file, size), file)
ON_FILE(off_t, lseek, (int file, off_t at, int whence), (file, at, whence), file)
ON_FILE(off64_t, lseek64, (int file, off64_t at, int whence), (file, at, whence), file)
ON_FILE(int, fstat, (int file, struct stat *status), (file, status), file)
ON_FILE(int, fstat64, (int file, struct stat64 *status), (file, status), file)
ON_FILE(int, fchmod, (int file, mode_t mode), (file, mode), file)
ON_FILE(int, posix_fallocate, (int file, off_t at, off_t size), (file, at, size), file)

ON_PATH(int, stat, (const char *path, struct stat *status), (path, status), path)
ON_PATH(int, stat64, (const char *path, struct stat64 *status), (path, status), path)
ON_PATH(int, lstat, (const char *path, struct stat *status), (path, status), path)
ON_PATH(int, lstat64, (const char *path, struct stat64 *status), (path, status), path)
ON_PATH(int, fstatat, (int folder, const char *path, struct stat *status, int flags),
        (folder, path, status, flags), path)
ON_PATH(int, fstatat64, (int folder, const char *path, struct stat64 *status, int flags),
        (folder, path, status, flags), path)
ON_PATH(int, statx, (int folder, const char *path, int flags, unsigned mask, struct statx *status),
        (folder, path, flags, mask, status), path)
ON_PATH(int, access, (const char *path, int mode), (path, mode), path)
ON_PATH(int, faccessat, (int folder, const char *path, int mode, int flags),
        (folder, path, mode, flags), path)
ON_PATH(int, mkdir, (const char *path, mode_t mode), (path, mode), path)
ON_PATH(int, mkdirat, (int folder, const char *path, mode_t mode), (folder, path, mode), path)
ON_PATH(int, unlink, (const char *path), (path), path)
ON_PATH(int, unlinkat, (int folder, const char *path, int flags), (folder, path, flags), path)
ON_PATH(int, rmdir, (const char *path), (path), path)
ON_PATH(int, truncate, (const char *path, off_t size), (path, size), path)
ON_PATH(int, chmod, (const char *path, mode_t mode), (path, mode), path)
ON_PATH(int, rename, (const char *from, const char *to), (from, to), to)
ON_PATH(int, renameat, (int a, const char *from, int b, const char *to), (a, from, b, to), to)
ON_PATH(int, renameat2, (int a, const char *from, int b, const char *to, unsigned flags),
        (a, from, b, to, flags), to)
ON_PATH(int, link, (const char *from, const char *to), (from, to), to)
ON_PATH(int, linkat, (int a, const char *from, int b, const char *to, int flags),
        (a, from, b, to, flags), to)
ON_PATH(int, symlink, (const char *from, const char *to), (from, to), to)
ON_PATH(ssize_t, readlink, (const char *path, char *buffer, size_t size), (path, buffer, size), path)

// Only locks are counted, because other commands of fcntl do not access the file.
#define FCNTL(name)                                                            \
  EXPORT int name(int file, int command, ...) {                               \
    va_list list;                                                             \
    va_start(list, command);                                                  \
    void *argument = va_arg(list, void *);                                    \
    va_end(list);                                                             \
    const char *counted = counted_file(file);                                 \
    int is_lock = command == F_SETLK || command == F_SETLKW || command == F_OFD_SETLK \
      || command == F_OFD_SETLKW;                                             \
    Verdict verdict = counted && is_lock ? consult('c', "fcntl", counted, 0) : PASS; \
    if (verdict == FAIL) return -1;                                           \
    return finish(verdict, REAL(name)(file, command, argument));              \
  }
FCNTL(fcntl)
FCNTL(fcntl64)

static DIR *entered(DIR *folder, const char *path) {
  for (int i = 0; folder && path && i < FOLDERS; i++)
    if (!folders[i].folder) {
      folders[i].folder = folder;
      snprintf(folders[i].path, PATH_SIZE, "%s", path);
      break;
    }
  return folder;
}

static int folder_index(DIR *folder) {
  for (int i = 0; i < FOLDERS; i++) if (folders[i].folder == folder) return i;
  return -1;
}

EXPORT DIR *opendir(const char *path) {
  const char *counted = counted_path(path);
  Verdict verdict = counted ? consult('c', "opendir", counted, 0) : PASS;
  if (verdict == FAIL) return NULL;
  DIR *result = entered(REAL(opendir)(path), counted);
  finish(verdict, 0);
  return result;
}

#define READ_FOLDER(type, name)                                                \
  EXPORT type *name(DIR *folder) {                                            \
    int index = folder_index(folder);                                         \
    Verdict verdict = index >= 0 ? consult('c', "readdir", folders[index].path, 0) : PASS; \
    if (verdict == FAIL) return NULL;                                         \
    type *result = REAL(name)(folder);                                        \
    finish(verdict, 0);                                                       \
    return result;                                                            \
  }
READ_FOLDER(struct dirent, readdir)
READ_FOLDER(struct dirent64, readdir64)

EXPORT int closedir(DIR *folder) {
  int index = folder_index(folder);
  if (index >= 0) folders[index].folder = NULL;
  return REAL(closedir)(folder);
}

// MARK: Memory and threads

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

static int is_refused(const char *name, size_t size) {
  return atomic_load(&is_armed) && size >= minimum && consult('a', name, "", size) == FAIL;
}

// The program defines malloc and related functions itself, on top of these (Sources/CRuntime/allocation.c),
// and its definitions take precedence over those of any library. So allocations are refused one level below.

EXPORT void *__libc_malloc(size_t size) {
  return is_refused("malloc", size) ? NULL : REAL(__libc_malloc)(size);
}

EXPORT void *__libc_calloc(size_t count, size_t size) {
  return is_refused("calloc", count * size) ? NULL : REAL(__libc_calloc)(count, size);
}

EXPORT void *__libc_realloc(void *old, size_t size) {
  return is_refused("realloc", size) ? NULL : REAL(__libc_realloc)(old, size);
}

EXPORT void *__libc_memalign(size_t alignment, size_t size) {
  return is_refused("memalign", size) ? NULL : REAL(__libc_memalign)(alignment, size);
}

// For a program that does not define them.

EXPORT void *malloc(size_t size) { return __libc_malloc(size); }
EXPORT void *calloc(size_t count, size_t size) { return __libc_calloc(count, size); }
EXPORT void *realloc(void *old, size_t size) { return __libc_realloc(old, size); }
EXPORT void *memalign(size_t alignment, size_t size) { return __libc_memalign(alignment, size); }
EXPORT void *aligned_alloc(size_t alignment, size_t size) { return __libc_memalign(alignment, size); }

EXPORT int posix_memalign(void **result, size_t alignment, size_t size) {
  int saved = errno;
  void *memory = __libc_memalign(alignment, size);
  errno = saved;
  if (!memory) return ENOMEM;
  *result = memory;
  return 0;
}

EXPORT void *mmap(void *at, size_t size, int protection, int flags, int file, off_t offset) {
  if ((flags & MAP_ANONYMOUS) && is_refused("mmap", size)) return MAP_FAILED;
  return (void *)syscall(SYS_mmap, at, size, protection, flags, file, offset);
}

EXPORT int pthread_create(
  pthread_t *thread, const pthread_attr_t *attributes, void *(*body)(void *), void *argument) {
  if (atomic_load(&is_armed) && consult('t', "pthread_create", "", 0) == FAIL) return errno;
  return REAL(pthread_create)(thread, attributes, body, argument);
}

EXPORT int clock_gettime(clockid_t clock, struct timespec *time) {
  static atomic_long looks;
  if (!atomic_load(&is_armed) || !has_own_clock) return REAL(clock_gettime)(clock, time);
  long now = 1000000000000000L + (atomic_fetch_add(&looks, 1) + 1) * 100000;
  time->tv_sec = now / 1000000000;
  time->tv_nsec = now % 1000000000;
  return 0;
}

// MARK: The start

static int (*program_main)(int, char **, char **);

static int counting_main(int count, char **arguments, char **environment) {
  arm();
  return program_main(count, arguments, environment);
}

EXPORT int __libc_start_main(
  int (*main)(int, char **, char **), int count, char **arguments, void (*init)(void),
  void (*fini)(void), void (*rtld_fini)(void), void *stack_end) {
  __typeof__(&__libc_start_main) start = real("__libc_start_main");
  program_main = main;
  return start(counting_main, count, arguments, init, fini, rtld_fini, stack_end);
}
