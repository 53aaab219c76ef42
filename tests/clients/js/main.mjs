// What the stock clients of npm see of a server: `@nats-io/transport-node` and `nats` 2, whose APIs are nearly one.
import { readFileSync } from "node:fs";
import { ask, pause, play, see, soon } from "./runner.mjs";

const isOld = process.env.CLIENT === "nats2";
const api = isOld ? (await import("nats2")).default : await import("@nats-io/transport-node");
const { connect, credsAuthenticator, headers: newHeaders, nkeyAuthenticator, RequestStrategy } = api;
const jetstream = isOld ? (nc, options) => nc.jetstream(options) : (await import("@nats-io/jetstream")).jetstream;
const jetstreamManager = isOld
  ? (nc, options) => nc.jetstreamManager(options)
  : (await import("@nats-io/jetstream")).jetstreamManager;

/** How an error is told: version 2 has codes, version 3 has classes. */
const told = (error) => `${error?.name} ${error?.code ?? ""} ${error?.message}`;

/** A connection whose events can be waited for. */
async function open(servers, options = {}) {
  const nc = await soon(
    connect({ servers, noRandomize: true, reconnectTimeWait: 100, reconnectJitter: 0, ...options }),
    "connect",
  );
  const events = [];
  let wake = () => {};
  const push = (event) => {
    console.log("#", event);
    events.push(event);
    wake();
  };
  (async () => {
    for await (const status of nc.status()) {
      const data = status.error ?? status.data;
      push(`${status.type} ${data instanceof Error ? told(data) : typeof data === "string" ? data : ""}`.trim());
    }
  })();
  nc.closed().then((error) => push(`closed ${error ? told(error) : ""}`.trim()));
  /** Waits for an event of this kind; others before it are passed over. */
  const hears = (name) =>
    soon(
      (async () => {
        for (;;) {
          while (events.length > 0) {
            const event = events.shift();
            if (event.split(" ")[0] === name) return event;
          }
          await new Promise((resolve) => (wake = resolve));
        }
      })(),
      `event ${name}`,
    );
  return { nc, hears, events };
}

async function start(configuration = "", options = {}) {
  return open(await ask("start a", configuration), options);
}


/** A subscription read one message at a time. */
function queue(nc, subject, options = {}) {
  const messages = [];
  let wake = () => {};
  const subscription = nc.subscribe(subject, {
    ...options,
    callback: (error, message) => {
      messages.push(error ?? message);
      wake();
    },
  });
  const take = async () => {
    while (messages.length === 0) await new Promise((resolve) => (wake = resolve));
    return messages.shift();
  };
  return { subscription, messages, next: () => soon(take(), `a message on ${subject}`) };
}

/** How the client tells that it was not let in. */
async function refused(servers, options = {}) {
  try {
    const nc = await soon(connect({ servers, reconnect: false, ...options }), "connect");
    see("let in");
    await nc.close();
  } catch (error) {
    see("refused:", told(error));
  }
}

const tlsConfiguration = (folder, more = "") =>
  `tls { cert_file: "${folder}/server.pem", key_file: "${folder}/server.key", ca_file: "${folder}/ca.pem", verify: true, timeout: 5${more} }`;

const tlsOptions = (folder, shown) => ({
  caFile: `${folder}/ca.pem`,
  ...(shown ? { certFile: `${folder}/${shown}.pem`, keyFile: `${folder}/${shown}.key` } : {}),
});

/** Whether it is not let in: where a handshake breaks off is a matter of luck. */
const isRefused = (servers, options) =>
  connect({ servers, reconnect: false, timeout: 3_000, ...options }).then(
    () => false,
    () => true,
  );

const at = async (nc, address) => nc.getServer() === address;

