// What is there only while there are two sides: which one a browser signs in at, and the page for two people in one.
import { randomBytes } from "node:crypto";

import { bodyLimit } from "hono/body-limit";

import { isSame, safeReturnPath } from "./attempts.js";
import { cookieName, cookieValues } from "./credentials.js";
import { START_PATH, withReturn } from "./login.js";
import { answerJson, answerPage, cookiesOf, isSameOrigin, seeOther, targetOf } from "./request.js";
import { sendsToAuther } from "./stage.js";

/** @typedef {import("hono").Context} Context */
/** @typedef {import("./types.js").StageView} StageView */

export const CONFLICT_PATH = "/auth/conflict";
const BUCKET = "migrator_bucket";
const BUCKET_S = 400 * 86_400;
const CONFLICT = "auther_conflict";
const CONFLICT_S = 3600;

/** Chooses a side, and ends both. */
export class TwoSides {
  #limited = bodyLimit({ maxSize: 4096 });

  /**
   * @param {import("./hono.js").Parts} parts
   * @param {import("./login.js").Login} login
   */
  constructor(parts, login) {
    this.parts = parts;
    this.login = login;
    this.conflictCookie = cookieName(parts.settings, CONFLICT);
    this.bucketCookie = cookieName(parts.settings, BUCKET);
  }

  /**
   * Where this browser signs in. Sticky: the first call sets a random cookie that decides.
   * @param {Context} c
   * @param {StageView} view
   * @param {string} [cohort] A group that the switch may move first.
   * @returns {"legacy" | "auther"}
   */
  target(c, view, cohort) {
    const [known] = cookieValues(cookiesOf(c), this.bucketCookie);
    const key = known || randomBytes(16).toString("base64url");
    if (!known) this.parts.cookies.set(c, BUCKET, key, BUCKET_S);
    return sendsToAuther(view, key, cohort) ? "auther" : "legacy";
  }

  /**
   * The path that a person is sent to for signing in.
   * @param {Context} c
   * @param {StageView} view
   */
  path(c, view) {
    const { options, settings } = this.parts;
    const path = this.target(c, view) === "auther" ? START_PATH : options.loginPath;
    return withReturn(path, c.req.method === "GET" ? safeReturnPath(targetOf(c), settings.afterLogin) : "");
  }

  /**
   * Two people are signed in in this browser. The page names neither.
   * @param {Context} c
   */
  conflict(c) {
    const token = randomBytes(32).toString("base64url");
    // Strict: a POST that another site starts arrives without this cookie.
    this.parts.cookies.set(c, CONFLICT, token, CONFLICT_S, { sameSite: "Strict" });
    return answerPage(c, 200, {
      title: "Two sign-ins at once",
      body:
        "<p>This browser holds two sign-ins that do not belong together, so neither was used.</p>" +
        `<form method="post"><input type="hidden" name="csrf" value="${token}">` +
        "<button>Sign out of both and sign in again</button></form>",
    });
  }

  /**
   * @param {Context} c
   * @param {StageView} view
   */
  async clear(c, view) {
    /** @type {unknown} */
    let sent;
    const tooLarge = await this.#limited(c, async () => {
      sent = (await c.req.parseBody()).csrf;
    });
    if (tooLarge) return tooLarge;
    const values = cookieValues(cookiesOf(c), this.conflictCookie);
    const genuine = values.length === 1 && typeof sent === "string" && sent !== "" && isSame(values[0], sent);
    // Browsers that say where a request comes from are believed; the token is there for the others.
    const saysWhere = c.req.header("sec-fetch-site") || c.req.header("origin");
    if (!genuine || (saysWhere && !isSameOrigin(c, this.parts.settings))) return answerJson(c, 403, "csrf");
    await this.login.end(c);
    this.parts.cookies.drop(c, CONFLICT);
    return seeOther(c, this.target(c, view) === "auther" ? START_PATH : this.parts.options.loginPath);
  }
}
