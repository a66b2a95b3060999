"""Who may sign in, in memory."""

import threading
from dataclasses import replace
from datetime import datetime

from gateway.ports import Account, ApiToken, SecondStep, Session
from gateway.stores.moments import aware, checked
from gateway.stores.roll import absent


class MemoryAccounts:
    """Who may sign in, until the program ends."""

    def __init__(self) -> None:
        self._accounts: dict[str, Account] = {}
        self._sessions: dict[str, Session] = {}
        self._steps: dict[str, SecondStep] = {}
        self._invitations: dict[str, tuple[str, datetime]] = {}
        self._tokens: dict[str, ApiToken] = {}
        self._changing = threading.Lock()

    def account(self, login: str) -> Account | None:
        return self._accounts.get(login)

    def accounts(self) -> list[Account]:
        return sorted(self._accounts.values(), key=lambda account: account.login)

    def count(self) -> int:
        return len(self._accounts)

    def put(self, account: Account) -> None:
        self._accounts[account.login] = checked(account)

    def open_session(self, session: Session) -> None:
        checked(session)
        if session.login not in self._accounts:
            raise absent("account", session.login, "this session")
        with self._changing:
            now = session.created_at  # those that have ended by themselves are cleared away at the next sign-in
            self._sessions = {key: old for key, old in self._sessions.items() if old.expires_at > now}
            self._sessions[session.token_hash] = session

    def session(self, token_hash: str, now: datetime) -> Session | None:
        aware(now)
        session = self._sessions.get(token_hash)
        return session if session is not None and now < session.expires_at else None

    def sessions(self, login: str, now: datetime) -> list[Session]:
        aware(now)
        own = [session for session in self._sessions.values() if session.login == login and now < session.expires_at]
        return sorted(own, key=lambda session: (session.seen_at, session.token_hash), reverse=True)

    def see_session(self, token_hash: str, now: datetime) -> None:
        aware(now)
        with self._changing:
            if token_hash in self._sessions:
                self._sessions[token_hash] = replace(self._sessions[token_hash], seen_at=now)

    def end_session(self, token_hash: str) -> None:
        self._sessions.pop(token_hash, None)

    def end_sessions(self, login: str) -> None:
        with self._changing:
            self._sessions = {key: session for key, session in self._sessions.items() if session.login != login}

    def second_step(self, login: str) -> SecondStep | None:
        return self._steps.get(login)

    def put_second_step(self, step: SecondStep) -> None:
        if step.login not in self._accounts:
            raise absent("account", step.login, "this second step")
        self._steps[step.login] = checked(step)

    def drop_second_step(self, login: str) -> None:
        self._steps.pop(login, None)

    def use_interval(self, login: str, interval: int) -> bool:
        with self._changing:
            step = self._steps.get(login)
            if step is None or interval <= step.used:
                return False
            self._steps[login] = replace(step, used=interval)
            return True

    def use_code(self, login: str, code_hash: str) -> bool:
        with self._changing:
            step = self._steps.get(login)
            if step is None or code_hash not in step.codes:
                return False
            self._steps[login] = replace(step, codes=step.codes - {code_hash})
            return True

    def put_invitation(self, token_hash: str, purpose: str, expires_at: datetime) -> None:
        self._invitations[token_hash] = purpose, aware(expires_at)

    def invitation(self, token_hash: str, now: datetime) -> str | None:
        purpose, expires_at = self._invitations.get(token_hash, (None, aware(now)))
        return purpose if now < expires_at else None

    def use_invitation(self, token_hash: str, now: datetime) -> str | None:
        aware(now)
        with self._changing:
            purpose, expires_at = self._invitations.get(token_hash, (None, now))
            if purpose is None or expires_at <= now:
                return None
            del self._invitations[token_hash]
            return purpose

    def invitations(self, now: datetime) -> list[tuple[str, datetime]]:
        aware(now)
        return sorted((purpose, until) for purpose, until in self._invitations.values() if now < until)

    def forget(self, login: str) -> None:
        self.end_sessions(login)
        self.drop_second_step(login)
        self._accounts.pop(login, None)

    def end_invitations(self, purpose: str) -> None:
        with self._changing:
            self._invitations = {key: kept for key, kept in self._invitations.items() if kept[0] != purpose}

    def put_token(self, token: ApiToken) -> None:
        self._tokens[token.id] = checked(token)

    def token(self, token_hash: str) -> ApiToken | None:
        return next((token for token in self._tokens.values() if token.token_hash == token_hash), None)

    def tokens(self) -> list[ApiToken]:
        newest = sorted(self._tokens.values(), key=lambda token: (token.created_at, token.id), reverse=True)
        return sorted(newest, key=lambda token: token.name)

    def see_token(self, token_id: str, now: datetime) -> None:
        aware(now)
        with self._changing:
            if token_id in self._tokens:
                self._tokens[token_id] = replace(self._tokens[token_id], last_used_at=now)
