// The club: Express with Passport, as its team wrote it, and what the README of the shim tells to add.
import { randomBytes } from "node:crypto";

import connectPgSimple from "connect-pg-simple";
import express from "express";
import session from "express-session";
import passport from "passport";
import { Strategy as LocalStrategy } from "passport-local";

import { createCutover, safeReturnPath } from "./auther-cutover/index.js";
import * as users from "./users.js";

export const cutover = createCutover({
  passport,
  database: process.env.DATABASE_URL ?? "",
  findUser: users.byId,
  userId: (user) => user.id,
  loginPath: "/login",
  doors: { "/login": "form", "/api/login": "json" },
  exempt: ["/healthz", "/logout"],
  rememberCookie: "remember_me",
  rememberedUserId: async (req) => (await users.rememberedUser(req.headers.cookie))?.id ?? null,
  fixtureUser: { id: "0", encrypted_password: "" },
});

passport.serializeUser((user, done) => {
  const { id } = /** @type {users.User} */ (user);
  done(null, { id, salt: users.saltOf(/** @type {users.User} */ (user)) });
});
passport.deserializeUser((/** @type {{ id: string, salt: string }} */ { id, salt }, done) => {
  users.activeById(id).then((user) => done(null, user && users.saltOf(user) === salt ? user : false), done);
});
passport.use(
  new LocalStrategy({ usernameField: "email" }, (email, password, done) => {
    signIn(email, password).then((user) => done(null, user), done);
  }),
);

/**
 * @param {string} email
 * @param {string} password
 */
async function signIn(email, password) {
  const user = await users.byEmail(email);
  if (!user?.active) return false;
  return (await cutover.checkPassword(user.id, password, () => users.hasPassword(user, password))) ? user : false;
}

const PgStore = connectPgSimple(session);
export const app = express();
app.disable("x-powered-by");
app.get("/healthz", (_req, res) => void res.send("ok"));
app.use(
  session({
    name: "club.sid",
    secret: process.env.SESSION_SECRET ?? "",
    resave: false,
    saveUninitialized: false,
    cookie: { sameSite: "lax", httpOnly: true },
    store: new PgStore({
      pool: users.pool,
      tableName: "web_sessions",
      createTableIfMissing: true,
      pruneSessionInterval: false,
    }),
  }),
);
app.use(cutover.session());
app.use(remember);
app.use(express.urlencoded({ extended: true }), express.json());

app.get("/login", (req, res) => {
  const toAuther = cutover.loginTarget(req, res, { cohort: String(req.query.cohort ?? "") }) === "auther";
  const back = safeReturnPath(req.query.return_to, "/");
  const form = `<form method="post"><input name="csrf" type="hidden" value="${csrfToken(req)}"><input name="email">
    <input name="password" type="password"><input name="remember_me" type="checkbox" value="1"></form>`;
  res.send(
    toAuther ? `<a href="/auth/auther/start?${new URLSearchParams({ return_to: back })}">Sign in at Auther</a>` : form,
  );
});
app.post("/login", csrf, (req, res, next) => {
  passport.authenticate("local", (/** @type {unknown} */ error, /** @type {users.User | false} */ user) => {
    if (error || !user) return error ? next(error) : res.status(422).send("wrong e-mail or password");
    req.logIn(user, { session: true, keepSessionInfo: true }, (refused) => {
      if (refused) return next(refused);
      if (req.body.remember_me === "1")
        res.cookie("remember_me", users.rememberToken(user), { httpOnly: true, sameSite: "lax" });
      res.redirect(303, "/");
    });
  })(req, res, next);
});
app.post("/api/login", passport.authenticate("local"), (req, res) => void res.json({ user: idOf(req) }));
app.post("/logout", csrf, (req, res, next) => {
  res.clearCookie("remember_me");
  req.logout((error) => (error ? next(error) : res.redirect(303, "/login")));
});

app.get("/", (_req, res) => void res.send("the club"));
app.get(["/whoami", "/api/v1/whoami"], (req, res) => {
  const { credential, autherId } = req.auther ?? {};
  res.json({ user: idOf(req), credential, auther_id: autherId, cart: cartOf(req) });
});
app.get("/broken", () => {
  throw new Error("broken");
});
app.get("/cart", (req, res) => {
  Object.assign(req.session, { cart: req.query.item });
  res.json({ csrf: csrfToken(req) });
});
app.post("/notes", csrf, (req, res) => {
  if (!req.user) return void res.status(401).json({ error: "sign_in" });
  res.status(201).json({ by: idOf(req) });
});
app.get("/permission", async (req, res) => {
  const { permission, type, id } = /** @type {Record<string, string>} */ (req.query);
  res.json({ answer: await cutover.permission(req, permission, type, id) });
});
app.post("/reset/:id", async (req, res) => {
  const url = await cutover.resetTarget(req.params.id, "https://auther.example/new-password");
  res.json({ consumed: true, url });
});
app.use(cutover.errors());

/** @param {express.Request} req */
const idOf = (req) => /** @type {users.User | undefined} */ (req.user)?.id ?? null;

/** @param {express.Request} req */
const cartOf = (req) => /** @type {any} */ (req.session)?.cart ?? null;

/** @param {express.Request} req */
function csrfToken(req) {
  const own = /** @type {any} */ (req.session);
  own.csrf ??= randomBytes(16).toString("hex");
  return own.csrf;
}

/** @type {express.RequestHandler} */
function csrf(req, res, next) {
  const own = /** @type {any} */ (req.session)?.csrf;
  // A browser sends cookies by itself, but never our Authorization header.
  if (req.auther?.credential === "header" || (own && req.body?.csrf === own)) return next();
  res.status(403).json({ error: "csrf" });
}

/** @type {express.RequestHandler} */
function remember(req, _res, next) {
  const found = req.user ? Promise.resolve(null) : users.rememberedUser(req.headers.cookie);
  return found.then((user) => {
    if (!user) return next();
    req.logIn(user, /** @type {any} */ ({ keepSessionInfo: true, door: "remember_me" }), next);
  }, next);
}
