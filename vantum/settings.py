"""All settings, read from the environment; every default works on a laptop without a server and without a key."""

import sys
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from vantum.brokers import FILESYSTEM, broker_options
from vantum.databases import database_from_url
from vantum.env import Env
from vantum.logs import logging_config
from vantum.secrets import derived_key, secret_key
from vantum.theme import theme_settings

env = Env()

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(env.text("DATA_DIR", str(BASE_DIR / "var")))
"""What a running installation writes: database, journals, recordings, queues, caches."""

# --- the site ---------------------------------------------------------------------------------------------------------

DEBUG = env.flag("DEBUG")
SECRET_KEY = secret_key(env.text("SECRET_KEY"), DATA_DIR, may_generate=DEBUG)
SECRETS_KEY = env.text("SECRETS_KEY", SECRET_KEY)
SECRETS_OLD_KEYS = env.items("SECRETS_OLD_KEYS")
"""What stored secrets are sealed with, and former keys that still open them (vantum/sealing.py)."""
HOST = env.text("HOST", "127.0.0.1")
PORT = env.integer("PORT", 8000, least=1, most=65535)
ALLOW_INSECURE_HOST = env.flag("ALLOW_INSECURE_HOST")
"""The second setting that lets DEBUG or anonymous calls listen on a HOST that others can reach."""
_LISTENS_EVERYWHERE = HOST in {"0.0.0.0", "::"}  # noqa: S104 (compared, not bound)
PUBLIC_URL = env.text("PUBLIC_URL", f"http://{'localhost' if _LISTENS_EVERYWHERE else HOST}:{PORT}").rstrip("/")
_PUBLIC = urlsplit(PUBLIC_URL)
_OWN_HOSTS = ("localhost", "127.0.0.1", "[::1]", *filter(None, [_PUBLIC.hostname]))
ALLOWED_HOSTS = list(
    env.items("ALLOWED_HOSTS", ("*",) if _LISTENS_EVERYWHERE and DEBUG and ALLOW_INSECURE_HOST else _OWN_HOSTS)
)

INSTALLED_APPS = [
    # It gives runserver its ASGI server; in every other process it would only cost 25 MB and 0.2 s.
    *(["daphne"] if "runserver" in sys.argv else []),
    "calls",
    "campaigns",
    # Before the admin, whose templates and site it replaces.
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "servestatic.runserver_nostatic",
    "django.contrib.staticfiles",
    # Its templates, for a renderer that finds those of our own widgets too.
    "django.forms",
    "channels",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "vantum.csp.security_headers",
    "servestatic.middleware.ServeStaticMiddleware",
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
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
UNFOLD = theme_settings()
LANGUAGE_CODE = "en-us"
TIME_ZONE = env.text("TIME_ZONE", "UTC")
USE_TZ = True
FORMAT_MODULE_PATH = "vantum.formats"
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
# The API's page shows itself with what django-ninja brings along; as an installed app it would cost every process.
_NINJA = find_spec("ninja")
STATICFILES_DIRS = [
    BASE_DIR / "static",
    *([("ninja", Path(_NINJA.origin).parent / "static" / "ninja")] if _NINJA and _NINJA.origin else []),
]
MEDIA_ROOT = DATA_DIR / "media"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

# Behind https the cookies never travel in the clear. A laptop's http://localhost must go on to work.
_IS_HTTPS = _PUBLIC.scheme == "https" and not DEBUG
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _IS_HTTPS
SECURE_HSTS_SECONDS = env.integer("SECURE_HSTS_SECONDS", 3600 if _IS_HTTPS else 0)
SECURE_REFERRER_POLICY = "same-origin"
CSRF_TRUSTED_ORIGINS = [f"{_PUBLIC.scheme}://{_PUBLIC.netloc}"] if _IS_HTTPS else []
if env.flag("TRUST_PROXY"):
    # Only behind a proxy that sets these headers itself: anybody else can write them.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    USE_X_FORWARDED_HOST = True
X_FRAME_OPTIONS = "SAMEORIGIN"

# --- what an operator sees --------------------------------------------------------------------------------------------

LOG_LEVEL = env.choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR"))
LOG_FORMAT = env.choice("LOG_FORMAT", "text", ("text", "json"))
LOGGING = logging_config(LOG_LEVEL, LOG_FORMAT)
METRICS_TOKEN = env.text("METRICS_TOKEN")
"""With it ``Authorization: Bearer`` opens /metrics; staff may always look, and DEBUG opens it to this machine."""
MIN_FREE_MIB = env.integer("MIN_FREE_MIB", 100)
"""Disk space below which the process says it is not ready for calls."""
DRAIN_SECONDS = env.number("DRAIN_SECONDS", 5, most=3600)
"""How long calls on the line may go on after a stop was asked for; production wants minutes here."""
WEB_SPARE = env.flag("WEB_SPARE")
"""Whether ``runstack`` keeps a second web process loaded, which takes over at once where the serving one dies."""

EMAIL_HOST = env.text("EMAIL_HOST")
"""The mail server; without one what would be mailed is printed."""
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if EMAIL_HOST else 'console'}.EmailBackend"
EMAIL_PORT = env.integer("EMAIL_PORT", 587, least=1, most=65535)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD")
EMAIL_USE_SSL = env.flag("EMAIL_USE_SSL")
"""TLS from the first byte, as on port 465."""
EMAIL_USE_TLS = env.flag("EMAIL_USE_TLS", default=not EMAIL_USE_SSL)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.text("EMAIL_FROM", f"vantum@{_PUBLIC.hostname or 'localhost'}")
DEMO = env.flag("DEMO", default=True)
"""Whether a new installation gets the demo campaign, and the simulated carrier runs beside a real one."""
FIRST_STEPS = ("ensure_roles", *(("ensure_demo",) if DEMO else ()))
"""Commands that ``runstack`` runs after the migrations, each of which may run again and again."""

