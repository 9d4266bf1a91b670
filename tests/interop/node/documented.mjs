// docs/asyncapi.json as a check for the Node client; the Python client reads it too.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import Ajv from "ajv";

const document = JSON.parse(readFileSync(new URL("../../../docs/asyncapi.json", import.meta.url)));
const ajv = new Ajv({ strict: false });
ajv.addSchema({ $id: "asyncapi", components: document.components });

const compiled = new Map();

// A function that says whether its argument is as the document says.
function schema(key) {
  if (!compiled.has(key)) compiled.set(key, ajv.compile({ $ref: `asyncapi#/components/messages/${key}/payload` }));
  return compiled.get(key);
}

// `sender` is "client" or "server"; a type, field or value that the document has not is a failed test.
export function check(message, sender, dialect = 1) {
  const key = `${sender}.${dialect}.${message.type}`;
  assert.ok(Object.hasOwn(document.components.messages, key), `undocumented type: ${message.type}`);
  const fits = schema(key);
  assert.ok(fits(message), `undocumented: ${ajv.errorsText(fits.errors)} in ${JSON.stringify(message).slice(0, 300)}`);
  return message;
}

// Parses what the server sent, and checks it.
export const read = (text, dialect) => check(JSON.parse(text), "server", dialect);
