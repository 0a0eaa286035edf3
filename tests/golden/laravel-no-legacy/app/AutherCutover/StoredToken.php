<?php

namespace App\AutherCutover;

use Illuminate\Support\Facades\DB;

/** A token that is too large for a cookie: kept in the database, readable only by whoever has the cookie. */
final class StoredToken
{
    private const CIPHER = 'aes-256-gcm';
    private const IV_BYTES = 12;
    private const TAG_BYTES = 16;
    private const TABLE = '"public".migrator_token';

    public function __construct(private readonly People $people)
    {
    }

    /**
     * The token that a cookie stands for.
     *
     * @throws Refused It is the handle of no token.
     */
    public function of(string $cookie): string
    {
        if (preg_match('/^s\.[\w-]{43}$/D', $cookie) !== 1) {
            return $cookie;
        }
        $sql = 'SELECT sealed FROM '.self::TABLE.' WHERE handle_hash = ? AND expires_at > now()';
        // Signed out or over in another place: as a token whose time is over.
        $row = $this->people->one($sql, [hash('sha256', $cookie)]) ?? throw new Refused('expired', stale: true);

        return $this->open($cookie, $row->sealed) ?? throw new Refused('malformed');
    }

    /** Keeps a token; gives the cookie's value. */
    public function keep(string $token, float $expiresAtS): string
    {
        $cookie = 's.'.Base64Url::encode(random_bytes(32));
        $iv = random_bytes(self::IV_BYTES);
        $sealed = openssl_encrypt($token, self::CIPHER, self::keyOf($cookie), OPENSSL_RAW_DATA, $iv, $tag, '', self::TAG_BYTES);
        $values = [hash('sha256', $cookie), Base64Url::encode($iv.$sealed.$tag), $expiresAtS];
        $this->people->one('INSERT INTO '.self::TABLE.' (handle_hash, sealed, expires_at) VALUES (?, ?, to_timestamp(?)) RETURNING 1', $values);
        $this->drop('');

        return $cookie;
    }

    /** Forgets a kept token, and all whose time is over. */
    public function drop(string $cookie): void
    {
        DB::delete('DELETE FROM '.self::TABLE.' WHERE handle_hash = ? OR expires_at < now()', [hash('sha256', $cookie)]);
    }

    private function open(string $cookie, string $sealed): ?string
    {
        $bytes = (string) Base64Url::decode($sealed);
        $iv = substr($bytes, 0, self::IV_BYTES);
        $tag = substr($bytes, -self::TAG_BYTES);
        if (strlen($bytes) < self::IV_BYTES + self::TAG_BYTES) {
            return null;
        }
        $text = substr($bytes, self::IV_BYTES, -self::TAG_BYTES);
        $token = openssl_decrypt($text, self::CIPHER, self::keyOf($cookie), OPENSSL_RAW_DATA, $iv, $tag);

        return $token === false ? null : $token;
    }

    private static function keyOf(string $cookie): string
    {
        return hash('sha256', "migrator_token:$cookie", true);
    }
}
