// Opens one Chromium page per peer and lets each of them call or answer.
//
//   node browser.mjs ws://127.0.0.1:PORT/signal [--relay] ID:calls:TARGET ID:answers …
//
// Prints one line of JSON: for each peer the kind of path its bytes took.
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { launch } from "./chromium.mjs";
import { check, read } from "./documented.mjs";

const FILES = { "/": ["page.html", "text/html"], "/peer.js": ["peer.js", "text/javascript"] };

const [url, ...rest] = process.argv.slice(2);
const relayOnly = rest.includes("--relay");
const peers = rest.filter((word) => word !== "--relay").map((word) => word.split(":"));

const pages = createServer(async (request, response) => {
  const [name, type] = FILES[request.url] ?? [];
  if (!name) return response.writeHead(404).end();
  response.writeHead(200, { "Content-Type": type }).end(await readFile(new URL(name, import.meta.url)));
});
await new Promise((resolve) => pages.listen(0, "127.0.0.1", resolve));

const browser = await launch();

let undocumented;

// Every message of a page, both ways, against the document.
function checked(socket) {
  const noticed = (judge) => ({ payload }) => {
    try {
      judge(payload);
    } catch (error) {
      undocumented ??= error;
    }
  };
  socket.on("framesent", noticed((text) => check(JSON.parse(text), "client")));
  socket.on("framereceived", noticed((text) => read(text)));
}

async function openPage(clientId) {
  const page = await (await browser.newContext()).newPage();
  page.on("console", (message) => console.error(`${clientId}: ${message.text()}`));
  page.on("websocket", checked);
  page.on("pageerror", (error) => console.error(`${clientId}: ${error}`));
  await page.goto(`http://127.0.0.1:${pages.address().port}/`);
  await page.evaluate(async ({ url, clientId }) => {
    window.signaling = await window.telephone.register(url, clientId);
  }, { url, clientId });
  return page;
}

function play(page, [, role, target]) {
  return page.evaluate(({ role, target, relayOnly }) => {
    const { call, answer } = window.telephone;
    return role === "calls" ? call(window.signaling, target, relayOnly) : answer(window.signaling, relayOnly);
  }, { role, target, relayOnly });
}

try {
  // Everybody is registered before anybody calls.
  const opened = await Promise.all(peers.map(([clientId]) => openPage(clientId)));
  console.error("all pages are registered");
  const paths = await Promise.all(opened.map((page, index) => play(page, peers[index])));
  if (undocumented) throw undocumented;
  console.log(JSON.stringify(paths));
} finally {
  await browser.close();
  pages.close();
}
