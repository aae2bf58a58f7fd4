"""What gunicorn serves: the shop as the environment says."""

import os

from flask_shop import create_app
from flask_shop.config import Settings
from flask_shop.recording import options_of

settings = Settings.from_environ(os.environ)
application = create_app(settings, options_of(os.environ, settings.hosts))
