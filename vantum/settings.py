"""All settings, read from the environment; every default works on a laptop without a server and without a key."""

from pathlib import Path

from vantum.databases import database_from_url
from vantum.env import Env
from vantum.secrets import secret_key

env = Env()

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(env.text("DATA_DIR", str(BASE_DIR / "var")))
"""What a running installation writes: database, journals, recordings, queues, caches."""

# --- the site -------------------------------------------------------------------------------------------------------------

DEBUG = env.flag("DEBUG")
SECRET_KEY = secret_key(env.text("SECRET_KEY"), DATA_DIR, may_generate=DEBUG)
HOST = env.text("HOST", "127.0.0.1")
PORT = env.integer("PORT", 8000, least=1, most=65535)
PUBLIC_URL = env.text("PUBLIC_URL", f"http://{HOST}:{PORT}")
ALLOWED_HOSTS = list(env.items("ALLOWED_HOSTS", ("localhost", "127.0.0.1", "[::1]")))

INSTALLED_APPS = [
    "daphne",
    "calls",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "channels",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "vantum.urls"
ASGI_APPLICATION = "vantum.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
LANGUAGE_CODE = "en-us"
TIME_ZONE = env.text("TIME_ZONE", "UTC")
USE_TZ = True
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_ROOT = DATA_DIR / "media"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LOGIN_URL = "admin:login"

# --- servers --------------------------------------------------------------------------------------------------------------

DATABASES = {"default": database_from_url(env.text("DATABASE_URL"), DATA_DIR)}
REDIS_URL = env.text("REDIS_URL")
CHANNEL_LAYERS = {
    "default": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": [REDIS_URL]}}
    if REDIS_URL
    else {"BACKEND": "channels.layers.InMemoryChannelLayer"},
}
CELERY_BROKER_URL = env.text("CELERY_BROKER_URL", "filesystem://")

# --- /ws ------------------------------------------------------------------------------------------------------------------

WS_ALLOW_ANONYMOUS = env.flag("WS_ALLOW_ANONYMOUS", default=DEBUG)
WS_ALLOWED_ORIGINS = env.items("WS_ALLOWED_ORIGINS")
"""Origins beside the own host; under DEBUG also ``http://localhost:*``."""
WS_MAX_CALLS = env.integer("WS_MAX_CALLS", 200, least=1)
"""Live calls per process; a further connection is refused at the handshake."""
WS_IDLE_SECONDS = env.number("WS_IDLE_SECONDS", 300, least=1)

# --- providers (names fixed: deployments rely on them) ----------------------------------------------------------------------

DEEPGRAM_API_KEY = env.text("DEEPGRAM_API_KEY")
DEEPGRAM_BASE_URL = env.text("DEEPGRAM_BASE_URL", "https://api.deepgram.com")
DEEPGRAM_MODEL = env.text("DEEPGRAM_MODEL", "flux-general-en")
OPENAI_API_KEY = env.text("OPENAI_API_KEY")
OPENAI_BASE_URL = env.text("OPENAI_BASE_URL", "https://api.openai.com/v1")
OPENAI_MODEL = env.text("OPENAI_MODEL", "gpt-4o-mini")
CARTESIA_API_KEY = env.text("CARTESIA_API_KEY")
CARTESIA_BASE_URL = env.text("CARTESIA_BASE_URL", "https://api.cartesia.ai")
CARTESIA_MODEL = env.text("CARTESIA_MODEL", "sonic-3")
CARTESIA_VOICE = env.text("CARTESIA_VOICE", "694f9389-aac1-45b6-b726-9d9369183238")

PROVIDERS = {
    "stt": {
        "deepgram": "calls.providers.deepgram.Deepgram",
        "local": "calls.providers.local.LocalSpeechToText",
        "scripted": "calls.providers.scripted.ScriptedSpeechToText",
    },
    "llm": {
        "openai": "calls.providers.openai.OpenAI",
        "local": "calls.providers.scripted.ScriptedAgent",
        "scripted": "calls.providers.scripted.ScriptedAgent",
    },
    "tts": {
        "cartesia": "calls.providers.cartesia.Cartesia",
        "local": "calls.providers.local.LocalTextToSpeech",
        "scripted": "calls.providers.scripted.ScriptedTextToSpeech",
    },
}
"""Short name to dotted path; an agent may also name a dotted path of its own."""
DEFAULT_PROVIDERS = {
    "stt": env.text("STT_PROVIDER", "deepgram" if DEEPGRAM_API_KEY else "local"),
    "llm": env.text("LLM_PROVIDER", "openai" if OPENAI_API_KEY else "local"),
    "tts": env.text("TTS_PROVIDER", "cartesia" if CARTESIA_API_KEY else "local"),
}
VOICE_DETECTOR = env.text("VOICE_DETECTOR", "calls.providers.vad.SileroDetector")
TURN_BUDGET_SECONDS = env.number("TURN_BUDGET_SECONDS", 4.0, least=0.5, most=30)
"""From the decision to reply to the first audio; past it the turn's fallback is spoken."""
FALLBACK_LINES = (
    env.text("FALLBACK_LINE_1", "Sorry, I missed that. Could you say it again?"),
    env.text("FALLBACK_LINE_2", "I am having trouble with my system. One moment, please, and say it once more."),
    env.text("FALLBACK_LINE_3", "I am sorry, I cannot continue right now. We will get back to you. Goodbye."),
)
"""Spoken when a turn's provider fails: the first, the second and the third time in a row; after the third the call ends."""
