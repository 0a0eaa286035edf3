<?php

namespace App\AutherCutover;

/** What is dear to work out, in APCu's memory that all workers share; where there is none, it is worked out each time. */
final class SharedMemory
{
    private readonly bool $isOn;
    /** Two applications on one host may share the memory, and must not share what they verified. */
    private readonly string $prefix;

    public function __construct(Settings $settings)
    {
        $this->prefix = "auther_cutover:{$settings->state_folder}:";
        $this->isOn = function_exists('apcu_enabled') && apcu_enabled();
    }

    public function find(string $key): ?array
    {
        return $this->isOn ? (apcu_fetch($this->prefix.$key) ?: null) : null;
    }

    public function keep(string $key, array $value): void
    {
        $this->isOn && apcu_store($this->prefix.$key, $value);
    }
}