# --- servers ----------------------------------------------------------------------------------------------------------

DATABASES = {"default": database_from_url(env.text("DATABASE_URL"), DATA_DIR)}
REDIS_URL = env.text("REDIS_URL")
CHANNEL_LAYERS = {
    "default": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": [REDIS_URL]}}
    if REDIS_URL
    else {"BACKEND": "channels.layers.InMemoryChannelLayer"},
}
CELERY_BROKER_URL = env.text("CELERY_BROKER_URL", FILESYSTEM)
CELERY_BROKER_TRANSPORT_OPTIONS = broker_options(CELERY_BROKER_URL, DATA_DIR)
CELERY_BROKER_CONNECTION_TIMEOUT = 3
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0.1, "interval_max": 0.2}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_ENABLE_REMOTE_CONTROL = not CELERY_BROKER_URL.startswith("filesystem:")
# Threads cannot be cancelled, and a dialling that is under way shall end: its message may come twice without harm.
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_TASK_SERIALIZER = CELERY_RESULT_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TIMEZONE = TIME_ZONE
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "beat-schedule")
DIAL_EVERY_SECONDS = env.number("DIAL_EVERY_SECONDS", 1, least=0.1, most=60)
"""How often campaigns look for whom to dial next."""
CELERY_BEAT_SCHEDULE = {
    "dial-due": {
        "task": "campaigns.tasks.dial_due",
        "schedule": DIAL_EVERY_SECONDS,
        "options": {"expires": max(1.0, DIAL_EVERY_SECONDS)},
    },
    "sweep-campaigns": {"task": "campaigns.tasks.sweep_campaigns", "schedule": 20.0, "options": {"expires": 15}},
    "sweep-lost-calls": {"task": "calls.tasks.sweep_lost_calls", "schedule": 20.0, "options": {"expires": 15}},
    "sweep-analyses": {"task": "campaigns.tasks.sweep_analyses", "schedule": 10.0, "options": {"expires": 8}},
    "expire-recordings": {"task": "calls.tasks.expire_recordings", "schedule": 86_400.0, "options": {"expires": 3600}},
    "expire-files": {"task": "campaigns.tasks.expire_files", "schedule": 86_400.0, "options": {"expires": 3600}},
    "sweep-attempts": {"task": "calls.tasks.sweep_attempts", "schedule": 20.0, "options": {"expires": 15}},
    "tell-supervisors": {"task": "campaigns.tasks.tell_supervisors", "schedule": 15.0, "options": {"expires": 12}},
    "sweep-imports": {"task": "campaigns.tasks.sweep_imports", "schedule": 2.0, "options": {"expires": 2}},
    "sweep-messages": {"task": "campaigns.tasks.sweep_messages", "schedule": 5.0, "options": {"expires": 4}},
    "sweep-exports": {"task": "campaigns.tasks.sweep_exports", "schedule": 3.0, "options": {"expires": 3}},
    "sweep-jobs": {"task": "campaigns.tasks.sweep_jobs", "schedule": 5.0, "options": {"expires": 4}},
}

