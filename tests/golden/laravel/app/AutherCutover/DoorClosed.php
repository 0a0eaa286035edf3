<?php

namespace App\AutherCutover;

use Illuminate\Http\Exceptions\HttpResponseException;

/** A sign-in that the stage or the user's home refuses, before any session is written. Laravel sends its answer by itself. */
final class DoorClosed extends HttpResponseException
{
}
