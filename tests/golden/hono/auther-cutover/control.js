// The positive control: a signed request that must show up in the counters as legacy traffic. If it does not, a count
// of zero proves nothing. It signs nobody in.
import { createHmac } from "node:crypto";

import { isSame } from "./attempts.js";

export const CONTROL_HEADER = "x-migrator-control";
const WINDOW_S = 60;
const MARKER = /^(v1\.(\d{1,12})\.([0-9a-f]{32}))\.([0-9a-f]{64})$/;
const MAX_NONCES = 10_000;

/** Recognises markers; each is good once in this process, for a minute. */
export class Control {
  /** @type {Map<string, number>} */ #used = new Map();
  #secret;

  /** @param {string} secret "": no marker is recognised. */
  constructor(secret) {
    this.#secret = secret;
  }

  /**
   * Whether a marker is ours, fresh and unused. A bad one is as if it were not there.
   * @param {unknown} marker
   */
  accepts(marker) {
    if (typeof marker !== "string" || !this.#secret) return false;
    const [, signed, at, nonce, mac] = MARKER.exec(marker) ?? [];
    if (!signed || Math.abs(Date.now() / 1000 - Number(at)) > WINDOW_S) return false;
    return isSame(createHmac("sha256", this.#secret).update(signed).digest("hex"), mac) && this.#isFirst(nonce);
  }

  /** @param {string} nonce */
  #isFirst(nonce) {
    const nowMs = Date.now();
    // The oldest stand first. A marker from a clock that runs ahead stays valid for up to twice the window.
    for (const [old, at] of this.#used) {
      if (nowMs - at <= 2 * WINDOW_S * 1000) break;
      this.#used.delete(old);
    }
    if (this.#used.has(nonce) || this.#used.size >= MAX_NONCES) return false;
    this.#used.set(nonce, nowMs);
    return true;
  }
}
