// The detection control: a renamed key or another way of keeping sessions would blind whatever counts legacy use, and a
// count of zero would prove nothing. So a session that Passport and express-session have made themselves, in memory, is
// shown to the detector at start and every minute. It stays until the last legacy session is gone.
import session from "express-session";

const EVERY_MS = 60_000;

/** Says whether the detector would see a legacy session if there were one. */
export class Detector {
  sees = 0;

  /**
   * @param {import("./legacy-side.js").LegacySide} legacy
   * @param {import("./express.js").Options} options
   * @param {(line: object) => void} log
   */
  constructor(legacy, { passport, fixtureUser = { id: "0" } }, log) {
    this.legacy = legacy;
    this.passport = passport;
    this.fixtureUser = fixtureUser;
    this.log = log;
    setInterval(() => void this.look(), EVERY_MS).unref();
    void this.look();
  }

  async look() {
    const seen = await this.#seesFixture().catch(() => false);
    if (!seen) this.log({ event: "detector_blind" });
    this.sees = seen ? 1 : 0;
  }

  async #seesFixture() {
    const store = new session.MemoryStore();
    const fresh = /** @type {any} */ ({ sessionStore: store, headers: {}, method: "GET", url: "/" });
    /** @type {any} */ (store).generate = (/** @type {any} */ req) => Object.assign(req, withSession(req, store));
    /** @type {any} */ (store).generate(fresh);
    this.passport.initialize({ compat: false })(fresh, /** @type {any} */ ({}), () => {});
    const empty = this.legacy.holdsUser(fresh);
    await new Promise((resolve, reject) => {
      fresh.logIn(this.fixtureUser, (/** @type {unknown} */ error) => (error ? reject(error) : resolve(undefined)));
    });
    const stored = await new Promise((resolve, reject) => {
      store.get(fresh.sessionID, (error, found) => (error ? reject(error) : resolve(found)));
    });
    // As it comes back from the store: what is lost on the way would not be seen either.
    return !empty && this.legacy.holdsUser(/** @type {any} */ ({ session: stored, headers: {} }));
  }
}

/**
 * @param {any} req
 * @param {session.MemoryStore} store
 */
function withSession(req, store) {
  req.sessionID = "fixture";
  const made = new /** @type {any} */ (session).Session(req);
  made.cookie = new /** @type {any} */ (session).Cookie();
  return { session: made, sessionStore: store };
}
