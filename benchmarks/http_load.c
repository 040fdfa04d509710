/* Loads an HTTP service over many keep-alive connections with one thread.

   http_load PORT CONNECTIONS SECONDS WARMUP KEY RUN RATE REQUESTS

   REQUESTS is a file with a request a line, "METHOD PATH BODY" (no body: nothing behind the path); they are sent in turn, again and again.
   In them %n is the number of the request, %m that number modulo 1000, %v modulo 97. Every POST has an Idempotency-Key of its own.
   With RATE 0 each connection sends its next request when it has the answer to the last. Else RATE requests a second begin evenly, whether
   or not others were answered, and a latency counts from when the request was due, also where no connection was free.
   Answers are read whole; what is not 200 counts as failed. Prints one line of JSON: requests, failed, seconds, and latencies in
   microseconds (percentiles of all requests after the warm-up). Exit code 1 when nothing could be measured. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ROOM = 65536, FINEST = 50, SLOTS = 200000, MOST_REQUESTS = 20000 }; /* latencies in slots of 50 us, up to 10 s */

struct connection {
    int socket;
    long long sent_at; /* ns */
    size_t to_send, sent, got;
    char request[2048], answer[ROOM + 1];
};

static unsigned histogram[SLOTS];
static unsigned long number;
static const char *key, *run;
static int port;

static long long now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

/* Lines of the file of requests, each cut into its three parts. */
static char *methods[MOST_REQUESTS], *paths[MOST_REQUESTS], *bodies[MOST_REQUESTS];
static unsigned long kinds;

static void read_requests(const char *name)
{
    static char line[1024];
    FILE *file = fopen(name, "r");
    if (!file)
        fail(name);
    while (kinds < MOST_REQUESTS && fgets(line, sizeof line, file)) {
        char *copy = strdup(line), *rest;
        copy[strcspn(copy, "\n")] = 0;
        methods[kinds] = strtok_r(copy, " ", &rest);
        paths[kinds] = strtok_r(NULL, " ", &rest);
        bodies[kinds] = strtok_r(NULL, " ", &rest);
        if (!paths[kinds]) {
            fprintf(stderr, "a line without method and path\n");
            exit(1);
        }
        kinds++;
    }
    fclose(file);
    if (!kinds)
        fail("no requests");
}

/* A text with its numbers filled in. */
static void fill(char *into, size_t room, const char *text, unsigned long n)
{
    size_t used = 0;
    for (; *text && used + 24 < room; text++) {
        if (*text == '%' && (text[1] == 'n' || text[1] == 'm' || text[1] == 'v')) {
            unsigned long shown = text[1] == 'n' ? n : text[1] == 'm' ? n % 1000 : n % 97;
            used += (size_t)sprintf(into + used, "%lu", shown);
            text++;
        } else {
            into[used++] = *text;
        }
    }
    into[used] = 0;
}

static void prepare(struct connection *c, long long due)
{
    char path[256], body[512] = "", key_line[128] = "";
    unsigned long n = ++number, which = n % kinds;
    fill(path, sizeof path, paths[which], n);
    if (bodies[which])
        fill(body, sizeof body, bodies[which], n);
    if (*methods[which] == 'P')
        snprintf(key_line, sizeof key_line, "Idempotency-Key: %s-%lu\r\n", run, n);
    c->to_send = (size_t)snprintf(c->request, sizeof c->request,
        "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n%sContent-Length: %zu\r\n\r\n%s",
        methods[which], path, key, key_line, strlen(body), body);
    c->sent = c->got = 0;
    c->sent_at = due;
}

static void push(struct connection *c)
{
    while (c->sent < c->to_send) {
        ssize_t n = write(c->socket, c->request + c->sent, c->to_send - c->sent);
        if (n < 0 && errno == EAGAIN)
            return; /* a request is smaller than any socket's buffer: not seen in practice, and the next event goes on */
        if (n < 0)
            fail("write");
        c->sent += (size_t)n;
    }
}

