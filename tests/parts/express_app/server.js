// One process, or as many as WORKERS says.
import cluster from "node:cluster";

import { app, cutover } from "./app.js";

const workers = Number(process.env.WORKERS ?? 1);
if (workers > 1 && cluster.isPrimary) {
  for (let n = 0; n < workers; n += 1) cluster.fork();
  process.on("SIGTERM", () => {
    for (const worker of Object.values(cluster.workers ?? {})) worker?.kill();
    process.exit(0);
  });
} else {
  const server = app.listen(Number(process.env.PORT), "127.0.0.1");
  if (!cluster.isWorker)
    process.once("SIGTERM", () => server.close(() => void cutover.close().then(() => process.exit(0))));
}
