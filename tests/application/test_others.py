"""What applications of other frameworks say, found as code and not as words."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from migrator.application.interface import SessionStore, Sign
from tests.application.apps import ROOT, all_said, read, said
from tests.parts import require

DJANGO = {
    "manage.py": "",
    "requirements.txt": "Django==4.2.1\n# djangorestframework\ndjangorestframework_simplejwt[crypto]>=5  # tokens\n",
    "shop/settings.py": """SECRET_KEY = "django-topsecret"
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
SESSION_COOKIE_AGE = 60 * 60 * 24 * 7
AUTHENTICATION_BACKENDS = ["shop.backends.Staff"]
INSTALLED_APPS = ["django.contrib.auth", "rest_framework.authtoken"]
REST_FRAMEWORK = {"DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.BasicAuthentication"]}
""",
    "shop/views.py": '''from django.contrib.auth import authenticate, login as auth_login
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver

def enter(request):
    """login(request, user) would be wrong here."""
    user = authenticate(request, username="a", password="b")
    auth_login(request, user)
    request.session["user_id"] = user.pk
    request.session["cart"] = 1
    if request.headers.get("Authorization"):
        return request.META["HTTP_AUTHORIZATION"]
    user.password, user.last_login

def change(request, form):
    if request.user.check_password(form.old):
        update_session_auth_hash(request, request.user)
    cursor.execute("""SELECT 1
        FROM public.users u""")

@receiver(user_logged_in)
def note(sender, **given): ...

user_login_failed.connect(note)
logger.login("nobody")
settings.AUTHENTICATION_BACKENDS
''',
    "shop/templates/base.html": "<a href=\"{% url 'accounts:login' %}\">in</a>",
    "shop/migrations/0001.py": "login(request, user)",
    "shop/tests/test_a.py": "login(request, user)",
    ".venv/lib/x.py": "login(request, user)",
}


def test_django(tmp_path: Path) -> None:
    found = read(tmp_path, DJANGO)
    views = "shop/views.py"
    assert found.framework == "django"
    assert all_said(found) == {
        Sign.SIGNS_IN: [f"{views}:8 login"],
        Sign.BYPASSES_HOOKS: [f"{views}:17 update_session_auth_hash"],
        Sign.CHECKS_PASSWORD: [f"{views}:7 authenticate", f"{views}:16 check_password"],
        Sign.HOOKS: [f"{views}:21 receiver", f"{views}:24 connect"],
        Sign.STRATEGIES: [f"{views}:26 AUTHENTICATION_BACKENDS"],
        Sign.OWN_SESSION_KEY: [f"{views}:9 session[user_id]"],
        Sign.FOREIGN_BEARERS: [
            "shop/settings.py:5 rest_framework.authtoken",
            f"{views}:11 reads the Authorization header",
            f"{views}:12 reads the Authorization header",
            "requirements.txt djangorestframework-simplejwt",
        ],
        Sign.HTTP_BASIC: ["shop/settings.py:6 BasicAuthentication"],
        Sign.LOGIN_LINKS: ["shop/templates/base.html:1 {% url 'accounts:login'"],
        Sign.LEGACY_COLUMNS: [f"{views}:13 password", f"{views}:13 last_login"],
        Sign.USERS_IN_SQL: [f"{views}:19 FROM public.users"],
    }
    assert found.versions == {"django": "4.2.1", "djangorestframework-simplejwt": ">=5"}
    assert found.session_store == SessionStore("django", "60 * 60 * 24 * 7 s", timedelta(days=7))
    assert (found.secrets_set, "topsecret" in repr(found)) == (("SECRET_KEY",), False)


def test_django_itself_is_read_like_any_other_code(tmp_path: Path) -> None:
    import django  # noqa: PLC0415

    auth = Path(django.__file__).parent / "contrib" / "auth"
    shutil.copytree(auth, tmp_path / "auth")
    found = read(tmp_path, {"manage.py": ""})
    assert found.unread == {}
    assert {place.path for place in found.places(Sign.SIGNS_IN)} == {
        "auth/middleware.py",
        "auth/views.py",
    }
    assert said(found, Sign.BYPASSES_HOOKS)
    assert "auth/forms.py" in {place.path for place in found.places(Sign.CHECKS_PASSWORD)}


ASGI = {
    "pyproject.toml": '[project]\ndependencies = ["fastapi>=0.110", "PyJWT"]\n',
    "app/main.py": """from fastapi import FastAPI
