// The detection control: a renamed cookie would blind whatever counts legacy use, and a count of zero would prove
// nothing. So a session that the application's own code has sealed is shown to the detector at start and every minute,
// and a request without any, which it must not take for one. It stays until the last legacy session is gone.
import { Hono } from "hono";

const EVERY_MS = 60_000;

/** Says whether the detector would see a legacy session if there were one. */
export class Detector {
  sees = 0;
  #detector;

  /**
   * @param {import("./hono.js").LegacySessions} sessions
   * @param {(line: object) => void} log
   */
  constructor(sessions, log) {
    this.sessions = sessions;
    this.log = log;
    this.#detector = new Hono().get("/", async (c) => c.json(await sessions.holdsUser(c)));
    setInterval(() => void this.look(), EVERY_MS).unref();
    void this.look();
  }

  async look() {
    const seen = await this.#seesFixture().catch(() => false);
    if (!seen) this.log({ event: "detector_blind" });
    this.sees = seen ? 1 : 0;
  }

  async #seesFixture() {
    return (await this.#sees(await this.sessions.fixture())) === true && (await this.#sees("")) === false;
  }

  /** @param {string} cookie */
  async #sees(cookie) {
    return (await this.#detector.request("/", { headers: { cookie } })).json();
  }
}
