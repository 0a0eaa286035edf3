// The decisions that must never change. Needs nothing but Node.js and the packages: `node --test test/`.
import assert from "node:assert/strict";
import { generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { Hono } from "hono";
import { generateSignedCookie, getSignedCookie, setSignedCookie } from "hono/cookie";

import { createCutover, safeReturnPath } from "../auther-cutover/index.js";
import { readEnvironment, settings } from "../auther-cutover/settings.js";

const { publicKey, privateKey } = generateKeyPairSync("ed25519");
const folder = mkdtempSync(join(tmpdir(), "auther-cutover-test-"));
let jwksIsUp = true;
let hasPlace = false;
/** @type {any[][]} */ const written = [];
/** @type {ReturnType<typeof createCutover>} */
let cutover;
/** @type {string} */
let counters;
const SESSION = "test-session";
const SECRET = "test";

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
    if (text.includes("migrator_process") && hasPlace) written.push([text.trim().split(" ")[0], ...values]);
    if (text.includes("may_write")) return { rows: [{ may_write: hasPlace }] };
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
  const from = {
    settings: { ...settings, jwksUrl: `http://127.0.0.1:${port}/`, bakedStage: /** @type {const} */ ("dual") },
    environment,
  };
  app = new Hono();
  /** @param {import("hono").Context} c */
  const idOf = async (c) => (await getSignedCookie(c, SECRET, SESSION)) || null;
  const sessions = {
    holdsUser: async (/** @type {import("hono").Context} */ c) => (await idOf(c)) !== null,
    read: async (/** @type {import("hono").Context} */ c) => ({ id: await idOf(c) }),
    forget: () => {},
    fixture: async () => (await generateSignedCookie(SESSION, "0", SECRET)).split(";")[0],
  };
  const options = { sessions, database, userId: (/** @type {any} */ user) => user.id, loginPath: "/login" };
  counters = environment.countersFolder;
  cutover = createCutover({ ...options, findUser: (id) => ({ id }), log: () => {} }, from);
  app.use(cutover.middleware());
  app.post("/login/:id", async (c) => {
    await setSignedCookie(c, SESSION, c.req.param("id"), SECRET);
    return c.body(null);
  });
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

/** @param {string} id */
async function signedIn(id) {
  const response = await app.request(`/login/${id}`, { method: "POST" });
  return response.headers.getSetCookie()[0].split(";")[0];
}

/** @param {{ bearer?: string, cookie?: string }} credentials */
async function ask({ bearer, cookie }) {
  const headers = new Headers(cookie ? { cookie } : {});
  if (bearer) headers.set("authorization", `Bearer ${bearer}`);
  const response = await app.request("/", { headers });
  const body = await response.json();
  return [response.status, body.error ?? body.user];
}

test("sessions and tokens are accepted side by side", async () => {
  assert.deepEqual(await ask({}), [200, null]);
  assert.deepEqual(await ask({ cookie: await signedIn("bob") }), [200, "bob"]);
  assert.deepEqual(await ask({ bearer: token() }), [200, "alice"]);
  assert.deepEqual(await ask({ bearer: token({ sub: "bob" }), cookie: await signedIn("bob") }), [200, "bob"]);
});

test("a token beside somebody else's session is a conflict", async () => {
  assert.deepEqual(await ask({ bearer: token(), cookie: await signedIn("bob") }), [401, "auth_conflict"]);
});

for (const spoilt of [{ exp: 1 }, { aud: "another" }, { exp: undefined }, { sub: undefined }, { nbf: 4_000_000_000 }]) {
  test(`a bad token is refused, whatever the session says: ${JSON.stringify(spoilt)}`, async () => {
    const cookie = await signedIn("bob");
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

test("a process is written down before it accepts a session, and what it counted at its end", async () => {
  hasPlace = true;
  build();
  assert.deepEqual(await ask({ cookie: await signedIn("bob") }), [200, "bob"]);
  await cutover.close();
  hasPlace = false;
  assert.deepEqual(
    written.map(([statement]) => statement).filter((statement) => statement !== "SELECT"),
    ["WITH", "UPDATE", "UPDATE"],
  );
  assert.match(written.at(-1)?.at(-1), /^auth_requests_total{path="legacy",outcome="accepted",.*} 1$/m);
  assert.deepEqual(readdirSync(counters), []);
});

test("counts with which another process goes on do not end", async () => {
  hasPlace = true;
  build();
  assert.deepEqual(await ask({ cookie: await signedIn("bob") }), [200, "bob"]);
  writeFileSync(join(counters, "1-1.json"), "{}");
  await cutover.close();
  hasPlace = false;
  assert.equal(written.at(-1)?.[0], "DELETE");
  assert.equal(readdirSync(counters).length, 2);
  build();
});

test("when nobody can verify the answer is 503", async () => {
  jwksIsUp = false;
  build();
  assert.deepEqual(await ask({ bearer: token() }), [503, "verification_unavailable"]);
});
