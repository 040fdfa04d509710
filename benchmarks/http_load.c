/* Loads an HTTP service: many keep-alive connections, one thread, each connection sends its next request when it has the answer to the last.

   http_load PORT CONNECTIONS SECONDS WARMUP KEY RUN

   Every request is a POST to /v1/billing/meter_events with an Idempotency-Key of its own, and one event. Answers are read whole; what is
   not 200 counts as failed. Prints one line of JSON: requests, failed, seconds, and latencies in microseconds (percentiles of all requests
   after the warm-up). Exit code 1 when nothing could be measured. */
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

enum { ROOM = 8192, FINEST = 50, SLOTS = 200000 }; /* latencies in slots of 50 us, up to 10 s */

struct connection {
    int socket;
    long long sent_at; /* ns */
    size_t to_send, sent, got;
    char request[1024], answer[ROOM + 1];
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

static void prepare(struct connection *c)
{
    char body[256];
    unsigned long n = ++number;
    int length = snprintf(body, sizeof body, "event_name=bench&payload[stripe_customer_id]=cus_%06lu&payload[value]=%lu", n % 1000, n % 97);
    c->to_send = (size_t)snprintf(c->request, sizeof c->request,
        "POST /v1/billing/meter_events HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\nIdempotency-Key: %s-%lu\r\nContent-Length: %d\r\n\r\n%s",
        key, run, n, length, body);
    c->sent = c->got = 0;
    c->sent_at = now();
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

int main(int count, char **arguments)
{
    struct epoll_event events[256];
    struct connection *all;
    unsigned long done = 0, failed = 0;
    int connections, poll = epoll_create1(0), i;
    long long begun, measured, end, slowest = 0;
    if (count != 7) {
        fprintf(stderr, "http_load PORT CONNECTIONS SECONDS WARMUP KEY RUN\n");
        return 2;
    }
    port = atoi(arguments[1]);
    connections = atoi(arguments[2]);
    key = arguments[5];
    run = arguments[6];
    all = calloc((size_t)connections, sizeof *all);
    for (i = 0; i < connections; i++)
        connect_one(&all[i], poll);
    begun = now();
    measured = begun + atoi(arguments[4]) * 1000000000LL;
    end = measured + atoi(arguments[3]) * 1000000000LL;
    for (i = 0; i < connections; i++) {
        prepare(&all[i]);
        push(&all[i]);
    }
    while (now() < end) {
        int ready = epoll_wait(poll, events, 256, 100);
        for (i = 0; i < ready; i++) {
            struct connection *c = events[i].data.ptr;
            ssize_t n;
            int status;
            long long at;
            push(c);
            n = read(c->socket, c->answer + c->got, ROOM - c->got);
            if (n < 0 && errno == EAGAIN)
                continue;
            if (n <= 0)
                fail("the service closed a connection");
            c->got += (size_t)n;
            if (!(status = status_of(c)))
                continue;
            at = now();
            if (c->sent_at >= measured && at <= end) {
                long long took = at - c->sent_at;
                long long slot = took / 1000 / FINEST;
                histogram[slot < SLOTS ? slot : SLOTS - 1]++;
                slowest = took > slowest ? took : slowest;
                done++;
                failed += status != 200;
            }
            prepare(c);
            push(c);
        }
    }
    if (!done)
        return 1;
    printf("{\"requests\": %lu, \"failed\": %lu, \"seconds\": %s, \"p50\": %lld, \"p90\": %lld, \"p99\": %lld, \"p999\": %lld, \"max\": %lld}\n", done,
        failed, arguments[3], percentile(done, .5), percentile(done, .9), percentile(done, .99), percentile(done, .999), slowest / 1000);
    return 0;
}
