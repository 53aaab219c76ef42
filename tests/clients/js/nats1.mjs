// What the stock client of 2020 (`nats` 1) sees of a server.
import { createRequire } from "node:module";
import { ask, pause, play, see, soon } from "./runner.mjs";

const NATS = createRequire(import.meta.url)("nats");

const told = (error) => `${error?.name} ${error?.code ?? ""} ${error?.message}`;

/** A connection whose events can be waited for. */
async function open(address, options = {}) {
  const servers = [address].flat().map((one) => `nats://${one}`);
  const nc = NATS.connect({ servers, noRandomize: true, reconnectTimeWait: 100, ...options });
  const events = [];
  let wake = () => {};
  for (const name of ["connect", "error", "permission_error", "disconnect", "reconnect", "close"]) {
    nc.on(name, (data) => {
      const event = data instanceof Error ? `${name} ${told(data)}` : name;
      console.log("#", event);
      events.push(event);
      wake();
    });
  }
  const hears = (...names) =>
    soon(
      (async () => {
        for (;;) {
          while (events.length > 0) {
            const event = events.shift();
            if (names.includes(event.split(" ")[0])) return event;
          }
          await new Promise((resolve) => (wake = resolve));
        }
      })(),
      `event ${names}`,
    );
  const first = await hears("connect", "error");
  return { nc, hears, events, first };
}

const start = async (configuration = "", options = {}) => open(await ask("start a", configuration), options);
const flush = (nc) => soon(new Promise((resolve) => nc.flush(resolve)), "flush");
const request = (nc, subject, body, ms = 10_000) =>
  soon(new Promise((resolve) => nc.request(subject, body, { timeout: ms }, resolve)), "request");

const scenarios = {
  async publish_and_subscribe() {
    const { nc, first } = await start("", { name: "a name", verbose: true, pedantic: true });
    see(first, await ask("monitor a /connz /connections/0/name"), await ask("monitor a /connz /connections/0/lang"));
    const seen = [];
    for (const subject of ["a.*", "a.>", ">"]) nc.subscribe(subject, (_, __, on) => seen.push(`${subject} ${on}`));
    for (const subject of ["a", "a.b", "a.b.c"]) nc.publish(subject, "x");
    await flush(nc);
    see(seen.sort());
    nc.close();
  },

  async json_and_binary() {
    const { nc } = await start("", { json: true });
    const got = new Promise((resolve) => nc.subscribe("x", resolve));
    nc.publish("x", { one: [1, "ä"] });
    see(await soon(got));
    nc.close();
    const raw = (await open(`127.0.0.1:${nc.url.port}`, { preserveBuffers: true })).nc;
    const bytes = new Promise((resolve) => raw.subscribe("y", resolve));
    const payload = Buffer.alloc(1024 * 1024, "0123456789\r\n");
    raw.publish("y", payload);
    see("same", (await soon(bytes)).equals(payload));
    raw.close();
  },

  async requests() {
    const { nc } = await start();
    nc.subscribe("echo", (body, reply) => nc.publish(reply, `${body} back`));
    see(await request(nc, "echo", "there and"));
    nc.subscribe("silent", () => {});
    see(told(await request(nc, "silent", "", 300)));
    const answers = [];
    nc.subscribe("many", (_, reply) => [1, 2, 3].forEach((number) => nc.publish(reply, `${number}`)));
    nc.request("many", "", { max: 2 }, (answer) => answers.push(answer));
    await flush(nc);
    await flush(nc);
    see(answers);
    nc.close();
  },

  async queue_groups_and_counts() {
    const { nc } = await start();
    const counts = [0, 0, 0];
    [0, 1].forEach((index) => nc.subscribe("work", { queue: "q" }, () => counts[index]++));
    nc.subscribe("work", { max: 7 }, () => counts[2]++);
    await flush(nc);
    for (let number = 0; number < 200; number++) nc.publish("work", "x");
    await flush(nc);
    see("by the group", counts[0] + counts[1], "each has some", counts[0] > 30 && counts[1] > 30, "limited", counts[2]);
    nc.close();
  },

  async auth() {
    const address = await ask('start a authorization { users: [{user: u, password: p}] }');
    const { nc, first } = await open(address, { user: "u", pass: "p" });
    see(first);
    for (const options of [{ user: "u", pass: "q" }, { token: "t" }, {}]) {
      const other = await open(address, { reconnect: false, ...options });
      see(other.first);
      other.nc.close();
    }
    nc.close();
    const second = await ask("start b authorization { token: t }");
    const other = await open(second, { token: "t" });
    see(other.first);
    other.nc.close();
  },

  async permissions() {
    const { nc, hears } = await start(
      "authorization { users: [{user: u, password: p, permissions: {publish: ok, subscribe: ok}}] }",
      { user: "u", pass: "p" },
    );
    nc.publish("other", "");
    see(await hears("permission_error", "error"));
    nc.subscribe("other", () => {});
    see(await hears("permission_error", "error"));
    await flush(nc);
    nc.close();
  },

  async drain() {
    const { nc } = await start();
    const seen = [];
    const sid = nc.subscribe("x", (body) => seen.push(body));
    for (let number = 0; number < 10; number++) nc.publish("x", `${number}`);
    await soon(new Promise((resolve) => nc.drainSubscription(sid, resolve)));
    nc.publish("x", "too late");
    await flush(nc);
    see(seen.length);
    see(told(await soon(new Promise((resolve) => nc.drain(resolve)))), nc.closed);
  },

  async reconnect() {
    const { nc, hears } = await start("", { maxReconnectAttempts: -1 });
    const got = [];
    nc.subscribe("x", (body) => got.push(body));
    await flush(nc);
    await ask("kill a");
    see(await hears("disconnect"));
    nc.publish("x", "while it was away");
    await ask("again a");
    see(await hears("reconnect"));
    nc.publish("x", "after");
    await flush(nc);
    see(got);
    nc.close();
  },

  async frozen_server() {
    const [first, second] = [await ask("start a"), await ask("start b")];
    const { nc, hears } = await open([first, second], { pingInterval: 300, maxPingOut: 2, timeout: 1_000 });
    await ask("freeze a");
    see(await hears("disconnect"));
    see(await hears("reconnect"));
    see("at b", `${nc.currentServer.url.port}` === second.split(":")[1]);
    nc.close();
  },

  async over_the_limit() {
    const { nc, hears } = await start("max_payload: 1000", { reconnect: false });
    nc.publish("x", Buffer.alloc(1001));
    see(await hears("error"));
    see(await hears("close"));
  },
};

await play(scenarios);
