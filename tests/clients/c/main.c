/* What the stock C client (libnats) sees of a server, scenario by scenario. */
#include <nats/nats.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LIMIT_MS = 20000, WORDS_MAX = 64 };

/* The other end of the lines that ../control.rs describes. */
#define see(...) (printf("- " __VA_ARGS__), putchar('\n'))

static void must(natsStatus status)
{
    if (status == NATS_OK)
        return;
    fprintf(stderr, "error: %s: %s\n", natsStatus_GetText(status), nats_GetLastError(NULL));
    exit(1);
}

/* Asks the runner for something and returns its answer, which is the caller's to free. */
static char *ask(const char *what)
{
    static char answer[4096];
    printf("! %s\n", what);
    if (!fgets(answer, sizeof answer, stdin))
        exit(1);
    answer[strcspn(answer, "\n")] = 0;
    return strdup(answer);
}

/* What callbacks were told, in order. */
static struct {
    pthread_mutex_t lock;
    char words[WORDS_MAX][512];
    int count, read;
} told = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void tell(const char *word, const char *more)
{
    pthread_mutex_lock(&told.lock);
    if (told.count < WORDS_MAX)
        snprintf(told.words[told.count++], sizeof *told.words, "%s %s", word, more);
    pthread_mutex_unlock(&told.lock);
    printf("# %s %s\n", word, more);
}

static void on_error(natsConnection *nc, natsSubscription *sub, natsStatus status, void *closure)
{
    const char *last = NULL;
    (void)sub;
    (void)closure;
    natsConnection_GetLastError(nc, &last);
    tell("error", status == NATS_SLOW_CONSUMER ? natsStatus_GetText(status) : last ? last : "");
}

static void on_event(natsConnection *nc, void *closure)
{
    (void)nc;
    tell(closure, "");
}

/* The next thing told, if any. */
static const char *heard(void)
{
    pthread_mutex_lock(&told.lock);
    const char *word = told.read < told.count ? told.words[told.read++] : NULL;
    pthread_mutex_unlock(&told.lock);
    return word;
}

/* Waits for a callback of this name; others before it are passed over. */
static const char *hears(const char *name)
{
    for (int waited_ms = 0; waited_ms < LIMIT_MS; waited_ms += 5) {
        for (const char *word; (word = heard());)
            if (!strncmp(word, name, strlen(name)))
                return word;
        nats_Sleep(5);
    }
    fprintf(stderr, "no %s\n", name);
    exit(1);
}

static natsOptions *options(const char *address)
{
    natsOptions *o;
    char url[256];
    must(natsOptions_Create(&o));
    snprintf(url, sizeof url, strstr(address, "://") ? "%s" : "nats://%s", address);
    must(natsOptions_SetURL(o, url));
    must(natsOptions_SetErrorHandler(o, on_error, NULL));
    must(natsOptions_SetDisconnectedCB(o, on_event, "disconnected"));
    must(natsOptions_SetReconnectedCB(o, on_event, "reconnected"));
    must(natsOptions_SetClosedCB(o, on_event, "closed"));
    must(natsOptions_SetLameDuckModeCB(o, on_event, "lame duck"));
    must(natsOptions_SetReconnectWait(o, 100));
    must(natsOptions_SetReconnectJitter(o, 0, 0));
    must(natsOptions_SetNoRandomize(o, true));
    return o;
}

static natsConnection *connected(natsOptions *o)
{
    natsConnection *nc;
    must(natsConnection_Connect(&nc, o));
    return nc;
}

static natsSubscription *subscribe(natsConnection *nc, const char *subject)
{
    natsSubscription *sub;
    must(natsConnection_SubscribeSync(&sub, nc, subject));
    return sub;
}

static const char *next(natsSubscription *sub)
{
    natsMsg *message;
    must(natsSubscription_NextMsg(&message, sub, LIMIT_MS));
    return natsMsg_GetData(message);
}

