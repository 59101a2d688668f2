"""What the doors ask of accounts."""

from accounts.services.audit import note_staff_action
from accounts.services.otp import (
    LIFETIME as OTP_LIFETIME,
    PROOF_LIFETIME,
    RESEND_SECONDS,
    prove_number,
    send_otp,
)
from accounts.services.people import (
    account_exists,
    change_profile,
    reset_password,
    sign_up,
)
from accounts.services.second_factor import (
    begin_second_factor,
    confirm_second_factor,
    drop_second_factor,
    has_second_factor,
    knows_password,
    passes_second_factor,
)
from accounts.services.sessions import Session, renew, sign_in, sign_in_staff, sign_out

__all__ = [
    "OTP_LIFETIME",
    "PROOF_LIFETIME",
    "RESEND_SECONDS",
    "Session",
    "account_exists",
    "begin_second_factor",
    "change_profile",
    "confirm_second_factor",
    "drop_second_factor",
    "has_second_factor",
    "knows_password",
    "note_staff_action",
    "passes_second_factor",
    "prove_number",
    "renew",
    "reset_password",
    "send_otp",
    "sign_in",
    "sign_in_staff",
    "sign_out",
    "sign_up",
]
