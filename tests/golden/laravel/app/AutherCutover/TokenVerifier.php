<?php

namespace App\AutherCutover;

/**
 * Verifies Auther's id_tokens: signatures by PHP's own sodium and openssl. firebase/php-jwt does not serve here: it refuses
 * an `iat` in milliseconds, as Auther writes it, and reads what is no canonical base64.
 */
final class TokenVerifier
{
    // Each of these lets a token say where its key is, or how it wants to be read.
    private const SURPRISES = ['jku' => 1, 'x5u' => 1, 'jwk' => 1, 'x5c' => 1, 'x5t' => 1, 'crit' => 1, 'b64' => 1];

    public function __construct(
        private readonly Settings $settings,
        private readonly KeySet $keys,
        private readonly VerifiedTokens $verified,
    ) {
    }

    /**
     * Gives the claims of a token that was verified before and still is good; null for any other.
     *
     * @throws Refused Its time is over by now.
     */
    public function remembered(string $token): ?array
    {
        $this->keys->refreshWhenOld();
        $claims = $this->keys->isUsable() ? $this->verified->find($token, $this->keys->generation()) : null;
        $problem = $claims === null ? null : $this->problemOf($claims);
        if ($problem) {
            throw $problem;
        }

        return $claims;
    }

    /**
     * Gives the claims of a good token.
     *
     * @throws Refused It fails a check.
     * @throws Unavailable Nobody can tell now.
     */
    public function verify(string $text, ?Token $token = null): array
    {
        if (strlen($text) > $this->settings->max_token_bytes) {
            throw new Refused('too_large');
        }
        $token ??= new Token($text);
        $this->requireWellFormed($token);
        $problem = $this->problemOf($token->claims);
        $key = $this->keys->known($token->header['kid']) ?? $this->fetchedKey($token->header['kid'], $problem);
        if ($key->algorithm !== $token->header['alg']) {
            throw new Refused('algorithm');
        }
        if (! $key->verifies($token->signed, $token->signature)) {
            throw new Refused('signature');
        }
        // Only now: a forged token is forged, whatever else is wrong with it.
        if ($problem) {
            throw $problem;
        }
        $this->verified->add($text, $this->keys->generation(), $token->claims);

        return $token->claims;
    }

    private function requireWellFormed(Token $token): void
    {
        if ($token->header === null || $token->claims === null || $token->signature === null) {
            throw new Refused('malformed');
        }
        if (! in_array($token->header['alg'] ?? null, $this->settings->algorithms, true)) {
            throw new Refused('algorithm');
        }
        if (! is_string($token->header['kid'] ?? null) || array_intersect_key($token->header, self::SURPRISES)) {
            throw new Refused('malformed');
        }
    }

    private function fetchedKey(string $kid, ?Refused $problem): Key
    {
        // A token that its claims rule out anyway is not worth a fetch, nor a 503. But the first set is fetched for one that
        // has expired: whether it was good decides about its renewal.
        $isWorthIt = ! $problem || ($problem->claims && ! $this->keys->isUsable());
        try {
            $key = $isWorthIt ? $this->keys->find($kid) : null;
        } catch (Unavailable $outage) {
            $problem || throw $outage;
            $key = null;
        }

        // Nobody has signed these claims, as far as is known.
        return $key ?? throw ($problem ? new Refused($problem->reason, $problem->stale) : new Refused('unknown_key'));
    }

    private function problemOf(array $claims): ?Refused
    {
        ['iss' => $iss, 'aud' => $aud, 'sub' => $sub, 'exp' => $exp] = $claims + array_fill_keys(['iss', 'aud', 'sub', 'exp'], null);
        $isWhole = $this->isTime($exp) && $exp <= Token::MILLISECONDS_FROM
            // D: without it `$` also matches before a last line break.
            && is_string($sub) && preg_match('/^[\x21-\x7e]{1,255}$/D', $sub) === 1
            && $this->isTime($claims['nbf'] ?? 0) && $this->isTime($claims['iat'] ?? 0);
        if (! $isWhole || (array_key_exists('nbf', $claims) && $claims['nbf'] === null)
            || (array_key_exists('iat', $claims) && $claims['iat'] === null)) {
            return new Refused('missing_claim');
        }
        if (! in_array($iss, $this->settings->issuers, true)) {
            return new Refused('issuer', stale: true);
        }
        if (! array_intersect(array_filter((array) $aud, 'is_string'), $this->settings->audiences)) {
            return new Refused('audience', stale: true);
        }
        $nowS = microtime(true);
        if ($nowS >= $exp + $this->settings->leeway_s) {
            return new Refused('expired', stale: true, claims: $claims);
        }
        $validFromS = max(Token::seconds($claims['nbf'] ?? 0), Token::seconds($claims['iat'] ?? 0));

        return $validFromS > $nowS + $this->settings->leeway_s ? new Refused('not_yet_valid', stale: true) : null;
    }

    private function isTime(mixed $value): bool
    {
        return (is_int($value) || is_float($value)) && $value >= 0 && $value < 1e15;
    }
}
