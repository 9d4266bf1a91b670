// docs/asyncapi.json is an AsyncAPI document, by AsyncAPI's own schema; and the check of it can fail.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import specs from "@asyncapi/specs";
import Ajv from "ajv";
import { check, read } from "./documented.mjs";

const text = readFileSync(new URL("../../../docs/asyncapi.json", import.meta.url));
const ajv = new Ajv({ strict: false, logger: false, validateFormats: false });
const fits = ajv.compile(specs.schemasWithoutId["3.0.0"]);

// A reference must lead somewhere; JSON Schema cannot say that.
function danglingReferences(node, root) {
  if (node === null || typeof node !== "object") return [];
  const lost = typeof node.$ref === "string" && !resolve(root, node.$ref) ? [node.$ref] : [];
  return [...lost, ...Object.values(node).flatMap((child) => danglingReferences(child, root))];
}

const resolve = (root, reference) => reference.slice(2).split("/").reduce((node, key) => node?.[key], root);

test("the document is as AsyncAPI 3 wants it", () => {
  assert.ok(fits(JSON.parse(text)), ajv.errorsText(fits.errors).slice(0, 2000));
});

test("every reference leads somewhere", () => {
  const document = JSON.parse(text);
  assert.deepEqual(danglingReferences(document, document), []);
});

test("a document that is none is noticed", () => {
  for (const spoil of [
    (document) => delete document.info,
    (document) => (document.asyncapi = "2.6.0"),
    (document) => (document.operations["dialect1.send"].action = "publish"),
    (document) => (document.channels.dialect1.subscribe = {}),
  ]) {
    const document = JSON.parse(text);
    spoil(document);
    assert.ok(!fits(document));
  }
});

test("a wrong message is noticed", () => {
  const ended = { type: "CALL_ENDED", payload: { callId: "c" } };
  assert.deepEqual(read(JSON.stringify(ended)), ended);
  assert.throws(() => read(JSON.stringify({ ...ended, seq: 1 })), /undocumented/);
  assert.throws(() => read(JSON.stringify({ type: "CALL_ENDED", payload: { callId: "c", reason: "hangup" } })), /undocumented/);
  assert.throws(() => read(JSON.stringify({ type: "CALL_PAUSED", payload: {} })), /undocumented/);
  assert.throws(() => check({ type: "CALL_END", payload: {} }, "client"), /undocumented/);
});
