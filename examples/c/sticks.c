#include "bus.h"

/* The sticks there are: "devpath node" each. */
static char sticks[32][512];
static char epoch[64];
static unsigned long seq;

static void set(const char *text, int there)
{
	int known = 0;
	for (int i = 0; i < 32; i++)
		if (!strcmp(sticks[i], text)) known = 1, there || (sticks[i][0] = 0);
	for (int i = 0; there && !known && i < 32; i++)
		if (!sticks[i][0]) { strcpy(sticks[i], text); break; }
	if (known != there) printf("%c %s\n", there ? '+' : '-', strchr(text, ' ') + 1), fflush(stdout);
}

/* "devpath node" of the stick that the JSON text up to end tells about; NULL when it is none. */
static char *stick(char *json, const char *end)
{
	static char text[512];
	char devpath[400], node[64], *rest = json + (end - json), kept = *rest;
	*rest = 0;
	int is = field(json, "devpath", devpath, sizeof devpath) && field(json, "filesystem", node, sizeof node);
	*rest = kept;
	return is && snprintf(text, sizeof text, "%s %s", devpath, node) > 0 ? text : NULL;
}

static unsigned long number(const char *json) { const char *at = strstr(json, "\"seq\":"); return at ? strtoul(at + 6, NULL, 10) : 0; }

static void list(FILE *bus) { fprintf(bus, "PUB hardware.list list.%d 3\r\nusb\r\n", getpid()); }

static void listed(char *json)
{
	char before[32][512], now[32][512] = {{0}}, *text;
	int count = 0;
	memcpy(before, sticks, sizeof before);
	field(json, "epoch", epoch, sizeof epoch), seq = number(json);
	for (char *item = strstr(json, "{\"subject\""), *next; item; item = next) {
		next = strstr(item + 1, "{\"subject\"");
		if ((text = stick(item, next ? next : item + strlen(item))) && count < 32) strcpy(now[count++], text);
	}
	for (int i = 0; i < count; i++) set(now[i], 1);
	for (int i = 0; i < 32; i++) {
		int there = !before[i][0];
		for (int j = 0; j < count; j++) there |= !strcmp(before[i], now[j]);
		if (!there) set(before[i], 0);
	}
}

int main(void)
{
	struct message m;
	char told[64], *text;
	for (;; sleep(1)) { /* the bus was away: subscribe and list again */
		FILE *bus = bus_open();
		fprintf(bus, "SUB hardware.*.* 1\r\nSUB list.%d 2\r\n", getpid());
		list(bus);
		while (bus_next(bus, &m)) {
			if (!strncmp(m.subject, "list.", 5)) { m.status == 503 ? (void)sleep(1), list(bus) : listed(m.payload); continue; }
			if (!field(m.payload, "epoch", told, sizeof told) || strcmp(told, epoch) || number(m.payload) > seq + 1) { list(bus); continue; }
			if (number(m.payload) <= seq) continue; /* older than the list */
			seq = number(m.payload);
			if (!(text = stick(m.payload, m.payload + strlen(m.payload)))) continue;
			if (!strcmp(m.subject, "hardware.usb.add")) set(text, 1);
			if (!strcmp(m.subject, "hardware.usb.remove")) set(text, 0);
		}
		fclose(bus);
	}
}
