/** The database file: created from the importer's schema when it is empty, otherwise taken as it is. */
import { readFileSync } from "node:fs";
import { createClient, type Client as Libsql } from "@libsql/client";
import type { Client, Settings } from "./settings.ts";

export async function openDatabase(settings: Settings): Promise<Libsql> {
  const database = createClient({ url: settings.databaseUrl || `file:${settings.databaseFile}` });
  const tables = await database.execute("SELECT 1 FROM sqlite_schema LIMIT 1");
  if (tables.rows.length === 0) {
    await database.executeMultiple(readFileSync(settings.schemaFile, "utf8"));
  }
  for (const client of settings.clients.filter(({ row }) => row)) await ensureClient(database, client);
  return database;
}

/** A client of the configuration needs its row too: oauth_access_token refers to it. */
async function ensureClient(database: Libsql, client: Client): Promise<void> {
  await database.execute({
    sql: `INSERT INTO oauth_application
            (id, name, client_id, client_secret, redirect_ur_ls, type, disabled, created_at, updated_at)
          VALUES (:id, :name, :clientId, :secret, :urls, :type, 0, :now, :now)
          ON CONFLICT (client_id) DO UPDATE SET redirect_ur_ls = excluded.redirect_ur_ls`,
    args: {
      id: `client-${client.clientId}`,
      name: client.name,
      clientId: client.clientId,
      secret: client.clientSecret ?? null,
      urls: client.redirectURLs.join(","),
      type: client.type,
      now: Date.now(),
    },
  });
}
