// A dialect 1 client over the `ws` package. Whatever it sends and receives must be documented.
import assert from "node:assert/strict";
import WebSocket from "ws";
import { check, read } from "./documented.mjs";

const ANSWER_MS_MAX = 5000;

export class Client {
  #socket;
  #inbox = [];
  #arrived = () => {};

  constructor(url) {
    this.#socket = new WebSocket(url);
    this.#socket.on("message", (bytes, isBinary) => {
      assert.equal(isBinary, false);
      this.#inbox.push(bytes.toString());
      this.#arrived();
    });
  }

  static async open(url, clientId) {
    const client = new Client(url);
    await new Promise((resolve, reject) => client.#socket.once("open", resolve).once("error", reject));
    if (clientId) await client.register(clientId);
    return client;
  }

  async register(clientId) {
    this.send("REGISTER", { clientId });
    await this.expect("REGISTERED", { clientId });
    this.clientId = clientId;
  }

  send(type, payload) {
    this.sendText(JSON.stringify(check({ type, payload }, "client")));
  }

  // Any text, unchecked.
  sendText(text) {
    this.#socket.send(text);
  }

  // The next message as it stood on the wire.
  async receiveText() {
    if (this.#inbox.length === 0) {
      await new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error("no answer")), ANSWER_MS_MAX);
        this.#arrived = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#arrived = () => {};
    }
    return this.#inbox.shift();
  }

  // The next message must be of this type and carry these values; gives its payload.
  async expect(type, fields = {}) {
    const message = read(await this.receiveText());
    assert.equal(message.type, type, JSON.stringify(message));
    for (const [name, value] of Object.entries(fields)) assert.equal(message.payload[name], value);
    return message.payload;
  }

  async expectError(code) {
    await this.expect("ERROR", { code });
  }

  // Nothing is on its way: the answer to a fresh question is the next thing that arrives.
  async expectQuiet() {
    this.send("PKD_LOOKUP", { clientId: "nobody-has-this-id" });
    await this.expect("PKD_RESULT", { clientId: "nobody-has-this-id", publicKey: null });
  }

  // Resolves once the server has answered the close.
  close() {
    return new Promise((resolve) => this.#socket.once("close", resolve).close(1000));
  }
}

export async function ring(caller, callee) {
  caller.send("CALL_INITIATE", { targetId: callee.clientId, sdpOffer: "offer" });
  return (await callee.expect("INCOMING_CALL", { callerId: caller.clientId, sdpOffer: "offer" })).callId;
}

export async function establish(caller, callee) {
  const callId = await ring(caller, callee);
  callee.send("CALL_ACCEPT", { callId, sdpAnswer: "answer" });
  await caller.expect("CALL_ACCEPTED", { callId, sdpAnswer: "answer" });
  return callId;
}
