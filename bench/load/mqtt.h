/* As much of MQTT 3.1.1 as a load generator and a floor subscriber need: raw sockets, no dependencies.
 *
 * Everything here talks to a broker on this machine. Errors end the program with a sentence: a measurement
 * that goes on after an error measures something else.
 */
#ifndef SHOUWANG_BENCH_MQTT_H
#define SHOUWANG_BENCH_MQTT_H

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static void fall(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

static int64_t monotonic_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int64_t wall_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static double cpu_seconds(void) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void *need(void *memory) {
    if (!memory) fall("out of memory");
    return memory;
}

static int dial(const char *host, int port) {
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    if (inet_pton(AF_INET, host, &where.sin_addr) != 1) fall("%s is not an IPv4 address; use 127.0.0.1", host);
    if ((ntohl(where.sin_addr.s_addr) >> 24) != 127) fall("%s is not this machine; only 127.x.x.x is loaded", host);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) fall("no socket: %s", strerror(errno));
    if (connect(fd, (struct sockaddr *)&where, sizeof where)) fall("%s:%d does not answer: %s", host, port, strerror(errno));
    int yes = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    return fd;
}

static void do_not_block(int fd) { fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK); }

static void write_all(int fd, const void *data, size_t length) {
    const char *at = data;
    while (length) {
        ssize_t n = write(fd, at, length);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) {
            usleep(50);
            continue;
        }
        if (n <= 0) fall("the broker closed the connection while we wrote: %s", strerror(errno));
        at += n;
        length -= (size_t)n;
    }
}

static uint8_t *put_length(uint8_t *at, size_t length) {
    do {
        uint8_t digit = length % 128;
        length /= 128;
        *at++ = (uint8_t)(digit | (length ? 0x80 : 0));
    } while (length);
    return at;
}

static uint8_t *put_text(uint8_t *at, const char *text) {
    size_t n = strlen(text);
    *at++ = (uint8_t)(n >> 8);
    *at++ = (uint8_t)n;
    memcpy(at, text, n);
    return at + n;
}

static size_t connect_packet(uint8_t *packet, const char *client, const char *user, const char *password, int clean) {
    uint8_t body[1024], *at = put_text(body, "MQTT");
    *at++ = 4;
    *at++ = (uint8_t)((clean ? 0x02 : 0) | (user ? 0x80 : 0) | (user && password ? 0x40 : 0));
    *at++ = 0;
    *at++ = 0; /* no keep-alive: the runs are short and bounded */
    at = put_text(at, client);
    if (user) at = put_text(at, user);
    if (user && password) at = put_text(at, password);
    uint8_t *p = packet;
    *p++ = 0x10;
    p = put_length(p, (size_t)(at - body));
    memcpy(p, body, (size_t)(at - body));
    return (size_t)(p - packet) + (size_t)(at - body);
}

/* The whole packet at the start of `data`: its length, 0 when more must be read; `body` and `size` without the header. */
static size_t packet_at(const uint8_t *data, size_t have, const uint8_t **body, size_t *size) {
    size_t length = 0, i = 1;
    for (int shift = 0;; shift += 7, i++) {
        if (i >= have) return 0;
        length |= (size_t)(data[i] & 0x7f) << shift;
        if (!(data[i] & 0x80)) break;
        if (shift > 21) fall("the broker sent a packet with a length that cannot be");
    }
    i++;
    if (have < i + length) return 0;
    *body = data + i;
    *size = length;
    return i + length;
}

/* Read exactly one packet from a blocking socket; its type in the high half. */
static uint8_t read_packet(int fd, uint8_t *buffer, size_t room) {
    size_t have = 0;
    const uint8_t *body;
    size_t size;
    for (;;) {
        if (have >= room) fall("the broker sent a longer packet than expected");
        ssize_t n = read(fd, buffer + have, 1); /* few and short: CONNACK, SUBACK */
        if (n <= 0) fall("the broker closed the connection instead of answering");
        have += (size_t)n;
        if (have >= 2 && packet_at(buffer, have, &body, &size)) return buffer[0];
    }
}

static void say_hello(int fd, const char *client, const char *user, const char *password, int clean) {
    uint8_t packet[1200], answer[16];
    write_all(fd, packet, connect_packet(packet, client, user, password, clean));
    if ((read_packet(fd, answer, sizeof answer) & 0xf0) != 0x20) fall("%s: no CONNACK", client);
    if (answer[3]) fall("%s: the broker refused the connection of user %s, code %d", client, user ? user : "(none)", answer[3]);
}

/* A histogram with 32 steps an octave: percentiles within 3 %, however long the run. */
enum { STEPS = 32, OCTAVES = 44 };
typedef struct {
    uint64_t bin[OCTAVES * STEPS];
    uint64_t count;
    int64_t most;
} Spread;

static void spread_add(Spread *s, int64_t ns) {
    uint64_t v = ns > 0 ? (uint64_t)ns : 1;
    int octave = 63 - __builtin_clzll(v);
    int step = octave >= 5 ? (int)((v >> (octave - 5)) & 31) : 0;
    int at = octave * STEPS + step;
    s->bin[at < OCTAVES * STEPS ? at : OCTAVES * STEPS - 1]++;
    s->count++;
    if (ns > s->most) s->most = ns;
}

static double spread_us(const Spread *s, double share) {
    uint64_t wanted = (uint64_t)((double)s->count * share), seen = 0;
    for (int i = 0; i < OCTAVES * STEPS; i++) {
        seen += s->bin[i];
        if (seen > wanted) {
            int octave = i / STEPS, step = i % STEPS;
            double low = octave >= 5 ? (double)((uint64_t)1 << octave) * (1 + step / 32.0) : (double)((uint64_t)1 << octave);
            return low / 1000;
        }
    }
    return (double)s->most / 1000;
}

#endif
