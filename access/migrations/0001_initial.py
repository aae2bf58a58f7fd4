"""Tokens of scripts, and the list of sign-ins."""

import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import access.models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ApiToken",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        help_text="Where it is used, for example.",
                        max_length=100,
                        verbose_name="name",
                    ),
                ),
                (
                    "prefix",
                    models.CharField(
                        editable=False,
                        max_length=20,
                        unique=True,
                        verbose_name="begins with",
                    ),
                ),
                (
                    "digest",
                    models.CharField(
                        editable=False,
                        max_length=64,
                        validators=[django.core.validators.MinLengthValidator(64)],
                    ),
                ),
                ("scope", models.CharField(max_length=200, verbose_name="scopes")),
                (
                    "created",
                    models.DateTimeField(
                        default=django.utils.timezone.now,
                        editable=False,
                        verbose_name="created",
                    ),
                ),
                (
                    "expires",
                    models.DateTimeField(
                        db_index=True,
                        default=access.models.default_expiry,
                        verbose_name="expires",
                    ),
                ),
                (
                    "last_used",
                    models.DateTimeField(
                        editable=False, null=True, verbose_name="last used"
                    ),
                ),
                (
                    "revoked",
                    models.DateTimeField(
                        editable=False, null=True, verbose_name="revoked"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="api_tokens",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
            ],
            options={
                "verbose_name": "API token",
                "verbose_name_plural": "API tokens",
            },
        ),
        migrations.CreateModel(
            name="SignIn",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("login", "signed in"),
                            ("failure", "wrong name or password"),
                            ("lockout", "locked out"),
                            ("logout", "signed out"),
                            ("timeout", "session ended by time"),
                            ("password", "password changed"),
                            ("reset", "password reset asked for"),
                            ("token made", "token made"),
                            ("token revoked", "token revoked"),
                            ("token refused", "token refused"),
                            ("jwt issued", "JWT issued"),
                            ("jwt refreshed", "JWT refreshed"),
                            ("jwt refused", "JWT refused"),
                        ],
                        max_length=20,
                        verbose_name="what",
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        blank=True,
                        help_text="Of a user there is; what else was typed may be a password.",
                        max_length=150,
                        verbose_name="name",
                    ),
                ),
                (
                    "door",
                    models.CharField(blank=True, max_length=20, verbose_name="door"),
                ),
                (
                    "network",
                    models.CharField(blank=True, max_length=50, verbose_name="network"),
                ),
                (
                    "agent",
                    models.CharField(
                        blank=True, max_length=100, verbose_name="program"
                    ),
                ),
                (
                    "detail",
                    models.CharField(blank=True, max_length=150, verbose_name="detail"),
                ),
                (
                    "when",
                    models.DateTimeField(
                        default=django.utils.timezone.now, verbose_name="when"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="sign_ins",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
            ],
            options={
                "verbose_name": "sign-in",
                "verbose_name_plural": "sign-ins",
                "indexes": [
                    models.Index(fields=["-when", "-id"], name="access_signin_when"),
                    models.Index(
                        fields=["kind", "name", "-when"], name="access_signin_kind"
                    ),
                ],
            },
        ),
    ]
