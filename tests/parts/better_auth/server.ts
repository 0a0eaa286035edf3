/**
 * A real better-auth 1.3.32 on a database file, for the tests and the demo.
 *
 * Prints one line `{"ready": true, "port": …}` on standard output when it answers; everything else goes to
 * standard error. Ends on SIGTERM, or when its standard input closes (so it never outlives its parent).
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { toNodeHandler } from "better-auth/node";
import { createAuth } from "./auth.ts";
import { openDatabase } from "./database.ts";
import { pages } from "./login_page.ts";
import { readSettings } from "./settings.ts";

console.log = console.info = console.error;

const settings = readSettings(process.env);
const database = await openDatabase(settings);
const server = createServer();
await new Promise<void>((resolve) => server.listen(settings.port, settings.host, resolve));
const { port } = server.address() as AddressInfo;
const auth = createAuth(settings, database, settings.baseURL ?? `http://${settings.host}:${port}`);
const api = toNodeHandler(auth);
const html = pages(settings.behaviour.pages !== false);

function handle(request: IncomingMessage, response: ServerResponse): void {
  // Next.js, under which Auther runs, does the same: without an address there are no limits.
  request.headers["x-forwarded-for"] ??= request.socket.remoteAddress;
  const path = new URL(request.url ?? "/", "http://localhost").pathname;
  if (path.startsWith("/api/auth/")) void api(request, response);
  else if (path in html) response.setHeader("Content-Type", "text/html").end(html[path]);
  else if (path === "/health") response.setHeader("Content-Type", "application/json").end('{"status":"ok"}');
  else response.writeHead(404).end();
}

function stop(): void {
  server.close(() => {
    database.close();
    process.exit(0);
  });
  server.closeAllConnections();
}

server.on("request", handle);
process.on("SIGTERM", stop);
process.stdin.on("end", stop).resume();
process.stdout.write(`${JSON.stringify({ ready: true, port })}\n`);
