// The club after the migration, or a team that never had a legacy side: Auther alone signs people in.
import express from "express";

import { createAuther } from "./auther-cutover/index.js";

const database = process.env.DATABASE_URL ?? "";
const auther = createAuther(
  /** @type {any} */ ({ database, findUser: (/** @type {string} */ id) => ({ id }), exempt: ["/healthz"] }),
);

const app = express();
app.use(auther.session());
app.get("/healthz", (_req, res) => void res.send("ok"));
app.get("/whoami", (req, res) => {
  const { credential, autherId } = req.auther ?? {};
  res.json({ user: /** @type {any} */ (req).user?.id ?? null, credential, auther_id: autherId });
});
app.listen(Number(process.env.PORT), "127.0.0.1");
