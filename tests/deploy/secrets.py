"""Which options are secret, and which role sees which of them."""

from collections.abc import Mapping

from analyticbot.config import OPTIONS

#: They, or the passwords in them, are nobody's but the roles' that need them.
SECRET = {option.variable for option in OPTIONS if option.secret} | {
    "ANALYTICBOT_HISTORY",
    "ANALYTICBOT_CONTROL",
    "TELEGRAM_API_ID",
}
#: What is secret, by the role that cannot do without it: no other one sees it.
NEEDED: Mapping[str, set[str]] = {
    "collect": {
        "ANALYTICBOT_API_KEY", "ANALYTICBOT_CONTROL", "ANALYTICBOT_SECRET_KEY",
        "TELEGRAM_API_ID", "TELEGRAM_API_HASH",
    },
    "work": {"ANALYTICBOT_API_KEY", "ANALYTICBOT_HISTORY"},
    "serve": {"ANALYTICBOT_API_KEY", "ANALYTICBOT_HISTORY"},
    "bot": {"ANALYTICBOT_API_KEY", "ANALYTICBOT_HISTORY", "ANALYTICBOT_CONTROL", "BOT_TOKEN"},
    "migrate": {"ANALYTICBOT_HISTORY", "ANALYTICBOT_CONTROL"},
}  # fmt: skip
