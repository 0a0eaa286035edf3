/** Auther's tables for drizzle, as migrator/auther/ways/schema.sql creates them. */
import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

const time = () => integer({ mode: "timestamp_ms" });
const flag = () => integer({ mode: "boolean" });
const now = () => new Date();

export const user = sqliteTable("user", {
  id: text().primaryKey(),
  name: text().notNull(),
  email: text().notNull(),
  emailVerified: flag().notNull(),
  image: text(),
  createdAt: time().notNull(),
  updatedAt: time().$onUpdate(now).notNull(),
  role: text(),
  banned: flag(),
  banReason: text(),
  banExpires: time(),
  username: text(),
  displayUsername: text(),
});

export const account = sqliteTable("account", {
  id: text().primaryKey(),
  accountId: text().notNull(),
  providerId: text().notNull(),
  userId: text().notNull(),
  accessToken: text(),
  refreshToken: text(),
  idToken: text(),
  accessTokenExpiresAt: time(),
  refreshTokenExpiresAt: time(),
  scope: text(),
  password: text(),
  createdAt: time().notNull(),
  updatedAt: time().$onUpdate(now).notNull(),
});

export const session = sqliteTable("session", {
  id: text().primaryKey(),
  expiresAt: time().notNull(),
  token: text().notNull(),
  createdAt: time().notNull(),
  updatedAt: time().$onUpdate(now).notNull(),
  ipAddress: text(),
  userAgent: text(),
  userId: text().notNull(),
  impersonatedBy: text(),
});

export const verification = sqliteTable("verification", {
  id: text().primaryKey(),
  identifier: text().notNull(),
  value: text().notNull(),
  expiresAt: time().notNull(),
  createdAt: time().notNull(),
  updatedAt: time().$onUpdate(now).notNull(),
});

export const apikey = sqliteTable("apikey", {
  id: text().primaryKey(),
  name: text(),
  start: text(),
  prefix: text(),
  key: text().notNull(),
  userId: text().notNull(),
  refillInterval: integer(),
  refillAmount: integer(),
  lastRefillAt: time(),
  enabled: flag(),
  rateLimitEnabled: flag(),
  rateLimitTimeWindow: integer(),
  rateLimitMax: integer(),
  requestCount: integer(),
  remaining: integer(),
  lastRequest: time(),
  expiresAt: time(),
  createdAt: time().notNull(),
  updatedAt: time().notNull(),
  permissions: text(),
  metadata: text(),
});

export const jwks = sqliteTable("jwks", {
  id: text().primaryKey(),
  publicKey: text().notNull(),
  privateKey: text().notNull(),
  createdAt: time().notNull(),
});

export const oauthApplication = sqliteTable("oauth_application", {
  id: text().primaryKey(),
  name: text(),
  icon: text(),
  metadata: text(),
  clientId: text(),
  clientSecret: text(),
  redirectURLs: text("redirect_ur_ls"),
  type: text(),
  disabled: flag(),
  userId: text(),
  createdAt: time(),
  updatedAt: time(),
});

export const oauthAccessToken = sqliteTable("oauth_access_token", {
  id: text().primaryKey(),
  accessToken: text(),
  refreshToken: text(),
  accessTokenExpiresAt: time(),
  refreshTokenExpiresAt: time(),
  clientId: text(),
  userId: text(),
  scopes: text(),
  createdAt: time(),
  updatedAt: time(),
});

export const oauthConsent = sqliteTable("oauth_consent", {
  id: text().primaryKey(),
  clientId: text(),
  userId: text(),
  scopes: text(),
  createdAt: time(),
  updatedAt: time(),
  consentGiven: flag(),
});
