/* NATS in sixty lines of C: the protocol is text. Connects to NATS_URL (nats://[user:pass@]host:port). */
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct message { char subject[256], *payload; int status; };

/* Connects, trying again every second while nobody listens. */
static FILE *bus_open(void)
{
	char url[256] = "nats://127.0.0.1:4222", *user = NULL, *pass = "", *host, *port;
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *address;
	if (getenv("NATS_URL")) snprintf(url, sizeof url, "%s", getenv("NATS_URL"));
	host = strstr(url, "://") ? strstr(url, "://") + 3 : url;
	if (strchr(host, '@')) {
		user = strtok(host, "@");
		host = strtok(NULL, "@");
		if ((pass = strchr(user, ':'))) *pass++ = 0;
	}
	port = strrchr(host, ':') ? strrchr(host, ':') : ":4222";
	char name[256];
	snprintf(name, sizeof name, "%.*s", (int)strcspn(host, ":/"), host);
	if (getaddrinfo(name, port + 1, &hints, &address)) exit(69);
	int fd = socket(address->ai_family, SOCK_STREAM, 0);
	while (connect(fd, address->ai_addr, address->ai_addrlen)) {
		perror("connect");
		close(fd), sleep(1);
		fd = socket(address->ai_family, SOCK_STREAM, 0);
	}
	freeaddrinfo(address);
	FILE *bus = fdopen(fd, "r+");
	setvbuf(bus, NULL, _IONBF, 0);
	fprintf(bus, "CONNECT {\"verbose\":false,\"headers\":true,\"no_responders\":true");
	if (user) fprintf(bus, ",\"user\":\"%s\",\"pass\":\"%s\"", user, pass ? pass : "");
	fprintf(bus, "}\r\n");
	return bus;
}

/* Waits for the next message; 0 when the bus is gone. status is 503 when nobody serves a request, else 0. */
static int bus_next(FILE *bus, struct message *m)
{
	static char payload[1 << 20];
	char line[4096];
	while (fgets(line, sizeof line, bus)) {
		char *field[8], *at = line;
		int fields = 0;
		while (fields < 8 && (field[fields] = strtok(at, " \r\n"))) at = NULL, fields++;
		if (fields == 0) continue;
		if (!strcmp(field[0], "PING")) fprintf(bus, "PONG\r\n");
		if (!strcmp(field[0], "-ERR")) { fprintf(stderr, "the bus refuses\n"); return 0; }
		int headers = !strcmp(field[0], "HMSG");
		if (fields < 4 || (!headers && strcmp(field[0], "MSG"))) continue;
		size_t total = strtoul(field[fields - 1], NULL, 10), skip = headers ? strtoul(field[fields - 2], NULL, 10) : 0;
		if (total + 2 >= sizeof payload || skip > total || fread(payload, 1, total + 2, bus) != total + 2) return 0;
		payload[total] = 0;
		snprintf(m->subject, sizeof m->subject, "%s", field[1]);
		m->status = headers ? atoi(payload + strlen("NATS/1.0")) : 0;
		m->payload = payload + skip;
		return 1;
	}
	return 0;
}

/* The text of a JSON field, or NULL. Good for nodes and names; a program that needs more takes a JSON library. */
static inline char *field(const char *json, const char *name, char *into, size_t size)
{
	char key[64];
	snprintf(key, sizeof key, "\"%s\":\"", name);
	const char *at = strstr(json, key);
	if (!at) return NULL;
	at += strlen(key);
	snprintf(into, size, "%.*s", (int)strcspn(at, "\""), at);
	return into;
}
