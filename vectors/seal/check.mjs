// Makes each test vector again, in JavaScript: WebCrypto and @hpke/core alone (and, for X-Wing,
// @hpke/hybridkem-x-wing). Every value must come out the same.
//
//   npm install --no-save @hpke/core @hpke/hybridkem-x-wing
//   node check.mjs suite-1-x25519.json suite-2-x-wing.json
//
// Needs Node 20 or later. It shows what an SDK for browsers has to do; it is none.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core'

const { subtle } = globalThis.crypto
const utf8 = new TextEncoder()
const label = (purpose) => utf8.encode(`securecall-seal/1 ${purpose}:`)
const hex = (bytes) => Buffer.from(bytes).toString('hex')
const unhex = (digits) => new Uint8Array(Buffer.from(digits, 'hex'))
const armor = (bytes) => Buffer.from(bytes).toString('base64url')
const unarmor = (text) => new Uint8Array(Buffer.from(text, 'base64url'))
const concat = (...parts) => new Uint8Array(Buffer.concat(parts.map((part) => Buffer.from(part))))

const unsigned = (bytes, number) => {
  const out = Buffer.alloc(bytes)
  if (bytes === 8) out.writeBigUInt64BE(BigInt(number))
  else out.writeUIntBE(number, 0, bytes)
  return out
}

const hash = async (purpose, ...parts) =>
  new Uint8Array(await subtle.digest('SHA-256', concat(label(purpose), ...parts)))

const hkdf = async (salt, ikm, purpose, bytes) => {
  const key = await subtle.importKey('raw', ikm, 'HKDF', false, ['deriveBits'])
  const how = { name: 'HKDF', hash: 'SHA-256', salt, info: label(purpose) }
  return new Uint8Array(await subtle.deriveBits(how, key, bytes * 8))
}

// RFC 8410: what stands before the 32 bytes of a private key in PKCS #8.
const pkcs8 = (oid, key) => concat(unhex(`302e020100300506032b65${oid}04220420`), key)
const signingKey = (key) => subtle.importKey('pkcs8', pkcs8('70', key), 'Ed25519', false, ['sign'])
const sign = async (key, ...parts) =>
  new Uint8Array(await subtle.sign('Ed25519', await signingKey(key), concat(...parts)))

const publicEd25519 = async (privateKey) => {
  const key = await subtle.importKey('pkcs8', pkcs8('70', privateKey), 'Ed25519', true, ['sign'])
  return unarmor((await subtle.exportKey('jwk', key)).x)
}

const hpke = async (suite) => {
  const { XWing } = suite === 2 ? await import('@hpke/hybridkem-x-wing') : {}
  const kem = suite === 2 ? new XWing() : new DhkemX25519HkdfSha256()
  return new CipherSuite({ kem, kdf: new HkdfSha256(), aead: new Aes256Gcm() })
}

const publicX25519 = async (privateKey) => {
  const key = await subtle.importKey('pkcs8', pkcs8('6e', privateKey), 'X25519', true, ['deriveBits'])
  return unarmor((await subtle.exportKey('jwk', key)).x)
}

// A client's keys, from the seed.
const client = async ({ clientId, seed }, suite) => {
  const derive = (purpose) => hkdf(new Uint8Array(), unhex(seed), `identity ${purpose}`, 32)
  const ed25519 = await derive('ed25519')
  const kemKeys = [await derive('x25519'), await derive('x-wing')].slice(0, suite)
  return { clientId, ed25519, kemKeys }
}

const recordParts = (record) => {
  let at = 2 + record[1]
  const take = (count) => record.slice(at, (at += count))
  const ed25519 = take(32)
  const kemKeys = {}
  for (let count = take(1)[0]; count > 0; count--) {
    const [suite, high, low] = take(3)
    kemKeys[suite] = take((high << 8) | low)
  }
  return { id: record.slice(2, 2 + record[1]), ed25519, kemKeys, signed: record.slice(0, at), signature: take(64) }
}

const fingerprint = async (ed25519) => {
  const digest = Buffer.from(await hash('fingerprint', ed25519))
  const group = (index) => String(digest.readUInt32BE(4 * index) % 100000).padStart(5, '0')
  return Array.from({ length: 8 }, (_, index) => group(index)).join(' ')
}

const checkClient = async (vector, suite) => {
  const made = await client(vector, suite)
  assert.equal(hex(made.ed25519), vector.ed25519PrivateKey)
  assert.deepEqual(made.kemKeys.map(hex), vector.kemPrivateKeys)
  const record = unarmor(vector.directoryKey)
  const parts = recordParts(record)
  assert.deepEqual(parts.ed25519, await publicEd25519(made.ed25519))
  assert.equal(Buffer.from(parts.id).toString(), vector.clientId)
  assert.deepEqual(parts.kemKeys[1], await publicX25519(made.kemKeys[0]))
  assert.deepEqual(parts.signature, await sign(made.ed25519, label('directory key'), parts.signed))
  const recordHash = await hash('record hash', record)
  assert.equal(hex(recordHash), vector.recordHash)
  assert.equal(await fingerprint(parts.ed25519), vector.fingerprint)
  const party = concat(unsigned(1, parts.id.length), parts.id, recordHash)
  return { ...made, party, recordHash, publicKey: parts.kemKeys[suite] }
}

const padded = (body) => concat(body, new Uint8Array(-body.length & 255))

