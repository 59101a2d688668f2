"""The two signatures of a post: MD5 and SHA-256 over the fields that ``verify_key`` lists."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import md5, sha256
from typing import Final

#: Never covered, whatever they say.
NOT_COVERED: Final = frozenset({"error", "card_sub_brand"})


def signed(fields: Mapping[str, str], password: str) -> dict[str, str]:
    """The fields with ``verify_key`` and both signatures."""
    covered = {name: value for name, value in fields.items() if name not in NOT_COVERED}
    plain, digest = password.encode(), {"verify_key": ",".join(covered)}
    digest["verify_sign"] = md5(
        joined(covered, md5(plain, usedforsecurity=False).hexdigest()), usedforsecurity=False
    ).hexdigest()
    digest["verify_sign_sha2"] = sha256(joined(covered, sha256(plain).hexdigest())).hexdigest()
    return {**fields, **digest}


def joined(covered: Mapping[str, str], password_hash: str) -> bytes:
    whole = {**covered, "store_passwd": password_hash}
    return "&".join(f"{name}={whole[name]}" for name in sorted(whole)).encode()
