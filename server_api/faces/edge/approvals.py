"""Approvals by a second person: signed here, verified here, used once by the side that acts.

``base64url(json) . proof``: the proof is this server's own (TokenMaker.stamp). Giving and verifying ask no database,
so a hall goes on approving while the business side is down; whether an approval was used is the acting side's to know.
"""

from __future__ import annotations

import base64
import binascii

from pydantic import ValidationError

from server_api.billing.ledger.policy import money_policy
from server_api.faces.edge.sessions import Sessions
from server_api.faces.edge.tokens import same
from shared_models.contracts.approval import Approval, ApprovalGiven
from shared_models.contracts.work import WorkContext
from shared_models.values.clock import Clock
from shared_models.values.faults.approval import ApprovalNotValid, ApprovalOfOneself, ApprovalTooLarge
from shared_models.values.faults.common import NotPermitted
from shared_models.values.giving import Giving
from shared_models.values.ids import new_id
from shared_models.values.money import Fen
from shared_models.values.permissions import Permission

_PURPOSE = "approval"
_LONGEST = 4_096


def give(
    sessions: Sessions,
    clock: Clock,
    approver: WorkContext,
    *,
    kind: Giving,
    account_id: str,
    amount: Fen,
    asked_by_no: str,
    reason: str,
) -> ApprovalGiven:
    """Sign an approval. Raises NotPermitted, ApprovalOfOneself, ApprovalTooLarge."""
    if not approver.may(Permission.APPROVAL_GIVE):
        raise NotPermitted(permission=Permission.APPROVAL_GIVE.value)
    if approver.staff_no == asked_by_no:
        raise ApprovalOfOneself()
    policy, now = money_policy(), clock.now()
    most = Fen(approver.limits_fen.get("approval", policy.largest_approval.amount_fen))
    if amount > most:
        raise ApprovalTooLarge(amount=str(amount), most=str(most))
    approval = Approval(
        approval_id=new_id(),
        kind=kind,
        account_id=account_id,
        amount_fen=amount,
        asked_by_no=asked_by_no,
        approver_id=approver.staff_id,
        approver_no=approver.staff_no,
        approver_name=approver.staff_name,
        hall_code=approver.hall_code,
        district_code=approver.district_code,
        scope=approver.scope.value,
        reason=reason,
        given_at=now,
        expires_at=now + policy.approval_for,
    )
    body = base64.urlsafe_b64encode(approval.model_dump_json().encode()).rstrip(b"=").decode()
    token = f"{body}.{sessions.stamp(_PURPOSE, body)}"
    return ApprovalGiven(approval_id=approval.approval_id, token=token, expires_at=approval.expires_at)


def read(sessions: Sessions, token: str) -> Approval:
    """What an approval says. Raises ApprovalNotValid where it is not one of ours, whole and unchanged.

    Whether it has expired is asked where it is used: an act that was done is repeated with the approval it had.
    """
    body, _, proof = token.rpartition(".")
    if len(token) > _LONGEST or not token.isascii() or not same(proof, sessions.stamp(_PURPOSE, body)):
        raise ApprovalNotValid()
    try:
        return Approval.model_validate_json(base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_"))
    except (binascii.Error, ValidationError):  # signed by an older version with another content
        raise ApprovalNotValid() from None