from starlette.middleware.sessions import SessionMiddleware

app = FastAPI()
app.add_middleware(SessionMiddleware, secret_key="topsecret", max_age=86400)
oauth2 = OAuth2PasswordBearer(tokenUrl="token")

@app.post("/login")
async def login(request):
    if not pwd_context.verify(form.password, user.hashed_password):
        return None
    if signature.verify(message):
        return request.session["user_id"]
    request.session["user_id"] = user.id
    request.session["theme"] = "dark"

QUERY = "UPDATE users SET name = 1"
""",
}


def test_asgi(tmp_path: Path) -> None:
    found = read(tmp_path, ASGI)
    main = "app/main.py"
    assert found.framework == "asgi"
    assert all_said(found) == {
        Sign.SIGNS_IN: [f"{main}:14 session[user_id]"],
        Sign.CHECKS_PASSWORD: [f"{main}:10 verify"],
        Sign.FOREIGN_BEARERS: [f"{main}:6 OAuth2PasswordBearer", "pyproject.toml pyjwt"],
        Sign.LEGACY_COLUMNS: [f"{main}:10 hashed_password"],
        Sign.USERS_IN_SQL: [f"{main}:17 UPDATE users"],
    }
    assert found.session_store == SessionStore("cookie", "86400 s", timedelta(days=1))
    assert "topsecret" not in repr(found)


LARAVEL = {
    "artisan": "",
    "composer.lock": '{"packages": [{"name": "laravel/framework", "version": "v8.83.26"},'
    ' {"name": "laravel/sanctum", "version": "v2.15.1"}]}',
    "config/session.php": "<?php return ['driver' => env('SESSION_DRIVER', 'database'),"
    " 'lifetime' => env('SESSION_LIFETIME', 120)];",
    "config/auth.php": "<?php return ['guards' => ['web' => ['driver' => 'session']]];",
    "app/Http/Controllers/Door.php": r"""<?php
