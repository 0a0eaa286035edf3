<?php

namespace App\AutherCutover;

use Illuminate\Http\Request;

/** Finds Auther's credential in a request and says what it is worth. */
final class Credentials
{
    public const ID_TOKEN = 'auther_id_token';
    /** Basic and the like: not ours, the application's own business, but counted. */
    public const OTHER_SCHEME = 'other_scheme';

    public function __construct(
        private readonly Settings $settings,
        private readonly TokenVerifier $verifier,
        private readonly People $people,
        private readonly StoredToken $stored,
    ) {
    }

    /** Whether there is anything to examine. */
    public static function areIn(Request $request, Settings $settings): bool
    {
        return $request->headers->has('Authorization')
            || str_contains((string) $request->headers->get('Cookie'), $settings->cookieName(self::ID_TOKEN));
    }

    /**
     * Every doubt is a refusal, every outage `unavailable`. Never looks for a token in the query.
     *
     * @param  bool  $cookies  Whether a cookie counts: not where no CSRF check stands behind.
     * @param  bool  $acceptsAuther  After a compromise no token is good.
     */
    public function examine(Request $request, bool $cookies = true, bool $acceptsAuther = true): Finding
    {
        $header = trim((string) $request->headers->get('Authorization'), " \t");
        if (self::isDoubled($request, $header)) {
            return new Finding('doubled', 'header', 'foreign_bearer');
        }
        if (preg_match('/^bearer\b/i', $header) === 1) {
            return $this->judge('header', fn () => $this->bearer(self::tokenIn($header), $acceptsAuther));
        }
        $tokens = $cookies ? self::cookieValues($request, $this->settings->cookieName(self::ID_TOKEN)) : [];
        if (! $tokens) {
            return new Finding('absent', 'cookie', $header === '' ? '' : self::OTHER_SCHEME);
        }
        if (count($tokens) > 1) {
            return new Finding('forged', 'cookie', 'malformed');
        }

        return $this->judge('cookie', fn () => $this->cookie($tokens[0], $acceptsAuther));
    }

    /**
     * Whose credential verified claims are.
     *
     * @param  bool  $creates  Who is new gets a user, if the settings say so.
     */
    public function who(array $claims, string $place, bool $creates = true): Finding
    {
        $person = $this->people->resolve($claims, $creates);
        if ($person === null) {
            return new Finding('unlinked', $place, 'identity_unlinked');
        }
        if ($person === 'disabled') {
            return new Finding('disabled', $place, 'disabled');
        }
        if ($person->pinned) {
            return new Finding('disabled', $place, 'pinned');
        }
        if ($person->revokes(Token::issuedAtS($claims))) {
            return new Finding('stale', $place, 'revoked');
        }

        return $person->isDisabled() || ! $person->user
            ? new Finding('disabled', $place, 'disabled')
            : new Finding('valid', $place, '', $person, $claims);
    }

    /**
     * All values sent under a cookie's name, as they were sent: PHP keeps one of two without a word.
     *
     * @return list<string>
     */
    public static function cookieValues(Request $request, string $name): array
    {
        $values = [];
        foreach (explode(';', (string) $request->headers->get('Cookie')) as $pair) {
            [$key, $value] = explode('=', trim($pair), 2) + [1 => ''];
            if ($key === $name) {
                $values[] = $value;
            }
        }

        return $values;
    }

    /** @return array|null null: the token is not Auther's. */
    private function bearer(string $text, bool $acceptsAuther): ?array
    {
        // Too large to be looked into is refused as ours: the size alone says no.
        if (strlen($text) > $this->settings->max_token_bytes) {
            throw new Refused('too_large');
        }
        $known = $acceptsAuther ? $this->verifier->remembered($text) : null;
        if ($known) {
            return $known;
        }
        $token = new Token($text);
        if (! $token->isCandidate($this->settings)) {
            return null;
        }

        return $acceptsAuther ? $this->verifier->verify($text, $token) : throw new Refused('stopped', stale: true);
    }

    private function cookie(string $value, bool $acceptsAuther): array
    {
        if (! $acceptsAuther) {
            throw new Refused('stopped', stale: true);
        }
        $text = $this->stored->of($value);

        return $this->verifier->remembered($text) ?? $this->verifier->verify($text);
    }

    private function judge(string $place, callable $verified): Finding
    {
        try {
            $claims = $verified();

            return $claims === null ? new Finding('foreign', $place, 'foreign_bearer') : $this->who($claims, $place);
        } catch (Refused $refused) {
            return new Finding($refused->stale ? 'stale' : 'forged', $place, $refused->reason, null, $refused->claims);
        } catch (Unavailable $outage) {
            return new Finding('unavailable', $place, 'verification_unavailable', null, null, $outage->retryAfterS);
        }
    }

    /** Web servers join two Authorization headers to one: "Bearer a, Basic b" has many readers. Digest has commas of its own. */
    private static function isDoubled(Request $request, string $header): bool
    {
        return count($request->headers->all('Authorization')) > 1 || preg_match('/,\s*[a-z][\w-]*\s+[^\s=]/i', $header) === 1;
    }

    /** What stands behind the scheme and blanks. Two tokens, or a token and a comma, are no token: they do not parse. */
    private static function tokenIn(string $header): string
    {
        return ($header[strlen('bearer')] ?? '') === ' ' ? ltrim(substr($header, strlen('bearer ')), ' ') : '';
    }
}
