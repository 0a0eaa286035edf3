// Hono has no login of its own, so each place where a session gains a user asks here first: forms, remember-me, reset
// links, registration. Legacy sign-ins are counted here, and closed by stage.
import { HTTPException } from "hono/http-exception";

import { safeReturnPath } from "./attempts.js";
import { wantsPage } from "./request.js";

/** @typedef {import("hono").Context} Context */
/** @typedef {import("./types.js").StageView} StageView */

/** A closed door, as an error, so that no session is made whatever the caller does. The middleware answers it. */
export class DoorClosed extends HTTPException {
  /** @param {string} returnTo */
  constructor(returnTo) {
    super(403, { message: "login_moved" });
    this.returnTo = returnTo;
  }
}

/** Says whether a session may gain a user. */
export class Doors {
  /** @param {import("./hono.js").Parts} parts */
  constructor(parts) {
    this.parts = parts;
  }

  /**
   * @param {Context} c
   * @param {string} userId
   * @param {{ door: string, returnTo?: string }} options
   * @throws {DoorClosed}
   */
  async enter(c, userId, { door, returnTo }) {
    const { autherSession, counters, ended, settings, stage } = this.parts;
    const view = stage.now();
    if (!(await this.#isOpen(c, view, userId))) {
      counters.add("auth_logins_refused_total", { door, stage: view.stage });
      throw new DoorClosed(safeReturnPath(returnTo, settings.afterLogin));
    }
    // Two sides at once in one browser would be a conflict from the next request on.
    await autherSession.end(c);
    ended.forget(userId);
    counters.add("auth_logins_total", { door, side: "legacy" });
  }

  /**
   * @param {Context} c
   * @param {StageView} view
   * @param {string} userId
   */
  async #isOpen(c, { stage }, userId) {
    if (stage === "auther") return false;
    if (stage === "legacy") return true;
    const person = await this.parts.people.linked(userId);
    if (stage === "drain") return person?.pinned === true || (!wantsPage(c) && this.#jsonDoorsAreOpen());
    // Old programs cannot follow a redirect, so what answers JSON stays open for everybody in `dual`.
    return person?.home !== "auther" || !wantsPage(c);
  }

  #jsonDoorsAreOpen() {
    const until = this.parts.settings.jsonDoorsUntil;
    return until !== "" && Date.now() < Date.parse(until);
  }
}
