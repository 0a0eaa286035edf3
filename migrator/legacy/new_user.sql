-- name: create_new_user
-- Shims in every language call this one function for somebody whom Auther knows and the application
-- does not. It links by Auther's id alone, names only columns that the table has at the time of the
-- call, and runs with the rights of whoever calls it.
CREATE OR REPLACE FUNCTION {function} (
  p_source text, p_auther_id text, p_email text, p_name text, p_email_verified boolean,
  OUT outcome text, OUT user_pk text
) LANGUAGE plpgsql AS {body}

-- name: body
DECLARE
  row_values jsonb := {defaults};
  now_utc text := to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');
  letters text;
  columns_there text;
  columns_missing text;
BEGIN
  -- As Auther spells it and the search below does, whichever way the caller had it.
  p_email := lower(p_email);
  -- One request at a time for a user; PgBouncer's transaction mode keeps it too.
  PERFORM pg_advisory_xact_lock(hashtextextended('migrator_new_user ' || p_auther_id, 0));
  SELECT CASE WHEN i.source = p_source THEN 'linked' ELSE 'email_taken' END,
         CASE WHEN i.source = p_source THEN i.user_pk END
  INTO outcome, user_pk
  FROM {identity} AS i WHERE i.auther_id = p_auther_id;
  IF FOUND THEN
    RETURN;
  END IF;
  IF EXISTS (
    SELECT FROM {tombstone} AS t WHERE t.auther_id = p_auther_id AND t.until > clock_timestamp()
  ) THEN
    outcome := 'tombstone';
    RETURN;
  END IF;
  -- Exactly spelt first: that search has an index.
  IF EXISTS (SELECT FROM {users} AS u WHERE u.{email} = p_email)
     OR EXISTS (SELECT FROM {users} AS u WHERE lower(u.{email}::text) = p_email) THEN
    outcome := 'email_taken';
    RETURN;
  END IF;
  -- A hash that no password fits, with a salt of its own: one for all, or '', would let sessions be
  -- made up.
  letters := translate(encode(decode(replace(concat(
    gen_random_uuid(), gen_random_uuid(), gen_random_uuid()), '-', ''), 'hex'), 'base64'), '+=', '..');
  row_values := row_values || jsonb_strip_nulls(jsonb_build_object(
    {email_name}, p_email,
    {password_name}, {unusable}{further}
  ));
  SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
           FILTER (WHERE row_values ? a.attname),
         string_agg(a.attname, ', ' ORDER BY a.attnum) FILTER (
           WHERE NOT row_values ? a.attname AND a.attnotnull AND NOT a.atthasdef
             AND a.attidentity = '' AND a.attgenerated = '')
  INTO columns_there, columns_missing
  FROM pg_attribute AS a
  WHERE a.attrelid = {users_name}::regclass AND a.attnum > 0 AND NOT a.attisdropped;
  IF columns_missing IS NOT NULL THEN
    RAISE WARNING 'migrator_new_user: columns without a value: %', columns_missing;
    outcome := 'column_needs_value';
    RETURN;
  END IF;
  BEGIN
    EXECUTE format(
      'INSERT INTO %1$s (%2$s) SELECT %2$s FROM jsonb_populate_record(NULL::%1$s, $1) RETURNING %3$s::text',
      {users_name}, columns_there, {id_name}
    ) INTO user_pk USING row_values;
    INSERT INTO {identity} (source, user_pk, auther_id, home, origin, last_auther_at)
    VALUES (p_source, migrator_new_user.user_pk, p_auther_id, 'auther', 'jit', clock_timestamp());
    outcome := 'created';
  EXCEPTION WHEN unique_violation THEN
    -- Somebody took the address, or another value that is one person's, meanwhile.
    outcome := 'email_taken';
    user_pk := NULL;
  END;
END

-- name: drop_new_user
DROP FUNCTION IF EXISTS {function} (text, text, text, text, boolean)
