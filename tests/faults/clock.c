/* clock.c - a wall clock that a test sets: what LD_PRELOAD puts in front of the C library.
 *
 * The file that SL_CLOCK names holds how many nanoseconds the wall clock of the process is ahead
 * (an int64_t). It is mapped, so a new number counts at once. The monotonic clock is left as it is.
 * Who waits on a condition until a moment of the wall clock waits until this one gets there, as it
 * would with a clock that is really set.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S INT64_C(1000000000)
#define SLICE_NS (20 * INT64_C(1000000))
#define YEAR_S   (INT64_C(365) * 24 * 3600)
#define PUBLIC   __attribute__((visibility("default")))

static const volatile int64_t *ahead_ns;

__attribute__((constructor)) static void open_clock(void)
{
    const char *name = getenv("SL_CLOCK");
    int fd = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
    void *place =
        fd >= 0 ? mmap(NULL, sizeof(*ahead_ns), PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;

    if (place == MAP_FAILED) {
        _exit(127);
    }
    close(fd);
    ahead_ns = place;
}

static int64_t to_ns(const struct timespec *time)
{
    return (int64_t)time->tv_sec * NS_PER_S + time->tv_nsec;
}

static struct timespec from_ns(int64_t ns)
{
    return (struct timespec){.tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S};
}

PUBLIC int clock_gettime(clockid_t clock, struct timespec *now)
{
    int result = (int)syscall(SYS_clock_gettime, clock, now);

    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) && ahead_ns) {
        *now = from_ns(to_ns(now) + *ahead_ns);
    }
    return result;
}

static int64_t wall_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return to_ns(&now);
}

PUBLIC int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    int64_t ns = wall_ns();

    (void)zone;
    *now = (struct timeval){.tv_sec = ns / NS_PER_S, .tv_usec = ns % NS_PER_S / 1000};
    return 0;
}

PUBLIC time_t time(time_t *out)
{
    time_t now = wall_ns() / NS_PER_S;

    if (out) {
        *out = now;
    }
    return now;
}

PUBLIC int timespec_get(struct timespec *out, int base)
{
    return base == TIME_UTC && clock_gettime(CLOCK_REALTIME, out) == 0 ? base : 0;
}

/* A condition may go by the monotonic clock, which nothing of it tells; but that one has not run
 * for years, and the wall clock has. */
PUBLIC int pthread_cond_timedwait(pthread_cond_t *restrict cond, pthread_mutex_t *restrict mutex,
                                  const struct timespec *restrict until)
{
    int result = ETIMEDOUT;

    if (until->tv_sec < YEAR_S) {
        return pthread_cond_clockwait(cond, mutex, CLOCK_MONOTONIC, until);
    }
    for (int64_t left; result == ETIMEDOUT && (left = to_ns(until) - wall_ns()) > 0;) {
        struct timespec slice;
        clock_gettime(CLOCK_MONOTONIC, &slice);
        slice = from_ns(to_ns(&slice) + (left < SLICE_NS ? left : SLICE_NS));
        result = pthread_cond_clockwait(cond, mutex, CLOCK_MONOTONIC, &slice);
    }
    return result;
}
