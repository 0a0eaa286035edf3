// The club on Hono, as its team wrote it, and what the README of the shim tells to add.
import { randomBytes } from "node:crypto";

import { Hono } from "hono";

import { DoorClosed, createCutover, safeReturnPath } from "./auther-cutover/index.js";
import { begin, remember, sessionOf, sessions, write } from "./sessions.js";
import * as users from "./users.js";

/** @typedef {import("hono").Context} Context */

export const cutover = createCutover({
  sessions,
  database: process.env.DATABASE_URL ?? "",
  findUser: users.byId,
  userId: (user) => user.id,
  loginPath: "/login",
  exempt: ["/healthz", "/logout"],
});

export const app = new Hono();
app.get("/healthz", (c) => c.text("ok"));
app.use(cutover.middleware());
app.use(revive);

app.get("/login", (c) => {
  const toAuther = cutover.loginTarget(c, { cohort: c.req.query("cohort") }) === "auther";
  const back = safeReturnPath(c.req.query("return_to"), "/");
  const form = `<form method="post"><input name="csrf" type="hidden" value="${csrfToken(c)}"><input name="email">
    <input name="password" type="password"><input name="remember_me" type="checkbox" value="1"></form>`;
  return c.html(
    toAuther ? `<a href="/auth/auther/start?${new URLSearchParams({ return_to: back })}">Sign in at Auther</a>` : form,
  );
});
app.post("/login", csrf, async (c) => {
  const form = /** @type {Record<string, string>} */ (await c.req.parseBody());
  const user = await signIn(form.email, form.password);
  if (!user) return c.text("wrong e-mail or password", 422);
  await cutover.admit(c, user.id, { door: "form" });
  begin(c, user);
  if (form.remember_me === "1") remember(c, user);
  return c.redirect("/", 303);
});
app.post("/api/login", async (c) => {
  const { email, password } = await c.req.json();
  const user = await signIn(email, password);
  if (!user) return c.json({ error: "wrong" }, 401);
  await cutover.admit(c, user.id, { door: "json" });
  begin(c, user);
  return c.json({ user: user.id });
});
app.post("/logout", csrf, async (c) => {
  await cutover.endAuther(c);
  sessions.forget(c, { keeps: false });
  return c.redirect("/login", 303);
});

app.get("/", (c) => c.text("the club"));
app.on("GET", ["/whoami", "/api/v1/whoami"], (c) => {
  const { credential, autherId } = c.get("autherUser") ?? {};
  return c.json({ user: idOf(c), credential, auther_id: autherId, cart: sessionOf(c).cart ?? null });
});
app.get("/broken", () => {
  throw new Error("broken");
});
app.get("/cart", (c) => {
  write(c, { ...sessionOf(c), cart: c.req.query("item") });
  return c.json({ csrf: csrfToken(c) });
});
app.post("/notes", csrf, (c) => {
  const id = idOf(c);
  return id === null ? c.json({ error: "sign_in" }, 401) : c.json({ by: id }, 201);
});
app.get("/permission", async (c) => {
  const { permission, type, id } = c.req.query();
  return c.json({ answer: await cutover.permission(c, permission, type, id) });
});
app.post("/reset/:id", async (c) => {
  const url = await cutover.resetTarget(c.req.param("id"), "https://auther.example/new-password");
  return c.json({ consumed: true, url });
});
// A team's own error page must not swallow the shim's answers.
app.onError((error, c) => c.text(`something went wrong: ${error.name}`, 500));

/** @param {Context} c */
const idOf = (c) => c.get("autherUser")?.user.id ?? null;

/**
 * @param {string} email
 * @param {string} password
 */
async function signIn(email, password) {
  const user = await users.byEmail(email);
  if (!user?.active) return null;
  return (await cutover.checkPassword(user.id, password, () => users.hasPassword(user, password))) ? user : null;
}

/**
 * Makes a session of a remember-me cookie, as long as sessions are made at all.
 * @type {import("hono").MiddlewareHandler}
 */
async function revive(c, next) {
  const person = c.get("autherUser");
  if (person?.credential === "session" && !sessionOf(c).user) {
    await cutover.admit(c, person.userId, { door: "remember_me" }).then(() => begin(c, person.user), ignoreClosed);
  }
  return next();
}

/** @param {unknown} error */
function ignoreClosed(error) {
  if (!(error instanceof DoorClosed)) throw error;
}

/** @param {Context} c */
function csrfToken(c) {
  const session = sessionOf(c);
  if (session.csrf) return session.csrf;
  const csrf = randomBytes(16).toString("hex");
  write(c, { ...session, csrf });
  return csrf;
}

/** @type {import("hono").MiddlewareHandler} */
async function csrf(c, next) {
  const own = sessionOf(c).csrf;
  // A browser sends cookies by itself, but never our Authorization header.
  const mayPass = c.get("autherUser")?.credential === "header" || (own && (await c.req.parseBody()).csrf === own);
  return mayPass ? next() : c.json({ error: "csrf" }, 403);
}