# --- records ----------------------------------------------------------------------------------------------------------

JOURNAL_DIR = DATA_DIR / "journal"
"""Facts of live calls on their way to the database; what a dead process left is brought there at the next start."""
RECORDINGS_DIR = DATA_DIR / "recordings"
RECORD_AUDIO = env.flag("RECORD_AUDIO", default=True)
RECORDING_RETENTION_DAYS = env.integer("RECORDING_RETENTION_DAYS", 0, least=0, most=36_500)
"""After so many days recordings are deleted, ours and the carrier's, but for calls under legal hold; 0: never."""
RECORDING_RATE = env.integer("RECORDING_RATE", 16_000, least=8000, most=48_000)
"""Samples a second of each of the two channels."""

# --- lists, results and other systems ---------------------------------------------------------------------------------

IMPORT_MAX_MIB = env.integer("IMPORT_MAX_MIB", 100, least=1, most=2000)
IMPORT_MAX_ROWS = env.integer("IMPORT_MAX_ROWS", 1_000_000, least=1, most=10_000_000)
FILE_RETENTION_DAYS = env.integer("FILE_RETENTION_DAYS", 30, least=0, most=36_500)
"""After so many days uploaded lists, returned rows and exports are deleted; what they tell of stays. 0: never."""
API_RATE = env.text("API_RATE", "600/m")
"""Requests of one key: a number and s, m, h or d."""
WEBHOOK_ALLOW_LOOPBACK = env.flag("WEBHOOK_ALLOW_LOOPBACK")
"""For development: webhooks may go to this machine, by http too. Private networks stay closed."""
WEBHOOK_TIMEOUT_SECONDS = env.number("WEBHOOK_TIMEOUT_SECONDS", 15, least=0.5, most=30)

# --- /ws --------------------------------------------------------------------------------------------------------------

WS_ALLOW_ANONYMOUS = env.flag("WS_ALLOW_ANONYMOUS", default=DEBUG)
WS_ALLOWED_ORIGINS = env.items("WS_ALLOWED_ORIGINS")
"""Origins beside the own host; under DEBUG also ``http://localhost:*``."""
WS_MAX_CALLS = env.integer("WS_MAX_CALLS", 200, least=1)
"""Live calls per process; a further connection is refused at the handshake."""
WS_IDLE_SECONDS = env.number("WS_IDLE_SECONDS", 300, least=1)
WS_TOKEN_SECONDS = env.integer("WS_TOKEN_SECONDS", 300, least=1)
"""How long a signed ``?token=`` opens calls."""

# --- telephone --------------------------------------------------------------------------------------------------------

PHONE_LEAD_MS = env.number("PHONE_LEAD_MS", 400, least=160, most=2000)
"""How far speech is sent ahead of its being heard: less is lost at a barge-in, more bridges a longer stall."""

