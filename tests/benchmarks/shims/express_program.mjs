// The Express target's in-process benchmark; `bench_shim` runs it beside a freshly generated folder. Requests go through
// Express itself on both sides; no socket is involved.
import { generateKeyPairSync, sign } from "node:crypto";
import { once } from "node:events";
import { createServer, IncomingMessage, ServerResponse } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

import express from "express";
import { importJWK, jwtVerify } from "jose";
import passport from "passport";

import { createCutover } from "./auther-cutover/index.js";
import { readEnvironment, settings } from "./auther-cutover/settings.js";

const PAIRS = 3000;
const CACHE = 10_000;
const { publicKey, privateKey } = generateKeyPairSync("ed25519");
const JWK = { ...publicKey.export({ format: "jwk" }), kid: "k1", alg: "EdDSA" };
const USER = { id: "7" };
const HEADERS = {
  host: "club.example.org",
  "user-agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36",
  accept: "application/json",
  "accept-encoding": "gzip, deflate, br",
  "accept-language": "en",
  "sec-fetch-mode": "cors",
  "sec-fetch-site": "same-origin",
  "x-forwarded-for": "192.0.2.7",
  "x-request-id": "7f7a0c3c9a2b4f0e8d9c",
};

// The lookup of both sides: the same constants.
const FOUND = { rows: [{ user_pk: "7", home: "legacy", pinned: false, valid_after_s: null, buried: false }] };
const ACCOUNT = { rows: [{ locked_at: null, confirmable: false }] };
const NOBODY = { rows: [] };
const database = {
  /** @param {string} text */
  async query(text) {
    if (text.includes("FROM (VALUES")) return FOUND;
    return text.includes("to_jsonb") ? ACCOUNT : NOBODY;
  },
};
const findUser = async () => USER;
const lookUp = async () => {
  await database.query("FROM (VALUES");
  await database.query("to_jsonb");
  await findUser();
};

function token(number) {
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: settings.issuers[0],
    aud: settings.audiences[0],
    sub: "u".repeat(32),
    iat: now,
    exp: now + 172_800,
    nonce: String(number).padStart(43, "0"),
    acr: "urn:mace:incommon:iap:silver",
    name: "Alice Example",
    given_name: "Alice",
    family_name: "Example",
    email: "alice@example.org",
    email_verified: true,
  };
  const parts = [{ alg: "EdDSA", kid: "k1" }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"));
  return `${parts.join(".")}.${sign(null, Buffer.from(parts.join(".")), privateKey).toString("base64url")}`;
}

function request(more, session) {
  const req = new IncomingMessage(null);
  Object.assign(req, { method: "GET", url: "/api/members?page=2", headers: { ...HEADERS, ...more } });
  req.rawHeaders = Object.entries(req.headers).flat();
  req.session = session;
  return req;
}

/** An application; what it gives is called with a request and answers when the handler has run. */
function application(...middleware) {
  const app = express();
  app.use(...middleware, (req) => req.done());
  return (req) => {
    const res = new ServerResponse(req);
    return new Promise((resolve, reject) => {
      req.done = resolve;
      app.handle(req, res, reject);
    });
  };
}

async function timed(work) {
  const began = process.hrtime.bigint();
  await work();
  return Number(process.hrtime.bigint() - began);
}

/** Times both, each first in every other pair. */
async function paired(make) {
  const found = [];
  for (let number = 0; number < PAIRS; number += 1) {
    const { bare, shim } = make(number);
    const first = await timed(number % 2 ? shim : bare);
    const second = await timed(number % 2 ? bare : shim);
    found.push(number % 2 ? [second, first] : [first, second]);
  }
  return found;
}

const issuer = createServer((_req, res) => res.end(JSON.stringify({ keys: [JWK] })));
issuer.listen(0, "127.0.0.1");
await once(issuer, "listening");
passport.serializeUser((user, done) => done(null, user.id));
passport.deserializeUser((_id, done) => done(null, USER));
const cutover = createCutover(
  // Each decision's line is written, and goes nowhere: how fast a disk is, is not the shim's.
  { passport, database, findUser, userId: (user) => user.id, loginPath: "/login", log: (line) => void JSON.stringify(line) },
  {
    settings: { ...settings, jwksUrl: `http://127.0.0.1:${issuer.address().port}/` },
    environment: { ...readEnvironment(), countersFolder: join(tmpdir(), `auther-cutover-bench-${process.pid}`) },
  },
);
const pass = (_req, _res, next) => next();
const plain = application(pass);
const own = application(passport.session());
const guarded = application(cutover.session());
const key = await importJWK(JWK, "EdDSA");
const checks = {
  algorithms: ["EdDSA"],
  audience: [...settings.audiences],
  issuer: [...settings.issuers],
  requiredClaims: ["exp", "sub"],
  clockTolerance: 30,
};
const bearer = (text) => request({ authorization: `Bearer ${text}` }, {});
for (let number = 0; number < 2000; number += 1) {
  const text = token(-1 - number);
  await jwtVerify(text, key, checks);
  await guarded(bearer(text));
  await plain(request({}, {}));
  await guarded(request({}, { passport: { user: "7" } }));
  await own(request({}, { passport: { user: "7" } }));
}
const fresh = await paired((number) => {
  const text = token(number);
  const [req, other] = [request({}, {}), bearer(text)];
  return {
    bare: async () => {
      await jwtVerify(text, key, checks);
      await lookUp();
      await plain(req);
    },
    shim: () => guarded(other),
  };
});
const seen = token(0);
const cached = await paired(() => {
  const [req, other] = [request({}, {}), bearer(seen)];
  return {
    bare: async () => {
      await lookUp();
      await plain(req);
    },
    shim: () => guarded(other),
  };
});
const legacy = await paired(() => {
  const [req, other] = [0, 1].map(() => request({ cookie: "theme=dark; club.sid=7; consent=1" }, { passport: { user: "7" } }));
  return { bare: () => own(req), shim: () => guarded(other) };
});
const memory = [];
for (let turn = 1; turn <= 3; turn += 1) {
  for (let number = 0; number < CACHE; number += 1) await guarded(bearer(token(turn * 1_000_000 + number)));
  globalThis.gc();
  memory.push(Math.round(process.memoryUsage().rss / 1024));
}
const { version } = createRequire(import.meta.url)("./node_modules/jose/package.json");
process.stdout.write(JSON.stringify({ library: `jose ${version}`, fresh, cached, legacy, memory_kib: memory }), () => process.exit(0));
