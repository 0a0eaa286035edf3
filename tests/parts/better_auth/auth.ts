/** better-auth set up as Auther does it: same plugins in the same order, same base path and lifetimes. */
import { appendFileSync } from "node:fs";
import type { Client as Libsql } from "@libsql/client";
import { betterAuth } from "better-auth";
import { drizzleAdapter } from "better-auth/adapters/drizzle";
import { createAuthMiddleware } from "better-auth/api";
import { hashPassword, verifyPassword } from "better-auth/crypto";
import { admin, apiKey, jwt, oidcProvider, username } from "better-auth/plugins";
import { drizzle } from "drizzle-orm/libsql";
import { legacyPasswords, type LegacyPasswordsOptions, type PermissionClaims } from "./.parts/legacy-passwords.ts";
import * as schema from "./schema.ts";
import type { Behaviour, Client, Settings } from "./settings.ts";

const TWO_DAYS_S = 2 * 24 * 60 * 60;

export function createAuth(settings: Settings, database: Libsql, baseURL: string) {
  const trusted = settings.clients.filter((client) => client.trusted);
  const origins = settings.clients.flatMap(({ redirectURLs }) => redirectURLs.map((url) => new URL(url).origin));
  const { behaviour } = settings;
  const db = drizzle(database, { schema, casing: "snake_case" });
  return betterAuth({
    secret: settings.secret,
    baseURL,
    basePath: "/api/auth",
    disabledPaths: ["/token"],
    database: drizzleAdapter(db, { provider: "sqlite", schema }),
    emailAndPassword: {
      enabled: true,
      disableSignUp: behaviour.signUp === false,
      requireEmailVerification: true,
      ...(behaviour.reset === false ? {} : { sendResetPassword: mailTo(behaviour, "reset") }),
      ...(settings.ownPassword ? { password: { hash: hashPassword, verify: verifyPassword } } : {}),
    },
    emailVerification: {
      sendVerificationEmail: mailTo(behaviour, "verify"),
      sendOnSignUp: true,
      autoSignInAfterVerification: true,
    },
    socialProviders: Object.fromEntries((behaviour.social ?? []).map((name) => [name, noCredentials])),
    user: {
      changeEmail: { enabled: behaviour.selfService === true, sendChangeEmailVerification: mailTo(behaviour, "move") },
      deleteUser: { enabled: behaviour.selfService === true },
    },
    account: { accountLinking: { enabled: behaviour.linking !== false } },
    trustedOrigins: [baseURL, ...origins],
    hooks: { before: guardSignUp(behaviour) },
    rateLimit: { enabled: settings.rateLimit },
    telemetry: { enabled: false },
    logger: { log: (level, message, ...args) => console.error(level, message, ...args) },
    plugins: [
      admin(behaviour.admins ? { adminUserIds: behaviour.admins } : {}),
      username(),
      apiKey({ enableMetadata: true, apiKeyHeaders: ["x-api-key"], rateLimit: { enabled: false } }),
      jwt({ jwt: { issuer: baseURL, audience: "auther-api", expirationTime: "2d" } }),
      oidcProvider({
        loginPage: "/sign-in",
        allowDynamicClientRegistration: true,
        useJWTPlugin: true,
        accessTokenExpiresIn: TWO_DAYS_S,
        metadata: { issuer: baseURL },
        trustedClients: trusted.map(trustedClient),
      }),
      ...(settings.plugin ? [legacyPasswords(pluginOptions(settings, database))] : []),
    ],
  });
}

function pluginOptions(settings: Settings, database: Libsql): LegacyPasswordsOptions {
  return {
    ...settings.pluginOptions,
    ...(settings.pluginDatabase ? { database } : {}),
    ...(settings.permissions ? { permissionsClaim: permissionsFrom(settings, database) } : {}),
  };
}

/** In place of Auther's own service: the relations of a user as they are written down. */
function permissionsFrom(settings: Settings, database: Libsql) {
  return async (userId: string): Promise<PermissionClaims> => {
    if (settings.permissions === "fails") throw new Error("no permissions");
    const sql = "SELECT entity_type, entity_id, relation FROM access_tuples WHERE subject_id = ?";
    const permissions: Record<string, string[]> = {};
    for (const { entity_type, entity_id, relation } of (await database.execute({ sql, args: [userId] })).rows)
      (permissions[entity_id === "*" ? `${entity_type}` : `${entity_type}:${entity_id}`] ??= []).push(`${relation}`);
    return { permissions, abac_required: {} };
  };
}

function trustedClient({ clientId, clientSecret, name, redirectURLs, type }: Client) {
  const secret = clientSecret ? { clientSecret } : {};
  return { clientId, ...secret, name, redirectURLs, type, metadata: {}, disabled: false, skipConsent: true };
}

const noCredentials = { clientId: "none", clientSecret: "none" };

function mailTo({ mailFile }: Behaviour, kind: string) {
  return async ({ user, url }: { user: { email: string }; url: string }): Promise<void> => {
    if (mailFile) appendFileSync(mailFile, `${JSON.stringify({ kind, to: user.email, url })}\n`);
  };
}

/** Auther lets its own pages sign people up, and whoever holds the secret. */
const guardSignUp = ({ signUpSecret }: Behaviour) =>
  createAuthMiddleware(async (ctx) => {
    if (!signUpSecret || ctx.path !== "/sign-up/email") return;
    if (ctx.request?.headers.get("x-internal-signup-secret") !== signUpSecret) {
      throw new Response("Forbidden", { status: 403 });
    }
  });
