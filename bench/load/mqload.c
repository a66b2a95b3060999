/* A neighbourhood that never runs out of breath: publishes pre-encoded QoS 1 packets as fast as a broker takes them.
 *
 *     mqload --port PORT --homes N --plan RATE:COUNT[,RATE:COUNT …] [options]
 *
 * Every packet is a Zigbee2MQTT message of 150 to 195 bytes with `last_seen` and a counter, and every one changes the
 * state of its device (occupancy toggles, contacts open and close), so nothing that listens may drop it as a repeat.
 * Packets are encoded once; sending one is a copy in which the packet id, the time, the state and the counter are
 * overwritten. RATE is messages a second, 0 as fast as the window allows; COUNT bounds each step.
 *
 *   --devices N       devices a home, at most 8 (8)          --first-home N   number of the first home (0)
 *   --connections C   homes are dealt out over these (4)     --window W       unacknowledged messages a connection (256)
 *   --users FILE      "hub user password" a line: one connection a home, so that a hub's ACL holds
 *   --user U --password P   the same for all connections
 *   --topic BASE      printf format of a hub's topic (shouwang/%s/zigbee2mqtt)
 *   --announce        first publish each hub's `bridge/devices`, retained, and one message a device at rest
 *   --rest            only that: announce and stop
 *   --at-once N       so many homes speak in turn until all their devices have, then the next so many (all homes)
 *   --rest-rate R     no faster than that many messages a second, for a broker that keeps only a thousand
 *   --sos             press emergency buttons instead, one home after the other; intervals vary by half, by --seed
 *   --buttons N       buttons a home (1)                     --button-of I    which of them to press first (0)
 *   --log FILE        a line for each acknowledged message: home device last_seen_ms counter sent_ns acked_ns
 *   --state FILE      where each device's state goes on between runs
 *   --give-up S       end after that many seconds whatever happened (120)
 *
 * The last line of the output is a JSON object with the rates, the latencies to the broker's PUBACK and our own CPU.
 * Latency counts from the moment a message was due at a fixed rate, so a broker that stalls cannot hide it.
 */
#include "mqtt.h"

enum { MAX_DEVICES = 8, ROOM = 512, TEXT = 24 };

typedef struct {
    const char *model, *vendor, *name, *key;
    const char *before, *after; /* the payload around the state, last_seen and counter between them */
} Make;

/* Three motion sensors in five, doors and cupboards: the keys of real messages, in the order the bridge writes them. */
static const Make MAKES[] = {
    {"RTCGQ11LM", "Aqara", "hall_motion", "occupancy",
     "{\"battery\":97,\"device_temperature\":24,\"illuminance\":37,\"last_seen\":\"", ",\"power_outage_count\":4,\"voltage\":2985}"},
    {"RTCGQ11LM", "Aqara", "bedroom_motion", "occupancy",
     "{\"battery\":91,\"device_temperature\":25,\"illuminance\":12,\"last_seen\":\"", ",\"power_outage_count\":7,\"voltage\":2975}"},
    {"RTCGQ11LM", "Aqara", "kitchen_motion", "occupancy",
     "{\"battery\":88,\"device_temperature\":26,\"illuminance\":64,\"last_seen\":\"", ",\"power_outage_count\":2,\"voltage\":2965}"},
    {"SNZB-03", "SONOFF", "bathroom_motion", "occupancy",
     "{\"battery\":100,\"battery_low\":false,\"last_seen\":\"", ",\"tamper\":false,\"voltage\":3000}"},
    {"MCCGQ11LM", "Aqara", "entry_door", "contact",
     "{\"battery\":97,\"device_temperature\":21,\"last_seen\":\"", ",\"power_outage_count\":12,\"voltage\":2995}"},
    {"RTCGQ11LM", "Aqara", "living_motion", "occupancy",
     "{\"battery\":79,\"device_temperature\":24,\"illuminance\":88,\"last_seen\":\"", ",\"power_outage_count\":1,\"voltage\":2945}"},
    {"SNZB-04", "SONOFF", "fridge", "contact",
     "{\"battery\":100,\"battery_low\":false,\"last_seen\":\"", ",\"tamper\":false,\"voltage\":3100}"},
    {"SNZB-04", "SONOFF", "wardrobe", "contact",
     "{\"battery\":95,\"battery_low\":false,\"last_seen\":\"", ",\"tamper\":false,\"voltage\":3050}"},
};

