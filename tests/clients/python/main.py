"""What stock nats-py sees of a server, scenario by scenario."""

import asyncio
import ssl
import threading
import time

import nats
from nats.errors import Error, MaxPayloadError, NoRespondersError, TimeoutError
from runner import ask, play, see, soon

SCENARIOS = {}


def scenario(function):
    SCENARIOS[function.__name__] = function
    return function


class Client:
    """A connection that keeps what its callbacks were told."""

    def __init__(self):
        self.told = asyncio.Queue()
        self.nc = None

    async def connect(self, *addresses, **options):
        def callback(name):
            async def call(*words):
                word = " ".join([name, *(f"{type(word).__name__} {word}" for word in words)])
                print("#", word, flush=True)
                await self.told.put(word)

            return call

        names = ["error", "disconnected", "reconnected", "closed", "lame_duck_mode"]
        callbacks = {f"{name}_cb": callback(name) for name in names}
        options = {"dont_randomize": True, "reconnect_time_wait": 0.1, **callbacks, **options}
        servers = [address if "://" in address else f"nats://{address}" for address in addresses]
        self.nc = await soon(nats.connect(servers, **options))
        return self.nc

    async def hears(self, name):
        """Waits for a callback of this name; others before it are passed over."""
        while not (word := await soon(self.told.get())).startswith(name):
            pass
        return word


async def connected(configuration="", **options):
    client = Client()
    await client.connect(await ask("start a", configuration), **options)
    return client, client.nc


async def refused(address, **options):
    """How the client tells that it was not let in."""
    client = Client()
    try:
        await client.connect(address, allow_reconnect=False, max_reconnect_attempts=1, **options)
        see("let in")
        await client.nc.close()
    except (Error, OSError) as error:
        see("refused:", type(error).__name__, error)


async def settled(nc):
    """Waits until the server has read all that was sent. One flush is not enough: nats-py writes its PING past its own queue."""
    await nc.flush()
    await nc.flush()


async def next_text(subscription):
    return (await subscription.next_msg(10)).data.decode()


@scenario
async def connect_options():
    client, nc = await connected(name="a name", verbose=True, pedantic=True, no_echo=True, inbox_prefix="_MINE")
    see("name", await ask("monitor a /connz /connections/0/name"), await ask("monitor a /connz /connections/0/lang"))
    see("limit", nc.max_payload)
    see("inbox", nc.new_inbox().split(".")[0])
    own = await nc.subscribe("x")
    await nc.publish("x", b"not to myself")
    await settled(nc)
    see("own messages", own.pending_msgs)
    other = await Client().connect(f"127.0.0.1:{nc.connected_url.port}")
    await other.publish("x", b"from another")
    see(await next_text(own))
    await nc.publish("bad.*", b"pedantic")
    see(await client.hears("closed"), nc.last_error)


@scenario
async def max_payload_of_the_server():
    client, nc = await connected("max_payload: 1000")
    got = await nc.subscribe("x")
    see("limit", nc.max_payload)
    await nc.publish("x", b"." * 1000)
    see("bytes", len(await next_text(got)))
    try:
        await nc.publish("x", b"." * 1001)
    except MaxPayloadError as error:
        see(type(error).__name__)
    # The client counts no headers; the server does, and ends the connection.
    await nc.publish("x", b"." * 1000, headers={"A": "b"})
    see(await client.hears("closed"), nc.last_error)


@scenario
async def large_payload():
    _, nc = await connected()
    got = await nc.subscribe("x")
    payload = bytes(range(256)) * 4096
    await nc.publish("x", payload)
    see("same", (await got.next_msg(10)).data == payload)
    try:
        await nc.publish("x", payload + b"!")
    except MaxPayloadError as error:
        see(type(error).__name__)
    await nc.close()


