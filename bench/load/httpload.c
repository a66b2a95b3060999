/* Asks a web server on this machine for one thing after the other, as fast as it answers.
 *
 *     httpload --port PORT --requests FILE [--connections C] [--seconds S] [--count N]
 *
 * FILE holds whole requests without bodies, each ending with an empty line; they are taken in turn, over C connections
 * that are kept open (8), one at a time on each, for S seconds (10) or until N are answered. The last line of the output is a JSON object:
 * answers a second, how many were not 200, and how long they took.
 */
#include "mqtt.h"

typedef struct {
    int fd;
    int64_t asked;
    char in[1 << 18];
    size_t have;
} Line;

static char *requests;
static size_t *begins, count, turn;
static Spread took;
static uint64_t answers, refused;

static void read_requests(const char *path) {
    FILE *f = fopen(path, "r");
    if (!f) fall("%s: %s", path, strerror(errno));
    fseek(f, 0, SEEK_END);
    size_t size = (size_t)ftell(f);
    rewind(f);
    requests = need(calloc(size + 1, 1));
    if (fread(requests, 1, size, f) != size) fall("%s: cannot be read", path);
    fclose(f);
    begins = need(calloc(size / 4 + 2, sizeof *begins));
    for (char *at = requests, *end; (end = strstr(at, "\r\n\r\n")); at = end + 4) begins[++count] = (size_t)(end + 4 - requests);
    if (!count) fall("%s holds no request", path);
}

static void ask(Line *l) {
    size_t which = turn++ % count;
    l->asked = monotonic_ns();
    l->have = 0;
    write_all(l->fd, requests + begins[which], begins[which + 1] - begins[which]);
}

/* Whether the whole answer is there. */
static int is_whole(const Line *l) {
    const char *end = memmem(l->in, l->have, "\r\n\r\n", 4);
    if (!end) return 0;
    const char *said = strcasestr(l->in, "\r\ncontent-length:");
    if (!said || said > end) fall("an answer without a length: %.80s", l->in);
    return l->have >= (size_t)(end + 4 - l->in) + (size_t)atol(said + 17);
}

int main(int argc, char **argv) {
    int port = 0, connections = 8;
    uint64_t most = UINT64_MAX;
    double seconds = 10;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (!strcmp(argv[i], "--port")) port = atoi(argv[i + 1]);
        else if (!strcmp(argv[i], "--requests")) read_requests(argv[i + 1]);
        else if (!strcmp(argv[i], "--connections")) connections = atoi(argv[i + 1]);
        else if (!strcmp(argv[i], "--seconds")) seconds = atof(argv[i + 1]);
        else if (!strcmp(argv[i], "--count")) most = (uint64_t)atoll(argv[i + 1]);
        else fall("httpload has no option %s", argv[i]);
    }
    if (!port || !count || connections < 1) fall("httpload needs --port and --requests");
    signal(SIGPIPE, SIG_IGN);
    int watch = epoll_create1(EPOLL_CLOEXEC);
    Line *lines = need(calloc((size_t)connections, sizeof *lines));
    for (int c = 0; c < connections; c++) {
        lines[c].fd = dial("127.0.0.1", port);
        struct epoll_event e = {.events = EPOLLIN, .data.ptr = &lines[c]};
        epoll_ctl(watch, EPOLL_CTL_ADD, lines[c].fd, &e);
        ask(&lines[c]);
    }
    int64_t began = monotonic_ns(), until = began + (int64_t)(seconds * 1e9), now = began;
    while (now < until && answers < most) {
        struct epoll_event ready[64];
        int n = epoll_wait(watch, ready, 64, 100);
        for (int i = 0; i < n; i++) {
            Line *l = ready[i].data.ptr;
            ssize_t got = read(l->fd, l->in + l->have, sizeof l->in - 1 - l->have);
            if (got <= 0) fall("the server closed a connection: %s", got ? strerror(errno) : "by itself");
            l->have += (size_t)got;
            l->in[l->have] = 0;
            if (!is_whole(l)) continue;
            spread_add(&took, monotonic_ns() - l->asked);
            answers++;
            refused += strncmp(l->in + 8, " 200", 4) != 0;
            ask(l);
        }
        now = monotonic_ns();
    }
    printf("{\"per_s\":%.1f,\"answers\":%llu,\"refused\":%llu,\"p50_ms\":%.3f,\"p99_ms\":%.3f}\n",
           (double)answers / ((double)(now - began) / 1e9), (unsigned long long)answers, (unsigned long long)refused,
           spread_us(&took, 0.5) / 1000, spread_us(&took, 0.99) / 1000);
    return 0;
}
