// What is read from a request, and small answers. Nothing is handed to the application in headers, so none has to be
// stripped: whatever a client calls `X-User`, nobody here reads it.
import { deleteCookie, setCookie } from "hono/cookie";

import { isSecure } from "./settings.js";
import { cookieName } from "./credentials.js";

/** @typedef {import("hono").Context} Context */
/**
 * What the parts that know no framework get.
 * @typedef {Context} Visit
 */
/**
 * What they give back once they have answered.
 * @typedef {Response} Answer
 */
/** @typedef {import("./types.js").Settings} Settings */

const AUTHORIZATION = "authorization";

/**
 * Path and query as they were routed, but not decoded as in `c.req.path`.
 * @param {Context} c
 */
export function targetOf({ req: { url } }) {
  return url.slice(url.indexOf("/", url.indexOf("://") + 3));
}

/** @param {Context} c */
export function pathOf(c) {
  const target = targetOf(c);
  const end = target.indexOf("?");
  return end < 0 ? target : target.slice(0, end);
}

/** @param {Context} c */
export const cookiesOf = (c) => c.req.header("cookie");

/**
 * The first value of a parameter.
 * @param {Context} c
 * @param {string} name
 */
export const queryOf = (c, name) => c.req.query(name);

/**
 * All Authorization headers: `c.req.header` joins them, and "Bearer a, Basic b" has many readers.
 * @param {Context} c
 * @returns {string[]}
 */
export function authorizationOf(c) {
  /** @type {string[] | undefined} Of `@hono/node-server`; `app.request()` in a test has none. */
  const raw = c.env?.incoming?.rawHeaders;
  if (!raw) return [c.req.header(AUTHORIZATION)].filter((value) => value !== undefined);
  return raw.filter((_, i) => i % 2 === 1 && raw[i - 1].toLowerCase() === AUTHORIZATION);
}

/**
 * Whether a person waits for a page, who can be sent to another one.
 * @param {Context} c
 */
export function wantsPage(c) {
  const mode = c.req.header("sec-fetch-mode");
  return mode ? mode === "navigate" : (c.req.header("accept") ?? "").includes("text/html");
}

/**
 * Whether it is a person on the way to a page.
 * @param {Context} c
 */
export const isNavigation = (c) => (c.req.method === "GET" || c.req.method === "HEAD") && wantsPage(c);

/**
 * The path of the page that somebody is on the way to; null where nobody is.
 * @param {Visit} c
 */
export const pageOf = (c) => (c.req.method === "GET" && isNavigation(c) ? pathOf(c) : null);

/**
 * Whether it has the signs of a browser, whatever it asks for.
 * @param {Context} c
 */
export const isFromBrowser = ({ req }) =>
  req.header("sec-fetch-mode") !== undefined ||
  (req.header("user-agent") ?? "").startsWith("Mozilla/") ||
  (req.header("accept") ?? "").includes("text/html");

/**
 * Whether a POST comes from a page of our own. Not compared with the Host header: behind a proxy it is another.
 * @param {Context} c
 * @param {Settings} settings
 */
export function isSameOrigin(c, { redirectUri }) {
  const site = c.req.header("sec-fetch-site");
  return site ? site === "same-origin" : c.req.header("origin") === new URL(redirectUri).origin;
}

/**
 * @param {Context} c
 * @param {401 | 403 | 404 | 409 | 503} status
 * @param {string} error
 * @param {Record<string, string>} [headers]
 */
export function answerJson(c, status, error, headers = {}) {
  if (status === 401) c.header("WWW-Authenticate", 'Bearer error="invalid_token"');
  return c.json({ error }, status, { "Cache-Control": "no-store", ...headers });
}

/**
 * @param {Context} c
 * @param {string} location
 */
export function seeOther(c, location) {
  c.header("Cache-Control", "no-store");
  return c.redirect(location, 303);
}

/**
 * @param {Context} c
 * @param {number} status
 * @param {{ title: string, body: string }} page HTML.
 * @param {Record<string, string>} [headers]
 */
export function answerPage(c, status, { title, body }, headers = {}) {
  return c.html(
    `<!doctype html><html lang="en"><meta charset="utf-8"><title>${title}</title>` +
      `<meta name="viewport" content="width=device-width, initial-scale=1"><h1>${title}</h1>${body}</html>\n`,
    /** @type {import("hono/utils/http-status").ContentfulStatusCode} */ (status),
    {
      ...headers,
      "Cache-Control": "no-store",
      "Content-Security-Policy": "default-src 'none'; form-action 'self'; frame-ancestors 'none'",
    },
  );
}

/** Sets and removes the cookies that this code owns. */
export class Cookies {
  /** @param {Settings} settings */
  constructor(settings) {
    this.settings = settings;
    /** @type {import("hono/utils/cookie").CookieOptions} */
    this.attributes = { path: "/", httpOnly: true, sameSite: "Lax", secure: isSecure(settings) };
  }

  /**
   * @param {Context} c
   * @param {string} name Without prefix.
   * @param {string} value
   * @param {number} lifetimeS
   * @param {import("hono/utils/cookie").CookieOptions} [other] Attributes that differ.
   */
  set(c, name, value, lifetimeS, other = {}) {
    this.setWhole(c, cookieName(this.settings, name), value, lifetimeS, other);
  }

  /**
   * @param {Context} c
   * @param {string} name With its prefix.
   * @param {string} value
   * @param {number} lifetimeS
   * @param {import("hono/utils/cookie").CookieOptions} [other]
   */
  setWhole(c, name, value, lifetimeS, other = {}) {
    setCookie(c, name, value, { ...this.attributes, maxAge: Math.max(0, lifetimeS), ...other });
  }

  /**
   * @param {Context} c
   * @param {string} name Without prefix.
   */
  drop(c, name) {
    this.dropWhole(c, cookieName(this.settings, name));
  }

  /**
   * A `__Host-` cookie is only removed by a Set-Cookie that has its attributes.
   * @param {Context} c
   * @param {string} name With its prefix.
   */
  dropWhole(c, name) {
    deleteCookie(c, name, this.attributes);
  }
}