static void publish(natsConnection *nc, const char *subject, const char *text)
{
    must(natsConnection_PublishString(nc, subject, text));
}

static void refused(natsOptions *o)
{
    natsConnection *nc;
    must(natsOptions_SetAllowReconnect(o, false));
    natsStatus status = natsConnection_Connect(&nc, o);
    see("refused: %s: %s", natsStatus_GetText(status), nats_GetLastError(NULL));
}

static void connect_options(void)
{
    char *address = ask("start a");
    natsOptions *o = options(address);
    must(natsOptions_SetName(o, "a name"));
    must(natsOptions_SetVerbose(o, true));
    must(natsOptions_SetNoEcho(o, true));
    must(natsOptions_SetCustomInboxPrefix(o, "_MINE"));
    natsConnection *nc = connected(o), *other = connected(options(address));
    see("%s", ask("monitor a /connz /connections/0/name"));
    see("%s", ask("monitor a /connz /connections/0/lang"));
    char *ip;
    uint64_t id = 0;
    must(natsConnection_GetClientIP(nc, &ip));
    must(natsConnection_GetClientID(nc, &id));
    see("%lld %s %s %d", (long long)natsConnection_GetMaxPayload(nc), ip,
        natsStatus_GetText(natsConnection_HasHeaderSupport(nc)), id > 0);
    natsSubscription *own = subscribe(nc, "x");
    publish(nc, "x", "not to myself");
    must(natsConnection_Flush(nc));
    publish(other, "x", "from another");
    see("%s", next(own));
}

static void auth(void)
{
    char *address = ask("start a authorization { users: [{user: u, password: p}, {user: v, password: \"q r\"}] }");
    natsOptions *o = options(address);
    must(natsOptions_SetUserInfo(o, "v", "q r"));
    must(natsConnection_Flush(connected(o)));
    char url[256];
    snprintf(url, sizeof url, "nats://u:p@%s", address);
    must(natsConnection_Flush(connected(options(url))));
    o = options(address);
    must(natsOptions_SetUserInfo(o, "u", "wrong"));
    refused(o);
    refused(options(address));
    address = ask("start b authorization { token: s3cr3t }");
    o = options(address);
    must(natsOptions_SetToken(o, "s3cr3t"));
    must(natsConnection_Flush(connected(o)));
    o = options(address);
    must(natsOptions_SetToken(o, "wrong"));
    refused(o);
}

/* The path of a file of `user` or `stranger`. */
static const char *file(const char *keys, const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", keys, name);
    return path;
}

static void keys(void)
{
    char *address = ask("start a authorization { users: [{nkey: $USER}] }"), *folder = ask("keys");
    const char *names[2] = {"user", "stranger"};
    for (int index = 0; index < 2; index++) {
        char public[64] = "", name[32];
        snprintf(name, sizeof name, "%s.public", names[index]);
        FILE *stream = fopen(file(folder, name), "r");
        if (!stream || !fgets(public, sizeof public, stream))
            exit(1);
        natsOptions *o = options(address);
        snprintf(name, sizeof name, "%s.seed", names[index]);
        must(natsOptions_SetNKeyFromSeed(o, public, file(folder, name)));
        if (index == 0)
            must(natsConnection_Flush(connected(o)));
        else
            refused(o);
    }
    natsOptions *o = options(ask("start b $OPERATOR"));
    must(natsOptions_SetUserCredentialsFromFiles(o, file(folder, "user.creds"), NULL));
    natsConnection *nc = connected(o);
    publish(nc, "forbidden", "");
    see("%s", hears("error"));
}

static natsOptions *tls_options(const char *address, const char *folder, const char *shown)
{
    natsOptions *o = options(address);
    char certificate[512], key[512];
    snprintf(certificate, sizeof certificate, "%s/%s.pem", folder, shown);
    snprintf(key, sizeof key, "%s/%s.key", folder, shown);
    must(natsOptions_SetSecure(o, true));
    must(natsOptions_LoadCATrustedCertificates(o, file(folder, "ca.pem")));
    must(natsOptions_LoadCertificatesChain(o, certificate, key));
    return o;
}

