"""Accounts, sessions and invitations in `gateway.db`."""

from datetime import datetime

from sqlalchemy import Engine, bindparam, delete, func, insert, select, update

from gateway.ports import Account, ApiToken, SecondStep, Session
from gateway.stores import tables
from gateway.stores.book import one_picture, row_of, upsert, writing
from gateway.stores.moments import aware
from gateway.stores.prepared import Glance
from gateway.stores.roll import absent

_account, _session, _invitation = tables.account, tables.session, tables.invitation
_step, _code = tables.second_step, tables.recovery_code
_token = tables.api_token
_TOKEN_NAMES = tuple(column.name for column in _token.columns)
_ACCOUNT_NAMES = tuple(column.name for column in _account.columns)
_SESSION_NAMES = tuple(column.name for column in _session.columns)
_ACCOUNT = select(_account).where(_account.c.login == bindparam("login"))
_TOKEN = select(_token).where(_token.c.token_hash == bindparam("token_hash"))
_SESSION = select(_session).where(
    _session.c.token_hash == bindparam("token_hash"), _session.c.expires_at > bindparam("now")
)


class SqlAccounts:
    """Who may sign in, as rows of the book."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._put = upsert(engine, _account)
        self._open = upsert(engine, _session)
        self._invite = upsert(engine, _invitation)
        self._put_step = upsert(engine, _step)
        self._put_token = upsert(engine, _token)
        self._token = Glance(engine, _TOKEN)

    def account(self, login: str) -> Account | None:
        with self._engine.connect() as connection:
            row = connection.execute(_ACCOUNT, {"login": login}).one_or_none()
        return None if row is None else Account(**row._mapping)

    def accounts(self) -> list[Account]:
        with self._engine.connect() as connection:
            rows = connection.execute(select(_account).order_by(_account.c.login))
            return [Account(**row._mapping) for row in rows]

    def count(self) -> int:
        with self._engine.connect() as connection:
            return connection.scalar(select(func.count()).select_from(_account)) or 0

    def put(self, account: Account) -> None:
        with writing(self._engine) as connection:
            connection.execute(self._put, row_of(account, _ACCOUNT_NAMES))

    def open_session(self, session: Session) -> None:
        with writing(self._engine) as connection:
            # Those that have ended by themselves are cleared away at the next sign-in.
            connection.execute(delete(_session).where(_session.c.expires_at <= session.created_at))
            if connection.execute(_ACCOUNT, {"login": session.login}).one_or_none() is None:
                raise absent("account", session.login, "this session")
            connection.execute(self._open, row_of(session, _SESSION_NAMES))

    def session(self, token_hash: str, now: datetime) -> Session | None:
        with self._engine.connect() as connection:
            row = connection.execute(_SESSION, {"token_hash": token_hash, "now": aware(now)}).one_or_none()
        return None if row is None else Session(**row._mapping)

    def sessions(self, login: str, now: datetime) -> list[Session]:
        own = (
            select(_session)
            .where(_session.c.login == login, _session.c.expires_at > aware(now))
            .order_by(_session.c.seen_at.desc(), _session.c.token_hash.desc())
        )
        with self._engine.connect() as connection:
            return [Session(**row._mapping) for row in connection.execute(own)]

    def see_session(self, token_hash: str, now: datetime) -> None:
        with writing(self._engine) as connection:
            this = _session.c.token_hash == token_hash
            connection.execute(update(_session).where(this).values(seen_at=aware(now)))

    def end_session(self, token_hash: str) -> None:
        with writing(self._engine) as connection:
            connection.execute(delete(_session).where(_session.c.token_hash == token_hash))

    def end_sessions(self, login: str) -> None:
        with writing(self._engine) as connection:
            connection.execute(delete(_session).where(_session.c.login == login))

    # ------------------------------------------------------------------ the second step

    def second_step(self, login: str) -> SecondStep | None:
        with one_picture(self._engine) as connection:
            row = connection.execute(select(_step).where(_step.c.login == login)).one_or_none()
            codes = connection.scalars(select(_code.c.code_hash).where(_code.c.login == login))
            return None if row is None else SecondStep(**row._mapping, codes=frozenset(codes))

    def put_second_step(self, step: SecondStep) -> None:
        row = {"login": step.login, "salt": step.salt, "since": aware(step.since), "used": step.used}
        with writing(self._engine) as connection:
            if connection.execute(_ACCOUNT, {"login": step.login}).one_or_none() is None:
                raise absent("account", step.login, "this second step")
            connection.execute(delete(_code).where(_code.c.login == step.login))
            connection.execute(self._put_step, row)
            for code in step.codes:
                connection.execute(insert(_code), {"login": step.login, "code_hash": code})

    def drop_second_step(self, login: str) -> None:
        with writing(self._engine) as connection:
            connection.execute(delete(_code).where(_code.c.login == login))
            connection.execute(delete(_step).where(_step.c.login == login))

    def use_interval(self, login: str, interval: int) -> bool:
        newer = update(_step).where(_step.c.login == login, _step.c.used < interval).values(used=interval)
        with writing(self._engine) as connection:
            return connection.execute(newer).rowcount == 1

    def use_code(self, login: str, code_hash: str) -> bool:
        this = delete(_code).where(_code.c.login == login, _code.c.code_hash == code_hash)
        with writing(self._engine) as connection:
            return connection.execute(this).rowcount == 1

    # ------------------------------------------------------------------ invitations

    def put_invitation(self, token_hash: str, purpose: str, expires_at: datetime) -> None:
        row = {"token_hash": token_hash, "purpose": purpose, "expires_at": aware(expires_at), "used_at": None}
        with writing(self._engine) as connection:
            connection.execute(self._invite, row)

    def invitation(self, token_hash: str, now: datetime) -> str | None:
        row = _invitation.c
        usable = select(row.purpose).where(
            row.token_hash == token_hash, row.used_at.is_(None), row.expires_at > aware(now)
        )
        with self._engine.connect() as connection:
            return connection.scalar(usable)

    def use_invitation(self, token_hash: str, now: datetime) -> str | None:
        this = _invitation.c.token_hash == token_hash
        with writing(self._engine) as connection:
            used = connection.execute(
                update(_invitation)
                .where(this, _invitation.c.used_at.is_(None), _invitation.c.expires_at > aware(now))
                .values(used_at=now)
            )
            if used.rowcount != 1:
                return None
            return connection.scalar(select(_invitation.c.purpose).where(this))

    def invitations(self, now: datetime) -> list[tuple[str, datetime]]:
        row = _invitation.c
        usable = select(row.purpose, row.expires_at).where(row.used_at.is_(None), row.expires_at > aware(now))
        with self._engine.connect() as connection:
            return sorted((purpose, until) for purpose, until in connection.execute(usable))

    def forget(self, login: str) -> None:
        with writing(self._engine) as connection:
            for table in (_code, _step, _session, _account):
                connection.execute(delete(table).where(table.c.login == login))

    def end_invitations(self, purpose: str) -> None:
        with writing(self._engine) as connection:
            connection.execute(delete(_invitation).where(_invitation.c.purpose == purpose))

    # ------------------------------------------------------------------ other programs

    def put_token(self, token: ApiToken) -> None:
        with writing(self._engine) as connection:
            connection.execute(self._put_token, row_of(token, _TOKEN_NAMES))

    def token(self, token_hash: str) -> ApiToken | None:
        return next(iter(self._token.nouns(ApiToken, token_hash=token_hash)), None)

    def tokens(self) -> list[ApiToken]:
        every = select(_token).order_by(_token.c.name, _token.c.created_at.desc(), _token.c.id)
        with self._engine.connect() as connection:
            return [ApiToken(**row._mapping) for row in connection.execute(every)]

    def see_token(self, token_id: str, now: datetime) -> None:
        with writing(self._engine) as connection:
            this = _token.c.id == token_id
            connection.execute(update(_token).where(this).values(last_used_at=aware(now)))
