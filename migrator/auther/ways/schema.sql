-- The tables of an Auther database (better-auth 1.3, SQLite or libSQL) that sign-in, OIDC and the import use.
-- Names, types and constraints follow a running Auther; unique indexes carry the names that drizzle gives them.
-- Times are integer milliseconds, booleans 0 or 1. Run it on an empty database only: nothing here says IF NOT EXISTS.
-- The time defaults need SQLite 3.42; whoever inserts rows supplies every timestamp.

CREATE TABLE "user" (
  "id" text PRIMARY KEY NOT NULL,
  "name" text NOT NULL,
  "email" text NOT NULL,
  "email_verified" integer DEFAULT false NOT NULL,
  "image" text,
  "created_at" integer DEFAULT (cast(unixepoch('subsecond') * 1000 as integer)) NOT NULL,
  "updated_at" integer DEFAULT (cast(unixepoch('subsecond') * 1000 as integer)) NOT NULL,
  "role" text,
  "banned" integer DEFAULT false,
  "ban_reason" text,
  "ban_expires" integer,
  "username" text,
  "display_username" text
);
CREATE UNIQUE INDEX "user_email_unique" ON "user" ("email");
CREATE UNIQUE INDEX "user_username_unique" ON "user" ("username");

CREATE TABLE "account" (
  "id" text PRIMARY KEY NOT NULL,
  "account_id" text NOT NULL,
  "provider_id" text NOT NULL,
  "user_id" text NOT NULL,
  "access_token" text,
  "refresh_token" text,
  "id_token" text,
  "access_token_expires_at" integer,
  "refresh_token_expires_at" integer,
  "scope" text,
  "password" text,
  "created_at" integer DEFAULT (cast(unixepoch('subsecond') * 1000 as integer)) NOT NULL,
  "updated_at" integer NOT NULL,
  FOREIGN KEY ("user_id") REFERENCES "user" ("id") ON UPDATE no action ON DELETE cascade
);

CREATE TABLE "session" (
  "id" text PRIMARY KEY NOT NULL,
  "expires_at" integer NOT NULL,
  "token" text NOT NULL,
  "created_at" integer DEFAULT (cast(unixepoch('subsecond') * 1000 as integer)) NOT NULL,
  "updated_at" integer NOT NULL,
  "ip_address" text,
  "user_agent" text,
  "user_id" text NOT NULL,
  "impersonated_by" text,
  FOREIGN KEY ("user_id") REFERENCES "user" ("id") ON UPDATE no action ON DELETE cascade
);
CREATE UNIQUE INDEX "session_token_unique" ON "session" ("token");

CREATE TABLE "verification" (
  "id" text PRIMARY KEY NOT NULL,
  "identifier" text NOT NULL,
  "value" text NOT NULL,
  "expires_at" integer NOT NULL,
  "created_at" integer DEFAULT (cast(unixepoch('subsecond') * 1000 as integer)) NOT NULL,
  "updated_at" integer DEFAULT (cast(unixepoch('subsecond') * 1000 as integer)) NOT NULL
);

CREATE TABLE "apikey" (
  "id" text PRIMARY KEY NOT NULL,
  "name" text,
  "start" text,
  "prefix" text,
  "key" text NOT NULL,
  "user_id" text NOT NULL,
  "refill_interval" integer,
  "refill_amount" integer,
  "last_refill_at" integer,
  "enabled" integer DEFAULT true,
  "rate_limit_enabled" integer DEFAULT true,
  "rate_limit_time_window" integer DEFAULT 86400000,
  "rate_limit_max" integer DEFAULT 10,
  "request_count" integer DEFAULT 0,
  "remaining" integer,
  "last_request" integer,
  "expires_at" integer,
  "created_at" integer NOT NULL,
  "updated_at" integer NOT NULL,
  "permissions" text,
  "metadata" text,
  FOREIGN KEY ("user_id") REFERENCES "user" ("id") ON UPDATE no action ON DELETE cascade
);

CREATE TABLE "jwks" (
  "id" text PRIMARY KEY NOT NULL,
  "public_key" text NOT NULL,
  "private_key" text NOT NULL,
  "created_at" integer NOT NULL
);

CREATE TABLE "oauth_application" (
  "id" text PRIMARY KEY NOT NULL,
  "name" text,
  "icon" text,
  "metadata" text,
  "client_id" text,
  "client_secret" text,
  "redirect_ur_ls" text,
  "type" text,
  "disabled" integer DEFAULT false,
  "user_id" text,
  "created_at" integer,
  "updated_at" integer,
  FOREIGN KEY ("user_id") REFERENCES "user" ("id") ON UPDATE no action ON DELETE cascade
);
CREATE UNIQUE INDEX "oauth_application_client_id_unique" ON "oauth_application" ("client_id");

CREATE TABLE "oauth_access_token" (
  "id" text PRIMARY KEY NOT NULL,
  "access_token" text,
  "refresh_token" text,
  "access_token_expires_at" integer,
  "refresh_token_expires_at" integer,
  "client_id" text,
  "user_id" text,
  "scopes" text,
  "created_at" integer,
  "updated_at" integer,
  FOREIGN KEY ("client_id") REFERENCES "oauth_application" ("client_id") ON UPDATE no action ON DELETE cascade,
  FOREIGN KEY ("user_id") REFERENCES "user" ("id") ON UPDATE no action ON DELETE cascade
);
CREATE UNIQUE INDEX "oauth_access_token_access_token_unique" ON "oauth_access_token" ("access_token");
CREATE UNIQUE INDEX "oauth_access_token_refresh_token_unique" ON "oauth_access_token" ("refresh_token");

CREATE TABLE "oauth_consent" (
  "id" text PRIMARY KEY NOT NULL,
  "client_id" text,
  "user_id" text,
  "scopes" text,
  "created_at" integer,
  "updated_at" integer,
  "consent_given" integer,
  FOREIGN KEY ("client_id") REFERENCES "oauth_application" ("client_id") ON UPDATE no action ON DELETE cascade,
  FOREIGN KEY ("user_id") REFERENCES "user" ("id") ON UPDATE no action ON DELETE cascade
);