TWILIO_ACCOUNT_SID = env.text("TWILIO_ACCOUNT_SID")
TWILIO_AUTH_TOKEN = env.text("TWILIO_AUTH_TOKEN")
TWILIO_PHONE_NUMBER = env.text("TWILIO_PHONE_NUMBER")
"""The caller ID, in E.164: a number of the account, or one that it has verified."""
TWILIO_BASE_URL = env.text("TWILIO_BASE_URL", "https://api.twilio.com").rstrip("/")
TWILIO_TIMEOUT_SECONDS = env.number("TWILIO_TIMEOUT_SECONDS", 10, least=0.1, most=25)
"""To connect, and again for the answer. A dialling that takes a minute counts as lost."""
CURRENCY = env.text("CURRENCY", "USD")
"""Of prices, budgets and costs; carriers bill in US dollars unless they are told otherwise. Nothing is converted."""
CARRIERS = {"twilio": "calls.telephony.twilio.Twilio", "sandbox": "calls.telephony.sandbox.Sandbox"}
"""Short name to dotted path."""
CARRIER = env.text("CARRIER", "twilio" if TWILIO_ACCOUNT_SID else "sandbox")
RUNS_SANDBOX = CARRIER == "sandbox" or DEMO
SANDBOX_PORT = env.integer("SANDBOX_PORT", min(PORT + 1, 65535), least=1, most=65535)
"""Where the simulated carrier listens, on 127.0.0.1."""
SANDBOX_TOKEN = env.text("SANDBOX_TOKEN", derived_key(SECRET_KEY, "sandbox"))
"""What it is asked with, and signs its webhooks with."""
SANDBOX_TIMEOUT_SECONDS = env.number("SANDBOX_TIMEOUT_SECONDS", 5, least=0.1, most=25)
SANDBOX_PHONE_NUMBER = env.text("SANDBOX_PHONE_NUMBER", "+15005550100")
"""The caller ID of simulated calls, where TWILIO_PHONE_NUMBER gives none."""
CARRIER_LIMITS: dict[str, dict[str, int]] = {
    "twilio": {
        "a_second": env.integer("TWILIO_CALLS_PER_SECOND", 1, least=1, most=1000),
        "concurrent": env.integer("TWILIO_MAX_CALLS", 100, least=1),
    },
}
"""The most that campaigns ask of a carrier; one that is not named here has no limit of its own."""
MAX_OUTBOUND_CALLS = env.integer("MAX_OUTBOUND_CALLS", 50, least=1)
"""The most calls that campaigns have on the line at once, all together."""
RING_SECONDS = env.integer("RING_SECONDS", 30, least=20, most=600)
"""How long a telephone rings. The law asks for 15 seconds or four rings at least (47 CFR 64.1200(a)(6))."""
WAITING_CONNECTIONS = env.integer("WAITING_CONNECTIONS", 10, least=0, most=1000)
"""The most connections to the recogniser that one process holds for telephones that ring."""
RESUME_LINE = env.text("RESUME_LINE", "Sorry, I lost you for a second.")
"""Said when a call goes on with a new stream; a question that the agent had asked is asked again behind it."""
STREAM_TOKEN_SECONDS = env.integer("STREAM_TOKEN_SECONDS", 30, least=1, most=600)
"""How long after the TwiML its media stream may begin."""
HTTP_TOOLS_ALLOW_LOOPBACK = env.flag("HTTP_TOOLS_ALLOW_LOOPBACK", default=False)
"""Let agents' HTTP tools reach this machine itself: for development and tests. Private networks they never reach."""
INBOUND_GREETING = env.text(
    "INBOUND_GREETING",
    "Thank you for calling back. You have reached an automated assistant. "
    "To get no more calls from us, press 9 now. To talk to the assistant, stay on the line.",
)
INBOUND_SUPPRESSED = env.text("INBOUND_SUPPRESSED", "We will not call this number again. Goodbye.")
INBOUND_GOODBYE = env.text("INBOUND_GOODBYE", "Nobody can talk to you at the moment. Goodbye.")

# --- providers (names fixed: deployments rely on them) ----------------------------------------------------------------

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
ANALYSIS_PROVIDER = env.choice(
    "ANALYSIS_PROVIDER", "openai" if DEFAULT_PROVIDERS["llm"] == "openai" else "rules", ("openai", "rules")
)
"""Who judges finished calls: a language model, or rules that need no key."""
ANALYSIS_MODEL = env.text("ANALYSIS_MODEL", OPENAI_MODEL)
VOICE_DETECTOR = env.text("VOICE_DETECTOR", "calls.providers.vad.SileroDetector")
TURN_BUDGET_SECONDS = env.number("TURN_BUDGET_SECONDS", 4.0, least=0.5, most=30)
"""From the decision to reply to the first audio; past it the turn's fallback is spoken."""
FALLBACK_LINES = (
    env.text("FALLBACK_LINE_1", "Sorry, I missed that. Could you say it again?"),
    env.text("FALLBACK_LINE_2", "I am having trouble with my system. One moment, please, and say it once more."),
    env.text("FALLBACK_LINE_3", "I am sorry, I cannot continue right now. We will get back to you. Goodbye."),
)
"""Spoken when a turn's provider fails: the first, second and third time in a row; after the third the call ends."""
