/* A slow disk for a fast machine: preloaded, every fsync and fdatasync takes SLOWDISK_US longer.
 *
 * A virtual disk with a write cache answers in 0.1 ms; an SD card or a worn SSD needs 2 to 30. Goal P11 asks what
 * remains at 10 ms per commit. Build: cc -O2 -shared -fPIC -o slowdisk.so slowdisk.c -ldl
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

static void wait_for_the_platter(void) {
    static long us = -1;
    if (us < 0) {
        const char *said = getenv("SLOWDISK_US");
        us = said ? atol(said) : 10000;
    }
    struct timespec t = {us / 1000000, (us % 1000000) * 1000};
    while (nanosleep(&t, &t)) {
    }
}

int fsync(int fd) {
    static int (*real)(int);
    if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    wait_for_the_platter();
    return real(fd);
}

int fdatasync(int fd) {
    static int (*real)(int);
    if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    wait_for_the_platter();
    return real(fd);
}
