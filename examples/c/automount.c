#include "bus.h"
#include <sys/wait.h>

static void run(const char *program, const char *first, const char *second)
{
	pid_t pid = fork();
	if (pid == 0) execlp(program, program, first, second, (char *)NULL), _exit(127);
	waitpid(pid, NULL, 0);
}

int main(void)
{
	struct message m;
	char node[64];
	const char *place = getenv("PLACE") ? getenv("PLACE") : "/myplace";
	FILE *bus = bus_open();
	fprintf(bus, "SUB hardware.usb.add 1\r\nSUB hardware.usb.remove 2\r\n");
	puts("connected"), fflush(stdout);
	while (bus_next(bus, &m)) {
		if (!field(m.payload, "filesystem", node, sizeof node)) continue;
		if (!strcmp(m.subject, "hardware.usb.add")) run("mount", node, place);
		else run("umount", place, NULL);
	}
	return 69;
}
