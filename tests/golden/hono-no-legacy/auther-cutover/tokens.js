// Verifies Auther's id_tokens. The signature is checked by Node's own crypto: jose's check takes the way through the thread
// pool, which is longer than the check itself, and what it says about claims does not fit (`iat` in milliseconds).
import { isUtf8 } from "node:buffer";
import { hash, verify } from "node:crypto";

import { Refused, Unavailable } from "./errors.js";

/** @typedef {import("./types.js").Settings} Settings */
/** @typedef {import("./types.js").Claims} Claims */

// Auther writes `iat` in milliseconds; no date in seconds is that large before the year 5138.
const MILLISECONDS_FROM = 1e11;
// Each of these lets a token say where its key is, or how it wants to be read.
const SURPRISES = ["jku", "x5u", "jwk", "x5c", "x5t", "crit", "b64"];
const SUBJECT = /^[\x21-\x7e]{1,255}$/;
const CACHE_MAX = 10_000;

/** @typedef {{ header: Record<string, unknown>, claims: Record<string, unknown> }} Parsed Nothing of it is verified. */

/**
 * Whether a bearer claims to come from a listed issuer; used for routing only.
 * @param {Record<string, unknown> | null | undefined} claims Unverified.
 * @param {Settings} settings
 */
export const isCandidate = (claims, { issuers }) => typeof claims?.iss === "string" && issuers.includes(claims.iss);

/**
 * Reads a token without verifying anything; null when it is no well-formed token.
 * @param {string} token
 */
export function parse(token) {
  const parts = token.split(".");
  if (parts.length !== 3) return null;
  return { header: parseSegment(parts[0]), claims: parseSegment(parts[1]), isWhole: isCanonical(parts[2]) };
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
   * Gives the claims of a token that was verified before and still is good; undefined for any other.
   * @param {string} digest Of `digestOf`.
   * @throws {Refused} Its time is over by now.
   */
  remembered(digest) {
    const claims = this.#cache.get(digest, this.keys.generation);
    const problem = claims && this.#problemOf(claims);
    if (problem) throw problem;
    return claims;
  }

  /**
   * Gives the claims of a good token.
   * @param {string} token
   * @param {{ parsed?: ReturnType<typeof parse>, digest?: string }} [known] What was made of it already.
   * @returns {Promise<Claims>}
   * @throws {Refused} It fails a check.
   * @throws {import("./errors.js").Unavailable} Nobody can tell now.
   */
  async verify(token, { parsed, digest } = {}) {
    if (token.length > this.settings.maxTokenBytes) throw new Refused("too_large");
    parsed ??= parse(token);
    const { header, claims } = this.#wellFormed(parsed);
    const problem = this.#problemOf(claims);
    const kid = String(header.kid);
    const key = this.keys.known(kid) ?? (await this.#fetchedKey(kid, problem));
    if (key.algorithm !== header.alg) throw new Refused("algorithm");
    if (!isSigned(token, key)) throw new Refused("signature");
    // Only now: a forged token is forged, whatever else is wrong with it.
    if (problem) throw problem;
    const good = /** @type {Claims} */ (claims);
    this.#cache.add(digest ?? digestOf(token), good, this.keys.generation);
    return good;
  }

  /**
   * @param {ReturnType<typeof parse>} parsed
   * @returns {Parsed}
   */
  #wellFormed(parsed) {
    const { header, claims, isWhole } = parsed ?? {};
    if (!header || !claims || !isWhole) throw new Refused("malformed");
    if (typeof header.alg !== "string" || !this.settings.algorithms.includes(header.alg)) {
      throw new Refused("algorithm");
    }
    if (typeof header.kid !== "string" || SURPRISES.some((name) => Object.hasOwn(header, name))) {
      throw new Refused("malformed");
    }
    return { header, claims };
  }

  /**
   * @param {string} kid
   * @param {Refused | null} problem
   */
  async #fetchedKey(kid, problem) {
    // A token that its claims rule out anyway is not worth a fetch, nor a 503. But the first set is fetched for one that
    // has expired: whether it was good decides about its renewal.
    const isWorthIt = !problem || (problem.claims && !this.keys.isUsable);
    const key = isWorthIt ? await this.keys.find(kid).catch((error) => ignoreFor(problem, error)) : null;
    if (key) return key;
    // Nobody has signed these claims, as far as is known.
    throw problem ? new Refused(problem.reason, { stale: problem.stale }) : new Refused("unknown_key");
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

/**
 * @param {Refused | null} problem
 * @param {unknown} error
 * @returns {null}
 */
function ignoreFor(problem, error) {
  if (problem && error instanceof Unavailable) return null;
  throw error;
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
   * @param {object | undefined} generation
   */
  get(digest, generation) {
    return generation === this.#generation ? this.#claims.get(digest) : undefined;
  }

  /**
   * @param {string} digest
   * @param {Claims} claims
   * @param {object | undefined} generation
   */
  add(digest, claims, generation) {
    if (!generation) return;
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
 * The algorithm is the key's, never the token's.
 * @param {string} token
 * @param {import("./keys.js").Key} key
 */
function isSigned(token, { algorithm, verifyKey }) {
  const end = token.lastIndexOf(".");
  const [signed, signature] = [Buffer.from(token.slice(0, end)), Buffer.from(token.slice(end + 1), "base64url")];
  const digest = algorithm === "EdDSA" ? null : "sha256";
  // The encoding is for ES256: JOSE has both numbers side by side, OpenSSL would expect DER.
  return verify(digest, signed, { key: verifyKey, dsaEncoding: "ieee-p1363" }, signature);
}

/** @param {string} token */
export const digestOf = (token) => hash("sha256", token, "base64");

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
 * @param {string} segment
 * @returns {Record<string, unknown> | null}
 */
function parseSegment(segment) {
  try {
    const bytes = Buffer.from(segment, "base64url");
    // Bytes that are not UTF-8 must not become replacement characters.
    if (bytes.toString("base64url") !== segment || !isUtf8(bytes)) return null;
    const value = JSON.parse(bytes.toString());
    // A `__proto__` in JSON is an own property here; nothing is ever merged from it.
    return typeof value === "object" && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

/**
 * Node's decoder skips foreign characters and stray bits: only the one canonical spelling passes, so that a token
 * cannot be respelt.
 * @param {string} segment
 */
const isCanonical = (segment) => Buffer.from(segment, "base64url").toString("base64url") === segment;