typedef struct { /* what must not start again with each run: kept in --state */
    int64_t last_seen;
    uint64_t counter;
    uint8_t on;
} Memory;

typedef struct {
    uint8_t packet[ROOM];
    uint16_t length, id_at, seen_at, state_at, counter_at;
    uint8_t rests_true; /* a closed contact is "true", a quiet motion sensor "false" */
} Device;

typedef struct {
    int64_t due, sent, last_seen;
    uint64_t counter;
    int32_t home;
    int16_t device;
    uint8_t open;
} Slot;

typedef struct {
    int fd, first, homes; /* homes first, first + connections, … */
    uint64_t turn;
    uint8_t *out;
    size_t out_have, out_done, out_room;
    uint8_t in[16384];
    size_t in_have;
    Slot *slots;
    uint16_t *free;
    int free_count;
    uint8_t wants_write;
} Line;

static struct {
    const char *host, *users, *user, *password, *topic, *log, *state, *plan;
    int port, homes, devices, connections, window, first_home, announce, rest, sos, buttons, button_of, at_once;
    double give_up, rest_rate;
    uint64_t seed;
} o = {.host = "127.0.0.1", .topic = "shouwang/%s/zigbee2mqtt", .devices = 8, .connections = 4, .window = 256,
       .buttons = 1, .give_up = 120, .seed = 1};

static Device *devices;
static Memory *memory;
static Line *lines;
static FILE *journal;
static Spread latency, send_delay;
static uint64_t sent, acked;
static int64_t last_ack;
static int watch;
static volatile sig_atomic_t stopping;

static void stop(int signal) {
    (void)signal;
    stopping = 1;
}

static void hub_name(char *text, int home) { snprintf(text, TEXT, "h%05d", home); }

static unsigned long long ieee(int home, int device) { return 0x00158d0000000000ULL + ((unsigned long long)home << 8) + (unsigned)device; }

/* The ISO time of a millisecond. The second's text is made once a second, not once a message. */
static void put_iso(uint8_t *at, int64_t ms) {
    static int64_t second = -1;
    static char text[32];
    if (ms / 1000 != second) {
        second = ms / 1000;
        time_t t = (time_t)second;
        struct tm parts;
        gmtime_r(&t, &parts);
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
    }
    memcpy(at, text, 19);
    int rest = (int)(ms % 1000);
    at[20] = (uint8_t)('0' + rest / 100);
    at[21] = (uint8_t)('0' + rest / 10 % 10);
    at[22] = (uint8_t)('0' + rest % 10);
}

static void put_counter(uint8_t *at, uint64_t counter) {
    for (int i = 9; i >= 0; i--, counter /= 10) at[i] = (uint8_t)('0' + counter % 10);
}

/* Encode a PUBLISH once; remember where the changing parts lie. */
static void encode(Device *d, const char *topic, const char *payload, size_t seen, size_t state, size_t counter) {
    size_t name = strlen(topic), body = strlen(payload), length = 2 + name + 2 + body;
    uint8_t *at = d->packet;
    *at++ = 0x32; /* PUBLISH, QoS 1 */
    at = put_length(at, length);
    if ((size_t)(at - d->packet) + length > ROOM) fall("%s: a packet of more than %d bytes", topic, ROOM);
    at = put_text(at, topic);
    d->id_at = (uint16_t)(at - d->packet);
    at += 2;
    memcpy(at, payload, body);
    size_t start = (size_t)(at - d->packet);
    d->length = (uint16_t)(start + body);
    d->seen_at = (uint16_t)(start + seen);
    d->state_at = (uint16_t)(start + state);
    d->counter_at = (uint16_t)(start + counter);
}

