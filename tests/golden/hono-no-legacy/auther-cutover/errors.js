/** A token or a person that is not accepted, and why. */
export class Refused extends Error {
  /**
   * @param {string} reason From a closed list; a counter's label.
   * @param {{ stale?: boolean, claims?: import("./types.js").Claims }} [more] `stale`: it was good once or is good
   *   elsewhere, so that a cookie like that counts as absent; otherwise it is malformed or forged.
   */
  constructor(reason, { stale = false, claims } = {}) {
    super(reason);
    this.reason = reason;
    this.stale = stale;
    this.claims = claims;
  }
}

/** Nobody can say now whether a credential is good. Answered with 503, never with 401. */
export class Unavailable extends Error {
  /**
   * @param {string} what For the log.
   * @param {number} [retryAfterS]
   */
  constructor(what, retryAfterS = 5) {
    super(what);
    this.retryAfterS = Math.max(1, Math.ceil(retryAfterS));
    this.status = 503;
  }
}

/** The build must not start: a setting is missing or unsafe. */
export class NotConfigured extends Error {}