static void tls(void)
{
    char *folder = ask("certificates"), command[2048];
    snprintf(command, sizeof command,
             "start a tls { cert_file: \"%s/server.pem\", key_file: \"%s/server.key\", ca_file: \"%s/ca.pem\", verify: true, "
             "timeout: 5 }",
             folder, folder, folder);
    char *address = ask(command);
    natsConnection *nc = connected(tls_options(address, folder, "client")), *other;
    natsSubscription *got = subscribe(nc, "x");
    publish(nc, "x", "sealed");
    see("%s", next(got));
    natsOptions *o = tls_options(address, folder, "stranger");
    must(natsOptions_SetAllowReconnect(o, false));
    see("refused %d", natsConnection_Connect(&other, o) != NATS_OK);
    see("refused %d", natsConnection_Connect(&other, options(address)) != NATS_OK);
}

static void permissions(void)
{
    natsOptions *o = options(ask("start a authorization { users: [{user: u, password: p, permissions: {"
                                 "publish: {allow: [\"ok.>\"], deny: \"ok.not\"}, subscribe: [\"ok.>\", \"work q\"]}}] }"));
    must(natsOptions_SetUserInfo(o, "u", "p"));
    natsConnection *nc = connected(o);
    natsSubscription *got = subscribe(nc, "ok.>"), *work;
    publish(nc, "other", "");
    see("%s", hears("error"));
    publish(nc, "ok.not", "");
    see("%s", hears("error"));
    subscribe(nc, "other");
    see("%s", hears("error"));
    must(natsConnection_QueueSubscribeSync(&work, nc, "work", "r"));
    see("%s", hears("error"));
    publish(nc, "ok.yes", "still here");
    see("%s", next(got));
}

static void headers(void)
{
    natsConnection *nc = connected(options(ask("start a")));
    natsSubscription *got = subscribe(nc, "x");
    natsMsg *message, *back;
    must(natsMsg_Create(&message, "x", NULL, "body", 4));
    must(natsMsgHeader_Add(message, "Many", "one"));
    must(natsMsgHeader_Add(message, "Many", "two"));
    must(natsConnection_PublishMsg(nc, message));
    must(natsSubscription_NextMsg(&back, got, LIMIT_MS));
    const char **values;
    int count;
    must(natsMsgHeader_Values(back, "Many", &values, &count));
    see("%s %d %s %s", natsMsg_GetData(back), count, values[0], values[1]);
}

static void echo(natsConnection *nc, natsSubscription *sub, natsMsg *message, void *closure)
{
    (void)sub;
    (void)closure;
    must(natsConnection_PublishString(nc, natsMsg_GetReply(message), natsMsg_GetData(message)));
    natsMsg_Destroy(message);
}

static void requests(void)
{
    natsConnection *nc = connected(options(ask("start a")));
    natsMsg *answer;
    natsSubscription *sub;
    see("%s", natsStatus_GetText(natsConnection_RequestString(&answer, nc, "nobody", "", LIMIT_MS)));
    subscribe(nc, "silent");
    see("%s", natsStatus_GetText(natsConnection_RequestString(&answer, nc, "silent", "", 300)));
    must(natsConnection_Subscribe(&sub, nc, "echo", echo, NULL));
    must(natsConnection_RequestString(&answer, nc, "echo", "back", LIMIT_MS));
    see("%s", natsMsg_GetData(answer));
}

static void large_payload(void)
{
    natsConnection *nc = connected(options(ask("start a")));
    natsSubscription *got = subscribe(nc, "x");
    enum { SIZE = 1024 * 1024 };
    char *payload = malloc(SIZE + 1);
    for (int index = 0; index <= SIZE; index++)
        payload[index] = (char)(index * 7);
    natsMsg *back;
    must(natsConnection_Publish(nc, "x", payload, SIZE));
    must(natsSubscription_NextMsg(&back, got, LIMIT_MS));
    see("same %d", natsMsg_GetDataLength(back) == SIZE && !memcmp(natsMsg_GetData(back), payload, SIZE));
    see("%s", natsStatus_GetText(natsConnection_Publish(nc, "x", payload, SIZE + 1)));
}

