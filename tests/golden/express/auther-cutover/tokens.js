// Verifies Auther's id_tokens. jose checks the signature; what it would let pass or read otherwise is checked here.
import { createHash } from "node:crypto";

import { compactVerify } from "jose";

import { Refused } from "./errors.js";

/** @typedef {import("./types.js").Settings} Settings */
/** @typedef {import("./types.js").Claims} Claims */

// Auther writes `iat` in milliseconds; no date in seconds is that large before the year 5138.
const MILLISECONDS_FROM = 1e11;
// Each of these lets a token say where its key is, or how it wants to be read.
const SURPRISES = ["jku", "x5u", "jwk", "x5c", "x5t", "crit", "b64"];
const SUBJECT = /^[\x21-\x7e]{1,255}$/;
const CACHE_MAX = 10_000;

/**
 * Whether a bearer claims to come from a listed issuer; used for routing only.
 * @param {string} token
 * @param {Settings} settings
 */
export function isCandidate(token, { issuers }) {
  const parts = token.split(".");
  if (parts.length !== 3) return false;
  const iss = parseSegment(parts[1])?.iss;
  return typeof iss === "string" && issuers.includes(iss);
}

/** Checks tokens against the configured key set, issuers and audiences. */
export class TokenVerifier {
  #cache;

  /**
   * @param {Settings} settings
   * @param {import("./keys.js").KeySet} keys
   * @param {{ nowMs?: () => number, cacheMax?: number }} [options] `cacheMax` 0: nothing is remembered.
   */
  constructor(settings, keys, { nowMs = Date.now, cacheMax = CACHE_MAX } = {}) {
    this.settings = settings;
    this.keys = keys;
    this.nowMs = nowMs;
    this.#cache = new VerifiedTokens(cacheMax);
  }

  /**
   * Gives the claims of a good token.
   * @param {string} token
   * @returns {Promise<Claims>}
   * @throws {Refused} It fails a check.
   * @throws {import("./errors.js").Unavailable} Nobody can tell now.
   */
  async verify(token) {
    if (token.length > this.settings.maxTokenBytes) throw new Refused("too_large");
    const digest = createHash("sha256").update(token).digest("base64");
    const known = this.#cache.get(digest, this.keys.generation);
    if (known) return this.#stillGood(known);
    const { header, claims } = this.#read(token);
    const problem = this.#problemOf(claims);
    const key = await this.#keyFor(header, problem);
    if (key.algorithm !== header.alg) throw new Refused("algorithm");
    await compactVerify(token, key.verifyKey, { algorithms: [key.algorithm] }).catch(() => {
      throw new Refused("signature");
    });
    // Only now: a forged token is forged, whatever else is wrong with it.
    if (problem) throw problem;
    const good = /** @type {Claims} */ (claims);
    this.#cache.add(digest, good, this.keys.generation);
    return good;
  }

  /** @param {Claims} claims */
  #stillGood(claims) {
    const problem = this.#problemOf(claims);
    if (problem) throw problem;
    return claims;
  }

  /** @param {string} token */
  #read(token) {
    const parts = token.split(".");
    const header = parts.length === 3 ? parseSegment(parts[0]) : null;
    const claims = header && parseSegment(parts[1]);
    if (!header || !claims || !isCanonical(parts[2])) throw new Refused("malformed");
    if (typeof header.alg !== "string" || !this.settings.algorithms.includes(header.alg))
      throw new Refused("algorithm");
    if (typeof header.kid !== "string" || SURPRISES.some((name) => Object.hasOwn(header, name))) {
      throw new Refused("malformed");
    }
    return { header, claims };
  }

  /**
   * @param {Record<string, unknown>} header
   * @param {Refused | null} problem
   */
  async #keyFor(header, problem) {
    const kid = String(header.kid);
    const known = this.keys.known(kid);
    if (known) return known;
    // A token that its claims rule out anyway is not worth a fetch, nor a 503.
    if (problem) throw problem;
    const key = await this.keys.find(kid);
    if (!key) throw new Refused("unknown_key");
    return key;
  }

  /** @param {Record<string, unknown>} claims */
  #problemOf(claims) {
    const { issuers, audiences, leewayS } = this.settings;
    const { iss, aud, sub, exp } = claims;
    const nowS = this.nowMs() / 1000;
    if (!isTime(exp) || exp > MILLISECONDS_FROM || typeof sub !== "string" || !SUBJECT.test(sub)) {
      return new Refused("missing_claim");
    }
    for (const name of ["nbf", "iat"]) {
      if (claims[name] !== undefined && !isTime(claims[name])) return new Refused("missing_claim");
    }
    if (typeof iss !== "string" || !issuers.includes(iss)) return new Refused("issuer", { stale: true });
    if (![aud].flat().some((one) => typeof one === "string" && audiences.includes(one))) {
      return new Refused("audience", { stale: true });
    }
    const good = /** @type {Claims} */ (claims);
    if (nowS >= exp + leewayS) return new Refused("expired", { stale: true, claims: good });
    if (Math.max(seconds(claims.nbf), seconds(claims.iat)) > nowS + leewayS) {
      return new Refused("not_yet_valid", { stale: true });
    }
    return null;
  }
}

/** Claims by the token's digest: bounded, and only for as long as the key set that verified them holds. */
class VerifiedTokens {
  /** @type {Map<string, Claims>} */ #claims = new Map();
  #generation = {};

  /** @param {number} max */
  constructor(max) {
    this.max = max;
  }

  /**
   * @param {string} digest
   * @param {object} generation
   */
  get(digest, generation) {
    return generation === this.#generation ? this.#claims.get(digest) : undefined;
  }

  /**
   * @param {string} digest
   * @param {Claims} claims
   * @param {object} generation
   */
  add(digest, claims, generation) {
    if (generation !== this.#generation) {
      this.#claims.clear();
      this.#generation = generation;
    }
    // A Map keeps the order of insertion, so the first one is the oldest.
    if (this.#claims.size >= this.max) this.#claims.delete(this.#claims.keys().next().value ?? "");
    if (this.max > 0) this.#claims.set(digest, claims);
  }
}

/**
 * When a token was issued, in whole seconds, whichever unit it uses.
 * @param {Claims} claims
 */
export const issuedAtS = ({ iat }) => (iat === undefined ? null : Math.floor(seconds(iat)));

/** @param {unknown} value */
function seconds(value) {
  if (typeof value !== "number") return 0;
  return value > MILLISECONDS_FROM ? value / 1000 : value;
}

/**
 * @param {unknown} value
 * @returns {value is number}
 */
const isTime = (value) => typeof value === "number" && value >= 0 && value < 1e15;

/**
 * A segment's JSON object, null when it is none.
 * @param {string | undefined} segment
 * @returns {Record<string, unknown> | null}
 */
function parseSegment(segment) {
  if (!segment || !isCanonical(segment)) return null;
  try {
    // Fatal: bytes that are not UTF-8 must not become replacement characters.
    const value = JSON.parse(UTF_8.decode(Buffer.from(segment, "base64url")));
    // A `__proto__` in JSON is an own property here; nothing is ever merged from it.
    return typeof value === "object" && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

const UTF_8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Node's decoder skips foreign characters and stray bits: only the one canonical spelling passes, so that a token
 * cannot be respelt.
 * @param {string | undefined} segment
 */
const isCanonical = (segment) =>
  segment !== undefined && Buffer.from(segment, "base64url").toString("base64url") === segment;
