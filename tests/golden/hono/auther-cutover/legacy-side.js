// The application's own side of a request, for the parts that know no framework.

/** @typedef {import("./request.js").Visit} Visit */

/** Your sessions, as they are told in `sessions` and `userId`. */
export class LegacySide {
  /** @param {Pick<import("./hono.js").Options, "sessions" | "userId">} options */
  constructor({ sessions, userId }) {
    this.sessions = sessions;
    this.userId = userId;
  }

  /**
   * Whom session or remember-me name.
   * @param {Visit} visit
   */
  async userIdOf(visit) {
    const user = (await this.sessions.holdsUser(visit)) ? await this.sessions.read(visit) : null;
    return user == null ? null : String(this.userId(user));
  }

  /**
   * Ends the session for somebody who has just signed in elsewhere. The own cart stays, somebody else's session goes as
   * a whole.
   * @param {Visit} visit
   * @param {{ keeps: boolean }} options
   */
  async end(visit, options) {
    await this.sessions.forget(visit, options);
  }
}
