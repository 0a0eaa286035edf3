// What is there only while there are two sides: which one a browser signs in at, and the page for two people in one.
import { randomBytes } from "node:crypto";

import { urlencoded } from "express";

import { isSame, safeReturnPath } from "./attempts.js";
import { cookieName, cookieValues } from "./credentials.js";
import { START_PATH, withReturn } from "./login.js";
import { answerJson, answerPage, isSameOrigin, pathOf, seeOther } from "./request.js";
import { sendsToAuther } from "./stage.js";

/** @typedef {import("express").Request} Request */
/** @typedef {import("express").Response} Response */
/** @typedef {import("./types.js").StageView} StageView */

export const CONFLICT_PATH = "/auth/conflict";
const BUCKET = "migrator_bucket";
const BUCKET_S = 400 * 86_400;
const CONFLICT = "auther_conflict";
const CONFLICT_S = 3600;

/** Chooses a side, and ends both. */
export class TwoSides {
  #form = urlencoded({ extended: false, limit: "4kb" });

  /**
   * @param {import("./express.js").Parts} parts
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
   * @param {Request} req
   * @param {Response} res
   * @param {StageView} view
   * @param {string} [cohort]
   * @returns {"legacy" | "auther"}
   */
  target(req, res, view, cohort) {
    const [known] = cookieValues(req.headers.cookie, this.bucketCookie);
    const key = known || randomBytes(16).toString("base64url");
    if (!known) this.parts.cookies.set(res, BUCKET, key, BUCKET_S);
    return sendsToAuther(view, key, cohort) ? "auther" : "legacy";
  }

  /**
   * The path that a person is sent to for signing in.
   * @param {Request} req
   * @param {Response} res
   * @param {StageView} view
   */
  path(req, res, view) {
    const path = this.target(req, res, view) === "auther" ? START_PATH : this.parts.options.loginPath;
    return withReturn(path, req.method === "GET" ? this.#clean(req.originalUrl) : "");
  }

  /**
   * Where a door that was found closed leads.
   * @param {Request} req
   */
  startPathFor(req) {
    const own =
      req.method === "GET" ? req.originalUrl : (/** @type {any} */ (req.session)?.returnTo ?? req.body?.return_to);
    return withReturn(
      START_PATH,
      pathOf(req) === this.parts.options.loginPath && req.method === "GET" ? "" : this.#clean(own),
    );
  }

  /**
   * Two people are signed in in this browser. The page names neither.
   * @param {Request} _req
   * @param {Response} res
   */
  conflict(_req, res) {
    const token = randomBytes(32).toString("base64url");
    // Strict: a POST that another site starts arrives without this cookie.
    const { cookies } = this.parts;
    res.cookie(this.conflictCookie, token, { ...cookies.attributes, sameSite: "strict", maxAge: CONFLICT_S * 1000 });
    answerPage(res, 200, {
      title: "Two sign-ins at once",
      body:
        "<p>This browser holds two sign-ins that do not belong together, so neither was used.</p>" +
        `<form method="post"><input type="hidden" name="csrf" value="${token}">` +
        "<button>Sign out of both and sign in again</button></form>",
    });
  }

  /**
   * @param {Request} req
   * @param {Response} res
   * @param {StageView} view
   */
  async clear(req, res, view) {
    await new Promise((resolve, reject) => {
      this.#form(req, res, (error) => (error ? reject(error) : resolve(undefined)));
    });
    const sent = req.body?.csrf;
    const values = cookieValues(req.headers.cookie, this.conflictCookie);
    const genuine = values.length === 1 && typeof sent === "string" && sent !== "" && isSame(values[0], sent);
    // Browsers that say where a request comes from are believed; the token is there for the others.
    const { "sec-fetch-site": site, origin } = req.headers;
    if (!genuine || ((site || origin) && !isSameOrigin(res, this.parts.settings))) return answerJson(res, 403, "csrf");
    await this.login.end(res);
    this.parts.cookies.drop(res, CONFLICT);
    const path = this.target(req, res, view) === "auther" ? START_PATH : this.parts.options.loginPath;
    return seeOther(res, path);
  }

  /** @param {unknown} path */
  #clean(path) {
    return safeReturnPath(path, this.parts.settings.afterLogin);
  }
}
