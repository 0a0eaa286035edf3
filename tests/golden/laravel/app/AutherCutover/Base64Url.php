<?php

namespace App\AutherCutover;

/** Base64 for URLs, without padding. */
final class Base64Url
{
    public static function encode(string $bytes): string
    {
        return rtrim(strtr(base64_encode($bytes), '+/', '-_'), '=');
    }

    /**
     * PHP's decoder skips stray bits: only the one canonical spelling passes, so that a token cannot be respelt.
     *
     * @return string|null null: it is not base64url, or not its canonical spelling.
     */
    public static function decode(string $text): ?string
    {
        $bytes = base64_decode(strtr($text, '-_', '+/'), true);

        return $bytes !== false && self::encode($bytes) === $text ? $bytes : null;
    }
}
