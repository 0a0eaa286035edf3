/** The newest better-auth on Auther's tables. It has neither the OIDC provider nor the API keys of 1.3 any more. */
import { appendFileSync } from "node:fs";
import type { Client as Libsql } from "@libsql/client";
import { betterAuth } from "better-auth";
import { drizzleAdapter } from "better-auth/adapters/drizzle";
import { admin, username } from "better-auth/plugins";
import { drizzle } from "drizzle-orm/libsql";
import { legacyPasswords } from "./.parts/legacy-passwords.ts";
import * as schema from "./schema.ts";
import type { Behaviour, Settings } from "./settings.ts";

export function createAuth(settings: Settings, database: Libsql, baseURL: string) {
  const db = drizzle(database, { schema, casing: "snake_case" });
  const { behaviour } = settings;
  const selfService = behaviour.selfService === true;
  const plugin = { ...settings.pluginOptions, ...(settings.pluginDatabase ? { database } : {}) };
  return betterAuth({
    secret: settings.secret,
    baseURL,
    basePath: "/api/auth",
    database: drizzleAdapter(db, { provider: "sqlite", schema }),
    emailAndPassword: { enabled: true, requireEmailVerification: true, sendResetPassword: mailTo(behaviour, "reset") },
    emailVerification: { sendVerificationEmail: mailTo(behaviour, "move"), sendOnSignUp: true },
    user: { changeEmail: { enabled: selfService }, deleteUser: { enabled: selfService } },
    rateLimit: { enabled: settings.rateLimit },
    telemetry: { enabled: false },
    logger: { log: (level, message, ...args) => console.error(level, message, ...args) },
    plugins: [admin(), username(), ...(settings.plugin ? [legacyPasswords(plugin)] : [])],
  });
}

function mailTo({ mailFile }: Behaviour, kind: string) {
  return async ({ user, url }: { user: { email: string }; url: string }): Promise<void> => {
    if (mailFile) appendFileSync(mailFile, `${JSON.stringify({ kind, to: user.email, url })}\n`);
  };
}