static void encode_reading(Device *d, int home, int device) {
    const Make *m = &MAKES[device];
    char hub[TEXT], base[128], topic[200], payload[ROOM];
    hub_name(hub, home);
    snprintf(base, sizeof base, o.topic, hub);
    snprintf(topic, sizeof topic, "%s/%s", base, m->name);
    int contact = !strcmp(m->key, "contact");
    d->rests_true = (uint8_t)contact;
    size_t seen = strlen(m->before);
    int n = snprintf(payload, sizeof payload, "%s0000-00-00T00:00:00.000Z\",\"linkquality\":120,\"%s\":", m->before, m->key);
    size_t state = (size_t)n;
    n += snprintf(payload + n, sizeof payload - (size_t)n, "     ,\"seq\":");
    size_t counter = (size_t)n;
    snprintf(payload + n, sizeof payload - (size_t)n, "0000000000%s", m->after);
    encode(d, topic, payload, seen, state, counter);
}

static void encode_press(Device *d, int home, int button) {
    char hub[TEXT], base[128], topic[200], payload[ROOM];
    hub_name(hub, home);
    snprintf(base, sizeof base, o.topic, hub);
    snprintf(topic, sizeof topic, "%s/sos/button_%d", base, button);
    static const char before[] = "{\"action\":\"emergency\",\"battery\":100,\"last_seen\":\"";
    static const char middle[] = "{\"action\":\"emergency\",\"battery\":100,\"last_seen\":\"0000-00-00T00:00:00.000Z\",\"linkquality\":87,\"seq\":";
    snprintf(payload, sizeof payload, "%s0000000000,\"voltage\":3000}", middle);
    encode(d, topic, payload, sizeof before - 1, 0, sizeof middle - 1);
    d->state_at = 0;
}

/* ------------------------------------------------------------------------------------------------ lines */

static void want_write(Line *l, int wanted) {
    if (l->wants_write == wanted) return;
    l->wants_write = (uint8_t)wanted;
    struct epoll_event e = {.events = EPOLLIN | (wanted ? EPOLLOUT : 0), .data.ptr = l};
    epoll_ctl(watch, EPOLL_CTL_MOD, l->fd, &e);
}

static void flush(Line *l) {
    while (l->out_done < l->out_have) {
        ssize_t n = write(l->fd, l->out + l->out_done, l->out_have - l->out_done);
        if (n < 0 && errno == EAGAIN) {
            want_write(l, 1);
            return;
        }
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) fall("the broker closed a connection: %s", strerror(errno));
        l->out_done += (size_t)n;
    }
    l->out_have = l->out_done = 0;
    want_write(l, 0);
}

static uint8_t *room_for(Line *l, size_t length) {
    if (l->out_have + length > l->out_room) {
        if (l->out_done) {
            memmove(l->out, l->out + l->out_done, l->out_have - l->out_done);
            l->out_have -= l->out_done;
            l->out_done = 0;
        }
        while (l->out_have + length > l->out_room) l->out = need(realloc(l->out, l->out_room *= 2));
    }
    return l->out + l->out_have;
}

/* Whose turn it is to say something: of so many homes each in turn until all its devices have spoken, then others. */
static int whose_turn(const Line *l, int *device) {
    uint64_t homes = (uint64_t)l->homes, devices = (uint64_t)o.devices;
    uint64_t most = o.at_once ? (uint64_t)(o.at_once + o.connections - 1) / (uint64_t)o.connections : homes;
    uint64_t turn = l->turn % (homes * devices), first = turn / (most * devices) * most;
    uint64_t here = homes - first < most ? homes - first : most;
    turn -= first * devices;
    *device = (int)(turn / here);
    return l->first + (int)(first + turn % here) * o.connections;
}

