// The decisions that must never change. Needs nothing but Node.js and the packages: `node --test test/`.
import assert from "node:assert/strict";
import { generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { Hono } from "hono";

import { createAuther, safeReturnPath } from "../auther-cutover/index.js";
import { readEnvironment, settings } from "../auther-cutover/settings.js";

const { publicKey, privateKey } = generateKeyPairSync("ed25519");
const folder = mkdtempSync(join(tmpdir(), "auther-cutover-test-"));
let jwksIsUp = true;

const issuer = createServer((_req, res) => {
  const key = { ...publicKey.export({ format: "jwk" }), kid: "k", alg: "EdDSA" };
  res.writeHead(jwksIsUp ? 200 : 500).end(JSON.stringify({ keys: [key] }));
});

/** Knows `alice`, `bob` and whoever is locked; both sides have the same keys. */
const database = {
  /**
   * @param {string} text
   * @param {any[]} values
   */
  async query(text, values) {
    const [first] = values;
    if (text.includes("FROM (VALUES")) {
      const userId = ["alice", "bob", "locked", "pinned"].includes(first) ? first : null;
      return {
        rows: [{ user_pk: userId, home: "legacy", pinned: first === "pinned", valid_after_s: null, buried: false }],
      };
    }
    return { rows: text.includes("to_jsonb") ? [{ locked_at: first === "locked" ? "infinity" : null }] : [] };
  },
};

/** @param {Record<string, unknown>} claims */
function token(claims = {}, header = {}) {
  const now = Math.floor(Date.now() / 1000);
  const body = {
    iss: settings.issuers[0],
    aud: settings.audiences[0],
    sub: "alice",
    iat: now * 1000,
    exp: now + 600,
    ...claims,
  };
  const parts = [{ alg: "EdDSA", kid: "k", ...header }, body].map((part) =>
    Buffer.from(JSON.stringify(part)).toString("base64url"),
  );
  return [...parts, sign(null, Buffer.from(parts.join(".")), privateKey).toString("base64url")].join(".");
}

/** @type {Hono} */
let app;

/** An application of its own, with a key set that nobody has fetched yet. */
function build() {
  const { port } = /** @type {import("node:net").AddressInfo} */ (issuer.address());
  const environment = {
    ...readEnvironment({}),
    cookieSecret: randomBytes(32).toString("hex"),
    countersFolder: mkdtempSync(join(folder, "counters-")),
  };
  const from = { settings: { ...settings, jwksUrl: `http://127.0.0.1:${port}/` }, environment };
  app = new Hono();
  const auther = createAuther({ database, findUser: (id) => ({ id }), log: () => {} }, from);
  app.use(auther.middleware());
  app.get("/", (c) => c.json({ user: c.get("autherUser")?.user.id ?? null }));
}

before(async () => {
  issuer.listen(0, "127.0.0.1");
  await once(issuer, "listening");
  build();
});
after(() => {
  issuer.close();
  rmSync(folder, { recursive: true });
});

/** @param {{ bearer?: string, cookie?: string }} credentials */
async function ask({ bearer, cookie }) {
  const headers = new Headers(cookie ? { cookie } : {});
  if (bearer) headers.set("authorization", `Bearer ${bearer}`);
  const response = await app.request("/", { headers });
  const body = await response.json();
  return [response.status, body.error ?? body.user];
}

test("a good token is its user, and without one it is nobody", async () => {
  assert.deepEqual(await ask({}), [200, null]);
  assert.deepEqual(await ask({ bearer: token() }), [200, "alice"]);
});

for (const spoilt of [{ exp: 1 }, { aud: "another" }, { exp: undefined }, { sub: undefined }, { nbf: 4_000_000_000 }]) {
  test(`a bad token is refused: ${JSON.stringify(spoilt)}`, async () => {
    const cookie = "";
    assert.deepEqual(await ask({ bearer: token(spoilt), cookie }), [401, "invalid_token"]);
  });
}

for (const header of [
  { alg: "none" },
  { alg: "HS256" },
  { kid: undefined },
  { jku: "https://evil.example/" },
  { crit: ["exp"] },
]) {
  test(`a header that surprises is refused: ${JSON.stringify(header)}`, async () => {
    assert.deepEqual(await ask({ bearer: token({}, header) }), [401, "invalid_token"]);
  });
}

test("a token that was touched is refused", async () => {
  const [head, body, signature] = token().split(".");
  const other = token({ sub: "bob" }).split(".")[1];
  assert.deepEqual(await ask({ bearer: `${head}.${other}.${signature}` }), [401, "invalid_token"]);
  assert.deepEqual(await ask({ bearer: `${head}.${body}.${signature}=` }), [401, "invalid_token"]);
});

test("another issuer's bearer is foreign", async () => {
  assert.deepEqual(await ask({ bearer: token({ iss: "https://elsewhere.example" }) }), [401, "foreign_bearer"]);
});

test("locked and pinned accounts are refused, and nobody is linked by guessing", async () => {
  assert.deepEqual(await ask({ bearer: token({ sub: "locked" }) }), [401, "invalid_token"]);
  assert.deepEqual(await ask({ bearer: token({ sub: "pinned" }) }), [401, "invalid_token"]);
  assert.deepEqual(await ask({ bearer: token({ sub: "mallory" }) }), [409, "identity_unlinked"]);
});

test("a return path never leaves this site", () => {
  assert.equal(safeReturnPath("/orders?page=2", "/"), "/orders?page=2");
  for (const path of [
    "https://evil.example",
    "//evil.example",
    "/\\evil.example",
    "/\t/evil.example",
    undefined,
    ["/"],
  ]) {
    assert.equal(safeReturnPath(path, "/home"), "/home");
  }
});

test("when nobody can verify the answer is 503", async () => {
  jwksIsUp = false;
  build();
  assert.deepEqual(await ask({ bearer: token() }), [503, "verification_unavailable"]);
});
