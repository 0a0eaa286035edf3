// The club after the migration, or a team that never had a legacy side: Auther alone signs people in.
import { serve } from "@hono/node-server";
import { Hono } from "hono";

import { createAuther } from "./auther-cutover/index.js";

const database = process.env.DATABASE_URL ?? "";
const auther = createAuther(
  /** @type {any} */ ({ database, findUser: (/** @type {string} */ id) => ({ id }), exempt: ["/healthz"] }),
);

const app = new Hono();
app.use(auther.middleware());
app.get("/healthz", (c) => c.text("ok"));
app.get("/whoami", (c) => {
  const { user, credential, autherId } = c.get("autherUser") ?? {};
  return c.json({ user: user?.id ?? null, credential, auther_id: autherId });
});
serve({ fetch: app.fetch, port: Number(process.env.PORT), hostname: "127.0.0.1" });