/* The next message of this line into its buffer. */
static void send_next(Line *l, int64_t due, int64_t now, int64_t now_ms) {
    int home, device, at;
    if (o.sos) {
        home = l->first + (int)(l->turn % (uint64_t)l->homes) * o.connections;
        device = o.button_of + (int)(l->turn / (uint64_t)l->homes) % o.buttons;
        at = home * o.buttons + device;
    } else {
        home = whose_turn(l, &device);
        at = home * o.devices + device;
    }
    l->turn++;
    Device *d = &devices[at];
    Memory *m = &memory[at];
    m->last_seen = now_ms > m->last_seen ? now_ms : m->last_seen + 1; /* a device never says the same moment twice */
    m->counter++;
    m->on ^= 1;

    uint16_t slot = l->free[--l->free_count];
    l->slots[slot] = (Slot){.due = due, .sent = now, .last_seen = m->last_seen, .counter = m->counter,
                            .home = o.first_home + home, .device = (int16_t)device, .open = 1};
    uint8_t *p = room_for(l, d->length);
    memcpy(p, d->packet, d->length);
    p[d->id_at] = (uint8_t)((slot + 1) >> 8);
    p[d->id_at + 1] = (uint8_t)(slot + 1);
    put_iso(p + d->seen_at, m->last_seen);
    put_counter(p + d->counter_at, 1000000000ULL + m->counter);
    if (d->state_at) memcpy(p + d->state_at, (m->on ^ d->rests_true) ? " true" : "false", 5);
    l->out_have += d->length;
    sent++;
}

static void hear(Line *l, int64_t now) {
    ssize_t n = read(l->fd, l->in + l->in_have, sizeof l->in - l->in_have);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0) fall("the broker closed a connection with %d messages unacknowledged", o.window - l->free_count);
    l->in_have += (size_t)n;
    size_t at = 0, length, size;
    const uint8_t *body;
    while ((length = packet_at(l->in + at, l->in_have - at, &body, &size))) {
        if ((l->in[at] & 0xf0) == 0x40) {
            unsigned id = (unsigned)(body[0] << 8 | body[1]);
            if (id == 0 || id > (unsigned)o.window) fall("the broker acknowledged %u, which we never sent", id);
            Slot *s = &l->slots[id - 1];
            if (!s->open) fall("the broker acknowledged %u twice", id);
            s->open = 0;
            l->free[l->free_count++] = (uint16_t)(id - 1);
            acked++;
            last_ack = now;
            spread_add(&latency, now - s->due);
            if (journal)
                fprintf(journal, "%d %d %lld %llu %lld %lld\n", s->home, s->device, (long long)s->last_seen,
                        (unsigned long long)s->counter, (long long)s->sent, (long long)now);
        }
        at += length;
    }
    memmove(l->in, l->in + at, l->in_have - at);
    l->in_have -= at;
}

/* ------------------------------------------------------------------------------------------------ beginnings */

