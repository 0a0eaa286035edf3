<?php

namespace App\AutherCutover;

/**
 * Claims of verified tokens, in APCu's memory that all workers share; without APCu each request verifies its own. As many
 * slots as tokens are remembered: a later token takes the slot of an earlier one, so the memory is bounded.
 */
final class VerifiedTokens
{
    private const SLOTS = 10_000;

    private readonly bool $isOn;

    public function __construct(private readonly Settings $settings)
    {
        $this->isOn = function_exists('apcu_enabled') && apcu_enabled();
    }

    /** @param  string  $generation  Of the key set: what was verified by an older one is forgotten. */
    public function find(string $token, string $generation): ?array
    {
        if (! $this->isOn) {
            return null;
        }
        $digest = hash('sha256', $token);
        $kept = apcu_fetch($this->slot($digest));

        return $kept && $kept['digest'] === $digest && $kept['generation'] === $generation ? $kept['claims'] : null;
    }

    public function add(string $token, string $generation, array $claims): void
    {
        // A set that was fetched during this very verification has another generation by now: not worth keeping.
        if ($this->isOn && $generation !== '') {
            $digest = hash('sha256', $token);
            apcu_store($this->slot($digest), compact('digest', 'generation', 'claims'));
        }
    }

    private function slot(string $digest): string
    {
        // Two applications on one host may share APCu's memory, and must not share what they verified.
        $slot = hexdec(substr($digest, 0, 8)) % self::SLOTS;

        return "auther_cutover:{$this->settings->state_folder}:$slot";
    }
}
