// Runs the example of docs/protocol.md, as it stands there, in the console of a Chromium page.
//
//   node example.mjs http://127.0.0.1:PORT           both ends; prints what the page says that bob hears
//   node example.mjs http://127.0.0.1:PORT bob       the telephone of bob, who waits for a call, says hello in it,
//                                                    and prints how the page's connection was when the call ended
import { readFile } from "node:fs/promises";
import { launch } from "./chromium.mjs";

const [server, clientId] = process.argv.slice(2);
const document = await readFile(new URL("../../../docs/protocol.md", import.meta.url), "utf8");
const [, written] = /## A whole call in a browser\n[^]*?```js\n([^]*?)```/.exec(document);
const example = written.replaceAll("ws://localhost:8080", server.replace("http:", "ws:"));

const browser = await launch();
try {
  const page = await (await browser.newContext()).newPage();
  page.on("console", (message) => console.error(message.text()));
  await page.goto(`${server}/health`);
  console.log(await (clientId ? waitForACall(page) : runIt(page)));
} finally {
  await browser.close();
}

async function runIt(page) {
  const said = page.waitForEvent("console", (message) => message.text().startsWith("bob hears"));
  await page.evaluate(`(async () => { ${example} })()`);
  return (await said).text();
}

async function waitForACall(page) {
  const [telephone] = example.split("\nconst bob =");
  await page.exposeFunction("registered", () => console.error("the page is registered"));
  return page.evaluate(`(async () => {
    let connection;
    window.RTCPeerConnection = class extends RTCPeerConnection {
      constructor(...all) { super(...all); connection = this; }
    };
    window.WebSocket = class extends WebSocket {
      constructor(...all) { super(...all); this.addEventListener("message", () => registered(), { once: true }); }
    };
    ${telephone}
    const channel = await telephone("${server.replace("http:", "ws:")}/signal", "${clientId}");
    channel.send("hello");
    const closed = new Promise((resolve) => { channel.onclose = resolve; });
    await closed;
    return connection.signalingState;
  })()`);
}
