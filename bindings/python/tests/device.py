"""An app that draws its own secrets, as far as the tests need one."""

from __future__ import annotations

import safeconduct as sc


class Device:
    """Holds a token and the secret of the next one, which is drawn with the token."""

    def __init__(self, authority: sc.Authority, token: str) -> None:
        self.authority = authority
        self.token = token
        self.next = sc.RefreshToken.new_secret()

    @classmethod
    def sign_in(cls, authority: sc.Authority, subject: str = "user-1", client_id: str = "default") -> Device:
        secret = sc.RefreshToken.new_secret()
        commitment = sc.RefreshToken.commitment(secret)
        grant = authority.issue(subject, client_id=client_id, commitment=commitment)
        return cls(authority, sc.RefreshToken.assemble(grant.receipt, secret))

    def copy(self) -> Device:
        """A thief who has the token, and not what comes next."""
        return Device(self.authority, self.token)

    def send(self) -> sc.Grant[str | None, None, str, None]:
        """Asks, and loses the reply."""
        return self.authority.refresh(self.token, next_commitment=sc.RefreshToken.commitment(self.next))

    def refresh(self) -> sc.Grant[str | None, None, str, None]:
        """Asks, and takes the reply."""
        grant = self.send()
        self.token = sc.RefreshToken.assemble(grant.receipt, self.next)
        self.next = sc.RefreshToken.new_secret()
        return grant
