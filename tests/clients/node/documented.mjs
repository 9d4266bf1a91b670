// The reference as a check for the Node client; the table is ../documented.json, which the Python client reads too.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

const table = JSON.parse(readFileSync(new URL("../documented.json", import.meta.url)));
const messages = { ...table.messages, ...table.asked };

const matches = (pattern) => (value) => typeof value === "string" && pattern.test(value);
const isFilledList = (check) => (value) => Array.isArray(value) && value.length > 0 && value.every(check);

const CHECKS = {
  string: (value) => typeof value === "string",
  stringOrNull: (value) => value === null || typeof value === "string",
  clientId: matches(/^[a-zA-Z0-9_-]{1,64}$/),
  callId: matches(/^[a-zA-Z0-9_-]+$/),
  errorCode: (value) => table.errorCodes.includes(value),
  seconds: (value) => Number.isInteger(value) && value > 0,
  iceServers: isFilledList((entry) => fits(entry, table.iceServer)),
  urls: isFilledList(matches(/^turns?:\S+$/)),
  turnUsername: matches(/^\d+:[a-zA-Z0-9_-]{1,64}$/),
};

// Whether `payload` has each field of the right kind, and no field besides.
function fits(payload, fields) {
  if (payload === null || typeof payload !== "object") return false;
  const kinds = Object.fromEntries(Object.entries(fields).map(([name, kind]) => [name.replace("?", ""), kind]));
  const required = Object.keys(fields).filter((name) => !name.endsWith("?"));
  return (
    required.every((name) => Object.hasOwn(payload, name)) &&
    Object.entries(payload).every(([name, value]) => Object.hasOwn(kinds, name) && CHECKS[kinds[name]](value))
  );
}

// Parses what the server sent; an undocumented type, key or value is a failed test.
export function read(text) {
  const message = JSON.parse(text);
  assert.deepEqual(Object.keys(message).sort(), ["payload", "type"], text);
  assert.ok(Object.hasOwn(messages, message.type), `undocumented type: ${text}`);
  assert.ok(fits(message.payload, messages[message.type]), `undocumented payload: ${text}`);
  return message;
}