@scenario
async def auth_token():
    address = await ask('start a authorization { token: "s3cr3t" }')
    nc = await Client().connect(f"nats://s3cr3t@{address}")
    await settled(nc)
    await nc.close()
    nc = await Client().connect(address, token="s3cr3t")
    await settled(nc)
    see("let in twice")
    await refused(address, token="wrong")
    await refused(address)
    await nc.close()


@scenario
async def auth_user():
    address = await ask('start a authorization { users: [{user: u, password: p}, {user: v, password: "q r"}] }')
    nc = await Client().connect(f"nats://u:p@{address}")
    other = await Client().connect(address, user="v", password="q r")
    got = await nc.subscribe("x")
    await settled(nc)
    await other.publish("x", b"from v to u")
    see(await next_text(got))
    for options in [{"user": "u", "password": "q"}, {"user": "w", "password": "p"}, {"token": "p"}, {}]:
        await refused(address, **options)
    await nc.close()
    await other.close()


@scenario
async def auth_bcrypt():
    hashed = "$2a$04$Z08uGa9zBmFw0w6M0NsAGuNpzqLApblImflAMQLT9lENcujkm/.h6"
    address = await ask(f'start a authorization {{ user: u, password: "{hashed}" }}')
    nc = await Client().connect(address, user="u", password="secret")
    await settled(nc)
    see("let in")
    await refused(address, user="u", password="wrong")
    await refused(address, user="u", password=hashed)


@scenario
async def nkey():
    address, keys = await ask("start a authorization { users: [{nkey: $USER}] }"), await ask("keys")
    nc = await Client().connect(address, nkeys_seed=f"{keys}/user.seed")
    await settled(nc)
    see("let in")
    await refused(address, nkeys_seed=f"{keys}/stranger.seed")
    await refused(address, user="u", password="p")


@scenario
async def credentials():
    address, keys = await ask("start a $OPERATOR"), await ask("keys")
    client = Client()
    nc = await client.connect(address, user_credentials=f"{keys}/user.creds")
    await nc.publish("forbidden", b"")
    see(await client.hears("error"))
    await settled(nc)
    await refused(address, user_credentials=f"{keys}/stranger.creds")
    await refused(address)


def tls_options(folder, shown="client", **more):
    context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=f"{folder}/ca.pem")
    if shown:
        context.load_cert_chain(f"{folder}/{shown}.pem", f"{folder}/{shown}.key")
    return {"tls": context, "tls_hostname": "localhost", **more}


def tls_configuration(folder, more=""):
    files = f'cert_file: "{folder}/server.pem", key_file: "{folder}/server.key", ca_file: "{folder}/ca.pem"'
    return f"tls {{ {files}, verify: true, timeout: 5{more} }}"


async def is_refused(address, **options):
    """Whether it is not let in: where a handshake breaks off is a matter of luck."""
    try:
        nc = await asyncio.wait_for(nats.connect(address, allow_reconnect=False, connect_timeout=3, **options), 10)
        await nc.close()
        return False
    except (Error, OSError, asyncio.TimeoutError):
        return True


@scenario
async def tls():
    folder = await ask("certificates")
    address = await ask("start a", tls_configuration(folder))
    nc = await Client().connect(f"tls://{address}", **tls_options(folder))
    got = await nc.subscribe("x")
    payload = bytes(range(256)) * 2000
    await nc.publish("x", payload)
    see("same", (await got.next_msg(10)).data == payload)
    see("without a certificate", await is_refused(address, **tls_options(folder, shown=None)))
    see("with a stranger's", await is_refused(address, **tls_options(folder, shown="stranger")))
    see("not knowing the authority", await is_refused(f"tls://{address}"))
    await nc.close()


@scenario
async def tls_first():
    folder = await ask("certificates")
    address = await ask("start a", tls_configuration(folder, ", handshake_first: true"))
    nc = await Client().connect(f"tls://{address}", **tls_options(folder, tls_handshake_first=True))
    await settled(nc)
    see("let in")
    see("waiting for INFO", await is_refused(f"tls://{address}", **tls_options(folder)))
    await nc.close()


