// Which stage holds: a signed document in a file, its last good copy, else what is baked.
import { createHash, createPublicKey, verify } from "node:crypto";
import { readFileSync } from "node:fs";
import { open, rename, writeFile } from "node:fs/promises";

import { Unavailable } from "./errors.js";

/** @typedef {import("./types.js").StageView} StageView */
/** @typedef {import("./types.js").Settings} Settings */

const BUCKETS = 100_000;
const MAX_BYTES = 65_536;
const STAGES = ["legacy", "dual", "drain", "auther"];

/**
 * Whether legacy credentials no longer sign anybody in.
 * @param {StageView} view
 */
export const legacyIsOver = ({ stage, legacyUntilS }, nowMs = Date.now()) =>
  stage === "auther" || (stage === "drain" && legacyUntilS !== null && nowMs / 1000 >= legacyUntilS);

/**
 * Whether Auther's tokens are good; after a compromise they are not.
 * @param {StageView} view
 */
export const acceptsAuther = ({ stage, stopAccepting }) => !(stage === "legacy" && stopAccepting);

/**
 * Whether a session may still be given to somebody who signed in on the legacy side.
 * @param {StageView} view
 */
export const issuesLegacy = ({ stage }) => stage === "legacy" || stage === "dual";

/**
 * On which side a browser signs in: sticky, and monotonic in percent.
 * @param {StageView} view
 * @param {string} key The browser's random bucket cookie.
 * @param {string} [cohort] The group that the visitor belongs to.
 */
export function sendsToAuther({ stage, percent, salt, cohorts }, key, cohort = "") {
  if (stage !== "dual") return stage !== "legacy";
  if (cohorts.includes(cohort)) return true;
  // An integer on both sides: 0.07 * 1000 is 70.00000000000001.
  return bucket(salt, key) < Math.round(percent * 1000);
}

/**
 * @param {string} salt
 * @param {string} key
 */
export function bucket(salt, key) {
  return Number(
    createHash("sha256")
      .update(salt + key)
      .digest()
      .readBigUInt64BE() % BigInt(BUCKETS),
  );
}

/** Follows the stage document. No request waits for the disk: a timer reads it. */
export class StageReader {
  /** @type {StageView | null} */ #good = null;
  #text = "";
  #cacheIsBroken = false;

  /**
   * @param {Settings} settings
   * @param {{ stageFile: string, stageCache: string }} files "": there is none.
   * @param {(line: object) => void} log
   */
  constructor(settings, { stageFile, stageCache }, log) {
    this.settings = settings;
    this.file = stageFile;
    this.cache = stageCache;
    this.log = log;
    const cached = readNow(stageCache);
    if (cached !== null) this.#cacheIsBroken = !this.#adopt(cached, "cached");
    const live = readNow(stageFile);
    if (live !== null) this.#adopt(live, "live");
    // Unref'd, like every timer here: it must not keep a process alive that is done.
    setInterval(() => void this.refresh(), settings.stageEveryS * 1000).unref();
  }

  /**
   * @returns {StageView}
   * @throws {Unavailable} There was a document once and none can be read, or the baked stage is so late that
   *   guessing could let a removed credential in.
   */
  now() {
    if (this.#good) return this.#good;
    const { bakedStage, bakedPercent, stageEveryS } = this.settings;
    if (this.#cacheIsBroken || bakedStage === "drain" || bakedStage === "auther") {
      throw new Unavailable("the stage is unknown", stageEveryS);
    }
    const rest = { salt: "", epoch: 0, stopAccepting: false, legacyUntilS: null, cohorts: [] };
    return { stage: bakedStage, percent: bakedPercent, ...rest, origin: "baked" };
  }

  async refresh() {
    const text = await read(this.file);
    if (text !== null && (await this.#follow(text))) return;
    if (this.#good?.origin === "live") this.#good = { ...this.#good, origin: "cached" };
  }

  /** @param {string} text */
  async #follow(text) {
    if (text === this.#text && this.#good) {
      if (this.#good.origin !== "live") this.#good = { ...this.#good, origin: "live" };
      return true;
    }
    if (!this.#adopt(text, "live")) return false;
    await this.#store(text);
    return true;
  }

  /**
   * @param {string} text
   * @param {"live" | "cached"} origin
   */
  #adopt(text, origin) {
    const view = openDocument(text, this.settings, origin);
    const refusal = view === null ? "not a document of this migration" : this.#outdated(view, text);
    if (view === null || refusal) {
      this.log({ event: "stage_refused", origin, refusal });
      return false;
    }
    this.#good = view;
    this.#text = text;
    return true;
  }

  /**
   * @param {StageView} view
   * @param {string} text
   */
  #outdated({ epoch }, text) {
    if (!this.#good || epoch > this.#good.epoch) return "";
    return epoch === this.#good.epoch && text === this.#text ? "" : `epoch ${epoch} after ${this.#good.epoch}`;
  }

  /**
   * Renamed into place: a reader sees the old copy or the new one, never half of it. Best effort: a full disk must
   * not keep this process from following the switch. A worker that lags must not put an older one over a newer one.
   * @param {string} text
   */
  async #store(text) {
    if (!this.cache) return;
    const there = openDocument((await read(this.cache)) ?? "", this.settings, "cached");
    if (there && this.#good && there.epoch > this.#good.epoch) return;
    const draft = `${this.cache}.${process.pid}`;
    await writeFile(draft, text, { mode: 0o600 })
      .then(() => rename(draft, this.cache))
      .catch((error) => this.log({ event: "stage_not_stored", error: error.code }));
  }
}

/**
 * Checks a document's signature and reads it; null when it is not signed by our key, is of another migration or
 * malformed.
 * @param {string} text
 * @param {Settings} settings
 * @param {"live" | "cached"} origin
 * @returns {StageView | null}
 */
export function openDocument(text, settings, origin) {
  try {
    const { payload, signature } = JSON.parse(text);
    const signed = verify(null, Buffer.from(payload), publicKey(settings), Buffer.from(signature, "base64url"));
    const found = signed ? JSON.parse(payload) : {};
    const { stage, percent, salt, epoch } = found;
    const fits = found.version === 1 && found.namespace === settings.namespace && STAGES.includes(stage);
    if (!fits || !Number.isInteger(epoch) || !(percent >= 0 && percent <= 100) || typeof salt !== "string") return null;
    const until = found.legacy_accept_until;
    const legacyUntilS = until == null ? null : Date.parse(until) / 1000;
    const cohorts = found.cohorts ?? [];
    if (Number.isNaN(legacyUntilS) || !Array.isArray(cohorts)) return null;
    const stopAccepting = found.stop_accepting === true;
    return { stage, percent, salt, epoch, stopAccepting, legacyUntilS, cohorts, origin };
  } catch {
    return null;
  }
}

/** @param {Settings} settings */
function publicKey({ stagePublicKey }) {
  return createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: stagePublicKey }, format: "jwk" });
}

/** @param {string} path */
function readNow(path) {
  try {
    return path ? readFileSync(path, "utf8").slice(0, MAX_BYTES) : null;
  } catch {
    return null;
  }
}

/** @param {string} path */
async function read(path) {
  try {
    const file = path ? await open(path) : null;
    if (!file) return null;
    try {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(MAX_BYTES), 0, MAX_BYTES, 0);
      return buffer.toString("utf8", 0, bytesRead);
    } finally {
      await file.close();
    }
  } catch {
    return null;
  }
}
