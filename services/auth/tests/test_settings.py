"""What auth is told about mail and sign-up, and what it refuses at its start."""

from __future__ import annotations

import pytest
from auth.settings import MailSettings, Settings
from kit.settings import Environment, SettingError

PRODUCTION = {"MAIL_FROM": "Signoff <no-reply@agency.example>", "PUBLIC_URL": "https://signoff.example"}
SMTP = PRODUCTION | {"SMTP_URL": "smtp://mail.example", "SMTP_USER": "signoff", "SMTP_PASSWORD": "hunter2-hunter2"}


def test_a_production_system_hands_mail_in_encrypted():
    mail = MailSettings.read(Environment(SMTP))
    assert mail.server is not None
    assert (mail.server.host, mail.server.port, mail.server.plain) == ("mail.example", 587, False)
    assert mail.web_url == "https://signoff.example"
    assert "hunter2" not in repr(mail)
    implicit = MailSettings.read(
        Environment(SMTP | {"SMTP_URL": "smtps://mail.example", "WEB_URL": "https://app.example/"})
    )
    assert implicit.server is not None
    assert (implicit.server.port, implicit.server.implicit_tls, implicit.web_url) == (465, True, "https://app.example")


@pytest.mark.promise("P23")
@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"SMTP_URL": ""}, "SMTP_URL is not set: sign-up"),
        ({"SMTP_URL": "", "MAIL_FOLDER": "mail"}, "SMTP_URL is not set: sign-up"),
        ({"SMTP_URL": "smtp+plain://mail.example"}, "SMTP_URL is not encrypted"),
        ({"SMTP_URL": "smtp://signoff:hunter2@mail.example"}, "SMTP_URL holds a user or password"),
        ({"SMTP_URL": "http://mail.example"}, "SMTP_URL must be"),
        ({"SMTP_URL": "smtp://mail.example:port"}, "SMTP_URL must be"),
        ({"SMTP_PASSWORD": ""}, "SMTP_PASSWORD is not set"),
        ({"MAIL_FROM": ""}, "MAIL_FROM is not set"),
        ({"MAIL_FROM": "Signoff"}, "MAIL_FROM must be an address"),
        ({"PUBLIC_URL": ""}, "PUBLIC_URL is not set"),
        ({"SIGNOFF_STAGE": "development", "SMTP_URL": "smtp+plain://mail.example"}, "a password would be sent"),
        ({"SIGNOFF_STAGE": "development", "SMTP_URL": ""}, "nor MAIL_FOLDER"),
    ],
)
def test_a_wrong_mail_setting_is_one_clear_line(changes: dict[str, str], complaint: str):
    with pytest.raises(SettingError, match=complaint) as refusal:
        MailSettings.read(Environment(SMTP | changes))
    assert "hunter2" not in str(refusal.value)


def test_approval_needs_somebody_who_is_told(environment: dict[str, str]):
    with pytest.raises(SettingError, match="OPERATOR_ADDRESS is not set"):
        Settings.read(Environment(environment | {"SIGN_UP": "approval"}))