@scenario
async def tls_reconnect():
    folder = await ask("certificates")
    address = await ask("start a", tls_configuration(folder))
    client = Client()
    nc = await client.connect(f"tls://{address}", max_reconnect_attempts=-1, **tls_options(folder))
    got = await nc.subscribe("x")
    await settled(nc)
    await ask("kill a")
    see(await client.hears("disconnected"))
    await ask("again a", tls_configuration(folder))
    see(await client.hears("reconnected"))
    await nc.publish("x", b"there again")
    see(await next_text(got))
    await nc.close()


@scenario
async def websocket():
    listen = await ask("port")
    await ask(f'start a websocket {{ listen: "{listen}", no_tls: true }}')
    client = Client()
    nc = await client.connect(f"ws://{listen}", max_reconnect_attempts=-1)
    got = await nc.subscribe("x")
    payload = bytes(range(256)) * 2000
    await nc.publish("x", payload, headers={"A": "b"})
    message = await got.next_msg(10)
    see("same", message.data == payload, message.headers)
    try:
        await nc.request("nobody", b"", timeout=10)
    except NoRespondersError as error:
        see(type(error).__name__)
    await ask("kill a")
    see(await client.hears("disconnected"))
    await ask(f'again a websocket {{ listen: "{listen}", no_tls: true }}')
    see(await client.hears("reconnected"))
    await nc.publish("x", b"there again")
    see(await next_text(got))
    await nc.close()


@scenario
async def password_changed():
    both = "authorization { users: [{user: u, password: p}, {user: v, password: q}] }"
    client, nc = await connected(both, user="v", password="q", max_reconnect_attempts=2)
    await settled(nc)
    await ask("reload a authorization { users: [{user: u, password: p}, {user: v, password: new}] }")
    see(await client.hears("closed"), nc.last_error)


@scenario
async def permissions():
    client, nc = await connected(
        'authorization { users: [{user: u, password: p, permissions: {'
        'publish: {allow: ["ok.>", "_INBOX.>"], deny: "ok.not"}, subscribe: {allow: ["ok.>", "_INBOX.>", "work q"]}}}] }',
        user="u", password="p",
    )
    got = await nc.subscribe("ok.>")
    await nc.publish("other", b"")
    see(await client.hears("error"))
    await nc.publish("ok.not", b"")
    see(await client.hears("error"))
    await nc.subscribe("other")
    see(await client.hears("error"))
    await nc.subscribe("work", queue="r")
    see(await client.hears("error"))
    await nc.subscribe("work", queue="q")
    await nc.publish("ok.yes", b"still here")
    see(await next_text(got))
    await nc.close()


@scenario
async def permission_to_reply():
    address = await ask(
        "start a authorization { users: ["
        '{user: u, password: p, permissions: {subscribe: "service", publish: {deny: ">"}, allow_responses: {max: 1}}},'
        "{user: v, password: q}] }"
    )
    service = Client()
    await service.connect(address, user="u", password="p")

    async def twice(message):
        await message.respond(b"first")
        await message.respond(b"second")

    await service.nc.subscribe("service", cb=twice)
    await settled(service.nc)
    nc = await Client().connect(address, user="v", password="q")
    inbox = nc.new_inbox()
    got = await nc.subscribe(inbox)
    await nc.publish("service", b"", reply=inbox)
    see(await next_text(got))
    see("denied", "Permissions Violation" in await service.hears("error"))
    see("more answers", got.pending_msgs)


@scenario
async def headers():
    _, nc = await connected()

    async def echo(message):
        await message.respond(message.data + b" back")

    await nc.subscribe("echo", cb=echo)
    got = await nc.subscribe("x")
    await nc.publish("x", b"body", headers={"One": "1", "Long": "l" * 1000, "Sp": "a b: c"})
    message = await got.next_msg(10)
    see(message.data, sorted((key, len(value), value[:5]) for key, value in message.headers.items()))
    await nc.publish("x", b"", headers={"Only": "headers"})
    see((await got.next_msg(10)).headers)
    see((await nc.request("echo", b"there and", timeout=10, headers={"A": "b"})).data)
    await nc.close()


