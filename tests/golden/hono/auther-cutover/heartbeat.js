// What an instance tells about itself in the application's database.

/** @typedef {import("./people.js").Database} Database */
/** @typedef {{ instance: string, build: string, baked: string, stage: string, epoch: number, source: string }} Facts */

const BEAT = `
INSERT INTO "public".migrator_instance (instance, build, baked, stage, epoch, source, legacy_capable, seen_at)
VALUES ($1, $2, $3, $4, $5, $6, true, now())
ON CONFLICT (instance) DO UPDATE SET build = excluded.build, baked = excluded.baked, stage = excluded.stage,
  epoch = excluded.epoch, source = excluded.source, legacy_capable = excluded.legacy_capable, seen_at = excluded.seen_at`;

/**
 * Tells that this instance lives, and which stage it sees.
 * @param {Database} database
 * @param {Facts} facts
 */
export async function beat(database, { instance, build, baked, stage, epoch, source }) {
  await database.query(BEAT, [instance, build, baked, stage, epoch, source]);
}
