<?php

namespace App\AutherCutover;

use Illuminate\Contracts\Auth\Authenticatable;
use Illuminate\Http\Request;

/** One request's outcome; path, outcome and reason are a counter's labels. */
final class Decision
{
    /**
     * @param  string  $path  legacy, auther, both, foreign or none.
     * @param  string  $outcome  accepted, refused, anonymous or unavailable.
     * @param  string  $reason  From a closed list.
     * @param  string  $answer  `pass`: the application answers. `login`, `legacy_ended`, `conflict_page`: a page is redirected.
     * @param  string  $credential  header, cookie or session: CSRF protection may be skipped for `header` only.
     * @param  list<string>  $parties  Of a conflict, shortened hashes only: enough to see that it is the same two again.
     */
    public function __construct(
        public readonly string $path,
        public readonly string $outcome,
        public readonly string $reason = '',
        public readonly string $answer = 'pass',
        public readonly ?Authenticatable $user = null,
        public readonly string $credential = '',
        public readonly ?Finding $finding = null,
        public readonly bool $dropsCookie = false,
        public readonly bool $forgetsLegacy = false,
        public readonly array $parties = [],
    ) {
    }

    /**
     * What kind of client asks: by the signs of a browser, without any by its credential. A person's makes it an `app`; an API
     * key, another's bearer or none a program, `api`.
     */
    public function clientOf(Request $request): string
    {
        if (Answers::isFromBrowser($request)) {
            return 'browser';
        }
        $isProgram = in_array($this->path, ['none', 'foreign'], true) || ! empty($this->finding?->claims['apiKeyId']);

        return $isProgram ? 'api' : 'app';
    }
}