// An offer or answer: signed, then sealed.
const envelope = async ({ suite, to, privateKey, ekm, signer, front, context, fields, text }) => {
  const cipher = await hpke(suite)
  const recipientPublicKey = await cipher.kem.deserializePublicKey(to)
  const sender = await cipher.createSenderContext({ recipientPublicKey, info: context, ekm })
  const enc = new Uint8Array(sender.enc)
  const bytes = utf8.encode(text)
  const signed = concat(fields, unsigned(4, bytes.length), bytes)
  const signature = await sign(signer, label('signature'), context, enc, signed)
  const body = padded(concat(signed, signature))
  const ciphertext = new Uint8Array(await sender.seal(body))
  const exported = new Uint8Array(await sender.export(label('export'), 32))

  const recipientKey = await cipher.kem.deserializePrivateKey(privateKey)
  const recipient = await cipher.createRecipientContext({ recipientKey, enc, info: context })
  assert.deepEqual(new Uint8Array(await recipient.open(ciphertext)), body)
  return { enc, signature, body, exported, message: concat(front, enc, ciphertext) }
}

const checkEnvelope = (made, vector, fields) => {
  assert.equal(hex(made.enc), vector.encapsulatedKey)
  assert.equal(hex(fields), vector.fields)
  assert.equal(hex(made.signature), vector.signature)
  assert.equal(hex(made.body), vector.body)
  assert.equal(hex(made.exported), vector.exported)
}

const sealMessage = async ({ header, sequence, key, nonce, transcript, body }) => {
  const front = concat(header, unsigned(8, sequence))
  const iv = nonce.map((byte, index) => byte ^ (index < 4 ? 0 : front[index]))
  const additionalData = concat(label('message'), front, transcript)
  const aes = await subtle.importKey('raw', key, 'AES-GCM', false, ['encrypt'])
  const how = { name: 'AES-GCM', iv, additionalData }
  return concat(front, new Uint8Array(await subtle.encrypt(how, aes, body)))
}

const check = async (vector) => {
  const { suite, input } = vector
  const alice = await checkClient(vector.caller, suite)
  const bob = await checkClient(vector.callee, suite)
  const parties = concat(alice.party, bob.party)

  const opening = unhex(input.opening)
  const ephemeral = unhex(vector.offer.ephemeralPublicKey)
  const offerHeader = [1, 1, suite, 0]
  const offerContext = concat(label('offer'), offerHeader, parties)
  assert.equal(hex(offerContext), vector.offer.context)
  const fields = concat(unsigned(8, input.createdUnixSeconds), await hash('commitment', opening), ephemeral)
  const offer = await envelope({
    suite, to: bob.publicKey, privateKey: bob.kemKeys[suite - 1], signer: alice.ed25519,
    ekm: unhex(input.offerEncapsulationRandomness),
    front: concat(offerHeader, alice.recordHash, bob.recordHash), context: offerContext,
    fields, text: input.offer,
  })
  checkEnvelope(offer, vector.offer.envelope, fields)
  assert.equal(armor(offer.message), vector.offer.sdpOffer)

  const offerHash = await hash('offer hash', offer.message)
  assert.equal(hex(offerHash), vector.offer.hash)
  const answerHeader = [1, 2, suite, 1]
  const callId = utf8.encode(input.callId)
  const answerContext = concat(
    label('answer'), answerHeader, parties, unsigned(2, callId.length), callId, offerHash)
  assert.equal(hex(answerContext), vector.answer.context)
  const answer = await envelope({
    suite, to: ephemeral, privateKey: unhex(input.ephemeralPrivateKey), signer: bob.ed25519,
    ekm: unhex(input.answerEncapsulationRandomness),
    front: concat(answerHeader, offerHash), context: answerContext, fields: [], text: input.answer,
  })
  checkEnvelope(answer, vector.answer.envelope, [])
  assert.equal(armor(answer.message), vector.answer.sdpAnswer)

  const transcript = await hash('transcript', answerContext, answer.message)
  const secret = concat(offer.exported, answer.exported)
  const derive = (purpose, bytes) => hkdf(transcript, secret, purpose, bytes)
  const keys = {
    transcript,
    callerKey: await derive('caller key', 32),
    callerNonce: await derive('caller nonce', 12),
    calleeKey: await derive('callee key', 32),
    calleeNonce: await derive('callee nonce', 12),
    shortAuthenticationSecret: await derive('short authentication secret', 32),
  }
  for (const [name, value] of Object.entries(keys)) assert.equal(hex(value), vector.keys[name], name)

  const sequences = { caller: 0, callee: 0 }
  for (const { sender, type, text, body, sealed } of vector.messages) {
    const bytes = utf8.encode(text)
    const made = padded(concat(sender === 'caller' ? opening : [], unsigned(4, bytes.length), bytes))
    assert.equal(hex(made), body)
    const header = [1, type === 'candidate' ? 3 : 4, suite, sender === 'caller' ? 0 : 1]
    const message = await sealMessage({
      header, sequence: sequences[sender]++, transcript, body: made,
      key: keys[`${sender}Key`], nonce: keys[`${sender}Nonce`],
    })
    assert.equal(armor(message), sealed)
  }

  const bytes = await hkdf(keys.shortAuthenticationSecret, opening, 'short authentication string', 8)
  const digits = String(Buffer.from(bytes).readBigUInt64BE() % 10_000_000n).padStart(7, '0')
  assert.equal(`${digits.slice(0, 3)} ${digits.slice(3)}`, vector.shortAuthenticationString)
}

for (const file of process.argv.slice(2)) {
  await check(JSON.parse(readFileSync(file)))
  console.log(`${file}: every value is the same`)
}