@scenario
async def no_responders():
    _, nc = await connected()
    for old in [False, True]:
        try:
            await nc.request("nobody", b"", timeout=10, old_style=old)
        except NoRespondersError as error:
            see(type(error).__name__, error)
    await nc.close()


@scenario
async def request_that_times_out():
    _, nc = await connected()
    await nc.subscribe("silent")
    try:
        await nc.request("silent", b"", timeout=0.3)
    except TimeoutError as error:
        see(type(error).__name__)
    await settled(nc)
    await nc.close()


@scenario
async def request_many():
    _, nc = await connected()

    async def answer(message):
        for number in range(3):
            await nc.publish(message.reply, b"%d" % number, headers={"N": str(number)})

    await nc.subscribe("many", cb=answer)
    inbox = nc.new_inbox()
    got = await nc.subscribe(inbox, max_msgs=3)
    await nc.publish("many", b"", reply=inbox)
    see([((message := await got.next_msg(10)).data, message.headers) for _ in range(3)])
    await nc.close()


@scenario
async def queue_groups():
    _, nc = await connected()
    counts = [0, 0, 0, 0]

    def counter(index):
        async def count(_):
            counts[index] += 1

        return count

    for index in range(3):
        await nc.subscribe("work.*", queue="workers", cb=counter(index))
    await nc.subscribe("work.>", cb=counter(3))
    await settled(nc)
    for number in range(300):
        await nc.publish(f"work.{number}", b"")
    await settled(nc)
    while sum(counts) < 600:
        await soon(asyncio.sleep(0.01))
    see("by the group", sum(counts[:3]), "each has some", all(count > 30 for count in counts[:3]), "by all", counts[3])
    await nc.close()


@scenario
async def wildcards():
    _, nc = await connected()
    seen = []

    async def take(message):
        seen.append(f"{message.subject}")

    for subject in ["a.*", "a.>", "a.*.c", "*.b", ">"]:
        await nc.subscribe(subject, cb=take)
    for subject in ["a", "a.b", "a.b.c", "x.b"]:
        await nc.publish(subject, b"")
    await settled(nc)
    while len(seen) < 10:
        await soon(asyncio.sleep(0.01))
    see(sorted(seen))
    for bad in ["a..b", ".a", "a.", "a b", ""]:
        try:
            await nc.subscribe(bad)
            await settled(nc)
            see(repr(bad), "taken")
        except Error as error:
            see(repr(bad), type(error).__name__)
    await nc.close()


@scenario
async def drain_of_a_subscription():
    _, nc = await connected()
    seen = []

    async def slowly(message):
        await asyncio.sleep(0.01)
        seen.append(message.data)

    subscription = await nc.subscribe("x", cb=slowly)
    for number in range(20):
        await nc.publish("x", b"%d" % number)
    await settled(nc)
    await soon(subscription.drain())
    await nc.publish("x", b"too late")
    await settled(nc)
    see(len(seen), seen[-1])
    await nc.close()


@scenario
async def drain_of_the_connection():
    client, nc = await connected()
    address = f"127.0.0.1:{nc.connected_url.port}"
    other = await Client().connect(address)
    got = await other.subscribe("y")
    await settled(other)
    seen = []

    async def pass_on(message):
        await asyncio.sleep(0.005)
        seen.append(message.data)
        await nc.publish("y", message.data)

    await nc.subscribe("x", cb=pass_on)
    await settled(nc)
    for number in range(20):
        await other.publish("x", b"%d" % number)
    await settled(other)
    await soon(nc.drain())
    see(await client.hears("closed"), nc.is_closed, len(seen))
    see([await next_text(got) for _ in range(20)][-1])
    await other.close()


