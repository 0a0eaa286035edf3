<?php

namespace App\AutherCutover;

/** What is dear to work out, in APCu's memory that all workers share; where there is none, it is worked out each time. */
final class SharedMemory
{
    private readonly bool $isOn;

    public function __construct(private readonly Settings $settings)
    {
        $this->isOn = function_exists('apcu_enabled') && apcu_enabled();
    }

    public function find(string $key): ?array
    {
        return $this->isOn ? (apcu_fetch($this->own($key)) ?: null) : null;
    }

    public function keep(string $key, array $value): void
    {
        $this->isOn && apcu_store($this->own($key), $value);
    }

    /** Two applications on one host may share the memory, and must not share what they verified. */
    private function own(string $key): string
    {
        return "auther_cutover:{$this->settings->state_folder}:$key";
    }
}
