// A telephone in a page: the documented flow (dialect 1), trickled candidates, one data channel.
// Both peers send PAYLOAD_BYTES preceded by their SHA-256; the same as the aiortc peer in driver/webrtc.py.

const PAYLOAD_BYTES = 2 * 1024 * 1024;
const CHUNK_BYTES = 16 * 1024;

class Signaling {
  constructor(url) {
    this.socket = new WebSocket(url);
    this.waiting = new Map();
    this.inbox = [];
    this.socket.onmessage = ({ data }) => this.#deliver(JSON.parse(data));
  }

  opened() {
    return new Promise((resolve, reject) => {
      this.socket.onopen = resolve;
      this.socket.onerror = () => reject(new Error("no WebSocket"));
    });
  }

  send(type, payload) {
    this.socket.send(JSON.stringify({ type, payload }));
  }

  // The next message of this type, from now or from before.
  next(type) {
    const index = this.inbox.findIndex((message) => message.type === type);
    if (index >= 0) return Promise.resolve(this.inbox.splice(index, 1)[0].payload);
    return new Promise((resolve) => this.waiting.set(type, resolve));
  }

  #deliver(message) {
    if (message.type === "ERROR") throw new Error(JSON.stringify(message));
    const resolve = this.waiting.get(message.type);
    if (!resolve) return this.inbox.push(message);
    this.waiting.delete(message.type);
    resolve(message.payload);
  }
}

async function sha256(bytes) {
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function randomBytes(count) {
  const bytes = new Uint8Array(count);
  for (let start = 0; start < count; start += 65536) crypto.getRandomValues(bytes.subarray(start, start + 65536));
  return bytes;
}

// Resolves with the hash of what the peer sent, once both sides have everything.
function transfer(channel) {
  channel.binaryType = "arraybuffer";
  const received = new Uint8Array(PAYLOAD_BYTES);
  let filled = 0;
  let expectedHash;
  const peerHasAll = Promise.withResolvers();
  const allReceived = Promise.withResolvers();
  channel.onmessage = ({ data }) => {
    if (data === "received") return peerHasAll.resolve();
    if (typeof data === "string") return (expectedHash = data);
    received.set(new Uint8Array(data), filled);
    filled += data.byteLength;
    if (filled === PAYLOAD_BYTES) {
      channel.send("received");
      allReceived.resolve();
    }
  };
  const send = async () => {
    const payload = randomBytes(PAYLOAD_BYTES);
    channel.send(await sha256(payload));
    for (let start = 0; start < PAYLOAD_BYTES; start += CHUNK_BYTES) channel.send(payload.subarray(start, start + CHUNK_BYTES));
  };
  if (channel.readyState === "open") send();
  else channel.onopen = send;
  return Promise.all([peerHasAll.promise, allReceived.promise]).then(async () => {
    const hash = await sha256(received);
    if (hash !== expectedHash) throw new Error("what arrived is not what was sent");
    return hash;
  });
}

// Own candidates go out as they are found, from the moment the callId is known.
function trickle(signaling, connection) {
  const early = [];
  let callId;
  const send = (candidate) => signaling.send("ICE_CANDIDATE", { callId, candidate: JSON.stringify(candidate) });
  connection.onicecandidate = ({ candidate }) => {
    if (!candidate) return;
    if (callId) send(candidate);
    else early.push(candidate);
  };
  return (id) => {
    callId = id;
    early.forEach(send);
  };
}

async function takeCandidates(signaling, connection) {
  for (;;) {
    const { candidate } = await signaling.next("ICE_CANDIDATE");
    await connection.addIceCandidate(JSON.parse(candidate));
  }
}

// The candidate pair that carried the bytes: "host", "relay", …
async function pathOf(connection) {
  const stats = await connection.getStats();
  const pair = [...stats.values()].find((entry) => entry.type === "candidate-pair" && entry.nominated);
  return stats.get(pair.localCandidateId).candidateType;
}

async function register(url, clientId) {
  const signaling = new Signaling(url);
  await signaling.opened();
  signaling.send("REGISTER", { clientId });
  await signaling.next("REGISTERED");
  return signaling;
}

// With `relayOnly`, a peer asks for its own TURN credentials and uses no path but the relay.
async function newConnection(signaling, relayOnly, iceServers) {
  if (!relayOnly) return new RTCPeerConnection();
  if (!iceServers) {
    signaling.send("TURN_CREDENTIALS", {});
    ({ iceServers } = await signaling.next("TURN_CREDENTIALS"));
  }
  return new RTCPeerConnection({ iceServers, iceTransportPolicy: "relay" });
}

async function call(signaling, targetId, relayOnly) {
  const connection = await newConnection(signaling, relayOnly);
  const knowCallId = trickle(signaling, connection);
  const done = transfer(connection.createDataChannel("bytes"));
  await connection.setLocalDescription();
  signaling.send("CALL_INITIATE", { targetId, sdpOffer: connection.localDescription.sdp });
  const { callId, sdpAnswer } = await signaling.next("CALL_ACCEPTED");
  await connection.setRemoteDescription({ type: "answer", sdp: sdpAnswer });
  knowCallId(callId);
  takeCandidates(signaling, connection);
  await done;
  const path = await pathOf(connection);
  signaling.send("CALL_END", { callId });
  return path;
}

async function answer(signaling, relayOnly) {
  const { callId, sdpOffer, iceServers } = await signaling.next("INCOMING_CALL");
  const connection = await newConnection(signaling, relayOnly, iceServers);
  const done = new Promise((resolve, reject) => {
    connection.ondatachannel = ({ channel }) => transfer(channel).then(resolve, reject);
  });
  const knowCallId = trickle(signaling, connection);
  await connection.setRemoteDescription({ type: "offer", sdp: sdpOffer });
  await connection.setLocalDescription();
  signaling.send("CALL_ACCEPT", { callId, sdpAnswer: connection.localDescription.sdp });
  knowCallId(callId);
  takeCandidates(signaling, connection);
  await done;
  await signaling.next("CALL_ENDED");
  return pathOf(connection);
}

window.telephone = { register, call, answer };
