// Says what comes of one token, request after request, while the set grows old and its key is withdrawn.
import { generateKeyPairSync, sign } from "node:crypto";
import { setImmediate } from "node:timers/promises";

import { KeySet } from "./auther-cutover/keys.js";
import { settings } from "./auther-cutover/settings.js";
import { digestOf, TokenVerifier } from "./auther-cutover/tokens.js";

const pairs = [0, 1].map(() => generateKeyPairSync("ed25519"));
let [served, fetches, nowS] = [0, 0, 0];
const download = async () => {
  fetches += 1;
  return JSON.stringify({ keys: [{ ...pairs[served].publicKey.export({ format: "jwk" }), kid: "k", alg: "EdDSA" }] });
};
const verifier = new TokenVerifier(settings, new KeySet(settings, { download, nowS: () => nowS }));
const claims = { iss: settings.issuers[0], aud: settings.audiences[0], sub: "alice", exp: Date.now() / 1000 + 172_800 };
const signed = [{ alg: "EdDSA", kid: "k" }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
const token = `${signed}.${sign(null, Buffer.from(signed), pairs[0].privateKey).toString("base64url")}`;

const asked = () => (verifier.remembered(digestOf(token)) ? "remembered" : "to be verified");
const said = [];
await verifier.verify(token);
said.push([asked(), fetches]);
served = 1;
nowS = settings.jwksMaxAgeS + 1;
said.push([asked(), fetches]);
while (asked() === "remembered" && fetches < 5) await setImmediate();
said.push([asked(), fetches]);
said.push([await verifier.verify(token).catch((error) => error.reason), fetches]);
console.log(JSON.stringify(said));
