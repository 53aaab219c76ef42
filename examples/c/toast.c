#include "bus.h"

int main(void)
{
	struct message m;
	char node[64];
	FILE *bus = bus_open();
	const char *text = "a USB stick was plugged in!";
	fprintf(bus, "SUB hardware.usb.add 1\r\n");
	puts("connected"), fflush(stdout);
	while (bus_next(bus, &m))
		if (field(m.payload, "filesystem", node, sizeof node)) fprintf(bus, "PUB toast.in %zu\r\n%s\r\n", strlen(text), text);
	return 69;
}
