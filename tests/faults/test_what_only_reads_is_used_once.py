"""A connection that PostgreSQL opened for reading only is in nobody's way once the server may be written again."""

import psycopg
from flask import Flask
from sqlalchemy import select

from idp import clock
from idp.accounts.models import Account
from idp.database import db, release
from idp.mail import service
from idp.settings import Settings
from tests.databases import POSTGRESQL, AppBuilder, Databases, with_database


def _let_new_connections(url: str, only_read: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET default_transaction_read_only = off")
        connection.execute(f'ALTER DATABASE "{connection.info.dbname}" SET default_transaction_read_only = {only_read}')


def test_whoever_only_read_meanwhile_leaves_no_connection_that_can_t_write(
    settings: Settings, build_app: AppBuilder, all_databases: Databases
) -> None:
    with all_databases.new(POSTGRESQL) as url:
        app: Flask = build_app(with_database(settings, url))
        with app.app_context():
            _let_new_connections(url, "on")
            try:
                assert db.session.scalars(select(Account)).all() == []
                release()
            finally:
                _let_new_connections(url, "off")

            service.send("mail/test", "parent@example.org", now=clock.now())
            db.session.commit()