static volatile int counts[3];

static void count(natsConnection *nc, natsSubscription *sub, natsMsg *message, void *closure)
{
    (void)nc;
    (void)sub;
    __sync_fetch_and_add((volatile int *)closure, 1);
    natsMsg_Destroy(message);
}

static void queue_groups(void)
{
    natsConnection *nc = connected(options(ask("start a")));
    natsSubscription *sub;
    for (int index = 0; index < 3; index++)
        must(natsConnection_QueueSubscribe(&sub, nc, "work.*", "workers", count, (void *)&counts[index]));
    for (int number = 0; number < 300; number++)
        publish(nc, "work.x", "");
    must(natsConnection_Flush(nc));
    for (int waited_ms = 0; counts[0] + counts[1] + counts[2] < 300 && waited_ms < LIMIT_MS; waited_ms += 5)
        nats_Sleep(5);
    see("%d, each has some: %d", counts[0] + counts[1] + counts[2], counts[0] > 30 && counts[1] > 30 && counts[2] > 30);
}

static void unsubscribe_after_a_count(void)
{
    natsConnection *nc = connected(options(ask("start a")));
    natsSubscription *got = subscribe(nc, "x");
    natsMsg *more;
    must(natsSubscription_AutoUnsubscribe(got, 2));
    for (int number = 0; number < 5; number++)
        publish(nc, "x", number == 1 ? "second" : "other");
    must(natsConnection_Flush(nc));
    see("%s", ask("monitor a /connz /connections/0/subscriptions"));
    next(got);
    see("%s", next(got));
    see("%s", natsStatus_GetText(natsSubscription_NextMsg(&more, got, LIMIT_MS)));
}

static void round_trip(void)
{
    natsConnection *nc = connected(options(ask("start a")));
    int64_t ns = 0;
    for (int number = 0; number < 100; number++)
        must(natsConnection_FlushTimeout(nc, LIMIT_MS));
    must(natsConnection_GetRTT(nc, &ns));
    see("a time %d", ns > 0);
}

static void drain(void)
{
    char *address = ask("start a");
    natsConnection *nc = connected(options(address)), *other = connected(options(address));
    natsSubscription *sub;
    must(natsConnection_Subscribe(&sub, nc, "x", count, (void *)&counts[0]));
    must(natsConnection_Flush(nc));
    for (int number = 0; number < 50; number++)
        publish(other, "x", "");
    must(natsConnection_Flush(other));
    must(natsConnection_Drain(nc));
    see("%s", hears("closed"));
    see("%d", counts[0]);
}

static void reconnect(void)
{
    natsOptions *o = options(ask("start a"));
    must(natsOptions_SetMaxReconnect(o, -1));
    natsConnection *nc = connected(o);
    natsSubscription *got = subscribe(nc, "x"), *work;
    must(natsConnection_QueueSubscribeSync(&work, nc, "work", "q"));
    must(natsConnection_Flush(nc));
    ask("kill a");
    see("%s", hears("disconnected"));
    publish(nc, "x", "while it was away");
    ask("again a");
    see("%s", hears("reconnected"));
    see("%s", next(got));
    publish(nc, "work", "after");
    see("%s", next(work));
}

/* Connects to `first`, with `second` as the other server of the list. */
static natsConnection *connected_to_two(natsOptions *o, const char *first, const char *second)
{
    char urls[2][256];
    const char *servers[2] = {urls[0], urls[1]};
    snprintf(urls[0], sizeof urls[0], "nats://%s", first);
    snprintf(urls[1], sizeof urls[1], "nats://%s", second);
    must(natsOptions_SetURL(o, NULL));
    must(natsOptions_SetServers(o, servers, 2));
    return connected(o);
}