/* The status of a whole answer; 0 while more of it has to come. */
static int status_of(struct connection *c)
{
    char *end, *length;
    c->answer[c->got] = 0;
    end = strstr(c->answer, "\r\n\r\n");
    if (!end)
        return 0;
    length = strcasestr(c->answer, "\r\ncontent-length:");
    if (!length || length > end) {
        fprintf(stderr, "an answer without its length\n");
        exit(1);
    }
    if (c->got < (size_t)(end + 4 - c->answer) + strtoul(length + 17, NULL, 10))
        return 0;
    return atoi(c->answer + 9);
}

static void connect_one(struct connection *c, int poll)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    int on = 1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->socket = socket(AF_INET, SOCK_STREAM, 0);
    if (c->socket < 0 || connect(c->socket, (struct sockaddr *)&address, sizeof address))
        fail("connect");
    setsockopt(c->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    fcntl(c->socket, F_SETFL, O_NONBLOCK);
    if (epoll_ctl(poll, EPOLL_CTL_ADD, c->socket, &event))
        fail("epoll_ctl");
}

static long long percentile(unsigned long total, double share)
{
    unsigned long wanted = (unsigned long)((double)total * share), seen = 0;
    int slot;
    for (slot = 0; slot < SLOTS; slot++)
        if ((seen += histogram[slot]) > wanted)
            break;
    return (long long)(slot + 1) * FINEST;
}

/* What was measured so far. */
static unsigned long done, failed;
static long long slowest;

static void count_answer(const struct connection *c, int status, long long measured, long long end)
{
    long long at = now(), took = at - c->sent_at, slot = took / 1000 / FINEST;
    if (c->sent_at < measured || at > end)
        return;
    histogram[slot < SLOTS ? slot : SLOTS - 1]++;
    slowest = took > slowest ? took : slowest;
    done++;
    failed += status != 200;
}

int main(int count, char **arguments)
{
    struct epoll_event events[256];
    struct connection *all, **idle;
    int connections, waiting, next = 0, poll = epoll_create1(0), i;
    long long begun, measured, end, due, apart;
    if (count != 9) {
        fprintf(stderr, "http_load PORT CONNECTIONS SECONDS WARMUP KEY RUN RATE REQUESTS\n");
        return 2;
    }
    port = atoi(arguments[1]);
    connections = atoi(arguments[2]);
    key = arguments[5];
    run = arguments[6];
    apart = atoi(arguments[7]) ? 1000000000LL / atoi(arguments[7]) : 0;
    read_requests(arguments[8]);
    all = calloc((size_t)connections, sizeof *all);
    idle = calloc((size_t)connections, sizeof *idle);
    for (i = 0; i < connections; i++) {
        connect_one(&all[i], poll);
        idle[i] = &all[i];
    }
    waiting = connections;
    begun = due = now();
    measured = begun + atoi(arguments[4]) * 1000000000LL;
    end = measured + atoi(arguments[3]) * 1000000000LL;
    while (now() < end) {
        int ready;
        while (waiting && (!apart || due <= now())) {
            struct connection *c = idle[next]; /* the one that has been idle for longest, so that none is closed for idleness */
            next = (next + 1) % connections;
            waiting--;
            prepare(c, apart ? due : now());
            push(c);
            due += apart;
        }
        ready = epoll_wait(poll, events, 256, apart ? 1 : 100);
        for (i = 0; i < ready; i++) {
            struct connection *c = events[i].data.ptr;
            ssize_t n;
            int status;
            push(c);
            n = read(c->socket, c->answer + c->got, ROOM - c->got);
            if (n < 0 && errno == EAGAIN)
                continue;
            if (n <= 0)
                fail("the service closed a connection");
            c->got += (size_t)n;
            if (!(status = status_of(c)))
                continue;
            count_answer(c, status, measured, end);
            idle[(next + waiting++) % connections] = c;
        }
    }
    if (!done)
        return 1;
    printf("{\"requests\": %lu, \"failed\": %lu, \"seconds\": %s, \"p50\": %lld, \"p90\": %lld, \"p99\": %lld, \"p999\": %lld, \"max\": %lld}\n", done,
        failed, arguments[3], percentile(done, .5), percentile(done, .9), percentile(done, .99), percentile(done, .999), slowest / 1000);
    return 0;
}
