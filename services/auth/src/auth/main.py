"""Where auth is put together: the only module that knows every other."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import aclosing
from functools import partial

from contracts.retention import SubjectKind
from kit.calls import Transports
from kit.clock import Clock
from kit.database import Database, Units
from kit.erasure import Apart, Eraser
from kit.holdings import held_about
from kit.server import run as serve
from kit.service import Service
from kit.settings import Environment
from litestar import Litestar
from litestar.types import ControllerRouterHandler
from opentelemetry.sdk.trace import TracerProvider

from auth.adapters.authenticators import authenticators_at
from auth.adapters.hiding import KeyedHash
from auth.adapters.hooks import PlatformHooks
from auth.adapters.key_providers import provider_of
from auth.adapters.keys import STORE, StoredKeys
from auth.adapters.letters import counting
from auth.adapters.openid import CalledProviders
from auth.adapters.passwords import Argon2Hashes, NoPasswords
from auth.adapters.peppers import Peppers
from auth.adapters.photos import PillowPhotos
from auth.adapters.platforms import CalledPlatforms
from auth.adapters.post import create_post
from auth.adapters.store import PostgresStore
from auth.adapters.vault import EnvelopeVault
from auth.api.accounts import account_routes, deletion_routes, export_routes
from auth.api.api_keys import api_key_routes
from auth.api.connections import authorisation_routes, connection_routes, ended_routes, use_routes
from auth.api.deletion_pages import deletion_page_routes
from auth.api.internal import internal_routes
from auth.api.members import invitation_routes, member_routes
from auth.api.openid import identity_routes, openid_routes
from auth.api.organisations import organisation_member_routes, organisation_routes
from auth.api.profile import address_routes, photo_routes
from auth.api.resets import reset_routes
from auth.api.second_factors import passkey_routes, second_factor_routes
from auth.api.sessions import own_session_routes, passport_routes, presence_routes, session_routes
from auth.api.sign_up import sign_up_routes
from auth.api.webhooks import webhook_routes
from auth.api.workspaces import workspace_deletion_routes, workspace_routes
from auth.data_map import DATA_MAP, KEYS_MAP
from auth.domain.openid import SignInMode
from auth.jobs import (
    ending_loop,
    endings_loop,
    forgetting_loop,
    late_revocation_loop,
    letters_loop,
    refresh_loop,
    sweeping_loop,
)
from auth.ports.store import Store, Transactions
from auth.settings import Settings
from auth.subscribers import subscriptions
from auth.use_cases.identities import Ways
from auth.use_cases.means import Means
from auth.use_cases.signing_up import SignUpPolicy


def create_app(
    environment: Mapping[str, str],
    *,
    transports: Transports | None = None,
    tracer_provider: TracerProvider | None = None,
) -> Litestar:
    settings = Settings.read(Environment(environment))
    service = Service("auth", settings.base, transports=transports, tracer_provider=tracer_provider)
    letter_written = asyncio.Event()
    transactions: Transactions = Units[Store](
        service.database,
        partial(PostgresStore, letter_written=letter_written.set, letter_dropped=counting(service.meter)),
    )
    sign_in = settings.openid.sign_in
    hashes = NoPasswords() if sign_in is SignInMode.OPENID else Argon2Hashes()
    providers = CalledProviders(settings.openid, service.clock, service.tracer)
    key_hashes = Peppers(settings.api_key_pepper_file)
    keys_database = _keys_database(settings, service.clock)
    keys, provider = StoredKeys(keys_database), provider_of(settings.key_places)
    vault = EnvelopeVault(provider, keys)
    hide, authenticators = KeyedHash(service.signing_key.sign), authenticators_at(settings.passkeys_at)
    means = Means(transactions, hashes, hide, vault, authenticators, sign_in)
    ways = Ways(means, providers)
    mail = settings.mail
    post = create_post(mail.server, mail.folder, sender=mail.sender)
    platforms = CalledPlatforms(settings.offered, service.clock, service.tracer)
    nudged = asyncio.Event()
    stores = [Apart(service.database, DATA_MAP), Apart(keys_database, KEYS_MAP)]
    eraser = Eraser(service.database, DATA_MAP, apart=stores[1:])
    return service.app(
        routes=[
            *_routes_of_people(means, settings.sign_up),
            *export_routes(transactions, partial(held_about, stores, SubjectKind.ACCOUNT)),
            *deletion_routes(means, platforms, vault),
            *passport_routes(transactions, service.passports, key_hashes),
            *api_key_routes(transactions, key_hashes),
            *organisation_routes(transactions),
            *organisation_member_routes(transactions),
            *openid_routes(ways, settings.sign_up),
            *identity_routes(ways),
            *workspace_routes(transactions),
            *workspace_deletion_routes(transactions, platforms, vault),
            *member_routes(transactions),
            *invitation_routes(transactions),
            *authorisation_routes(transactions, platforms, vault),
            *connection_routes(transactions, platforms, vault),
            *use_routes(transactions),
            *ended_routes(transactions, platforms),
            *webhook_routes(transactions, PlatformHooks(settings.offered), vault, settings.public_url),
            *deletion_page_routes(transactions),
            *internal_routes(transactions, platforms, vault, service.trusted_keys.seal, nudged.set),
        ],
        subscriptions=subscriptions(transactions, eraser),
        loops=[
            eraser.loop(),
            refresh_loop(transactions, platforms, vault, nudged),
            ending_loop(transactions, platforms, vault),
            endings_loop(transactions, settings.reauthorisation_grace),
            late_revocation_loop(transactions, platforms, vault),
            letters_loop(transactions, post, mail.web_url, letter_written),
            forgetting_loop(transactions, service.clock),
            sweeping_loop(transactions, keys, service.clock),
        ],
        resources=[platforms.open, providers.open, lambda: aclosing(provider), keys.opened],
    )


def _keys_database(settings: Settings, clock: Clock) -> Database:
    # Needed by calls at platforms only: an idle system holds no connection.
    most = settings.base.database_connections_max
    return Database(STORE, settings.keys_url, clock, connections_max=most, connections_min=0)


def _routes_of_people(means: Means, sign_up: SignUpPolicy) -> list[ControllerRouterHandler]:
    """What a person does about their own account."""
    return [
        *sign_up_routes(means.transactions, means.hashes, sign_up),
        *account_routes(means.transactions),
        *session_routes(means),
        *presence_routes(means),
        *second_factor_routes(means),
        *passkey_routes(means),
        *own_session_routes(means.transactions),
        *reset_routes(means),
        *address_routes(means),
        *photo_routes(means.transactions, PillowPhotos()),
    ]


def run() -> None:
    serve("auth", create_app)
