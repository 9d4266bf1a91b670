// Runs a program as if it were pasted into the console of the page that says whether a server is well, twice, as
// people do, and prints what the second run logged, as JSON.
//
//   node console.mjs http://127.0.0.1:PORT PROGRAM
import { launch } from "./chromium.mjs";

const [server, program] = process.argv.slice(2);
const browser = await launch();
try {
  const page = await (await browser.newContext()).newPage();
  await page.goto(`${server}/health`);
  const console_ = await page.context().newCDPSession(page);
  await paste(page, console_);
  console.log(JSON.stringify(await paste(page, console_)));
} finally {
  await browser.close();
}

async function paste(page, console_) {
  const lines = [];
  const listen = (message) => lines.push(message.text());
  const ended = page.waitForEvent("console", (message) => message.text().includes("CALL_ENDED"));
  page.on("console", listen);
  // As the console does it: `await` at the top, and names that may be declared again.
  const { exceptionDetails } = await console_.send("Runtime.evaluate", { expression: program, replMode: true, awaitPromise: true });
  if (exceptionDetails) throw new Error(exceptionDetails.exception.description);
  await ended;
  page.off("console", listen);
  return lines;
}
