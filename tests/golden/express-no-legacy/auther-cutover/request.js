// What is read from a request, and small answers. Nothing is handed to the application in headers, so none has to be
// stripped: whatever a client calls `X-User`, nobody here reads it.
import { isSecure } from "./settings.js";
import { cookieName } from "./credentials.js";

/** @typedef {import("express").Request} Request */
/** @typedef {import("express").Response} Response */
/**
 * What the parts that know no framework get: the response, which knows its request.
 * @typedef {Response} Visit
 */
/**
 * What they give back once they have answered.
 * @typedef {Response} Answer
 */
/** @typedef {import("./types.js").Settings} Settings */

const AUTHORIZATION = "authorization";

/**
 * The path as it was sent: `req.url` loses the mount point's part.
 * @param {Request} req
 */
export function pathOf({ originalUrl }) {
  const end = originalUrl.indexOf("?");
  return end < 0 ? originalUrl : originalUrl.slice(0, end);
}

/** @param {Visit} visit */
export const targetOf = ({ req }) => req.originalUrl;

/** @param {Visit} visit */
export const cookiesOf = ({ req }) => req.headers.cookie;

/**
 * The first value of a parameter.
 * @param {Visit} visit
 * @param {string} name
 */
export function queryOf({ req }, name) {
  const [value] = [req.query[name]].flat();
  return typeof value === "string" ? value : undefined;
}

/**
 * All Authorization headers: `req.headers` has the first one only.
 * @param {Request} req
 */
export function authorizationOf({ rawHeaders }) {
  const values = [];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i];
    if (name.length === AUTHORIZATION.length && name.toLowerCase() === AUTHORIZATION) values.push(rawHeaders[i + 1]);
  }
  return values;
}

/**
 * Whether a person waits for a page, who can be sent to another one.
 * @param {Request} req
 */
export function wantsPage({ headers }) {
  const mode = headers["sec-fetch-mode"];
  return mode ? mode === "navigate" : (headers.accept ?? "").includes("text/html");
}

/**
 * Whether it is a person on the way to a page.
 * @param {Request} req
 */
export const isNavigation = (req) => (req.method === "GET" || req.method === "HEAD") && wantsPage(req);

/**
 * The path of the page that somebody is on the way to; null where nobody is.
 * @param {Visit} visit
 */
export const pageOf = ({ req }) => (req.method === "GET" && isNavigation(req) ? pathOf(req) : null);

/**
 * Whether it has the signs of a browser, whatever it asks for.
 * @param {Request} req
 */
export const isFromBrowser = ({ headers }) =>
  headers["sec-fetch-mode"] !== undefined ||
  (headers["user-agent"] ?? "").startsWith("Mozilla/") ||
  (headers.accept ?? "").includes("text/html");

/**
 * Whether a POST comes from a page of our own. Not compared with the Host header: behind a proxy it is another.
 * @param {Visit} visit
 * @param {Settings} settings
 */
export function isSameOrigin({ req: { headers } }, { redirectUri }) {
  const site = headers["sec-fetch-site"];
  return site ? site === "same-origin" : headers.origin === new URL(redirectUri).origin;
}

/**
 * @param {Response} res
 * @param {number} status
 * @param {string} error
 */
export function answerJson(res, status, error, headers = {}) {
  if (status === 401) res.set("WWW-Authenticate", 'Bearer error="invalid_token"');
  return res
    .status(status)
    .set({ "Cache-Control": "no-store", ...headers })
    .json({ error });
}

/**
 * @param {Response} res
 * @param {string} location
 */
export function seeOther(res, location) {
  res.set("Cache-Control", "no-store").redirect(303, location);
  return res;
}

/**
 * @param {Response} res
 * @param {number} status
 * @param {{ title: string, body: string }} page HTML.
 * @param {Record<string, string>} [headers]
 */
export function answerPage(res, status, { title, body }, headers = {}) {
  return res
    .status(status)
    .set({
      ...headers,
      "Cache-Control": "no-store",
      "Content-Security-Policy": "default-src 'none'; form-action 'self'; frame-ancestors 'none'",
    })
    .type("html")
    .send(
      `<!doctype html><html lang="en"><meta charset="utf-8"><title>${title}</title>` +
        `<meta name="viewport" content="width=device-width, initial-scale=1"><h1>${title}</h1>${body}</html>\n`,
    );
}

/** Sets and removes the cookies that this code owns. */
export class Cookies {
  /** @param {Settings} settings */
  constructor(settings) {
    this.settings = settings;
    /** @type {import("express").CookieOptions} */
    this.attributes = { path: "/", httpOnly: true, sameSite: "lax", secure: isSecure(settings) };
  }

  /**
   * @param {Response} res
   * @param {string} name Without prefix.
   * @param {string} value
   * @param {number} lifetimeS
   */
  set(res, name, value, lifetimeS) {
    this.setWhole(res, cookieName(this.settings, name), value, lifetimeS);
  }

  /**
   * @param {Response} res
   * @param {string} name With its prefix.
   * @param {string} value
   * @param {number} lifetimeS
   */
  setWhole(res, name, value, lifetimeS) {
    res.cookie(name, value, { ...this.attributes, maxAge: Math.max(0, lifetimeS) * 1000 });
  }

  /**
   * @param {Response} res
   * @param {string} name Without prefix.
   */
  drop(res, name) {
    this.dropWhole(res, cookieName(this.settings, name));
  }

  /**
   * A `__Host-` cookie is only removed by a Set-Cookie that has its attributes.
   * @param {Response} res
   * @param {string} name With its prefix.
   */
  dropWhole(res, name) {
    res.clearCookie(name, this.attributes);
  }
}
