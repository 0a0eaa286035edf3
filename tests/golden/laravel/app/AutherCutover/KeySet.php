<?php

namespace App\AutherCutover;

use Illuminate\Contracts\Foundation\Application;
use Illuminate\Support\Facades\Http;
use RuntimeException;
use Throwable;

/**
 * Auther's public keys: fetched rarely, kept while good, never replaced by something worse. One set for all workers of an
 * instance, in a file: its text is the set, its time is when that was fetched, and it is renamed into place.
 */
final class KeySet
{
    private const SET = 'jwks.json';
    private const TRIED = 'jwks.tried';
    private const MAX_BYTES = 262_144;
    private const MAX_KEYS = 100;

    /** Looked at once a request: each look asks the system. */
    private ?string $generation = null;

    public function __construct(
        private readonly Settings $settings,
        private readonly StateFolder $folder,
        private readonly SharedMemory $memory,
        private readonly Counters $counters,
        private readonly Application $app,
    ) {
    }

    /** Another text after each fetch that worked; '' while there is no set. */
    public function generation(): string
    {
        return $this->generation ??= StateFolder::stateOf($this->folder->path(self::SET));
    }

    /** Whether there is a set to go on with. */
    public function isUsable(): bool
    {
        return $this->ageS() <= $this->settings->jwks_stale_s;
    }

    /** Gives a key without asking anybody. */
    public function known(string $kid): ?Key
    {
        if (! $this->isUsable()) {
            return null;
        }
        $this->refreshWhenOld();

        $key = $this->keys()[$kid] ?? null;

        return $key ? new Key(...$key) : null;
    }

    /** Fetches an ageing set anew behind the answer, also where nothing needs to be verified: a key may be gone from it. */
    public function refreshWhenOld(): void
    {
        if ($this->ageS() > $this->settings->jwks_max_age_s && $this->waitS() <= 0) {
            $this->app->terminating(fn () => $this->folder->locked('jwks', fn () => $this->waitS() <= 0 && $this->fetch()));
        }
    }

    /**
     * Gives a key, fetching the set again at most once per cooldown over all workers, whatever the key ids.
     *
     * @return Key|null null: the set that was just fetched for this request does not have it.
     *
     * @throws Unavailable Nobody can tell: no usable set, or inside the cooldown.
     */
    public function find(string $kid): ?Key
    {
        return $this->folder->locked('jwks', function () use ($kid) {
            // Whoever waited finds what the other worker fetched.
            $this->generation = null;
            $key = $this->known($kid);
            if ($key) {
                return $key;
            }
            if ($this->waitS() > 0) {
                throw new Unavailable('an unknown key inside the cooldown', $this->waitS());
            }
            $fetched = $this->fetch();
            $found = $this->known($kid);
            if ($found || $fetched) {
                return $found;
            }
            throw new Unavailable('no usable keys', $this->waitS());
        });
    }

    /**
     * Reads a key set.
     *
     * @return array<string, Key>
     *
     * @throws RuntimeException It is no key set, holds no usable key, or names one key id twice.
     */
    public static function parse(string $text, array $algorithms): array
    {
        $list = json_decode($text, true)['keys'] ?? null;
        if (! is_array($list) || count($list) > self::MAX_KEYS) {
            throw new RuntimeException('not a list of keys, or a very long one');
        }
        $usable = array_filter($list, fn ($jwk) => self::signs($jwk, $algorithms));
        $keys = [];
        foreach ($usable as $jwk) {
            $key = Key::fromJwk($jwk);
            if ($key) {
                $keys[$jwk['kid']] = $key;
            }
        }
        if (! $keys || count(array_unique(array_column($usable, 'kid'))) < count($usable)) {
            throw new RuntimeException('a key set without a usable key, or with one key id twice');
        }

        return $keys;
    }

    private static function signs(mixed $jwk, array $algorithms): bool
    {
        return is_array($jwk) && is_string($jwk['kid'] ?? null) && $jwk['kid'] !== '' && is_string($jwk['kty'] ?? null)
            && in_array(Key::algorithmOf($jwk), $algorithms, true) && ($jwk['use'] ?? 'sig') === 'sig';
    }

    /** @return array<string, array{string, string}> Algorithm and key by key id. */
    private function keys(): array
    {
        $algorithms = $this->settings->algorithms;
        $name = 'keys:'.implode(',', $algorithms);
        $kept = $this->memory->find($name);
        if ($kept && $kept['generation'] === $this->generation()) {
            return $kept['keys'];
        }
        try {
            $keys = array_map('get_object_vars', self::parse((string) $this->folder->read(self::SET), $algorithms));
        } catch (RuntimeException) {
            return [];
        }
        $this->memory->keep($name, ['generation' => $this->generation(), 'keys' => $keys]);

        return $keys;
    }

    private function ageS(): float
    {
        $generation = $this->generation();

        return $generation === '' ? INF : max(0, microtime(true) - (int) $generation);
    }

    private function waitS(): float
    {
        $triedAtS = (float) $this->folder->read(self::TRIED);
        $retryS = min($this->settings->jwks_retry_s, $this->settings->jwks_cooldown_s);
        $pauseS = $this->isUsable() ? $this->settings->jwks_cooldown_s : $retryS;
        $sinceS = microtime(true) - $triedAtS;

        // A clock that was set back must not keep the keys away for longer than the pause.
        return $sinceS < 0 ? 0 : $pauseS - $sinceS;
    }

    private function fetch(): bool
    {
        $this->folder->write(self::TRIED, (string) microtime(true));
        try {
            $text = $this->download();
            self::parse($text, $this->settings->algorithms);
            $this->folder->write(self::SET, $text);
            $this->generation = null;
            $this->counters->add('auth_jwks_fetch_total', ['result' => 'ok']);

            return true;
        } catch (Throwable) {
            // A failed fetch never replaces a good set.
            $this->counters->add('auth_jwks_fetch_total', ['result' => 'failed']);

            return false;
        }
    }

    private function download(): string
    {
        $answer = Http::acceptJson()->timeout($this->settings->jwks_timeout_s)->withOptions([
            'allow_redirects' => false,
            'decode_content' => false,
            'progress' => function ($total, $loaded) {
                if (max($total, $loaded) > self::MAX_BYTES) {
                    throw new RuntimeException('the JWKS is too large');
                }
            },
        ])->get($this->settings->jwks_url);
        if ($answer->status() !== 200) {
            throw new RuntimeException("the JWKS answered {$answer->status()}");
        }

        return $answer->body();
    }
}
