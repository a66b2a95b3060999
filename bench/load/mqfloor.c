/* The floor: what is left when nothing is decoded, judged or stored. Nobody who does more can be faster than this.
 *
 *     mqfloor --port PORT --count FILE [--hook PORT] [--user U --password P] [--readings FILTER] [--sos FILTER]
 *
 * Subscribes at QoS 1 with two sessions, one for readings and one for what is urgent, acknowledges at once and counts
 * into FILE (two 64-bit numbers: readings, presses), where the runner can look without disturbing it. With --hook every
 * press is posted to a webhook on this machine, so its way ends where the gateway's ends: the anchor of P5.
 */
#include "mqtt.h"

#include <sys/mman.h>

enum { READ = 1 << 18 };

typedef struct {
    int fd;
    uint8_t *in;
    size_t have;
    uint8_t acks[READ / 4];
} Session;

static uint64_t *counts;
static int hook = -1;

static void post(const uint8_t *topic, size_t name, const uint8_t *payload, size_t length) {
    char request[4096];
    static const char frame[] = "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n";
    if (length + name + 200 > sizeof request) return;
    size_t body = length + name + sizeof "{\"topic\":\"\",\"payload\":}" - 1;
    int n = snprintf(request, sizeof request, frame, body);
    n += snprintf(request + n, sizeof request - (size_t)n, "{\"topic\":\"%.*s\",\"payload\":%.*s}", (int)name, (const char *)topic,
                  (int)length, (const char *)payload);
    write_all(hook, request, (size_t)n);
}

static void drain_hook(void) {
    char ignored[4096];
    if (read(hook, ignored, sizeof ignored) == 0) fall("the webhook closed its connection");
}

static void take(Session *s) {
    ssize_t n = read(s->fd, s->in + s->have, READ - s->have);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) fall("the broker closed the connection");
    s->have += (size_t)n;
    size_t at = 0, length, size, acks = 0;
    const uint8_t *body;
    while ((length = packet_at(s->in + at, s->have - at, &body, &size))) {
        uint8_t type = s->in[at];
        if ((type & 0xf0) == 0x30) {
            size_t name = (size_t)(body[0] << 8 | body[1]), head = 2 + name;
            if (type & 0x06) {
                s->acks[acks++] = 0x40;
                s->acks[acks++] = 2;
                s->acks[acks++] = body[head];
                s->acks[acks++] = body[head + 1];
                head += 2;
            }
            int urgent = memmem(body + 2, name, "/sos/", 5) != NULL;
            if (urgent && hook >= 0) post(body + 2, name, body + head, size - head);
            if (!memmem(body + 2, name, "/bridge/", 8)) counts[urgent]++;
        }
        at += length;
    }
    if (acks) write_all(s->fd, s->acks, acks);
    memmove(s->in, s->in + at, s->have - at);
    s->have -= at;
}

static void subscribe(int fd, const char *filter) {
    uint8_t packet[512], *p = packet, answer[16];
    *p++ = 0x82;
    p = put_length(p, 2 + 2 + strlen(filter) + 1);
    *p++ = 0;
    *p++ = 1;
    p = put_text(p, filter);
    *p++ = 1;
    write_all(fd, packet, (size_t)(p - packet));
    /* what was kept for a durable session may come before the SUBACK: then it is simply the next to be read */
    if ((read_packet(fd, answer, sizeof answer) & 0xf0) == 0x90 && answer[4] == 0x80) fall("%s: the broker refused the subscription", filter);
}

int main(int argc, char **argv) {
    const char *host = "127.0.0.1", *user = NULL, *password = NULL, *file = NULL;
    const char *filters[2] = {"shouwang/+/zigbee2mqtt/+", "shouwang/+/zigbee2mqtt/sos/#"};
    int port = 0, hook_port = 0;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (!strcmp(argv[i], "--port")) port = atoi(argv[i + 1]);
        else if (!strcmp(argv[i], "--host")) host = argv[i + 1];
        else if (!strcmp(argv[i], "--hook")) hook_port = atoi(argv[i + 1]);
        else if (!strcmp(argv[i], "--user")) user = argv[i + 1];
        else if (!strcmp(argv[i], "--password")) password = argv[i + 1];
        else if (!strcmp(argv[i], "--readings")) filters[0] = argv[i + 1];
        else if (!strcmp(argv[i], "--sos")) filters[1] = argv[i + 1];
        else if (!strcmp(argv[i], "--count")) file = argv[i + 1];
        else fall("%s is not an option; the top of mqfloor.c lists them", argv[i]);
    }
    if (!port || !file) fall("mqfloor needs --port and --count");
    signal(SIGPIPE, SIG_IGN);
    int f = open(file, O_RDWR | O_CREAT, 0600);
    if (f < 0 || ftruncate(f, 16)) fall("%s: %s", file, strerror(errno));
    counts = mmap(NULL, 16, PROT_READ | PROT_WRITE, MAP_SHARED, f, 0);
    if (counts == MAP_FAILED) fall("%s: %s", file, strerror(errno));
    int watch = epoll_create1(EPOLL_CLOEXEC);
    if (hook_port) {
        hook = dial("127.0.0.1", hook_port);
        do_not_block(hook);
        struct epoll_event e = {.events = EPOLLIN, .data.ptr = NULL};
        epoll_ctl(watch, EPOLL_CTL_ADD, hook, &e);
    }
    static Session sessions[2];
    for (int i = 0; i < 2; i++) {
        sessions[i].in = need(malloc(READ));
        sessions[i].fd = dial(host, port);
        say_hello(sessions[i].fd, i ? "bench-floor-sos" : "bench-floor", user, password, 0);
        subscribe(sessions[i].fd, filters[i]);
        do_not_block(sessions[i].fd);
        struct epoll_event e = {.events = EPOLLIN, .data.ptr = &sessions[i]};
        epoll_ctl(watch, EPOLL_CTL_ADD, sessions[i].fd, &e);
    }
    for (;;) {
        struct epoll_event ready[4];
        int n = epoll_wait(watch, ready, 4, -1);
        for (int i = 0; i < n; i++)
            if (ready[i].data.ptr) take(ready[i].data.ptr);
            else drain_hook();
    }
}
