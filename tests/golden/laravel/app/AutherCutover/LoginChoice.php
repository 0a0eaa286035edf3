<?php

namespace App\AutherCutover;

use Illuminate\Http\Request;

/** On which side a browser signs in. Sticky: the first look at the login page sets a random cookie that decides. */
final class LoginChoice
{
    private const BUCKET = 'migrator_bucket';
    private const BUCKET_S = 400 * 86_400;

    public function __construct(private readonly Settings $settings, private readonly Cookies $cookies)
    {
    }

    /**
     * @param  string  $cohort  A group of your own making that the switch may move first.
     * @return string legacy or auther.
     */
    public function target(Request $request, StageView $view, string $cohort = ''): string
    {
        $key = Credentials::cookieValues($request, $this->settings->cookieName(self::BUCKET))[0] ?? '';
        if ($key === '') {
            $key = Base64Url::encode(random_bytes(16));
            $this->cookies->set(self::BUCKET, $key, self::BUCKET_S);
        }

        return $view->sendsToAuther($key, $cohort) ? 'auther' : 'legacy';
    }

    /** The path that a person is sent to for signing in. */
    public function path(Request $request, StageView $view, bool $returns = true): string
    {
        $isAuther = $this->target($request, $view) === 'auther';
        $path = $isAuther ? LoginController::START : $this->settings->login_path;
        $mayReturn = $returns && $request->getRealMethod() === 'GET';
        $returnTo = Answers::safeReturnPath($request->getRequestUri(), $this->settings->after_login);

        return Answers::withReturn($path, $mayReturn ? $returnTo : '');
    }
}