const scenarios = {
  async connect_options() {
    const { nc, hears } = await start("", {
      name: "a name",
      verbose: true,
      pedantic: true,
      noEcho: true,
      inboxPrefix: "_MINE",
    });
    see("name", await ask("monitor a /connz /connections/0/name"), await ask("monitor a /connz /connections/0/lang"));
    see("limit", nc.info.max_payload, "headers", nc.info.headers);
    const own = queue(nc, "x");
    const asked = queue(nc, "inbox");
    nc.publish("x", "not to myself");
    await nc.flush();
    see("own messages", own.messages.length);
    const other = (await open(nc.getServer())).nc;
    other.publish("x", "from another");
    see((await own.next()).string());
    nc.request("inbox", "").catch(() => {});
    const answer = other.request("inbox", "", { timeout: 5_000 }).catch(told);
    see((await asked.next()).reply.split(".")[0]);
    await other.close();
    await answer;
    await nc.close();
    see(await hears("closed"));
  },

  async max_payload_of_the_server() {
    const { nc, hears } = await start("max_payload: 1000");
    const got = queue(nc, "x");
    see("limit", nc.info.max_payload);
    nc.publish("x", new Uint8Array(1000));
    see("bytes", (await got.next()).data.length);
    try {
      nc.publish("x", new Uint8Array(1001));
      see("taken by the client");
    } catch (error) {
      see(told(error));
    }
    await nc.close();
    see(await hears("closed"));
  },

  async large_payload() {
    const { nc } = await start();
    const got = queue(nc, "x");
    const payload = new Uint8Array(1024 * 1024).map((_, index) => index % 251);
    nc.publish("x", payload);
    see("same", Buffer.compare((await got.next()).data, payload) === 0);
    try {
      nc.publish("x", new Uint8Array(1024 * 1024 + 1));
      see("taken by the client");
    } catch (error) {
      see(told(error));
    }
    await nc.close();
  },

  async auth_token() {
    const address = await ask('start a authorization { token: "s3cr3t" }');
    const { nc } = await open(address, { token: "s3cr3t" });
    await nc.flush();
    see("let in");
    await refused(address, { token: "wrong" });
    await refused(address);
    await nc.close();
  },

  async auth_user() {
    const address = await ask('start a authorization { users: [{user: u, password: p}, {user: v, password: "q r"}] }');
    const { nc } = await open(address, { user: "u", pass: "p" });
    const other = (await open(address, { user: "v", pass: "q r" })).nc;
    const got = queue(nc, "x");
    await nc.flush();
    other.publish("x", "from v to u");
    see((await got.next()).string());
    for (const options of [{ user: "u", pass: "q" }, { user: "w", pass: "p" }, { token: "p" }, {}]) {
      await refused(address, options);
    }
    await nc.close();
    await other.close();
  },

  async auth_bcrypt() {
    const hashed = "$2a$04$Z08uGa9zBmFw0w6M0NsAGuNpzqLApblImflAMQLT9lENcujkm/.h6";
    const address = await ask(`start a authorization { user: u, password: "${hashed}" }`);
    const { nc } = await open(address, { user: "u", pass: "secret" });
    await nc.flush();
    see("let in");
    await refused(address, { user: "u", pass: "wrong" });
    await nc.close();
  },

  async nkey() {
    const [address, keys] = [await ask("start a authorization { users: [{nkey: $USER}] }"), await ask("keys")];
    const seed = (name) => ({ authenticator: nkeyAuthenticator(readFileSync(`${keys}/${name}.seed`)) });
    const { nc } = await open(address, seed("user"));
    await nc.flush();
    see("let in");
    await refused(address, seed("stranger"));
    await refused(address);
    await nc.close();
  },

  async credentials() {
    const [address, keys] = [await ask("start a $OPERATOR"), await ask("keys")];
    const creds = (name) => ({ authenticator: credsAuthenticator(readFileSync(`${keys}/${name}.creds`)) });
    const { nc, hears } = await open(address, creds("user"));
    nc.publish("forbidden", "");
    see(await hears("error"));
    await nc.flush();
    await refused(address, creds("stranger"));
    await nc.close();
  },

  async tls() {
    const folder = await ask("certificates");
    const { nc, hears } = await start(tlsConfiguration(folder), {
      tls: tlsOptions(folder, "client"),
      maxReconnectAttempts: -1,
    });
    const got = queue(nc, "x");
    const payload = new Uint8Array(500_000).map((_, index) => index % 251);
    nc.publish("x", payload);
    see("same", Buffer.compare((await got.next()).data, payload) === 0);
    const address = nc.getServer();
    see("without a certificate", await isRefused(address, { tls: tlsOptions(folder) }));
    see("with a stranger's", await isRefused(address, { tls: tlsOptions(folder, "stranger") }));
    see("not knowing the authority", await isRefused(address, { tls: {} }));
    await ask("kill a");
    see((await hears("disconnect")).split(" ")[0]);
    await ask("again a", tlsConfiguration(folder));
    see((await hears("reconnect")).split(" ")[0]);
    nc.publish("x", "there again");
    see((await got.next()).string());
    await nc.close();
  },

  async tls_first() {
    const folder = await ask("certificates");
    const tls = { ...tlsOptions(folder, "client"), handshakeFirst: true };
    const { nc } = await start(tlsConfiguration(folder, ", handshake_first: true"), { tls });
    await nc.flush();
    see("let in");
    see("waiting for INFO", await isRefused(nc.getServer(), { tls: tlsOptions(folder, "client") }));
    await nc.close();
  },

  async password_changed() {
    const { nc, hears } = await start("authorization { users: [{user: u, password: p}, {user: v, password: q}] }", {
      user: "v",
      pass: "q",
      maxReconnectAttempts: 3,
    });
    await nc.flush();
    await ask("reload a authorization { users: [{user: u, password: p}, {user: v, password: new}] }");
    see(await hears("error"));
    see(await hears("closed"));
  },

  async permissions() {
    const { nc, hears } = await start(
      "authorization { users: [{user: u, password: p, permissions: {" +
        'publish: {allow: ["ok.>", "_INBOX.>"], deny: "ok.not"}, subscribe: {allow: ["ok.>", "_INBOX.>", "work q"]}}}] }',
      { user: "u", pass: "p" },
    );
    const got = queue(nc, "ok.>");
    nc.publish("other", "");
    see(await hears("error"));
    nc.publish("ok.not", "");
    see(await hears("error"));
    see(told(await queue(nc, "other").next()));
    see(told(await queue(nc, "work", { queue: "r" }).next()));
    const work = queue(nc, "work", { queue: "q" });
    nc.publish("ok.yes", "still here");
    see((await got.next()).string(), work.messages.length);
    await nc.close();
  },

  async permission_to_request() {
    const { nc } = await start(
      'authorization { users: [{user: u, password: p, permissions: {publish: ["a"], subscribe: ["_INBOX.>"]}}] }',
      { user: "u", pass: "p" },
    );
    see(await soon(nc.request("other", "", { timeout: 3_000 }).then(() => "answered", told)));
    await nc.close();
  },

  async headers() {
    const { nc } = await start();
    nc.subscribe("echo", {
      callback: (_, message) => message.respond(`${message.string()} back`, { headers: message.headers }),
    });
    const got = queue(nc, "x");
    const sent = newHeaders();
    sent.append("Many", "one");
    sent.append("Many", "two");
    sent.set("Long", "l".repeat(1000));
    nc.publish("x", "body", { headers: sent });
    const message = await got.next();
    see(message.string(), message.headers.values("Many"), message.headers.get("Long").length);
    const answer = await nc.request("echo", "there and", { headers: sent, timeout: 10_000 });
    see(answer.string(), answer.headers.values("Many"));
    await nc.close();
  },

  async no_responders() {
    const { nc } = await start();
    see(await nc.request("nobody", "", { timeout: 10_000 }).catch(told));
    see(await nc.request("nobody", "", { timeout: 10_000, noMux: true }).catch(told));
    await nc.close();
  },

  async request_that_times_out() {
    const { nc } = await start();
    queue(nc, "silent");
    see(await nc.request("silent", "", { timeout: 300 }).catch(told));
    await nc.flush();
    await nc.close();
  },

  async request_many() {
    const { nc } = await start();
    nc.subscribe("many", {
      callback: (_, message) => {
        for (let number = 0; number < 5; number++) message.respond(`${number}`);
        message.respond("");
      },
    });
    const all = async (options) => {
      const answers = [];
      try {
        for await (const answer of await nc.requestMany("many", "", options)) answers.push(answer.string());
      } catch (error) {
        answers.push(told(error));
      }
      return answers;
    };
    for (const noMux of [false, true]) {
      see(await all({ strategy: RequestStrategy?.Count ?? "count", maxMessages: 3, maxWait: 5_000, noMux }));
      see(await all({ strategy: RequestStrategy?.Timer ?? "timer", maxWait: 300, noMux }));
      see(await all({ strategy: RequestStrategy?.JitterTimer ?? "stall", maxWait: 5_000, jitter: 200, stall: 200, noMux }));
      see(await all({ strategy: RequestStrategy?.SentinelMsg ?? "sentinel", maxWait: 5_000, noMux }));
    }
    see(await soon((async () => {
      try {
        for await (const _ of await nc.requestMany("nobody", "", { maxWait: 2_000 }));
        return "no answer";
      } catch (error) {
        return told(error);
      }
    })()));
    await nc.close();
  },

  async queue_groups() {
    const { nc } = await start();
    const members = [0, 1, 2].map(() => queue(nc, "work.*", { queue: "workers" }));
    const all = queue(nc, "work.>");
    await nc.flush();
    for (let number = 0; number < 300; number++) nc.publish(`work.${number}`);
    await nc.flush();
    while (all.messages.length < 300) await pause(10);
    const counts = members.map((member) => member.messages.length);
    see("by the group", counts.reduce((a, b) => a + b), "each has some", counts.every((count) => count > 30));
    await nc.close();
  },

  async wildcards() {
    const { nc, hears } = await start();
    const seen = [];
    for (const subject of ["a.*", "a.>", "a.*.c", "*.b", ">"]) {
      nc.subscribe(subject, { callback: (_, message) => seen.push(`${subject} ${message.subject}`) });
    }
    for (const subject of ["a", "a.b", "a.b.c", "x.b"]) nc.publish(subject);
    await nc.flush();
    see(seen.sort());
    await nc.close();
    see(await hears("closed"));
  },

  async bad_subject() {
    const { nc, hears, events } = await start();
    for (const subject of ["a..b", ".a", "a."]) {
      try {
        nc.subscribe(subject, { callback: (error) => error && see(subject, told(error)) });
        await nc.flush();
      } catch (error) {
        see(subject, told(error));
      }
    }
    await pause(50);
    see(events);
    if (!nc.isClosed()) await nc.close();
    see(await hears("closed").then(() => "closed"));
  },

  async drain_of_a_subscription() {
    const { nc } = await start();
    const seen = [];
    const subscription = nc.subscribe("x");
    const reader = (async () => {
      for await (const message of subscription) {
        await pause(2);
        seen.push(message.string());
      }
    })();
    for (let number = 0; number < 20; number++) nc.publish("x", `${number}`);
    await nc.flush();
    await soon(subscription.drain());
    nc.publish("x", "too late");
    await nc.flush();
    await soon(reader);
    see(seen.length, seen.at(-1));
    await nc.close();
  },

  async drain_of_the_connection() {
    const { nc, hears } = await start();
    const other = (await open(nc.getServer())).nc;
    const got = queue(other, "y");
    await other.flush();
    nc.subscribe("x", { callback: (_, message) => nc.publish("y", message.data) });
    await nc.flush();
    for (let number = 0; number < 20; number++) other.publish("x", `${number}`);
    await other.flush();
    await soon(nc.drain());
    see(await hears("closed"), nc.isClosed());
    const passed = [];
    for (let number = 0; number < 20; number++) passed.push((await got.next()).string());
    see(passed.at(-1));
    await other.close();
  },

  async unsubscribe_after_a_count() {
    const { nc } = await start();
    const got = queue(nc, "x", { max: 3 });
    for (let number = 0; number < 10; number++) nc.publish("x", `${number}`);
    await nc.flush();
    see(got.messages.map((message) => message.string()), await ask("monitor a /connz /connections/0/subscriptions"));
    const later = queue(nc, "z");
    later.subscription.unsubscribe(2);
    for (let number = 0; number < 10; number++) nc.publish("z", `${number}`);
    await nc.flush();
    see(later.messages.length);
    await nc.close();
  },

  async flush_and_round_trip() {
    const { nc } = await start();
    for (let count = 0; count < 100; count++) await nc.flush();
    const ms = await nc.rtt();
    see("100 flushes, and a time of a round trip", ms >= 0 && ms < 5_000);
    await nc.close();
  },

  async many_messages() {
    const { nc } = await start();
    let expected = 0;
    let isInOrder = true;
    const all = new Promise((resolve) => {
      nc.subscribe("x", {
        callback: (_, message) => {
          isInOrder &&= Number(message.string()) === expected++;
          if (expected === 20_000) resolve();
        },
      });
    });
    for (let number = 0; number < 20_000; number++) nc.publish("x", `${number}`);
    await soon(all);
    see("in order", isInOrder);
    await nc.close();
  },

  async reconnect() {
    const { nc, hears } = await start("", { maxReconnectAttempts: -1 });
    const got = queue(nc, "x");
    const work = queue(nc, "work", { queue: "q" });
    await nc.flush();
    await ask("kill a");
    see((await hears("disconnect")).split(" ")[0]);
    await ask("again a");
    see((await hears("reconnect")).split(" ")[0]);
    nc.publish("x", "after");
    see((await got.next()).string());
    nc.publish("work", "after");
    see((await work.next()).string());
    await nc.close();
  },

  async no_reconnect() {
    const { nc, hears } = await start("", { reconnect: false });
    await ask("stop a");
    see(await hears("closed"), nc.isClosed());
  },

  async another_server_of_the_list() {
    const [nobody, address] = [await ask("port"), await ask("start b")];
    const { nc } = await open([nobody, address]);
    see("at b", await at(nc, address));
    await nc.close();
  },

  async lame_duck() {
    const first = await ask('start a lame_duck_duration: "30s", lame_duck_grace_period: "1s"');
    const second = await ask("start b");
    const { nc, hears } = await open([first, second], { maxReconnectAttempts: -1, ignoreClusterUpdates: true });
    const got = queue(nc, "x");
    await nc.flush();
    await ask("lame a");
    see((await hears("ldm")).split(" ")[0]);
    nc.publish("x", "served meanwhile");
    see((await got.next()).string());
    see((await hears("disconnect")).split(" ")[0]);
    see((await hears("reconnect")).split(" ")[0]);
    see("at b", await at(nc, second));
    nc.publish("x", "served there");
    see((await got.next()).string());
    await nc.close();
  },

  async frozen_server() {
    const [first, second] = [await ask("start a"), await ask("start b")];
    const { nc, hears } = await open([first, second], {
      pingInterval: 300,
      maxPingOut: 2,
      maxReconnectAttempts: -1,
      timeout: 1_000,
    });
    const got = queue(nc, "x");
    await nc.flush();
    await ask("freeze a");
    see(await hears("staleConnection"));
    see((await hears("reconnect")).split(" ")[0]);
    see("at b", await at(nc, second));
    nc.publish("x", "there");
    see((await got.next()).string());
    await nc.close();
  },

  async pings_of_the_server() {
    const { nc, events } = await start('ping_interval: "300ms", ping_max: 2');
    await pause(3_000);
    await nc.flush();
    see("told", events.length, await ask("monitor a /varz /stale_connections"));
    await nc.close();
  },

  async slow_consumer_in_the_server() {
    const { nc, hears } = await start('max_payload: 1000000, max_pending: 2000000, write_deadline: "2s"', {
      maxReconnectAttempts: -1,
    });
    const got = queue(nc, "x");
    await nc.flush();
    // The flood comes from a process of its own, and this one stands still meanwhile.
    const { spawnSync } = await import("node:child_process");
    const flood = `
      const { connect } = process.env.CLIENT === "nats2" ? require("nats2") : require("@nats-io/transport-node");
      connect({ servers: process.argv[1] }).then(async (nc) => {
        for (let count = 0; count < 40; count++) nc.publish("x", new Uint8Array(1000000));
        await nc.flush();
        await nc.close();
      });`;
    const { status } = spawnSync("node", ["-e", flood, nc.getServer()], { cwd: import.meta.dirname, timeout: 30_000 });
    see("flooded", status);
    see((await hears("disconnect")).split(" ")[0]);
    see((await hears("reconnect")).split(" ")[0]);
    see("slow consumers", await ask("monitor a /varz /slow_consumers"));
    await nc.flush();
    see("lost some", got.messages.length < 40);
    await nc.close();
  },

  async too_many_connections() {
    const { nc } = await start("max_connections: 1");
    // Whether it reads the reason or fails to write first is a matter of luck.
    see(await connect({ servers: nc.getServer(), reconnect: false }).then(() => "let in", () => "refused"));
    await nc.flush();
    await nc.close();
  },

  async too_many_subscriptions() {
    const { nc, hears } = await start("max_subscriptions: 2", { reconnect: false });
    for (const subject of ["a", "b", "c"]) queue(nc, subject);
    see(await hears("error"));
    see(await Promise.race([hears("closed"), pause(300).then(() => "still connected")]));
    if (!nc.isClosed()) await nc.close();
  },

  async service() {
    const { nc } = await start();
    const services = isOld ? nc.services : new (await import("@nats-io/services")).Svcm(nc);
    const made = await services.add({ name: "doubler", version: "1.2.3", description: "doubles" });
    made.addGroup("math").addEndpoint("double", (error, message) => {
      if (error) return;
      if (message.string() === "no") message.respondError(400, "not that", "sorry");
      else message.respond(message.string().repeat(2));
    });
    see((await nc.request("math.double", "ab", { timeout: 10_000 })).string());
    const answer = await nc.request("math.double", "no", { timeout: 10_000 });
    see(answer.string(), answer.headers.get("Nats-Service-Error"), answer.headers.get("Nats-Service-Error-Code"));
    const client = services.client({ maxWait: 500 });
    const found = async (iterator) => {
      const rows = [];
      for await (const row of await iterator) rows.push(row);
      return rows;
    };
    see((await found(client.ping())).map((row) => [row.name, row.version, row.type]));
    see((await found(client.info("doubler"))).map((row) => [row.description, row.endpoints[0].subject]));
    see((await found(client.stats("doubler"))).map(({ endpoints: [row] }) => [row.num_requests, row.num_errors]));
    await made.stop();
    see(await nc.request("math.double", "", { timeout: 10_000 }).catch(told));
    await nc.close();
  },

  async no_jetstream() {
    const { nc } = await start();
    const calls = [
      () => jetstreamManager(nc, { timeout: 2_000 }),
      async () => (await jetstreamManager(nc, { timeout: 2_000, checkAPI: false })).streams.add({ name: "s", subjects: ["x"] }),
      () => jetstream(nc, { timeout: 2_000 }).publish("x", ""),
      async () =>
        isOld
          ? jetstream(nc, { timeout: 2_000 }).views.kv("b")
          : new (await import("@nats-io/kv")).Kvm(jetstream(nc, { timeout: 2_000 })).create("b"),
    ];
    for (const call of calls) see(await soon(call().then(() => "served", told)));
    await nc.close();
  },
};

await play(scenarios);