/* What a bridge says about itself when it connects, and each device at rest: nobody counts these. */
static void announce(Line *l) {
    static uint8_t text[16384];
    uint8_t answer[16];
    for (int i = 0; i < l->homes; i++) {
        int home = l->first + i * o.connections;
        char hub[TEXT], base[128], topic[200];
        hub_name(hub, o.first_home + home);
        snprintf(base, sizeof base, o.topic, hub);
        snprintf(topic, sizeof topic, "%s/bridge/devices", base);
        char *at = (char *)text;
        at += sprintf(at, "[");
        for (int d = 0; d < o.devices; d++)
            at += sprintf(at,
                          "%s{\"definition\":{\"description\":\"\",\"exposes\":[],\"model\":\"%s\",\"vendor\":\"%s\"},\"disabled\":false,"
                          "\"friendly_name\":\"%s\",\"ieee_address\":\"0x%016llx\",\"interview_completed\":true,\"supported\":true,\"type\":\"EndDevice\"}",
                          d ? "," : "", MAKES[d].model, MAKES[d].vendor, MAKES[d].name, ieee(o.first_home + home, d));
        for (int b = 0; b < o.buttons; b++)
            at += sprintf(at,
                          ",{\"definition\":{\"description\":\"\",\"exposes\":[],\"model\":\"TS0215A_sos\",\"vendor\":\"Tuya\"},\"disabled\":false,"
                          "\"friendly_name\":\"sos/button_%d\",\"ieee_address\":\"0x%016llx\",\"interview_completed\":true,\"supported\":true,\"type\":\"EndDevice\"}",
                          b, ieee(o.first_home + home, 16 + b));
        at += sprintf(at, "]");
        size_t body = (size_t)(at - (char *)text);
        uint8_t packet[512], *p = packet;
        *p++ = 0x33; /* PUBLISH, QoS 1, retained */
        p = put_length(p, 2 + strlen(topic) + 2 + body);
        p = put_text(p, topic);
        *p++ = 0;
        *p++ = 1;
        write_all(l->fd, packet, (size_t)(p - packet));
        write_all(l->fd, text, body);
        if ((read_packet(l->fd, answer, sizeof answer) & 0xf0) != 0x40) fall("%s: no PUBACK", topic);
        for (int d = 0; d < o.devices && !o.sos; d++) {
            Device *it = &devices[home * o.devices + d];
            Memory *m = &memory[home * o.devices + d];
            m->last_seen = wall_ms();
            m->on = 0;
            memcpy(packet, it->packet, it->length);
            packet[it->id_at] = 0;
            packet[it->id_at + 1] = 1;
            put_iso(packet + it->seen_at, m->last_seen);
            put_counter(packet + it->counter_at, 1000000000ULL);
            memcpy(packet + it->state_at, it->rests_true ? " true" : "false", 5);
            write_all(l->fd, packet, it->length);
            if ((read_packet(l->fd, answer, sizeof answer) & 0xf0) != 0x40) fall("%s: no PUBACK", topic);
            if (o.rest_rate > 0) usleep((useconds_t)(1e6 / o.rest_rate));
        }
    }
}

static void open_lines(void) {
    char(*users)[3][128] = NULL;
    if (o.users) {
        FILE *f = fopen(o.users, "r");
        if (!f) fall("%s: %s", o.users, strerror(errno));
        users = need(calloc((size_t)o.homes, sizeof *users));
        char hub[128], user[128], password[128], wanted[TEXT];
        int found = 0;
        while (fscanf(f, "%127s %127s %127s", hub, user, password) == 3) {
            int home = atoi(hub + 1) - o.first_home;
            if (home < 0 || home >= o.homes) continue;
            hub_name(wanted, o.first_home + home);
            if (strcmp(wanted, hub)) fall("%s: %s is not a hub of this bench, which are named h00000 and so on", o.users, hub);
            strcpy(users[home][1], user);
            strcpy(users[home][2], password);
            found++;
        }
        fclose(f);
        if (found != o.homes) fall("%s names %d of the %d hubs from %d on", o.users, found, o.homes, o.first_home);
        o.connections = o.homes;
    }
    if (o.connections > o.homes) o.connections = o.homes;
    lines = need(calloc((size_t)o.connections, sizeof *lines));
    watch = epoll_create1(EPOLL_CLOEXEC);
    for (int c = 0; c < o.connections; c++) {
        Line *l = &lines[c];
        l->first = c;
        l->homes = (o.homes - c + o.connections - 1) / o.connections;
        l->out = need(malloc(l->out_room = 4096));
        l->slots = need(calloc((size_t)o.window, sizeof(Slot)));
        l->free = need(calloc((size_t)o.window, sizeof(uint16_t)));
        for (int i = o.window - 1; i >= 0; i--) l->free[l->free_count++] = (uint16_t)i;
        l->fd = dial(o.host, o.port);
        char client[64];
        snprintf(client, sizeof client, "bench-%s-%d-%d", o.sos ? "sos" : "load", (int)getpid(), c);
        say_hello(l->fd, client, users ? users[c][1] : o.user, users ? users[c][2] : o.password, 1);
        if (o.announce) announce(l);
        do_not_block(l->fd);
        struct epoll_event e = {.events = EPOLLIN, .data.ptr = l};
        if (epoll_ctl(watch, EPOLL_CTL_ADD, l->fd, &e)) fall("epoll: %s", strerror(errno));
    }
    free(users);
}

