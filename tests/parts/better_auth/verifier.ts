/**
 * The password verification of a real better-auth with the plugin, without HTTP.
 *
 * Reads lines `{"hash": …, "password": …}` from standard input and answers each with a line
 * `{"valid": …, "ms": …}`, or `{"error": …}` where it throws, which it never should. Warnings of the plugin go
 * to standard error.
 */
import { createInterface } from "node:readline";
import { createAuth } from "./auth.ts";
import { openDatabase } from "./database.ts";
import { readSettings } from "./settings.ts";

console.log = console.info = console.error;

const settings = readSettings(process.env);
const auth = createAuth(settings, await openDatabase(settings), "http://127.0.0.1");
const { password } = await auth.$context;

for await (const line of createInterface({ input: process.stdin })) {
  const since = performance.now();
  const answer = await password.verify(JSON.parse(line)).then(
    (valid) => ({ valid, ms: performance.now() - since }),
    (error: unknown) => ({ error: String(error) }),
  );
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
process.exit(0);
