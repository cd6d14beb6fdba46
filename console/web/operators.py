"""What only operators may see or do."""

from typing import Annotated

from fastapi import Depends, HTTPException, Request

from console.access.identities import Identity, identity_of
from console.actions.desk import Desk


def _operator(request: Request) -> Identity:
    found = identity_of(request)
    if not found.is_operator:
        raise HTTPException(
            403, f"Only operators may do this, and {found.name} is not among CONSOLE_OPERATORS."
        )
    return found


def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


Operator = Annotated[Identity, Depends(_operator)]
TheDesk = Annotated[Desk, Depends(_desk)]