static double chance(void) { /* xorshift: the same seed, the same presses */
    o.seed ^= o.seed << 13;
    o.seed ^= o.seed >> 7;
    o.seed ^= o.seed << 17;
    return (double)(o.seed >> 11) / 9007199254740992.0;
}

static void listen_for(int wait_ms) {
    struct epoll_event ready[256];
    int n = epoll_wait(watch, ready, 256, wait_ms);
    int64_t now = monotonic_ns();
    for (int i = 0; i < n; i++) {
        Line *l = ready[i].data.ptr;
        if (ready[i].events & EPOLLOUT) flush(l);
        if (ready[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) hear(l, now);
    }
}

static uint64_t outstanding(void) { return sent - acked; }

/* One step of the plan. At a fixed rate a message is due at its time, and late if the window is shut. */
static void play(double rate, uint64_t count, int64_t deadline) {
    uint64_t done = 0;
    int turn = 0, idle = 0;
    int64_t next = monotonic_ns();
    double gap = rate > 0 ? 1e9 / rate : 0;
    while (done < count && !stopping) {
        int64_t now = monotonic_ns(), now_ms = wall_ms();
        if (now > deadline) return;
        idle = 0;
        while (done < count && (rate <= 0 || next <= now) && idle < o.connections) {
            Line *l = &lines[turn];
            if (l->free_count) {
                int64_t due = rate > 0 ? next : now;
                send_next(l, due, now, now_ms);
                spread_add(&send_delay, now - due);
                done++;
                if (rate > 0) next += (int64_t)(o.sos ? gap * (0.5 + chance()) : gap);
                /* at full speed a line sends what its window allows before the next has its turn */
                if (rate > 0 || !l->free_count) turn = (turn + 1) % o.connections;
                idle = 0;
            } else {
                turn = (turn + 1) % o.connections;
                idle++;
            }
        }
        for (int c = 0; c < o.connections; c++)
            if (lines[c].out_have && !lines[c].wants_write) flush(&lines[c]);
        int wait_ms = rate <= 0 || idle == o.connections ? 100 : next > now ? (int)((next - now) / 1000000) + 1 : 0;
        listen_for(wait_ms > 100 ? 100 : wait_ms);
    }
}

static void parse(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        const char *name = argv[i];
        if (!strcmp(name, "--announce")) { o.announce = 1; continue; }
        if (!strcmp(name, "--rest")) { o.announce = o.rest = 1; continue; }
        if (!strcmp(name, "--sos")) { o.sos = 1; continue; }
        if (i + 1 == argc) fall("%s needs a value, or is not an option; the top of mqload.c lists them", name);
        const char *value = argv[++i];
        if (!strcmp(name, "--host")) o.host = value;
        else if (!strcmp(name, "--port")) o.port = atoi(value);
        else if (!strcmp(name, "--homes")) o.homes = atoi(value);
        else if (!strcmp(name, "--devices")) o.devices = atoi(value);
        else if (!strcmp(name, "--connections")) o.connections = atoi(value);
        else if (!strcmp(name, "--window")) o.window = atoi(value);
        else if (!strcmp(name, "--first-home")) o.first_home = atoi(value);
        else if (!strcmp(name, "--users")) o.users = value;
        else if (!strcmp(name, "--user")) o.user = value;
        else if (!strcmp(name, "--password")) o.password = value;
        else if (!strcmp(name, "--topic")) o.topic = value;
        else if (!strcmp(name, "--buttons")) o.buttons = atoi(value);
        else if (!strcmp(name, "--button-of")) o.button_of = atoi(value);
        else if (!strcmp(name, "--seed")) o.seed = strtoull(value, NULL, 10) * 2654435761ULL + 1;
        else if (!strcmp(name, "--log")) o.log = value;
        else if (!strcmp(name, "--state")) o.state = value;
        else if (!strcmp(name, "--plan")) o.plan = value;
        else if (!strcmp(name, "--give-up")) o.give_up = atof(value);
        else if (!strcmp(name, "--rest-rate")) o.rest_rate = atof(value);
        else if (!strcmp(name, "--at-once")) o.at_once = atoi(value);
        else fall("%s is not an option; the top of mqload.c lists them", name);
    }
    if (!o.port || o.homes < 1 || (!o.plan && !o.rest)) fall("mqload needs --port, --homes and --plan (or --rest)");
    if (o.devices < 1 || o.devices > MAX_DEVICES) fall("--devices %d: between 1 and %d", o.devices, MAX_DEVICES);
    if (o.window < 1 || o.window > 60000) fall("--window %d: between 1 and 60000", o.window);
    if (o.button_of + 1 > o.buttons) fall("--button-of %d: there are %d buttons a home", o.button_of, o.buttons);
}

