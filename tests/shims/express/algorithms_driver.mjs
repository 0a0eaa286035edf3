// Says for each kind of key what comes of a good token, a forged one and a short signature.
import { generateKeyPairSync, sign } from "node:crypto";

import { KeySet } from "./auther-cutover/keys.js";
import { settings as baked } from "./auther-cutover/settings.js";
import { TokenVerifier } from "./auther-cutover/tokens.js";

const KINDS = {
  EdDSA: ["ed25519", {}, "EdDSA"],
  ES256: ["ec", { namedCurve: "P-256" }, "ES256"],
  RS256: ["rsa", { modulusLength: 2048 }, "RS256"],
  "a short RSA key": ["rsa", { modulusLength: 1024 }, "RS256"],
  "another curve": ["ec", { namedCurve: "P-384" }, "ES256"],
  "a key that says another algorithm": ["rsa", { modulusLength: 2048 }, "EdDSA"],
};
const settings = { ...baked, algorithms: ["EdDSA", "RS256", "ES256"] };

const said = {};
for (const [name, [kind, options, alg]] of Object.entries(KINDS)) {
  const { publicKey, privateKey } = generateKeyPairSync(kind, options);
  const jwk = { ...publicKey.export({ format: "jwk" }), kid: "k", alg };
  const keys = new KeySet(settings, { download: async () => JSON.stringify({ keys: [jwk] }) });
  const verifier = new TokenVerifier(settings, keys);
  const claims = { iss: settings.issuers[0], aud: settings.audiences[0], sub: "alice", exp: Date.now() / 1000 + 60 };
  const signed = [{ alg, kid: "k" }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
  const signature = sign(kind === "ed25519" ? null : "sha256", Buffer.from(signed), { key: privateKey, dsaEncoding: "ieee-p1363" });
  const spoilt = Buffer.from(signature);
  spoilt[0] ^= 1;
  said[name] = await Promise.all(
    [signature, spoilt, Buffer.alloc(1)].map((end) =>
      verifier.verify(`${signed}.${end.toString("base64url")}`).then(
        ({ sub }) => sub,
        (error) => error.reason ?? error.message,
      ),
    ),
  );
}
console.log(JSON.stringify(said));
