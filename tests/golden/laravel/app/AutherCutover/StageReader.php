<?php

namespace App\AutherCutover;

use DateTimeImmutable;
use Throwable;

/**
 * Which stage holds: a signed document in a file, its last good copy, else what is baked. Each request looks whether there is
 * another file; with APCu it is read when there is, or after two seconds.
 */
final class StageReader
{
    private const MAX_BYTES = 65_536;
    private const READ_EVERY_S = 2;
    private const STAGES = ['legacy', 'dual', 'drain', 'auther'];

    private ?StageView $view = null;

    public function __construct(
        private readonly Settings $settings,
        private readonly StateFolder $folder,
        private readonly Counters $counters,
        private readonly SharedMemory $memory,
    ) {
    }

    /**
     * The same one for all of a request.
     *
     * @throws Unavailable There was a document once and none can be read, or the baked stage is so late that guessing could
     *                     let a removed credential in.
     */
    public function now(): StageView
    {
        return $this->view ??= $this->look();
    }

    private function look(): StageView
    {
        $name = "stage:{$this->settings->stage_public_key}:{$this->settings->stage_file}";
        $state = StateFolder::stateOf($this->settings->stage_file);
        $kept = $this->memory->find($name);
        if ($kept && $kept['state'] === $state && abs(time() - $kept['at']) < self::READ_EVERY_S) {
            return new StageView(...$kept['view']);
        }
        $view = $this->readAll();
        $this->memory->keep($name, ['state' => $state, 'at' => time(), 'view' => get_object_vars($view)]);

        return $view;
    }

    private function readAll(): StageView
    {
        $live = self::read($this->settings->stage_file);
        $kept = self::read($this->settings->stage_cache);
        $known = $kept === null ? null : $this->open($kept, 'cached');
        if ($live !== null && $live === $kept && $known) {
            return $this->from($known, 'live');
        }
        $view = $live === null ? null : $this->adopt($live, $known);
        if ($view ?? $known) {
            return $view ?? $known;
        }
        if ($kept !== null || in_array($this->settings->baked_stage, ['drain', 'auther'], true)) {
            throw new Unavailable('the stage is unknown', 2);
        }

        return new StageView(
            $this->settings->baked_stage, $this->settings->baked_percent, '', 0, false, null, [], 'baked',
        );
    }

    private function adopt(string $text, ?StageView $known): ?StageView
    {
        $view = $this->open($text, 'live');
        // Two texts of one epoch: somebody signed twice, and nobody can say which is meant.
        $refusal = $view === null ? 'not a document of this migration'
            : ($known && $view->epoch <= $known->epoch ? "epoch {$view->epoch} after {$known->epoch}" : '');
        if ($refusal) {
            $this->logOnce($text, $refusal);

            return null;
        }
        $this->keep($text, $view);

        return $view;
    }

    /** A worker that lags must not put an older document over a newer one. */
    private function keep(string $text, StageView $view): void
    {
        try {
            $isKept = $this->folder->locked('stage', function () use ($text, $view) {
                $there = self::read($this->settings->stage_cache);
                $newer = $there === null ? null : $this->open($there, 'cached');

                return ($newer && $newer->epoch >= $view->epoch) || StateFolder::replace($this->settings->stage_cache, $text);
            });
        } catch (Unavailable) {
            $isKept = false;
        }
        // Best effort: a full disk must not keep this worker from following the switch.
        $isKept || $this->counters->log(['event' => 'stage_not_stored']);
    }

    /** Once for each document that is refused, not for each request. */
    private function logOnce(string $text, string $refusal): void
    {
        if ($this->folder->claim('refused-stage-'.hash('sha256', $text))) {
            $this->folder->forget('refused-stage-', 86_400);
            $this->counters->log(['event' => 'stage_refused', 'refusal' => $refusal]);
        }
    }

    private function from(StageView $view, string $origin): StageView
    {
        return new StageView(...['origin' => $origin] + get_object_vars($view));
    }

    /** Checks a document's signature and reads it; null when it is not signed by our key, of another migration or malformed. */
    private function open(string $text, string $origin): ?StageView
    {
        try {
            $key = $this->settings->stage_public_key;
            $name = 'stage:'.hash('sha256', "$key $text");
            $found = $this->memory->find($name);
            if ($found === null) {
                $found = self::signedBy($key, $text);
                $this->memory->keep($name, $found);
            }

            return $this->fits($found) ? $this->viewOf($found, $origin) : null;
        } catch (Throwable) {
            return null;
        }
    }

    private static function signedBy(string $key, string $text): array
    {
        $document = json_decode($text, true, 8, JSON_THROW_ON_ERROR);
        $signature = Base64Url::decode($document['signature']);
        $isSigned = sodium_crypto_sign_verify_detached($signature, $document['payload'], Base64Url::decode($key));

        return $isSigned ? json_decode($document['payload'], true, 8, JSON_THROW_ON_ERROR) : [];
    }

    private function fits(array $found): bool
    {
        $percent = $found['percent'] ?? null;

        return ($found['version'] ?? null) === 1
            && ($found['namespace'] ?? null) === $this->settings->namespace
            && in_array($found['stage'] ?? null, self::STAGES, true)
            && is_int($found['epoch'] ?? null)
            && (is_int($percent) || is_float($percent)) && $percent >= 0 && $percent <= 100
            && is_string($found['salt'] ?? null)
            && is_array($found['cohorts'] ?? []);
    }

    private function viewOf(array $found, string $origin): StageView
    {
        $until = $found['legacy_accept_until'] ?? null;

        return new StageView(
            $found['stage'], $found['percent'], $found['salt'], $found['epoch'],
            ($found['stop_accepting'] ?? null) === true,
            $until === null ? null : (float) (new DateTimeImmutable($until))->format('U.u'),
            $found['cohorts'] ?? [], $origin,
        );
    }

    private static function read(string $path): ?string
    {
        $text = $path === '' ? false : @file_get_contents($path, false, null, 0, self::MAX_BYTES);

        return $text === false ? null : $text;
    }
}