int main(int argc, char **argv) {
    parse(argc, argv);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTERM, stop);
    signal(SIGINT, stop);
    int each = o.sos ? o.buttons : o.devices;
    size_t all = (size_t)o.homes * (size_t)each;
    devices = need(calloc(all, sizeof *devices));
    memory = need(calloc(all, sizeof *memory));
    for (int h = 0; h < o.homes; h++)
        for (int d = 0; d < each; d++)
            if (o.sos) encode_press(&devices[h * each + d], o.first_home + h, d);
            else encode_reading(&devices[h * each + d], o.first_home + h, d);
    FILE *kept = o.state ? fopen(o.state, "r") : NULL;
    if (kept) {
        if (fread(memory, sizeof *memory, all, kept) != all) fall("%s was written for another number of homes or devices", o.state);
        fclose(kept);
    }
    if (o.log && !(journal = strcmp(o.log, "-") ? fopen(o.log, "a") : stdout)) fall("%s: %s", o.log, strerror(errno));
    if (journal && journal != stdout) setvbuf(journal, NULL, _IOFBF, 1 << 16);

    open_lines();
    double cpu = cpu_seconds();
    int64_t start = monotonic_ns(), deadline = start + (int64_t)(o.give_up * 1e9);
    if (!o.rest) {
        for (const char *step = o.plan; step && *step;) {
            double rate;
            unsigned long long count;
            if (sscanf(step, "%lf:%llu", &rate, &count) != 2) fall("--plan %s: RATE:COUNT, separated by commas", o.plan);
            play(rate, count, deadline);
            step = strchr(step, ',');
            if (step) step++;
        }
        while (outstanding() && monotonic_ns() < deadline) listen_for(50);
    }
    double took = (double)((last_ack > start ? last_ack : monotonic_ns()) - start) / 1e9;
    cpu = cpu_seconds() - cpu;
    if (journal) fflush(journal);
    if (o.state) {
        FILE *f = fopen(o.state, "w");
        if (!f || fwrite(memory, sizeof *memory, all, f) != all || fclose(f)) fall("%s: %s", o.state, strerror(errno));
    }
    for (int c = 0; c < o.connections; c++) write_all(lines[c].fd, "\xe0\x00", 2); /* DISCONNECT: no last will, no complaint */
    printf("{\"sent\": %llu, \"acked\": %llu, \"seconds\": %.4f, \"acked_per_s\": %.0f, \"p50_us\": %.1f, \"p99_us\": %.1f, "
           "\"max_us\": %.1f, \"late_p99_us\": %.1f, \"cpu_us\": %.3f, \"payload\": %d, \"started_ns\": %lld, \"last_ack_ns\": %lld}\n",
           (unsigned long long)sent, (unsigned long long)acked, took, took > 0 ? (double)acked / took : 0, spread_us(&latency, 0.5),
           spread_us(&latency, 0.99), (double)latency.most / 1000, spread_us(&send_delay, 0.99),
           acked ? cpu / (double)acked * 1e6 : 0, devices[0].length - devices[0].id_at - 2, (long long)start, (long long)last_ack);
    return outstanding() ? 2 : 0;
}
