// The part of browser.mjs that runs in the page.
import { headers, wsconnect } from "@nats-io/nats-core";

const tell = (path, text = "") => fetch(path, { method: "POST", body: text });
const see = (...words) =>
  tell("/see", words.map((word) => (typeof word === "string" ? word : JSON.stringify(word))).join(" "));

const scenarios = {
  /** Requests, headers, a large payload, nobody who answers, many messages, drain. */
  async messages(options) {
    const nc = await wsconnect({ ...options, timeout: 10_000 });
    await see("connected, tls", nc.info?.tls_required ?? false);
    nc.subscribe("echo", {
      queue: "q",
      callback: (_, message) => message.respond(message.data, { headers: message.headers }),
    });
    const fields = headers();
    fields.set("A", "b");
    const answer = await nc.request("echo", "hello", { timeout: 5000, headers: fields });
    await see("answer", answer.string(), answer.headers?.get("A") ?? "no header");
    const large = new Uint8Array(1_000_000).map((_, index) => index % 251);
    const back = await nc.request("echo", large, { timeout: 10_000 });
    await see("large", back.data.length, back.data.every((byte, index) => byte === index % 251));
    await nc.request("nobody", "", { timeout: 5000 }).catch((error) => see("nobody:", error.name, error.message));
    let heard = 0;
    const all = new Promise((resolve) => nc.subscribe("many", { callback: () => ++heard === 2000 && resolve() }));
    for (let number = 0; number < 2000; number += 1) nc.publish("many", `${number}`);
    await all;
    await see("many", heard);
    await nc.drain();
    await see("drained", nc.isClosed());
  },
  /** How the client tells that it was not let in. */
  async refused(options) {
    try {
      await wsconnect({ ...options, timeout: 10_000 });
      await see("let in");
    } catch (error) {
      await see("refused:", error.name, error.message);
    }
  },
};

const { scenario, options } = await (await fetch("/options")).json();
await scenarios[scenario](options).catch((error) => see("failed:", error.name, error.message));
await tell("/done");
