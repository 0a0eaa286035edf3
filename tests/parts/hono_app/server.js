import { serve } from "@hono/node-server";

import { app, cutover } from "./app.js";

const server = serve({ fetch: app.fetch, port: Number(process.env.PORT), hostname: "127.0.0.1" });
process.once("SIGTERM", () => server.close(() => void cutover.close().then(() => process.exit(0))));