namespace App\Http\Controllers;
use Illuminate\Support\Facades\Auth;
// Auth::login($user) would be wrong here
class Door {
    function enter($request) {
        if (Auth::attempt(['email' => 1, 'password' => 2])) { return 1; }
        auth()->guard('web')->login($user);
        $this->catalogue->attempt($user);
        if (Hash::check($request->password, $request->user()->password)) { Auth::setUser($user); }
        $request->session()->put('user_id', $user->id);
        session()->put('cart', 1);
        $request->validate(['old' => 'current_password']);
        return $request->bearerToken() . $request->header('Authorization');
    }
    function raw() { return DB::select("select remember_token
        from users"); }
}
""",
    "app/Providers/Events.php": r"""<?php
use Illuminate\Auth\Events\Login;
Auth::viaRequest('token', fn ($request) => null);
""",
    "routes/api.php": "<?php Route::middleware('auth:sanctum')->get('/me'); Route::middleware('auth.basic');",
    "resources/views/a.blade.php": "<a href=\"{{ route('login') }}\">in</a>",
    "vendor/laravel/x.php": "<?php Auth::login($user);",
    "database/migrations/1.php": "<?php Auth::login($user);",
}


def test_laravel(tmp_path: Path) -> None:
    found = read(tmp_path, LARAVEL)
    door = "app/Http/Controllers/Door.php"
    assert found.framework == "laravel"
    assert all_said(found) == {
        Sign.SIGNS_IN: [f"{door}:7 attempt", f"{door}:8 login"],
        Sign.BYPASSES_HOOKS: [f"{door}:10 setUser"],
        Sign.CHECKS_PASSWORD: [f"{door}:10 check", f"{door}:13 current_password"],
        Sign.HOOKS: [r"app/Providers/Events.php:2 Illuminate\Auth\Events\Login"],
        Sign.STRATEGIES: ["app/Providers/Events.php:3 viaRequest"],
        Sign.OWN_SESSION_KEY: [f"{door}:11 session[user_id]"],
        Sign.FOREIGN_BEARERS: [
            f"{door}:14 bearerToken",
            f"{door}:14 reads the Authorization header",
            "routes/api.php:1 auth:sanctum",
            "composer.lock laravel/sanctum",
        ],
        Sign.HTTP_BASIC: ["routes/api.php:1 auth.basic"],
        Sign.LOGIN_LINKS: ["resources/views/a.blade.php:1 route('login'"],
        Sign.LEGACY_COLUMNS: [f"{door}:10 password", f"{door}:16 remember_token"],
        Sign.USERS_IN_SQL: [f"{door}:17 from users"],
    }
    assert found.versions == {"laravel/framework": "8.83.26", "laravel/sanctum": "2.15.1"}
    assert found.session_store == SessionStore("laravel", "120 min", timedelta(hours=2))


def test_laravel_itself_is_read_like_any_other_code(tmp_path: Path) -> None:
    require("laravel")
    auth = Path("/usr/share/php/Illuminate/Auth")
    shutil.copytree(auth, tmp_path / "app" / "Auth")
    found = read(tmp_path, {"artisan": ""})
    assert found.unread == {}
    # The framework's own classes call themselves $this; the password broker's are the listeners' and console's.
    assert "app/Auth/Middleware/AuthenticateWithBasicAuth.php" in {
        place.path for place in found.places(Sign.HTTP_BASIC)
    }
    assert "app/Auth/EloquentUserProvider.php" in {
        place.path for place in found.places(Sign.CHECKS_PASSWORD)
    }


EXPRESS = {
    "package.json": '{"dependencies": {"express": "^5.0.0", "passport": "^0.7.0", "connect-redis": "^7", "jsonwebtoken": "^9"}}',
    "package-lock.json": '{"packages": {"": {}, "node_modules/express": {"version": "5.1.0"}}}',
    "src/app.ts": """import session from 'express-session';
import { compare as same } from 'bcrypt';
app.use(session({ secret: 'topsecret', cookie: { maxAge: 1000 * 60 * 60, secure: true } }));
passport.use(new LocalStrategy(check));
passport.serializeUser((user: User, done: Done) => done(null, user.id));
app.post('/login', passport.authenticate('local'), (req, res) => {
  req.login(user, () => {});  // req.login again
  console.login(user);
  req.session.userId = user.id;
  const theme = req.session.theme;
  if (await bcrypt.compare(req.body.password, user.passwordHash)) {}
  const given = req.headers.authorization ?? req.get('Authorization');
  db.query(`SELECT * FROM users WHERE id = ${id}`);
});
app.use('/admin', basicAuth({ users }));
""",
    "views/in.ejs": '<form action="/users/login">',
    "dist/app.js": "req.login(user)",
    "node_modules/x/index.js": "req.login(user)",
}


def test_express(tmp_path: Path) -> None:
    found = read(tmp_path, EXPRESS)
    app = "src/app.ts"
    assert found.framework == "express"
    assert all_said(found) == {
        Sign.SIGNS_IN: [f"{app}:6 authenticate", f"{app}:7 login", f"{app}:9 session[userId]"],
        Sign.CHECKS_PASSWORD: [f"{app}:11 compare"],
        Sign.HOOKS: [f"{app}:5 serializeUser"],
        Sign.STRATEGIES: [f"{app}:4 use"],
        Sign.FOREIGN_BEARERS: [
            f"{app}:12 reads the Authorization header",
            "package.json jsonwebtoken",
        ],
        Sign.HTTP_BASIC: [f"{app}:15 basicAuth"],
        Sign.LOGIN_LINKS: ["views/in.ejs:1 /users/login"],
        Sign.LEGACY_COLUMNS: [f"{app}:11 passwordHash"],
        Sign.USERS_IN_SQL: [f"{app}:13 FROM users"],
    }
    assert (found.versions["express"], found.versions["passport"]) == ("5.1.0", "^0.7.0")
    assert found.session_store == SessionStore("redis", "1000 * 60 * 60 ms", timedelta(hours=1))
    assert "topsecret" not in repr(found)


GO = {
    "go.mod": "module shop\n\nrequire (\n\tgithub.com/gorilla/sessions v1.2.1\n\tgithub.com/golang-jwt/jwt/v5 v5.0.0\n)\n",
    "main.go": """package main

// session.Values["user_id"] = 1 would be wrong here
func enter(w http.ResponseWriter, r *http.Request) {
	if err := bcrypt.CompareHashAndPassword(user.PasswordHash, given); err != nil { return }
	session, _ := store.Get(r, "shop")
	session.Values["user_id"] = user.ID
	session.Values["theme"] = "dark"
	manager.Session.Put(r.Context(), "userID", user.ID)
	token := r.Header.Get("Authorization")
	name, password, ok := r.BasicAuth()
	rows := db.Query(`SELECT id FROM users`)
}

var store = sessions.NewCookieStore(key)
var options = &sessions.Options{MaxAge: 86400 * 30}
""",
    "main_test.go": "",
}


def test_go(tmp_path: Path) -> None:
    found = read(tmp_path, GO)
    assert found.framework == "go"
    assert all_said(found) == {
        Sign.SIGNS_IN: ["main.go:7 session[user_id]", "main.go:9 session[userID]"],
        Sign.CHECKS_PASSWORD: ["main.go:5 CompareHashAndPassword"],
        Sign.FOREIGN_BEARERS: [
            "main.go:10 reads the Authorization header",
            "go.mod github.com/golang-jwt/jwt/v5",
        ],
        Sign.HTTP_BASIC: ["main.go:11 BasicAuth"],
        Sign.LEGACY_COLUMNS: ["main.go:5 PasswordHash"],
        Sign.USERS_IN_SQL: ["main.go:12 FROM users"],
    }
    assert found.session_store == SessionStore("cookie", "86400 * 30 s", timedelta(days=30))


RACK = {
    "config.ru": "use Rack::Session::Cookie, expire_after: 3600, secret: 'topsecret'\nrun Shop\n",
    "Gemfile.lock": "GEM\n  specs:\n    sinatra (3.0.5)\n    jwt (2.7.0)\n",
    "shop.rb": """class Shop < Sinatra::Base
  post "/login" do
    env["warden"].authenticate!(:password)
    session[:user_id] = user.id
    session[:theme] = "dark"
    halt unless BCrypt::Password.new(user.password_digest).is_password?(given)
    JWT.decode(token, key)
    DB["SELECT * FROM users"]
    authenticate!
  end
end
Warden::Strategies.add(:password) { }
""",
    "views/in.erb": '<form action="/login">',
}


def test_rack(tmp_path: Path) -> None:
    found = read(tmp_path, RACK)
    assert found.framework == "rack"
    assert all_said(found) == {
        Sign.SIGNS_IN: ["shop.rb:3 authenticate!", "shop.rb:4 session[user_id]"],
        Sign.CHECKS_PASSWORD: ["shop.rb:6 is_password?"],
        Sign.STRATEGIES: ["shop.rb:12 add"],
        Sign.FOREIGN_BEARERS: ["shop.rb:7 decode", "Gemfile.lock jwt"],
        Sign.LOGIN_LINKS: ["views/in.erb:1 /login"],
        Sign.LEGACY_COLUMNS: ["shop.rb:6 password_digest"],
        Sign.USERS_IN_SQL: ["shop.rb:8 FROM users"],
    }
    assert found.session_store == SessionStore("cookie", "3600 s", timedelta(hours=1))


@pytest.mark.parametrize(
    ("part", "files", "framework", "doors"),
    [
        ("express_app", {}, "express", ["app.js"]),
        ("hono_app", {}, "hono", []),
        ("go_app", {"go.mod": "module club\n"}, "go", ["members.go"]),
        ("asgi_app", {"requirements.txt": "starlette\n"}, "asgi", []),
    ],
)
def test_applications_that_run_are_read_and_sessions_of_their_own_are_not_recognised(
    tmp_path: Path, part: str, files: dict[str, str], framework: str, doors: list[str]
) -> None:
    kept = shutil.ignore_patterns("node_modules")
    shutil.copytree(ROOT / "tests" / "parts" / part, tmp_path / "app", ignore=kept)
    found = read(tmp_path / "app", files, users_table="users")
    assert (found.framework, found.unread) == (framework, {})
    assert sorted({place.path for place in found.places(Sign.SIGNS_IN)}) == doors
    assert found.places(Sign.CHECKS_PASSWORD)


@pytest.mark.parametrize("name", ["package-lock.json", "poetry.lock", "composer.lock"])
def test_a_lock_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    found = read(tmp_path, {"manage.py": "", name: "]"})
    assert list(found.unread) == [name]


@pytest.mark.parametrize("name", ["a.py", "b.php", "c.ts", "d.go"])
def test_bytes_that_are_no_code_are_passed_over(tmp_path: Path, name: str) -> None:
    marks = {"a.py": "manage.py", "b.php": "artisan", "c.ts": "package.json", "d.go": "go.mod"}
    text = '{"dependencies": {"express": "5"}}' if name == "c.ts" else ""
    (tmp_path / name).write_bytes(bytes(range(256)) * 4)
    assert read(tmp_path, {marks[name]: text}).unread == {}
