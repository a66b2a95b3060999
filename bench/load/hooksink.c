/* The last station of the road: a webhook receiver that says when each message arrived, and what it was.
 *
 *     hooksink
 *
 * Prints "listening PORT", then one line a request: the monotonic nanosecond at which the request was complete,
 * the status we answered with, and the body. Ends with its standard input, so it never outlives who started it.
 */
#include "mqtt.h"

typedef struct {
    char in[65536];
    size_t have;
} Guest;

static Guest *guests[4096];

static const char *find(const char *text, size_t length, const char *what) {
    return memmem(text, length, what, strlen(what));
}

static long body_length(const char *head, size_t length) {
    for (size_t i = 0; i + 16 < length; i++)
        if (head[i] == '\n' && !strncasecmp(head + i + 1, "content-length:", 15)) return atol(head + i + 16);
    return 0;
}

/* Answer every whole request in the buffer; what is left stays for the next read. */
static void answer(int fd, Guest *g) {
    for (;;) {
        const char *end = find(g->in, g->have, "\r\n\r\n");
        if (!end) return;
        size_t head = (size_t)(end - g->in) + 4;
        long body = body_length(g->in, head);
        if (body < 0 || head + (size_t)body > sizeof g->in) fall("a webhook request of %ld bytes", body);
        if (g->have < head + (size_t)body) return;
        int64_t now = monotonic_ns();
        static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{\"ok\":true}";
        write_all(fd, ok, sizeof ok - 1);
        for (long i = 0; i < body; i++)
            if (g->in[head + (size_t)i] == '\n' || g->in[head + (size_t)i] == '\r') g->in[head + (size_t)i] = ' ';
        printf("%lld 200 %.*s\n", (long long)now, (int)body, g->in + head);
        memmove(g->in, g->in + head + (size_t)body, g->have - head - (size_t)body);
        g->have -= head + (size_t)body;
    }
}

int main(void) {
    signal(SIGPIPE, SIG_IGN);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof here;
    if (bind(listener, (struct sockaddr *)&here, sizeof here) || listen(listener, 512)) fall("cannot listen: %s", strerror(errno));
    getsockname(listener, (struct sockaddr *)&here, &size);
    do_not_block(listener);
    printf("listening %d\n", ntohs(here.sin_port));
    fflush(stdout);

    int watch = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event e = {.events = EPOLLIN, .data.fd = listener};
    epoll_ctl(watch, EPOLL_CTL_ADD, listener, &e);
    e.data.fd = 0;
    epoll_ctl(watch, EPOLL_CTL_ADD, 0, &e);
    for (;;) {
        struct epoll_event ready[64];
        int n = epoll_wait(watch, ready, 64, -1);
        for (int i = 0; i < n; i++) {
            int fd = ready[i].data.fd;
            if (fd == 0) {
                char ignored[64];
                if (read(0, ignored, sizeof ignored) <= 0) return 0;
            } else if (fd == listener) {
                int guest;
                while ((guest = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
                    if (guest >= 4096) fall("more than 4,096 connections to one webhook");
                    setsockopt(guest, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
                    guests[guest] = need(calloc(1, sizeof(Guest)));
                    e.data.fd = guest;
                    epoll_ctl(watch, EPOLL_CTL_ADD, guest, &e);
                }
            } else {
                Guest *g = guests[fd];
                ssize_t got = read(fd, g->in + g->have, sizeof g->in - g->have);
                if (got <= 0 && !(got < 0 && errno == EAGAIN)) {
                    close(fd);
                    free(g);
                    guests[fd] = NULL;
                } else if (got > 0) {
                    g->have += (size_t)got;
                    answer(fd, g);
                }
            }
        }
        fflush(stdout);
    }
}