@scenario
async def unsubscribe_after_a_count():
    _, nc = await connected()
    seen = []

    async def take(message):
        seen.append(message.data)

    subscription = await nc.subscribe("x", cb=take)
    await subscription.unsubscribe(limit=3)
    for number in range(10):
        await nc.publish("x", b"%d" % number)
    await settled(nc)
    await asyncio.sleep(0.05)
    see(seen, await ask("monitor a /connz /connections/0/subscriptions"))
    await nc.close()


@scenario
async def flush_and_round_trip():
    _, nc = await connected()
    for _ in range(100):
        await nc.flush(timeout=10)
    see("100 flushes", nc.stats["errors_received"] if "errors_received" in nc.stats else 0)
    await nc.close()


@scenario
async def many_messages():
    _, nc = await connected()
    seen = []

    async def take(message):
        seen.append(int(message.data))

    await nc.subscribe("x", cb=take, pending_msgs_limit=-1, pending_bytes_limit=-1)
    for number in range(20_000):
        await nc.publish("x", b"%d" % number)
    await nc.flush(timeout=20)
    while len(seen) < 20_000:
        await asyncio.sleep(0.01)
    see("in order", seen == list(range(20_000)))
    await nc.close()


@scenario
async def reconnect():
    client, nc = await connected(max_reconnect_attempts=-1)
    got = await nc.subscribe("x")
    work = await nc.subscribe("work", queue="q")
    await settled(nc)
    await ask("kill a")
    see(await client.hears("disconnected"))
    await nc.publish("x", b"while it was away")
    await ask("again a")
    see(await client.hears("reconnected"))
    see(await next_text(got))
    await nc.publish("work", b"after")
    see(await next_text(work))
    see("reconnects", nc.stats["reconnects"])
    await nc.close()


@scenario
async def orderly_stop():
    client, nc = await connected(max_reconnect_attempts=-1)
    got = await nc.subscribe("x")
    await settled(nc)
    await ask("stop a")
    see(await client.hears("disconnected"))
    await ask("again a")
    see(await client.hears("reconnected"))
    await nc.publish("x", b"there again")
    see(await next_text(got))
    await nc.close()


@scenario
async def another_server_of_the_list():
    nobody, address = await ask("port"), await ask("start b")
    nc = await Client().connect(nobody, address)
    see("connected to b", f"{nc.connected_url.port}" == address.split(":")[1])
    await nc.close()


@scenario
async def lame_duck():
    first = await ask('start a lame_duck_duration: "30s", lame_duck_grace_period: "1s"')
    second = await ask("start b")
    client = Client()
    nc = await client.connect(first, second, max_reconnect_attempts=-1)
    got = await nc.subscribe("x")
    await settled(nc)
    await ask("lame a")
    see(await client.hears("lame_duck"))
    await nc.publish("x", b"served meanwhile")
    see(await next_text(got))
    see(await client.hears("disconnected"))
    see(await client.hears("reconnected"))
    see("at b", f"{nc.connected_url.port}" == second.split(":")[1])
    await nc.publish("x", b"served there")
    see(await next_text(got))
    await nc.close()


@scenario
async def frozen_server():
    first, second = await ask("start a"), await ask("start b")
    client = Client()
    nc = await client.connect(first, second, ping_interval=0.3, max_outstanding_pings=2, max_reconnect_attempts=-1)
    got = await nc.subscribe("x")
    await settled(nc)
    await ask("freeze a")
    see(await client.hears("disconnected"))
    see(await client.hears("reconnected"))
    see("at b", f"{nc.connected_url.port}" == second.split(":")[1])
    await nc.publish("x", b"there")
    see(await next_text(got))
    await nc.close()


@scenario
async def pings_of_the_server():
    client, nc = await connected('ping_interval: "300ms", ping_max: 2')
    await asyncio.sleep(3)
    await settled(nc)
    see("told", client.told.qsize(), await ask("monitor a /varz /stale_connections"))
    await nc.close()


