// Auther's public keys: fetched rarely, kept while good, never replaced by something worse. jose imports
// them; its createRemoteJWKSet answers an unknown key inside its cooldown as if the key did not exist, and has no set to go
// on with while Auther is down: so fetching is ours.
import { KeyObject } from "node:crypto";

import { importJWK } from "jose";

import { Unavailable } from "./errors.js";

/** @typedef {{ algorithm: string, verifyKey: KeyObject }} Key */

const MAX_BYTES = 262_144;
const MAX_KEYS = 100;
const RSA_BITS_MIN = 2048;
// What a key must be for its algorithm. One that names no algorithm gets the one of its kind, never the token's choice.
const KINDS = /** @type {Record<string, string>} */ ({ EdDSA: "OKP Ed25519", ES256: "EC P-256", RS256: "RSA" });

/** The configured JWKS, of one process. */
export class KeySet {
  /** @type {Map<string, Key>} */ #keys = new Map();
  /** @type {number | null} */ #goodAt = null;
  /** @type {number | null} */ #triedAt = null;
  /** @type {Promise<boolean> | null} */ #flight = null;
  #generation = {};

  /**
   * @param {import("./types.js").Settings} settings
   * @param {{
   *   cooldownS?: number,
   *   onFetch?: (result: "ok" | "failed") => void,
   *   download?: (url: string, timeoutS: number) => Promise<string>,
   *   nowS?: () => number,
   * }} [options]
   */
  constructor(settings, { cooldownS = 30, onFetch = () => {}, download = fetchText, nowS = monotonicS } = {}) {
    this.settings = settings;
    this.cooldownS = cooldownS;
    this.onFetch = onFetch;
    this.download = download;
    this.nowS = nowS;
  }

  /** Whether there is a set to go on with. */
  get isUsable() {
    return this.#ageS() <= this.settings.jwksStaleS;
  }

  /**
   * Another object after each change, so that what was verified by an older set is forgotten; undefined where there is no
   * set to go on with. Refreshes an ageing set in the background: where only remembered tokens come, a key that was
   * withdrawn would be good until they expire.
   */
  get generation() {
    const ageS = this.#ageS();
    if (ageS > this.settings.jwksStaleS) return undefined;
    if (ageS > this.settings.jwksMaxAgeS && this.#waitS() <= 0) void this.#fetch();
    return this.#generation;
  }

  /**
   * Gives a key without asking anybody.
   * @param {string} kid
   */
  known(kid) {
    return this.generation && this.#keys.get(kid);
  }

  /**
   * Gives a key, fetching the set again at most once per cooldown, whatever the key ids.
   * @param {string} kid
   * @returns {Promise<Key | null>} null: the set that was just fetched for this request does not have it.
   * @throws {Unavailable} Nobody can tell: no usable set, or inside the cooldown.
   */
  async find(kid) {
    const key = this.known(kid);
    if (key) return key;
    const joined = this.#flight !== null;
    if (!joined && this.#waitS() > 0) throw new Unavailable("an unknown key inside the cooldown", this.#waitS());
    const fetched = await this.#fetch();
    const found = this.known(kid);
    if (found) return found;
    if (!fetched || joined) throw new Unavailable("no usable keys", this.#waitS());
    return null;
  }

  #ageS() {
    return this.#goodAt === null ? Infinity : this.nowS() - this.#goodAt;
  }

  #waitS() {
    if (this.#triedAt === null) return 0;
    const pauseS = this.isUsable ? this.cooldownS : Math.min(this.settings.jwksRetryS, this.cooldownS);
    return this.#triedAt + pauseS - this.nowS();
  }

  /** Single flight. */
  #fetch() {
    if (!this.#flight) {
      this.#triedAt = this.nowS();
      this.#flight = this.#refresh().finally(() => {
        this.#flight = null;
      });
    }
    return this.#flight;
  }

  async #refresh() {
    try {
      const { jwksUrl, jwksTimeoutS, algorithms } = this.settings;
      const keys = await parseKeys(await this.download(jwksUrl, jwksTimeoutS), algorithms);
      this.#keys = keys;
      this.#goodAt = this.nowS();
      this.#generation = {};
      this.onFetch("ok");
      return true;
    } catch {
      // A failed fetch never replaces a good set.
      this.onFetch("failed");
      return false;
    }
  }
}

/**
 * Reads a key set.
 * @param {string} text
 * @param {readonly string[]} algorithms
 * @returns {Promise<Map<string, Key>>}
 * @throws {Error} It is no key set, holds no usable key, or names one key id twice.
 */
export async function parseKeys(text, algorithms) {
  const list = JSON.parse(text)?.keys;
  if (!Array.isArray(list) || list.length > MAX_KEYS) throw new Error("not a list of keys, or a very long one");
  const usable = list.filter((jwk) => signs(jwk, algorithms));
  const keys = new Map();
  for (const jwk of usable) {
    const algorithm = algorithmOf(jwk);
    // The public members only, whatever else the set says about the key.
    const { kty, crv, x, y, n, e } = jwk;
    const imported = await importJWK({ kty, crv, x, y, n, e }, algorithm).catch(() => null);
    const verifyKey = imported && KeyObject.from(/** @type {any} */ (imported));
    if (verifyKey && isStrong(verifyKey)) keys.set(jwk.kid, { algorithm, verifyKey });
  }
  if (keys.size === 0 || new Set(usable.map((jwk) => jwk.kid)).size < usable.length) {
    throw new Error("a key set without a usable key, or with one key id twice");
  }
  return keys;
}

/** @param {KeyObject} key */
const isStrong = ({ asymmetricKeyDetails }) => (asymmetricKeyDetails?.modulusLength ?? Infinity) >= RSA_BITS_MIN;

/**
 * @param {any} jwk
 * @param {readonly string[]} algorithms
 */
function signs(jwk, algorithms) {
  const named = typeof jwk?.kid === "string" && jwk.kid !== "";
  return named && algorithms.includes(algorithmOf(jwk)) && (jwk.use ?? "sig") === "sig";
}

/** @param {any} jwk */
function algorithmOf({ kty, crv, alg }) {
  const kind = kty === "RSA" ? kty : `${kty} ${crv}`;
  const [own = ""] = Object.keys(KINDS).filter((name) => KINDS[name] === kind);
  return alg === undefined || alg === own ? own : "";
}

/**
 * Gives a small text from a URL.
 * @param {string} url
 * @param {number} timeoutS For all of it: a server that drips bytes would never end otherwise.
 */
async function fetchText(url, timeoutS) {
  const response = await fetch(url, {
    headers: { accept: "application/json", "accept-encoding": "identity" },
    redirect: "error",
    signal: AbortSignal.timeout(timeoutS * 1000),
  });
  if (response.status !== 200 || !response.body) throw new Error(`the JWKS answered ${response.status}`);
  const chunks = [];
  let size = 0;
  for await (const chunk of response.body) {
    size += chunk.byteLength;
    if (size > MAX_BYTES) throw new Error("the JWKS is too large");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

const monotonicS = () => performance.now() / 1000;
