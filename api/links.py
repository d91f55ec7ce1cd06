"""`Link` headers of lists (RFC 8288): where the next page is, as a reference relative to this one."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlencode

from fastapi import Request

CURSOR: Final = "cursor"


def next_page(request: Request, cursor: str) -> str:
    """Repeats the parameters that the route knows, and no others: an answer may be kept and handed to
    somebody who asked without them.
    """
    known = _parameters(request.scope["route"].dependant)
    asked = {
        name: value
        for name, value in sorted(request.query_params.items())
        if name in known and name != CURSOR
    }
    return f'<?{urlencode({**asked, CURSOR: cursor})}>; rel="next"'


def _parameters(dependant: Any) -> set[str]:
    own = {parameter.alias for parameter in dependant.query_params}
    return own.union(*(_parameters(each) for each in dependant.dependencies))
