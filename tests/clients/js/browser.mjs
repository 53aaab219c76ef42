// What the stock client of browsers, `wsconnect` of `@nats-io/nats-core`, sees of a server's WebSockets in Chromium. Each scenario is a
// function that runs in a page; the page is served from here and tells what it saw by requests to where it came from.
import { build } from "esbuild";
import { spawn } from "node:child_process";
import { rm } from "node:fs/promises";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { ask, play, see } from "./runner.mjs";

const folder = fileURLToPath(new URL(".", import.meta.url));

/** The scenarios as they are bundled for the page. */
async function bundle() {
  const { outputFiles } = await build({
    entryPoints: [`${folder}page.mjs`],
    bundle: true,
    format: "esm",
    write: false,
    logLevel: "error",
  });
  return outputFiles[0].text;
}

/** Runs `scenario` in a page that is told `options`; tells what it saw. */
async function inChromium(scenario, options) {
  const script = await bundle();
  let done;
  const over = new Promise((resolve) => (done = resolve));
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (data) => (body += data));
    request.on("end", () => {
      if (request.url === "/see") see(body);
      if (request.url === "/done") done();
      const pages = {
        "/": "<!doctype html><script type=module src=/page.js></script>",
        "/page.js": script,
        "/options": JSON.stringify({ scenario, options }),
      };
      const kind = request.url === "/page.js" ? "text/javascript" : "text/html";
      response.writeHead(200, { "content-type": kind });
      response.end(pages[request.url] ?? "");
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const profile = `${folder}profile`;
  const chromium = spawn(
    process.env.CHROMIUM,
    [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-dev-shm-usage",
      "--disable-background-networking",
      "--disable-component-update",
      "--no-first-run",
      "--ignore-certificate-errors",
      `--user-data-dir=${profile}`,
      // Without it a headless browser ends once the page is loaded.
      "--remote-debugging-port=0",
      `http://127.0.0.1:${server.address().port}/`,
    ],
    { stdio: "ignore", detached: true },
  );
  const gone = new Promise((resolve) => chromium.on("exit", resolve));
  const late = setTimeout(() => {
    see("the page takes too long");
    done();
  }, 40_000);
  await Promise.race([over, gone]);
  clearTimeout(late);
  // The browser has processes of its own, all in its group.
  if (chromium.exitCode === null) process.kill(-chromium.pid, "SIGKILL");
  await gone;
  server.close();
  server.closeAllConnections();
  await rm(profile, { recursive: true, force: true, maxRetries: 5 });
}

/** A server with WebSockets; `more` goes into their block, `others` beside it. */
async function start(more, others = "") {
  const address = await ask("port");
  const [host, port] = address.split(":");
  await ask("start a", `websocket { host: ${host}, port: ${port}, ${more} }; ${others}`);
  return address;
}

await play({
  async messages() {
    await inChromium("messages", { servers: `ws://${await start("no_tls: true")}` });
  },
  async compressed() {
    await inChromium("messages", { servers: `ws://${await start("no_tls: true, compression: true")}` });
  },
  async tls() {
    const made = await ask("certificates");
    const address = await start(`tls { cert_file: "${made}/server.pem", key_file: "${made}/server.key" }`);
    await inChromium("messages", { servers: `wss://${address}` });
  },
  async wrong_password() {
    const address = await start("no_tls: true", "authorization { user: a, password: b }");
    await inChromium("refused", { servers: `ws://${address}`, user: "a", pass: "x", reconnect: false });
  },
  async foreign_origin() {
    const address = await start('no_tls: true, allowed_origins: ["http://example.org"]');
    await inChromium("refused", { servers: `ws://${address}`, reconnect: false });
  },
  async monitored() {
    const address = await start("no_tls: true");
    await inChromium("messages", { servers: `ws://${address}`, name: "page" });
    see("closed:", await ask("monitor a /connz?state=closed /connections/0/type"));
  },
});