static bool is_at(natsConnection *nc, const char *address)
{
    char url[256];
    must(natsConnection_GetConnectedUrl(nc, url, sizeof url));
    return strstr(url, address) != NULL;
}

static void lame_duck(void)
{
    char *first = ask("start a lame_duck_duration: \"30s\", lame_duck_grace_period: \"1s\""), *second = ask("start b");
    natsConnection *nc = connected_to_two(options(first), first, second);
    natsSubscription *got = subscribe(nc, "x");
    must(natsConnection_Flush(nc));
    ask("lame a");
    see("%s", hears("lame duck"));
    see("%s", hears("disconnected"));
    see("%s", hears("reconnected"));
    see("at b %d", is_at(nc, second));
    publish(nc, "x", "served there");
    see("%s", next(got));
}

static void frozen_server(void)
{
    char *first = ask("start a"), *second = ask("start b");
    natsOptions *o = options(first);
    must(natsOptions_SetPingInterval(o, 300));
    must(natsOptions_SetMaxPingsOut(o, 2));
    must(natsOptions_SetTimeout(o, 1000));
    natsConnection *nc = connected_to_two(o, first, second);
    ask("freeze a");
    see("%s", hears("disconnected"));
    see("%s", hears("reconnected"));
    see("at b %d", is_at(nc, second));
}

static void slow_consumer_in_the_client(void)
{
    natsOptions *o = options(ask("start a"));
    must(natsOptions_SetMaxPendingMsgs(o, 5));
    natsConnection *nc = connected(o);
    subscribe(nc, "x");
    for (int number = 0; number < 20; number++)
        publish(nc, "x", "");
    must(natsConnection_Flush(nc));
    see("%s", hears("error"));
}

static void too_many_subscriptions(void)
{
    natsConnection *nc = connected(options(ask("start a max_subscriptions: 1")));
    const char *last = NULL;
    subscribe(nc, "a");
    subscribe(nc, "b");
    see("%s", hears("closed"));
    natsStatus status = natsConnection_GetLastError(nc, &last);
    see("%s: %s", natsStatus_GetText(status), last);
}

static void no_jetstream(void)
{
    natsConnection *nc = connected(options(ask("start a")));
    jsCtx *js;
    jsAccountInfo *info;
    jsPubAck *ack;
    jsErrCode code = 0;
    must(natsConnection_JetStream(&js, nc, NULL));
    see("%s", natsStatus_GetText(js_GetAccountInfo(&info, js, NULL, &code)));
    natsStatus status = js_Publish(&ack, js, "x", "", 0, NULL, &code);
    see("%s %d", natsStatus_GetText(status), code);
}

static const struct {
    const char *name;
    void (*play)(void);
} scenarios[] = {
#define SCENARIO(name) {#name, name}
    SCENARIO(connect_options), SCENARIO(auth), SCENARIO(keys), SCENARIO(tls), SCENARIO(permissions), SCENARIO(headers), SCENARIO(requests),
    SCENARIO(large_payload), SCENARIO(queue_groups), SCENARIO(unsubscribe_after_a_count), SCENARIO(round_trip),
    SCENARIO(drain), SCENARIO(reconnect), SCENARIO(lame_duck), SCENARIO(frozen_server),
    SCENARIO(slow_consumer_in_the_client), SCENARIO(too_many_subscriptions), SCENARIO(no_jetstream),
};

int main(int argc, char **argv)
{
    bool is_played = argc < 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    alarm(50);
    for (size_t index = 0; index < sizeof scenarios / sizeof *scenarios; index++) {
        if (argc < 2) {
            see("%s", scenarios[index].name);
        } else if (!strcmp(scenarios[index].name, argv[1])) {
            scenarios[index].play();
            is_played = true;
        }
    }
    if (!is_played)
        return 64;
    puts("done");
    fflush(stdout);
    /* Connections are still open, with threads of their own. */
    _exit(0);
}
