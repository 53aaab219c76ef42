#include "bus.h"

int main(void)
{
	struct message m;
	FILE *bus = bus_open();
	fprintf(bus, "SUB answer.%d 1\r\nPUB ps.calibre answer.%d 0\r\n\r\n", getpid(), getpid());
	if (!bus_next(bus, &m)) return 69;
	if (m.status == 503) puts("no heat: calibre does not run");
	else printf("HEAT! calibre runs as %s\n", m.payload);
	return 0;
}