@scenario
async def slow_consumer_in_the_client():
    client, nc = await connected()
    release = asyncio.Event()

    async def stuck(_):
        await release.wait()

    await nc.subscribe("x", cb=stuck, pending_msgs_limit=5)
    for _ in range(20):
        await nc.publish("x", b"")
    await settled(nc)
    see((await client.hears("error")).split(",")[0])
    release.set()
    await nc.close()


@scenario
async def slow_consumer_in_the_server():
    address = await ask('start a max_payload: 1000000, max_pending: 2000000, write_deadline: "2s"')
    client = Client()
    nc = await client.connect(address, max_reconnect_attempts=-1)
    got = await nc.subscribe("x", pending_msgs_limit=-1, pending_bytes_limit=-1)
    await settled(nc)

    def flood():
        async def publish():
            other = await nats.connect(f"nats://{address}")
            for _ in range(40):
                await other.publish("x", b"." * 1_000_000)
            await other.flush(timeout=20)
            await other.close()

        asyncio.run(publish())

    thread = threading.Thread(target=flood)
    thread.start()
    # The whole loop stands still, as in a program that computes.
    time.sleep(0.1)
    thread.join()
    see(await client.hears("disconnected"))
    see(await client.hears("reconnected"))
    see("slow consumers", await ask("monitor a /varz /slow_consumers"))
    await nc.publish("end", b"")
    await settled(nc)
    see("lost some", got.pending_msgs < 40)
    await nc.close()


@scenario
async def too_many_connections():
    _, nc = await connected("max_connections: 1")
    # Whether it reads the reason or fails to write first is a matter of luck.
    try:
        await Client().connect(f"127.0.0.1:{nc.connected_url.port}", allow_reconnect=False)
        see("let in")
    except (Error, OSError):
        see("refused")
    await settled(nc)
    await nc.close()


@scenario
async def too_many_subscriptions():
    client, nc = await connected("max_subscriptions: 2")
    for subject in ["a", "b", "c"]:
        await nc.subscribe(subject)
    see(await client.hears("closed"), nc.last_error)


@scenario
async def unknown_operation():
    client, nc = await connected()
    await nc._send_command(b"BOGUS\r\n")
    await nc._flush_pending()
    see(await client.hears("closed"), nc.last_error)


@scenario
async def service():
    _, nc = await connected()
    import nats.micro

    async def double(request):
        if request.data == b"no":
            await request.respond_error("400", "not that", data=b"sorry")
        else:
            await request.respond(request.data * 2)

    made = await nats.micro.add_service(nc, name="doubler", version="1.2.3", description="doubles")
    await made.add_group(name="math").add_endpoint(name="double", handler=double)
    see((await nc.request("math.double", b"ab", timeout=10)).data)
    answer = await nc.request("math.double", b"no", timeout=10)
    see(answer.data, sorted(answer.headers.items()))
    for verb in ["PING", "INFO", "STATS"]:
        for subject in [f"$SRV.{verb}", f"$SRV.{verb}.doubler"]:
            see(subject, b"io.nats.micro.v1." in (await nc.request(subject, b"", timeout=10)).data)
    stats = made.stats().endpoints[0]
    see(stats.num_requests, stats.num_errors)
    await made.stop()
    try:
        await nc.request("math.double", b"", timeout=10)
    except NoRespondersError as error:
        see(type(error).__name__)
    await nc.close()


@scenario
async def no_jetstream():
    _, nc = await connected()
    js = nc.jetstream(timeout=2)
    for call in [
        lambda: js.account_info(),
        lambda: js.publish("x", b""),
        lambda: js.add_stream(name="s", subjects=["x"]),
        lambda: js.subscribe("x"),
        lambda: js.create_key_value(bucket="b"),
        lambda: js.key_value("b"),
    ]:
        try:
            await call()
            see("served")
        except Exception as error:
            see(type(error).__name__, error)
    await nc.close()


play(SCENARIOS)
