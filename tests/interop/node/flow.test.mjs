// The reference, played from REGISTER to CALL_END over the `ws` package, against the server at SIGNAL_URL.
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { Client, establish, ring } from "./client.mjs";

const url = process.env.SIGNAL_URL;
let alice, bob;
let pairs = 0;

// Each test has a pair of its own, so that no call of the last one follows an id into the next.
beforeEach(async () => {
  pairs += 1;
  alice = await Client.open(url, `alice-${pairs}`);
  bob = await Client.open(url, `bob-${pairs}`);
});

afterEach(() => Promise.all([alice.close(), bob.close()]));

describe("a call", () => {
  test("goes from REGISTER to CALL_END", async () => {
    const callId = await establish(alice, bob);
    for (let number = 0; number < 20; number++) {
      alice.send("ICE_CANDIDATE", { callId, candidate: `candidate:${number}` });
      bob.send("ICE_CANDIDATE", { callId, candidate: `candidate:${number}` });
    }
    for (let number = 0; number < 20; number++) {
      await bob.expect("ICE_CANDIDATE", { callId, candidate: `candidate:${number}` });
      await alice.expect("ICE_CANDIDATE", { callId, candidate: `candidate:${number}` });
    }
    alice.send("CALL_END", { callId });
    await bob.expect("CALL_ENDED", { callId });
    await alice.expectQuiet();
  });

  test("may be rejected", async () => {
    const callId = await ring(alice, bob);
    bob.send("CALL_REJECT", { callId });
    await alice.expect("CALL_REJECTED", { callId });
    await bob.expectQuiet();
  });

  test("keeps the order of 500 candidates", async () => {
    const callId = await establish(alice, bob);
    for (let number = 0; number < 500; number++) alice.send("ICE_CANDIDATE", { callId, candidate: `${number}` });
    for (let number = 0; number < 500; number++) await bob.expect("ICE_CANDIDATE", { callId, candidate: `${number}` });
    await alice.expectQuiet();
  });
});

describe("the directory", () => {
  test("gives the registered key, and null for an unknown id", async () => {
    alice.send("PKD_REGISTER", { clientId: alice.clientId, publicKey: "alice's key" });
    await alice.expect("PKD_RESULT", { clientId: alice.clientId, publicKey: "alice's key" });
    bob.send("PKD_LOOKUP", { clientId: alice.clientId });
    await bob.expect("PKD_RESULT", { clientId: alice.clientId, publicKey: "alice's key" });
    bob.send("PKD_LOOKUP", { clientId: "carol" });
    await bob.expect("PKD_RESULT", { clientId: "carol", publicKey: null });
  });
});

describe("an error", () => {
  test("NOT_REGISTERED comes before REGISTER", async () => {
    const stranger = await Client.open(url);
    stranger.send("CALL_INITIATE", { targetId: bob.clientId, sdpOffer: "offer" });
    await stranger.expectError("NOT_REGISTERED");
    await stranger.close();
  });

  test("TARGET_NOT_FOUND is for somebody who is not there", async () => {
    alice.send("CALL_INITIATE", { targetId: "carol", sdpOffer: "offer" });
    await alice.expectError("TARGET_NOT_FOUND");
  });

  test("CALL_NOT_FOUND is for no call, or somebody else's", async () => {
    alice.send("CALL_END", { callId: "no-such-call" });
    await alice.expectError("CALL_NOT_FOUND");
    const callId = await establish(alice, bob);
    const mallory = await Client.open(url, "mallory");
    mallory.send("ICE_CANDIDATE", { callId, candidate: "mallory's" });
    await mallory.expectError("CALL_NOT_FOUND");
    await mallory.close();
    await bob.expectQuiet();
  });

  test("RATE_LIMITED comes when there is too much, and passes", async () => {
    for (let number = 0; number < 60; number++) alice.send("PKD_LOOKUP", { clientId: "carol" });
    const answers = [];
    for (let number = 0; number < 60; number++) answers.push(JSON.parse(await alice.receiveText()));
    const codes = new Set(answers.filter(({ type }) => type === "ERROR").map(({ payload }) => payload.code));
    assert.deepEqual([...codes], ["RATE_LIMITED"]);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    await alice.expectQuiet();
  });

  for (const text of ["", "null", "[]", "{", '{"type":"__proto__"}', '{"type":"REGISTER","payload":{"clientId":"a b"}}']) {
    test(`INVALID_MESSAGE answers ${JSON.stringify(text)}, and the connection lives`, async () => {
      alice.sendText(text);
      await alice.expectError("INVALID_MESSAGE");
      await alice.expectQuiet();
    });
  }
});

describe("an opaque field", () => {
  const literals = [
    String.raw`"\u0041\/\u00e9\"\\\b\f\n\r\t"`, String.raw`"\ud83d\ude00"`, String.raw`"a\u0000b"`,
    '"📞 \u2028"', `"${"x".repeat(60_000)}"`,
  ];

  for (const literal of literals) {
    test(`arrives byte for byte: ${literal.slice(0, 40)}`, async () => {
      alice.sendText(`{"type":"CALL_INITIATE","payload":{"targetId":"${bob.clientId}","sdpOffer":${literal}}}`);
      const incoming = await bob.receiveText();
      assert.ok(incoming.includes(`"sdpOffer":${literal}`), incoming.slice(0, 300));
      const { callId } = JSON.parse(incoming).payload;
      bob.sendText(`{"type":"CALL_ACCEPT","payload":{"callId":"${callId}","sdpAnswer":${literal}}}`);
      assert.ok((await alice.receiveText()).includes(`"sdpAnswer":${literal}`));
      alice.sendText(`{"type":"ICE_CANDIDATE","payload":{"callId":"${callId}","candidate":${literal}}}`);
      assert.ok((await bob.receiveText()).includes(`"candidate":${literal}`));
    });
  }
});

for (const literal of [String.raw`"\ud800"`, String.raw`"\udc00\ud800"`]) {
  test(`a string that is no Unicode is refused: ${literal}`, async () => {
    alice.sendText(`{"type":"CALL_INITIATE","payload":{"targetId":"${bob.clientId}","sdpOffer":${literal}}}`);
    await alice.expectError("INVALID_MESSAGE");
    await bob.expectQuiet();
  });
}

test("unknown fields are ignored and not forwarded", async () => {
  const payload = { targetId: bob.clientId, sdpOffer: "offer", callerId: "mallory", y: [{}] };
  alice.sendText(JSON.stringify({ x: 1, type: "CALL_INITIATE", payload, z: null }));
  await bob.expect("INCOMING_CALL", { callerId: alice.clientId, sdpOffer: "offer" });
});
