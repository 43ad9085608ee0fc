"""Mails as .eml files in a folder: what the embedded default does instead of SMTP."""

import uuid
from pathlib import Path

from django.conf import settings
from django.core.mail.backends.base import BaseEmailBackend

from clinic import times


class Backend(BaseEmailBackend):
    """Each file is complete or absent: written under another name first, then renamed."""

    def send_messages(self, email_messages):
        folder = Path(settings.EMAIL_FILE_PATH)
        folder.mkdir(parents=True, exist_ok=True)
        for message in email_messages:
            name = f"{times.now():%Y%m%dT%H%M%S%f}-{uuid.uuid4().hex[:8]}"
            part = folder / f".{name}.part"
            part.write_bytes(getattr(message, "content", None) or message.message().as_bytes(linesep="\r\n"))
            part.rename(folder / f"{name}.eml")
        return len(email_messages)
