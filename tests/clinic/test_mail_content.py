"""Mails as bytes, read back by the library."""

from email import message_from_bytes, policy

import pytest

from clinic import mail_content
from clinic.mail_kinds import Attachment, Mail

TEXT = "Señora Ñ: 9:00 AM EST\n.\n..dots\nFrom the clinic\n\ttab and blank \n" + "long " * 300 + "\n--=_no\n= 100 %\n"
HTML = "<!doctype html><p>¿Preguntas? &amp; ö</p>" + "x" * 2000
FILE = Attachment("visit.ics", 'text/calendar; charset="utf-8"; method="REQUEST"', b"BEGIN:VCALENDAR\r\n" + b"y" * 500)


def mail(**changes):
    said = {"to": "ann@example.org", "subject": "Your visit on Monday", "text": TEXT, "html": HTML,
            "attachments": (FILE,)}  # fmt: skip
    return Mail(**said | changes)


def read(**changes):
    content = mail_content.write(mail(**changes), "<1@here>").content
    assert max(len(line) for line in content.split(b"\r\n")) <= 998
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert content.isascii()
    return message_from_bytes(content, policy=policy.default)


def _lines(part):
    return part.get_content().replace("\r\n", "\n")


def test_what_is_written_is_what_is_read():
    found = read(headers={"List-Unsubscribe": f"<https://clinic.example.org/my/unsubscribe/{'t' * 43}/>"})
    (part,) = found.iter_attachments()

    assert [found[name] for name in ("Subject", "To", "Message-ID", "Auto-Submitted", "MIME-Version")] == [
        "Your visit on Monday", "ann@example.org", "<1@here>", "auto-generated", "1.0",
    ]  # fmt: skip
    assert found["List-Unsubscribe"].endswith("ttt/>")
    assert _lines(found.get_body(("plain",))) == TEXT
    assert _lines(found.get_body(("html",))).removesuffix("\n") == HTML
    assert (part.get_filename(), part.get_content_type(), part.get_param("method")) == (
        "visit.ics", "text/calendar", "REQUEST",
    )  # fmt: skip
    assert part.get_payload(decode=True) == FILE.content
    assert not found.defects


@pytest.mark.parametrize(
    "subject", ["Su visita del miércoles, 6 de enero, a las 10:00 (hora del Este)", "A" * 300, "b " * 200]
)
def test_subjects_long_or_with_accents_survive(subject):
    assert read(subject=subject)["Subject"].strip() == subject.strip()


def test_the_sender_is_the_name_of_the_clinic_or_that_of_the_settings(settings):
    settings.DEFAULT_FROM_EMAIL = "The clinics <mail@example.org>"

    assert read()["From"] == "The clinics <mail@example.org>"
    assert read(sender="Clínica, Norte")["From"].addresses[0].display_name == "Clínica, Norte"


def test_a_mail_without_files_is_both_texts_alone():
    found = read(attachments=())

    assert found.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in found.iter_parts()] == ["text/plain", "text/html"]


@pytest.mark.parametrize(
    "changes",
    [{"subject": "a\r\nBcc: x@example.org"}, {"to": "a@example.org\nBcc: b@example.org"}, {"headers": {"X": "a\nb"}},
     {"sender": "a\nb"}],
)  # fmt: skip
def test_a_line_break_in_a_header_is_refused(changes):
    with pytest.raises(ValueError, match=r"line break|Invalid address"):
        mail_content.write(mail(**changes), "<1@here>")


def test_as_files_it_is_the_same_bytes():
    letter = mail_content.write(mail(), "<1@here>")

    assert letter.as_email.content == letter.content
    assert [part.get_filename() for part in letter.as_email.attachments] == ["visit.ics"]
